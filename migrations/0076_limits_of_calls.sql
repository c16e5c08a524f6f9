-- What a limit counts: cost units, as all did until now, or the calls themselves, whatever each costs. Of windows only: credits are units, and
-- of calls at the same time each is one anyway.
do $$
declare
  t text;
begin
  foreach t in array array['key_limits', 'plan_limits', 'workspace_limits', 'group_limits', 'api_limits'] loop
    execute format('alter table %I add column unit text not null default ''units'' check (unit in (''units'', ''calls''))', t);
    execute format('alter table %I add constraint %I check (unit = ''units'' or kind in (''fixed'', ''rolling''))', t, t || '_unit_kind_check');
  end loop;
end $$;

-- What a notice told of, so that a mail says calls where it means them.
alter table limit_notices add column unit text not null default 'units' check (unit in ('units', 'calls'));
alter table shared_limit_notices add column unit text not null default 'units' check (unit in ('units', 'calls'));

-- What calls that were counted together took of a limit with this unit. Questions that cost nothing, and calls of routes without quota, are counted
-- and take nothing of any limit; a call that takes something costs one unit at least. So calls are no more than their cost: where no such question
-- stands among them this is exact, else it is too much by no more than there were of these, and never too little.
create function taken(of_unit text, calls bigint, cost bigint) returns bigint language sql immutable as $$
  select case of_unit when 'calls' then least(calls, coalesce(cost, calls)) else coalesce(cost, calls) end
$$;

-- As 0064 has it, with the unit.
drop function limit_levels(uuid, uuid, uuid, uuid, uuid);
create function limit_levels(key uuid, key_plan uuid, workspace uuid, workspace_plan uuid, api uuid)
returns table (level integer, name text, max_calls bigint, kind text, window_seconds integer, zone text, refill bigint, over text, unit text) language sql stable as $$
  select 1, l.name, l.max_calls, l.kind, l.window_seconds, l.zone, l.refill, l.over, l.unit from key_limits l where l.key_id = key
  union all
  select 2, l.name, l.max_calls, l.kind, l.window_seconds, l.zone, l.refill, l.over, l.unit from plan_limits l where l.plan_id = key_plan
  union all
  select 3, l.name, l.max_calls, l.kind, l.window_seconds, l.zone, l.refill, l.over, l.unit from workspace_limits l where l.workspace_id = workspace
  union all
  select 4, l.name, l.max_calls, l.kind, l.window_seconds, l.zone, l.refill, l.over, l.unit
  from group_members m join group_limits l on l.group_id = m.group_id where m.workspace_id = workspace
  union all
  select 5, l.name, l.max_calls, l.kind, l.window_seconds, l.zone, l.refill, l.over, l.unit from plan_limits l where l.plan_id = workspace_plan
  union all
  select 6, l.name, l.max_calls, l.kind, l.window_seconds, l.zone, l.refill, l.over, l.unit
  from group_members m join groups g on g.id = m.group_id join plan_limits l on l.plan_id = g.plan_id where m.workspace_id = workspace
  union all
  select 7, l.name, l.max_calls, l.kind, l.window_seconds, l.zone, l.refill, l.over, l.unit from api_limits l where l.api_id = api
$$;

-- As 0041 and 0042 have them, in the unit of a limit.
drop function used_since(uuid, timestamptz);
create function used_since(of_key uuid, since timestamptz, of_unit text default 'units') returns bigint language sql stable as $$
  select coalesce(sum(part), 0)::bigint from (
    select to_timestamp(ceil(extract(epoch from since) / 900) * 900) as whole,
      date_trunc('day', since + interval '1 day' - interval '1 microsecond', 'UTC') as midnight
  ) edges cross join lateral (
    select sum(taken(of_unit, d.count, d.cost)) from usage_days d where d.key_id = of_key and d.day >= edges.midnight and d.outcome = 'VALID'
    union all
    select sum(taken(of_unit, q.count, q.cost)) from usage_quarters q
    where q.key_id = of_key and q.quarter >= edges.whole and q.quarter < edges.midnight and q.outcome = 'VALID'
    union all
    select sum(taken(of_unit, m.count, m.cost)) from usage_minutes m
    where m.key_id = of_key and m.minute >= since and m.minute < edges.whole and m.outcome = 'VALID'
  ) parts(part)
$$;

drop function shared_used_since(uuid, timestamptz);
create function shared_used_since(of_workspace uuid, since timestamptz, of_unit text default 'units') returns bigint language sql stable as $$
  with edges as (
    select to_timestamp(ceil(extract(epoch from since) / 900) * 900) as whole,
      date_trunc('day', since + interval '1 day' - interval '1 microsecond', 'UTC') as midnight
  ), parts as (
    select d.key_id, taken(of_unit, d.count, d.cost) as units from edges, usage_days d
    where d.workspace_id = of_workspace and d.day >= edges.midnight and d.outcome = 'VALID'
    union all
    select q.key_id, taken(of_unit, q.count, q.cost) from edges, usage_quarters q
    where q.workspace_id = of_workspace and q.quarter >= edges.whole and q.quarter < edges.midnight and q.outcome = 'VALID'
    union all
    select m.key_id, taken(of_unit, m.count, m.cost) from edges, usage_minutes m
    where m.workspace_id = of_workspace and m.minute >= since and m.minute < edges.whole and m.outcome = 'VALID'
  )
  select coalesce(sum(u.units), 0)::bigint from (select key_id, sum(units) as units from parts group by key_id) u
  where exists (
    select from keys k join apis i on i.id = k.api_id and i.slug <> 'tollgate'
    where k.id = u.key_id and not exists (select from key_limits l where l.key_id = k.id) and not exists (select from plan_limits l where l.plan_id = k.plan_id)
  )
$$;

-- As 0071 has them, in the unit of a limit.
drop function asked(timestamptz, boolean, boolean, uuid[], uuid[], timestamptz, integer, bigint);
drop function asked_minutes(timestamptz, boolean, boolean, uuid[], uuid[], timestamptz, integer, bigint);
drop function asked_quarters(timestamptz, boolean, boolean, uuid[], uuid[]);
create function asked_quarters(since timestamptz, by_key boolean, all_keys boolean, of_workspaces uuid[], of_keys uuid[], of_unit text default 'units')
returns table (workspace_id uuid, key_id uuid, at timestamptz, units numeric, all_units numeric)
language sql stable as $$
  select u.workspace_id, case when by_key then u.key_id end, u.quarter, sum(taken(of_unit, u.count, u.cost)),
    sum(sum(taken(of_unit, u.count, u.cost))) over (partition by u.workspace_id, case when by_key then u.key_id end)
  from usage_quarters u join apis a on a.id = u.api_id and a.slug <> 'tollgate'
  where u.quarter >= since and u.outcome in ('VALID', 'RATE_LIMITED', 'QUOTA_EXCEEDED')
    and (of_workspaces is null or u.workspace_id = any (of_workspaces)) and (of_keys is null or u.key_id = any (of_keys))
    and (all_keys
      or not exists (select from key_limits l where l.key_id = u.key_id)
        and not exists (select from keys k join plan_limits l on l.plan_id = k.plan_id where k.id = u.key_id))
  group by u.workspace_id, case when by_key then u.key_id end, u.quarter
$$;

create function asked_minutes(
  since timestamptz, by_key boolean, all_keys boolean, of_workspaces uuid[], of_keys uuid[], minutes_since timestamptz, seconds integer, most bigint,
  of_unit text default 'units')
returns table (workspace_id uuid, key_id uuid, at timestamptz, units numeric, all_units numeric)
language sql stable as $$
  select q.workspace_id, q.key_id, u.minute, sum(taken(of_unit, u.count, u.cost)), q.all_units
  from (
    select workspace_id, key_id, at, all_units,
      sum(units) filter (where at >= minutes_since) over (
        partition by workspace_id, key_id order by at
        range between make_interval(secs => seconds + 900) preceding and make_interval(secs => seconds + 900) following) as around
    from asked_quarters(since, by_key, all_keys, of_workspaces, of_keys, of_unit)
  ) q
    cross join lateral (
      select * from usage_minutes m
      where m.workspace_id = q.workspace_id and m.minute >= q.at and m.minute < q.at + interval '15 minutes' and m.minute >= minutes_since
        and (q.key_id is null or m.key_id = q.key_id)
      offset 0
    ) u
    join apis a on a.id = u.api_id and a.slug <> 'tollgate'
  where q.at >= minutes_since and q.around > most and u.outcome in ('VALID', 'RATE_LIMITED', 'QUOTA_EXCEEDED')
    and (of_keys is null or u.key_id = any (of_keys))
    and (all_keys
      or not exists (select from key_limits l where l.key_id = u.key_id)
        and not exists (select from keys k join plan_limits l on l.plan_id = k.plan_id where k.id = u.key_id))
  group by q.workspace_id, q.key_id, u.minute, q.all_units
$$;

create function asked(
  since timestamptz, by_key boolean, all_keys boolean, of_workspaces uuid[], of_keys uuid[], minutes_since timestamptz, seconds integer, most bigint,
  of_unit text default 'units')
returns table (workspace_id uuid, key_id uuid, at timestamptz, units numeric, all_units numeric)
language sql stable as $$
  select workspace_id, key_id, at, units, all_units from asked_quarters(since, by_key, all_keys, of_workspaces, of_keys, of_unit) where minutes_since is null
  union all
  select workspace_id, key_id, at, units, all_units from asked_minutes(since, by_key, all_keys, of_workspaces, of_keys, minutes_since, seconds, most, of_unit)
  where minutes_since is not null
$$;
