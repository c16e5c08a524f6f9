-- The bucket as 0039 has it, but for a limit with another interval: what was used comes back by the new one from now on, and for refills of
-- the old one that had come and were not looked at. 0039 counted from the last refill of the old one: of a limit that was refilled each day
-- and is now each hour that was midnight, and all hours since came back at once; again with each change to and fro, also by servers that
-- read of it one after the other.
create or replace function refilled_bucket(of_holder uuid, of_name text, of_seconds integer, of_refill bigint, upto bigint) returns credit_buckets
language plpgsql as $$
declare
  b credit_buckets;
  gone bigint := 0;                                  -- refills by the old interval that nobody has looked at
begin
  insert into credit_buckets (holder, name, seconds, number, before, used) values (of_holder, of_name, of_seconds, upto, upto, 0)
    on conflict do nothing;
  select * into strict b from credit_buckets c where c.holder = of_holder and c.name = of_name for update;
  if b.seconds <> of_seconds then
    -- What is held by the old one is lost.
    if b.seconds > 0 and of_seconds > 0 then
      gone := greatest(upto * of_seconds / b.seconds - b.number, 0);
    end if;
    b.number := case when of_seconds = 0 then 0 else upto - gone * b.seconds / of_seconds end;
    b.seconds := of_seconds;
    b.before := b.number;
  elsif of_seconds > 0 and b.number > greatest(upto, (extract(epoch from clock_timestamp()) / of_seconds)::bigint) + 2 + 86400 / of_seconds then
    -- The clock of a node was ahead by more than a day. Nothing must wait until that date.
    b.number := upto;
    b.before := upto;
  end if;
  if upto > b.number then
    b.high := b.used;
    b.got := least(greatest(b.used, 0), of_refill * (upto - b.number));
    b.used := b.used - b.got;
    b.before := b.number;
    b.number := upto;
  end if;
  return b;
end $$;

-- What the keys of a workspace used together, as 0041 has it, but read once for all of them by the workspace's indexes, as its limits are
-- (`list_used_shared_limits`): a sum for each key of a workspace that has very many takes longer than a minute's look may.
create or replace function shared_used_since(of_workspace uuid, since timestamptz) returns bigint language sql stable as $$
  with edges as (
    select to_timestamp(ceil(extract(epoch from since) / 900) * 900) as whole,
      date_trunc('day', since + interval '1 day' - interval '1 microsecond', 'UTC') as midnight
  ), parts as (
    select d.key_id, d.cost as units from edges, usage_days d
    where d.workspace_id = of_workspace and d.day >= edges.midnight and d.outcome = 'VALID'
    union all
    select q.key_id, coalesce(q.cost, q.count) from edges, usage_quarters q
    where q.workspace_id = of_workspace and q.quarter >= edges.whole and q.quarter < edges.midnight and q.outcome = 'VALID'
    union all
    select m.key_id, coalesce(m.cost, m.count) from edges, usage_minutes m
    where m.workspace_id = of_workspace and m.minute >= since and m.minute < edges.whole and m.outcome = 'VALID'
  )
  select coalesce(sum(u.units), 0)::bigint from (select key_id, sum(units) as units from parts group by key_id) u
  where exists (
    select from keys k join apis i on i.id = k.api_id and i.slug <> 'tollgate'
    where k.id = u.key_id and not exists (select from key_limits l where l.key_id = k.id) and not exists (select from plan_limits l where l.plan_id = k.plan_id)
  )
$$;
