-- Mails that tell before something stops (a limit that is nearly used up, a key that expires) and rules of one's own on errors;
-- and an hour rollup of usage, so that a chart of a year reads bounded rows.

-- What an account wants to be told; without a row the defaults: everything, limits at 80 and 100 %.
create table notice_settings (
  account_id  uuid primary key references accounts on delete cascade,
  limits      boolean not null,
  thresholds  smallint[] not null check (cardinality(thresholds) between 1 and 5),  -- per cent of a limit, 1 to 100
  expiry      boolean not null,
  updated_at  timestamptz not null
);

-- What was told. The primary key is what makes it once: per window and threshold, on however many nodes, however often a job runs.
create table limit_notices (
  key_id          uuid not null references keys on delete cascade,
  account_id      uuid not null references accounts on delete cascade,
  limit_name      text not null,
  window_seconds  integer not null,
  window_start    timestamptz not null,
  threshold       smallint not null,
  used            bigint not null,                   -- as it was when this was told
  allowed         bigint not null,
  at              timestamptz not null,
  primary key (key_id, account_id, limit_name, window_seconds, window_start, threshold)
);
create index limit_notices_by_account on limit_notices (account_id, at desc);
create index limit_notices_by_age on limit_notices (at);

-- The day of expiry is part of the key: when it moves, everything is told anew.
create table expiry_notices (
  key_id      uuid not null references keys on delete cascade,
  account_id  uuid not null references accounts on delete cascade,
  expires_at  timestamptz not null,
  days        smallint not null,                     -- 30, 7 or 1 before
  at          timestamptz not null,
  primary key (key_id, account_id, expires_at, days)
);
create index expiry_notices_by_account on expiry_notices (account_id, at desc);

-- "More than so many errors in so many minutes": a mail, then silence for a while.
create table alert_rules (
  id             uuid primary key,
  account_id     uuid not null references accounts on delete cascade,   -- who is told
  workspace_id   uuid not null references workspaces on delete cascade, -- whose calls
  key_id         uuid references keys on delete cascade,                -- none: every key
  codes          text[] not null,                                       -- none: every code that did not pass
  more_than      bigint not null check (more_than >= 0),
  minutes        integer not null check (minutes between 1 and 1440),
  quiet_minutes  integer not null check (quiet_minutes between 1 and 10080),
  fired_at       timestamptz,
  fired_calls    bigint,
  created_at     timestamptz not null
);
create index alert_rules_by_workspace on alert_rules (workspace_id, created_at, id);

-- Usage by the hour without routes (charts) and by UTC day with them (tables of routes, long windows of limits). A chart of 90 days of
-- one busy key then reads 4,000 rows in place of 86,000. Hours and days of other zones are cut from quarters (usage_cells).
create table usage_hours (
  key_id        uuid not null,
  hour          timestamptz not null,
  outcome       text not null,
  workspace_id  uuid not null,
  api_id        uuid not null,
  count         bigint not null check (count > 0),
  primary key (key_id, hour, outcome)
);
create index usage_hours_by_workspace on usage_hours (workspace_id, hour);
create index usage_hours_by_time on usage_hours (hour);

create table usage_days (
  key_id        uuid not null,
  day           timestamptz not null,                -- midnight, UTC
  route         text not null,
  outcome       text not null,
  workspace_id  uuid not null,
  api_id        uuid not null,
  count         bigint not null check (count > 0),
  cost          bigint not null check (cost >= 0),
  primary key (key_id, day, route, outcome)
);
create index usage_days_by_workspace on usage_days (workspace_id, day);
create index usage_days_by_time on usage_days (day);

-- The rollups follow the quarters in the same statement, whoever writes them, so they can't differ. What retention deletes from the
-- quarters is deleted from them by the same dates.
create function usage_rolled_up() returns trigger language plpgsql as $$
begin
  insert into usage_hours as h (key_id, hour, outcome, workspace_id, api_id, count)
  select key_id, date_trunc('hour', quarter, 'UTC'), outcome, (array_agg(workspace_id))[1], (array_agg(api_id))[1], sum(count)
  from added group by 1, 2, 3 having sum(count) > 0 order by 1, 2, 3
  on conflict (key_id, hour, outcome) do update set count = h.count + excluded.count;
  insert into usage_days as d (key_id, day, route, outcome, workspace_id, api_id, count, cost)
  select key_id, date_trunc('day', quarter, 'UTC'), route, outcome, (array_agg(workspace_id))[1], (array_agg(api_id))[1], sum(count), sum(coalesce(cost, count))
  from added group by 1, 2, 3, 4 having sum(count) > 0 order by 1, 2, 3, 4
  on conflict (key_id, day, route, outcome) do update set count = d.count + excluded.count, cost = d.cost + excluded.cost;
  return null;
end $$;
create function usage_rolled_up_more() returns trigger language plpgsql as $$
begin
  insert into usage_hours as h (key_id, hour, outcome, workspace_id, api_id, count)
  select n.key_id, date_trunc('hour', n.quarter, 'UTC'), n.outcome, (array_agg(n.workspace_id))[1], (array_agg(n.api_id))[1], sum(n.count - o.count)
  from now n join before o using (key_id, quarter, route, outcome) group by 1, 2, 3 having sum(n.count - o.count) > 0 order by 1, 2, 3
  on conflict (key_id, hour, outcome) do update set count = h.count + excluded.count;
  insert into usage_days as d (key_id, day, route, outcome, workspace_id, api_id, count, cost)
  select n.key_id, date_trunc('day', n.quarter, 'UTC'), n.route, n.outcome, (array_agg(n.workspace_id))[1], (array_agg(n.api_id))[1],
    sum(n.count - o.count), sum(coalesce(n.cost, n.count) - coalesce(o.cost, o.count))
  from now n join before o using (key_id, quarter, route, outcome) group by 1, 2, 3, 4 having sum(n.count - o.count) > 0 order by 1, 2, 3, 4
  on conflict (key_id, day, route, outcome) do update set count = d.count + excluded.count, cost = d.cost + excluded.cost;
  return null;
end $$;
create trigger usage_rolled_up after insert on usage_quarters referencing new table as added for each statement execute function usage_rolled_up();
create trigger usage_rolled_up_more after update on usage_quarters referencing old table as before new table as now
  for each statement execute function usage_rolled_up_more();

-- What was counted before.
insert into usage_hours (key_id, hour, outcome, workspace_id, api_id, count)
select key_id, date_trunc('hour', quarter, 'UTC'), outcome, (array_agg(workspace_id))[1], (array_agg(api_id))[1], sum(count) from usage_quarters group by 1, 2, 3;
insert into usage_days (key_id, day, route, outcome, workspace_id, api_id, count, cost)
select key_id, date_trunc('day', quarter, 'UTC'), route, outcome, (array_agg(workspace_id))[1], (array_agg(api_id))[1], sum(count), sum(coalesce(cost, count))
from usage_quarters group by 1, 2, 3, 4;

-- Counts between the first and the last edge, in the largest pieces that no edge cuts: whole hours, and quarters of an hour where an
-- edge lies within an hour (zones with half and quarter hours, and where a route is chosen, which hours don't know). Inlined into the
-- query that calls it, so only what the filters leave is read.
create function usage_cells(edges timestamptz[], of_workspace uuid, of_key uuid, of_api uuid, of_route text, of_outcomes text[])
returns table (key_id uuid, at timestamptz, outcome text, count bigint)
language sql stable as $$
  select h.key_id, h.hour, h.outcome, h.count from usage_hours h
  where of_route is null and h.hour >= date_trunc('hour', edges[1], 'UTC') and h.hour < edges[cardinality(edges)]
    and h.hour <> all (array(select date_trunc('hour', e, 'UTC') from unnest(edges) e where e <> date_trunc('hour', e, 'UTC')))
    and (of_workspace is null or h.workspace_id = of_workspace) and (of_key is null or h.key_id = of_key)
    and (of_api is null or h.api_id = of_api) and (of_outcomes is null or h.outcome = any (of_outcomes))
  union all
  select q.key_id, q.quarter, q.outcome, q.count from usage_quarters q
  where of_route is null and q.quarter >= edges[1] and q.quarter < edges[cardinality(edges)]
    and q.quarter = any (array(select distinct date_trunc('hour', e, 'UTC') + n * interval '15 minutes' from unnest(edges) e, generate_series(0, 3) n
                               where e <> date_trunc('hour', e, 'UTC')))
    and (of_workspace is null or q.workspace_id = of_workspace) and (of_key is null or q.key_id = of_key)
    and (of_api is null or q.api_id = of_api) and (of_outcomes is null or q.outcome = any (of_outcomes))
  union all
  select q.key_id, q.quarter, q.outcome, q.count from usage_quarters q
  where of_route is not null and q.route = of_route and q.quarter >= edges[1] and q.quarter < edges[cardinality(edges)]
    and (of_workspace is null or q.workspace_id = of_workspace) and (of_key is null or q.key_id = of_key)
    and (of_api is null or q.api_id = of_api) and (of_outcomes is null or q.outcome = any (of_outcomes))
$$;
