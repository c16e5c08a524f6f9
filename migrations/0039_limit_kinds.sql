-- Kinds of limits. Until now the sign of window_seconds said whether a window rolls; a kind of its own says it, and there are two more.
--
-- fixed       so many units in windows that begin with the clock: window_seconds long, 0 for calendar months; zone for days and months
-- rolling     so many units in any stretch of window_seconds, whole minutes
-- credits     units that are used up and come back: `refill` of them every window_seconds, never more than max_calls by that; 0 of them
--             every 0 seconds is prepaid: an operator tops it up
-- concurrent  so many calls at the same time; one counts for window_seconds at most, unless it is said to have ended before
create function is_limit_window(kind text, window_seconds integer, refill bigint) returns boolean language sql immutable as $$
  select case kind
    when 'fixed' then window_seconds between 0 and 2678400 and refill = 0
    when 'rolling' then window_seconds between 60 and 2678400 and window_seconds % 60 = 0 and refill = 0
    when 'credits' then (window_seconds = 0 and refill = 0) or (window_seconds between 1 and 2678400 and refill between 1 and 4294967295)
    when 'concurrent' then window_seconds between 1 and 2678400 and refill = 0
    else false end
$$;

do $$
declare t text;
begin
  foreach t in array array['key_limits', 'plan_limits', 'workspace_limits', 'group_limits', 'api_limits'] loop
    execute format('alter table %I drop constraint %I', t, t || '_window_seconds_check');
    execute format('alter table %I add column kind text not null default ''fixed'', add column refill bigint not null default 0', t);
    execute format('update %I set kind = ''rolling'', window_seconds = -window_seconds where window_seconds < 0', t);
    execute format('alter table %I add constraint %I check (is_limit_window(kind, window_seconds, refill))', t, t || '_window_check');
    -- Credits refuse what is beyond them.
    execute format('alter table %I add constraint %I check (kind <> ''credits'' or over = ''refuse'')', t, t || '_credits_refuse_check');
  end loop;
end $$;

-- And of the notices, which say what was used up.
alter table limit_notices add column kind text not null default 'fixed', add column refill bigint not null default 0;
alter table shared_limit_notices add column kind text not null default 'fixed', add column refill bigint not null default 0;

-- The levels as 0025 has them, with these columns.
drop function limit_levels(uuid, uuid, uuid, uuid, uuid);
create function limit_levels(key uuid, key_plan uuid, workspace uuid, workspace_plan uuid, api uuid)
returns table (level integer, name text, max_calls bigint, kind text, window_seconds integer, zone text, refill bigint, over text) language sql stable as $$
  select 1, l.name, l.max_calls, l.kind, l.window_seconds, l.zone, l.refill, l.over from key_limits l where l.key_id = key
  union all
  select 2, l.name, l.max_calls, l.kind, l.window_seconds, l.zone, l.refill, l.over from plan_limits l where l.plan_id = key_plan
  union all
  select 3, l.name, l.max_calls, l.kind, l.window_seconds, l.zone, l.refill, l.over from workspace_limits l where l.workspace_id = workspace
  union all
  select 4, l.name, l.max_calls, l.kind, l.window_seconds, l.zone, l.refill, l.over from plan_limits l where l.plan_id = workspace_plan
  union all
  select 5, l.name, l.max_calls, l.kind, l.window_seconds, l.zone, l.refill, l.over
  from group_members m join group_limits l on l.group_id = m.group_id where m.workspace_id = workspace
  union all
  select 6, l.name, l.max_calls, l.kind, l.window_seconds, l.zone, l.refill, l.over
  from group_members m join groups g on g.id = m.group_id join plan_limits l on l.plan_id = g.plan_id where m.workspace_id = workspace
  union all
  select 7, l.name, l.max_calls, l.kind, l.window_seconds, l.zone, l.refill, l.over from api_limits l where l.api_id = api
$$;

-- What of credits was given out, as limit_leases has it of windows: one row a bucket, which lasts as long as its holder. It is charged by
-- lease only, also by a node that is alone, so this row survives every end of a process. The arithmetic, and why no more passes than may:
-- src/keys/server/gate/credits/mod.rs.
create table credit_buckets (
  holder        uuid not null,                       -- the key, or the workspace whose keys are counted together
  name          text not null,
  seconds       integer not null check (seconds >= 0), -- how often something comes back; 0: prepaid
  number        bigint not null,                     -- of the last refill, counted from 1970; 0 of a prepaid one
  before        bigint not null,                     -- and of the one before that was looked at
  used          bigint not null,                     -- given out and not back yet; less than 0 where more was added than fits
  high          bigint not null default 0,           -- what was used when the last refill came
  got           bigint not null default 0,           -- and how much of it came back
  topped_up_at  timestamptz,
  primary key (holder, name)
) with (fillfactor = 70);                            -- updated often, in place

-- What operators added. The request's key makes it once.
create table credit_top_ups (
  id            uuid primary key,
  holder        uuid not null,
  name          text not null,
  units         bigint not null check (units > 0),
  reason        text not null check (char_length(reason) <= 200),
  added_by      uuid,                                -- an account; null: the command line
  request_key   text check (char_length(request_key) between 1 and 255),
  added_at      timestamptz not null
);
create index credit_top_ups_by_holder on credit_top_ups (holder, added_at desc);
create unique index credit_top_ups_by_request on credit_top_ups (holder, name, request_key) where request_key is not null;

-- They go with whose they are.
create function forget_buckets() returns trigger language plpgsql as $$
begin
  delete from credit_buckets b using gone g where b.holder = g.id;
  delete from credit_top_ups t using gone g where t.holder = g.id;
  return null;
end $$;
create trigger keys_forget_buckets after delete on keys referencing old table as gone for each statement execute function forget_buckets();
create trigger workspaces_forget_buckets after delete on workspaces referencing old table as gone for each statement execute function forget_buckets();

-- The bucket, locked, with everything that has come back up to this refill; made full if it is missing.
create function refilled_bucket(of_holder uuid, of_name text, of_seconds integer, of_refill bigint, upto bigint) returns credit_buckets
language plpgsql as $$
declare
  b credit_buckets;
begin
  insert into credit_buckets (holder, name, seconds, number, before, used) values (of_holder, of_name, of_seconds, upto, upto, 0)
    on conflict do nothing;
  select * into strict b from credit_buckets c where c.holder = of_holder and c.name = of_name for update;
  if b.seconds <> of_seconds then
    -- Another interval: what was used stays used, and comes back by the new one from now on. What is held by the old one is lost.
    b.number := case when of_seconds = 0 then 0 when b.seconds = 0 then upto else b.number * b.seconds / of_seconds end;
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

-- Takes and gives back, each bucket under its lock, in one order. An ask is {place, holder, name, seconds, refill, at, most, need, ahead,
-- back}; `back` says by the number of a refill what was taken after it and not used. Of what was taken before the last refill goes back what
-- that refill has not brought back already: as if it had never been taken.
create function lease_credits(asks jsonb, share bigint) returns table (place bigint, number bigint, given bigint, spare bigint)
language plpgsql as $$
declare
  ask record;
  part record;
  b credit_buckets;
  would bigint;                                      -- have come back, had this never been taken
  free bigint;
begin
  for ask in
    select * from jsonb_to_recordset(asks)
      as a (place bigint, holder uuid, name text, seconds integer, refill bigint, at bigint, most bigint, need bigint, ahead bigint, back jsonb)
    order by a.holder, a.name, a.place
  loop
    place := ask.place;
    if ask.need = 0 and ask.ahead = 0
        and exists (select from credit_buckets c where c.holder = ask.holder and c.name = ask.name and c.seconds <> ask.seconds) then
      -- It gives back what it had under another interval than the limit has now: that can't be told from what came back.
      number := ask.at;
      given := 0;
      spare := 0;
      return next;
      continue;
    end if;
    b := refilled_bucket(ask.holder, ask.name, ask.seconds, ask.refill, ask.at);
    for part in select p.key::bigint as at, p.value::bigint as back from jsonb_each_text(ask.back) p loop
      if part.at >= b.number then
        b.used := b.used - part.back;
      elsif part.at >= b.before then
        would := least(b.got, greatest(b.high - part.back, 0));
        b.used := b.used - (part.back - b.got + would);
        b.high := b.high - part.back;
        b.got := would;
      end if;
    end loop;
    free := greatest(ask.most - b.used, 0);
    given := least(free, greatest(ask.need, least(ask.ahead, free / share)));
    update credit_buckets c set seconds = b.seconds, number = b.number, before = b.before, used = b.used + given, high = b.high, got = b.got
      where c.holder = b.holder and c.name = b.name;
    number := b.number;
    spare := free - given;
    return next;
  end loop;
end $$;

-- Adds units, also beyond what the limit allows; what is left then of `most`.
create function add_credits(of_holder uuid, of_name text, of_seconds integer, of_refill bigint, upto bigint, units bigint, most bigint, at timestamptz)
returns bigint language plpgsql as $$
declare
  b credit_buckets;
begin
  b := refilled_bucket(of_holder, of_name, of_seconds, of_refill, upto);
  update credit_buckets c
    set seconds = b.seconds, number = b.number, before = b.before, used = b.used - units, high = b.high, got = b.got,
      topped_up_at = case when units > 0 then at else b.topped_up_at end
    where c.holder = b.holder and c.name = b.name;
  return greatest(most - b.used + units, 0);
end $$;
