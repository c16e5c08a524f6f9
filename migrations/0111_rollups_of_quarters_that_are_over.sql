-- Hours and days are rolled up when their quarters of an hour are over, and no longer with every batch: of a batch of counts that was two fifths of
-- Postgres' time. Until then whoever reads hours and days reads these quarters (`usage_by_hour`, `usage_by_day`), so nothing is told later than before.
--
-- `until`: quarters before that are rolled up, all of them; those from then on are not, none of them. What is counted late, in a quarter before it (a node
-- was cut off), is rolled up with the statement that writes it, as everything was.
-- No batch of an older server is under way, whose quarters would be rolled up here and there.
lock table usage_quarters in share row exclusive mode;

create table usage_rollups (
  is_only  boolean primary key default true check (is_only),
  until    timestamptz not null
);
insert into usage_rollups (until) select coalesce(max(quarter) + interval '15 minutes', '-infinity') from usage_quarters;

-- Who writes quarters shares the row, so that `until` stays where it is until that is committed; who moves it waits for them, and they find it moved. Both
-- are read in statements of their own, after the lock: what was committed before is seen. Who moves it locks the table, since of a row new sharers are
-- let in while somebody waits for it alone; who writes batch after batch takes the row first (`hold_rollups`), before any other that somebody else may
-- want.
create or replace function usage_rolled_up() returns trigger language plpgsql as $$
declare
  up_to timestamptz;
begin
  select u.until into up_to from usage_rollups u for share;
  if not exists (select from added where quarter < up_to) then
    return null;
  end if;
  insert into usage_hours as h (key_id, hour, outcome, workspace_id, api_id, count)
  select key_id, date_trunc('hour', quarter, 'UTC'), outcome, (array_agg(workspace_id))[1], (array_agg(api_id))[1], sum(count)
  from added where quarter < up_to group by 1, 2, 3 having sum(count) > 0 order by 1, 2, 3
  on conflict (key_id, hour, outcome) do update set count = h.count + excluded.count;
  insert into usage_days as d (key_id, day, route, outcome, workspace_id, api_id, count, cost)
  select key_id, date_trunc('day', quarter, 'UTC'), route, outcome, (array_agg(workspace_id))[1], (array_agg(api_id))[1], sum(count), sum(coalesce(cost, count))
  from added where quarter < up_to group by 1, 2, 3, 4 having sum(count) > 0 order by 1, 2, 3, 4
  on conflict (key_id, day, route, outcome) do update set count = d.count + excluded.count, cost = d.cost + excluded.cost;
  return null;
end $$;

create or replace function usage_rolled_up_more() returns trigger language plpgsql as $$
declare
  up_to timestamptz;
begin
  select u.until into up_to from usage_rollups u for share;
  if not exists (select from now where quarter < up_to) then
    return null;
  end if;
  insert into usage_hours as h (key_id, hour, outcome, workspace_id, api_id, count)
  select key_id, date_trunc('hour', quarter, 'UTC'), outcome, (array_agg(workspace_id))[1], (array_agg(api_id))[1], sum(more)
  from (select key_id, quarter, outcome, workspace_id, api_id, count as more from now
        union all select key_id, quarter, outcome, workspace_id, api_id, -count from before) both_sides
  where quarter < up_to
  group by 1, 2, 3 having sum(more) > 0 order by 1, 2, 3
  on conflict (key_id, hour, outcome) do update set count = h.count + excluded.count;
  insert into usage_days as d (key_id, day, route, outcome, workspace_id, api_id, count, cost)
  select key_id, date_trunc('day', quarter, 'UTC'), route, outcome, (array_agg(workspace_id))[1], (array_agg(api_id))[1], sum(more), sum(cost)
  from (select key_id, quarter, route, outcome, workspace_id, api_id, count as more, coalesce(cost, count) as cost from now
        union all select key_id, quarter, route, outcome, workspace_id, api_id, -count, -coalesce(cost, count) from before) both_sides
  where quarter < up_to
  group by 1, 2, 3, 4 having sum(more) > 0 order by 1, 2, 3, 4
  on conflict (key_id, day, route, outcome) do update set count = d.count + excluded.count, cost = d.cost + excluded.cost;
  return null;
end $$;

-- Rolls up the quarters before that which are not yet. A transaction of its own, safe to call twice and from several nodes.
create function usage_roll_up(before timestamptz) returns void language plpgsql as $$
declare
  since timestamptz;
begin
  if exists (select from usage_rollups u where u.until >= before) then
    return;
  end if;
  lock table usage_rollups in exclusive mode;
  select u.until into since from usage_rollups u;
  if since >= before then
    return;
  end if;
  insert into usage_hours as h (key_id, hour, outcome, workspace_id, api_id, count)
  select key_id, date_trunc('hour', quarter, 'UTC'), outcome, (array_agg(workspace_id))[1], (array_agg(api_id))[1], sum(count)
  from usage_quarters where quarter >= since and quarter < before group by 1, 2, 3 order by 1, 2, 3
  on conflict (key_id, hour, outcome) do update set count = h.count + excluded.count;
  insert into usage_days as d (key_id, day, route, outcome, workspace_id, api_id, count, cost)
  select key_id, date_trunc('day', quarter, 'UTC'), route, outcome, (array_agg(workspace_id))[1], (array_agg(api_id))[1], sum(count), sum(coalesce(cost, count))
  from usage_quarters where quarter >= since and quarter < before group by 1, 2, 3, 4 order by 1, 2, 3, 4
  on conflict (key_id, day, route, outcome) do update set count = d.count + excluded.count, cost = d.cost + excluded.cost;
  update usage_rollups set until = before;
end $$;

-- All hours and days that begin since then and before that: what is rolled up, and the quarters that are not. An hour or a day may come in parts; whoever
-- reads them adds them up. Inlined where it is called, so that the planner knows the edges and plans for no partition beyond them. (What is not rolled up
-- ends before infinity, which says nothing but that it is little: the planner, which does not know where it begins, then takes an index by time for it.)
create function usage_by_hour(since timestamptz, before timestamptz)
returns table (key_id uuid, hour timestamptz, outcome text, workspace_id uuid, api_id uuid, count bigint) language sql stable as $$
  select h.key_id, h.hour, h.outcome, h.workspace_id, h.api_id, h.count from usage_hours h where h.hour >= since and h.hour < before
  union all
  select q.key_id, date_bin('1 hour', q.quarter, timestamptz '2000-01-01 00:00:00+00'), q.outcome, q.workspace_id, q.api_id, q.count
  from usage_quarters q
  where q.quarter >= (select r.until from usage_rollups r) and q.quarter < 'infinity'
    and q.quarter >= since and q.quarter < before + interval '1 hour'
    and date_bin('1 hour', q.quarter, timestamptz '2000-01-01 00:00:00+00') >= since
    and date_bin('1 hour', q.quarter, timestamptz '2000-01-01 00:00:00+00') < before
$$;

create function usage_by_day(since timestamptz, before timestamptz)
returns table (key_id uuid, day timestamptz, route text, outcome text, workspace_id uuid, api_id uuid, count bigint, cost bigint) language sql stable as $$
  select d.key_id, d.day, d.route, d.outcome, d.workspace_id, d.api_id, d.count, d.cost from usage_days d where d.day >= since and d.day < before
  union all
  select q.key_id, date_bin('1 day', q.quarter, timestamptz '2000-01-01 00:00:00+00'), q.route, q.outcome, q.workspace_id, q.api_id, q.count, coalesce(q.cost, q.count)
  from usage_quarters q
  where q.quarter >= (select r.until from usage_rollups r) and q.quarter < 'infinity'
    and q.quarter >= since and q.quarter < before + interval '1 day'
    and date_bin('1 day', q.quarter, timestamptz '2000-01-01 00:00:00+00') >= since
    and date_bin('1 day', q.quarter, timestamptz '2000-01-01 00:00:00+00') < before
$$;

-- What reads them, as 0051, 0071 and 0076 have it.
do $$
declare
  part text[];
  reader text;
  changed text;
begin
  foreach part slice 1 in array array[
    ['usage_cells', 'usage_hours h', 'usage_by_hour(date_bin(''1 hour'', edges[1], timestamptz ''2000-01-01 00:00:00+00''), edges[cardinality(edges)]) h'],
    ['usage_kept', 'usage_days', 'usage_by_day(since, before)'],
    ['used_since', 'usage_days d', 'usage_by_day(edges.midnight, ''infinity'') d'],
    ['shared_used_since', 'usage_days d', 'usage_by_day(edges.midnight, ''infinity'') d']
  ] loop
    select pg_get_functiondef(oid) into strict reader from pg_proc where pronamespace = current_schema()::regnamespace and proname = part[1];
    changed := replace(reader, part[2], part[3]);
    if changed = reader then
      raise exception '% does not read %', part[1], part[2];
    end if;
    execute changed;
  end loop;
end $$;
