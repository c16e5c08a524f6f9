-- What "Who would be limited?" holds limits against: what was asked, which is what passed and what a limit held, by workspace or by key; each
-- row with the sum of all that its workspace or key asked since then. Keys for Tollgate's own API never count. Keys that have limits or a plan
-- with limits of their own do only where all keys count: no other level holds them.
create function asked_quarters(since timestamptz, by_key boolean, all_keys boolean, of_workspaces uuid[], of_keys uuid[])
returns table (workspace_id uuid, key_id uuid, at timestamptz, units numeric, all_units numeric)
language sql stable as $$
  select u.workspace_id, case when by_key then u.key_id end, u.quarter, sum(coalesce(u.cost, u.count)),
    sum(sum(coalesce(u.cost, u.count))) over (partition by u.workspace_id, case when by_key then u.key_id end)
  from usage_quarters u join apis a on a.id = u.api_id and a.slug <> 'tollgate'
  where u.quarter >= since and u.outcome in ('VALID', 'RATE_LIMITED', 'QUOTA_EXCEEDED')
    and (of_workspaces is null or u.workspace_id = any (of_workspaces)) and (of_keys is null or u.key_id = any (of_keys))
    and (all_keys
      or not exists (select from key_limits l where l.key_id = u.key_id)
        and not exists (select from keys k join plan_limits l on l.plan_id = k.plan_id where k.id = u.key_id))
  group by u.workspace_id, case when by_key then u.key_id end, u.quarter
$$;

-- The same by the minute, for windows that quarters of an hour say nothing of. There are many minutes, so those are read that stand in quarters
-- in and around which more than `most` was asked: nowhere else can a window of so many seconds have been beyond. They are looked up quarter by
-- quarter (`lateral`, `offset 0`): the planner takes these quarters for few, and would compare each with every minute of its workspace.
create function asked_minutes(
  since timestamptz, by_key boolean, all_keys boolean, of_workspaces uuid[], of_keys uuid[], minutes_since timestamptz, seconds integer, most bigint)
returns table (workspace_id uuid, key_id uuid, at timestamptz, units numeric, all_units numeric)
language sql stable as $$
  select q.workspace_id, q.key_id, u.minute, sum(coalesce(u.cost, u.count)), q.all_units
  from (
    select workspace_id, key_id, at, all_units,
      sum(units) filter (where at >= minutes_since) over (
        partition by workspace_id, key_id order by at
        range between make_interval(secs => seconds + 900) preceding and make_interval(secs => seconds + 900) following) as around
    from asked_quarters(since, by_key, all_keys, of_workspaces, of_keys)
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

-- By the minute if `minutes_since` says from when on, else by quarters; the other half is not planned for. All three are such that Postgres
-- plans for them as for a part of the statement that they stand in.
create function asked(
  since timestamptz, by_key boolean, all_keys boolean, of_workspaces uuid[], of_keys uuid[], minutes_since timestamptz, seconds integer, most bigint)
returns table (workspace_id uuid, key_id uuid, at timestamptz, units numeric, all_units numeric)
language sql stable as $$
  select workspace_id, key_id, at, units, all_units from asked_quarters(since, by_key, all_keys, of_workspaces, of_keys) where minutes_since is null
  union all
  select workspace_id, key_id, at, units, all_units from asked_minutes(since, by_key, all_keys, of_workspaces, of_keys, minutes_since, seconds, most)
  where minutes_since is not null
$$;

-- Counts as they are kept ('minutes', 'quarters' of an hour or 'days' of UTC) since a moment and before another, of what filters leave; units
-- are those of calls with any code. Postgres plans for the one table that is named.
create function usage_kept(
  kept text, since timestamptz, before timestamptz, of_workspace uuid, of_key uuid, of_api uuid, of_route text, of_outcomes text[])
returns table (at timestamptz, key_id uuid, api_id uuid, route text, outcome text, count bigint, units bigint)
language sql stable as $$
  select u.at, u.key_id, u.api_id, u.route, u.outcome, u.count, u.units
  from (
    select 'minutes' as of_size, minute as at, workspace_id, key_id, api_id, route, outcome, count, coalesce(cost, count) as units from usage_minutes
    union all
    select 'quarters', quarter, workspace_id, key_id, api_id, route, outcome, count, coalesce(cost, count) from usage_quarters
    union all
    select 'days', day, workspace_id, key_id, api_id, route, outcome, count, cost from usage_days
  ) u
  where u.of_size = kept and u.at >= since and u.at < before
    and (of_workspace is null or u.workspace_id = of_workspace) and (of_key is null or u.key_id = of_key) and (of_api is null or u.api_id = of_api)
    and (of_route is null or u.route = of_route) and (of_outcomes is null or u.outcome = any (of_outcomes))
$$;

-- Where the window of a limit begins that a moment lies in (of a rolling one: with the minute that is its length ago), and from where on it is
-- made of whole quarters of an hour and, if it may be, of whole days of UTC: sums of it are read in these pieces.
create function window_pieces(kind text, seconds integer, zone text, moment timestamptz)
returns table (starts timestamptz, whole timestamptz, midnight timestamptz)
language sql stable as $$
  select w.starts, to_timestamp(ceil(extract(epoch from w.starts) / 900) * 900),
    case when zone <> 'UTC' or seconds % 86400 = 0 or kind = 'rolling' then date_trunc('day', w.starts + interval '1 day' - interval '1 microsecond', 'UTC')
      else 'infinity' end
  from (
    select case when kind = 'rolling' then date_trunc('minute', moment - make_interval(secs => seconds))
      when zone <> 'UTC' or seconds = 0 then date_trunc(case seconds when 0 then 'month' else 'day' end, moment, zone)
      else to_timestamp(floor(extract(epoch from moment) / nullif(seconds, 0)) * seconds) end as starts
  ) w
$$;
