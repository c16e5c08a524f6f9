-- The rollups of quarters that grew, without a join of what stood there before and what stands there now: a plan of a trigger is kept
-- for as long as its connection lives. One that was made when a single key was in use compared each row with each, and when thousands of
-- keys were, a batch of two seconds took ten of Postgres' time. A sum of both sides needs no choice of the planner.
create or replace function usage_rolled_up_more() returns trigger language plpgsql as $$
begin
  insert into usage_hours as h (key_id, hour, outcome, workspace_id, api_id, count)
  select key_id, date_trunc('hour', quarter, 'UTC'), outcome, (array_agg(workspace_id))[1], (array_agg(api_id))[1], sum(more)
  from (select key_id, quarter, outcome, workspace_id, api_id, count as more from now
        union all select key_id, quarter, outcome, workspace_id, api_id, -count from before) both_sides
  group by 1, 2, 3 having sum(more) > 0 order by 1, 2, 3
  on conflict (key_id, hour, outcome) do update set count = h.count + excluded.count;
  insert into usage_days as d (key_id, day, route, outcome, workspace_id, api_id, count, cost)
  select key_id, date_trunc('day', quarter, 'UTC'), route, outcome, (array_agg(workspace_id))[1], (array_agg(api_id))[1], sum(more), sum(cost)
  from (select key_id, quarter, route, outcome, workspace_id, api_id, count as more, coalesce(cost, count) as cost from now
        union all select key_id, quarter, route, outcome, workspace_id, api_id, -count, -coalesce(cost, count) from before) both_sides
  group by 1, 2, 3, 4 having sum(more) > 0 order by 1, 2, 3, 4
  on conflict (key_id, day, route, outcome) do update set count = d.count + excluded.count, cost = d.cost + excluded.cost;
  return null;
end $$;
