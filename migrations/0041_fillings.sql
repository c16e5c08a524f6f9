-- Notices of rolling limits: such a window never begins anew, so a mark is told once for each filling. A filling of a mark begins when use
-- reaches it, and ends when use was seen below half of it, or when one length of the window has passed since it was told.

-- Of a rolling limit: when its use was seen below half of the mark. Until then, and for one length of the window, it is not told again.
alter table limit_notices add column fell_at timestamptz;
alter table shared_limit_notices add column fell_at timestamptz;
-- Looked at each minute.
create index limit_notices_filling on limit_notices (at) where fell_at is null and kind = 'rolling';
create index shared_limit_notices_filling on shared_limit_notices (at) where fell_at is null and kind = 'rolling';

-- What a key used since a minute, in cost units: whole days (UTC), whole quarters of an hour before the first of them, minutes before those.
create function used_since(of_key uuid, since timestamptz) returns bigint language sql stable as $$
  select coalesce(sum(part), 0)::bigint from (
    select to_timestamp(ceil(extract(epoch from since) / 900) * 900) as whole,
      date_trunc('day', since + interval '1 day' - interval '1 microsecond', 'UTC') as midnight
  ) edges cross join lateral (
    select sum(d.cost) from usage_days d where d.key_id = of_key and d.day >= edges.midnight and d.outcome = 'VALID'
    union all
    select sum(coalesce(q.cost, q.count)) from usage_quarters q
    where q.key_id = of_key and q.quarter >= edges.whole and q.quarter < edges.midnight and q.outcome = 'VALID'
    union all
    select sum(coalesce(m.cost, m.count)) from usage_minutes m
    where m.key_id = of_key and m.minute >= since and m.minute < edges.whole and m.outcome = 'VALID'
  ) parts(part)
$$;

-- The same of the keys of a workspace that share its limits: those without limits of their own or of a plan of their own, and not for
-- Tollgate's own API.
create function shared_used_since(of_workspace uuid, since timestamptz) returns bigint language sql stable as $$
  select coalesce(sum(used_since(k.id, since)), 0)::bigint from keys k join apis i on i.id = k.api_id and i.slug <> 'tollgate'
  where k.workspace_id = of_workspace
    and not exists (select from key_limits l where l.key_id = k.id) and not exists (select from plan_limits l where l.plan_id = k.plan_id)
$$;
