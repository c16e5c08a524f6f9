-- A group's own limits come before the plan of the workspace: what operators set for a holder itself is nearer than what a plan gives it.
-- (Key, its plan, workspace, group, the workspace's plan, the group's plan, API, default.)
create or replace function limit_levels(key uuid, key_plan uuid, workspace uuid, workspace_plan uuid, api uuid)
returns table (level integer, name text, max_calls bigint, kind text, window_seconds integer, zone text, refill bigint, over text) language sql stable as $$
  select 1, l.name, l.max_calls, l.kind, l.window_seconds, l.zone, l.refill, l.over from key_limits l where l.key_id = key
  union all
  select 2, l.name, l.max_calls, l.kind, l.window_seconds, l.zone, l.refill, l.over from plan_limits l where l.plan_id = key_plan
  union all
  select 3, l.name, l.max_calls, l.kind, l.window_seconds, l.zone, l.refill, l.over from workspace_limits l where l.workspace_id = workspace
  union all
  select 4, l.name, l.max_calls, l.kind, l.window_seconds, l.zone, l.refill, l.over
  from group_members m join group_limits l on l.group_id = m.group_id where m.workspace_id = workspace
  union all
  select 5, l.name, l.max_calls, l.kind, l.window_seconds, l.zone, l.refill, l.over from plan_limits l where l.plan_id = workspace_plan
  union all
  select 6, l.name, l.max_calls, l.kind, l.window_seconds, l.zone, l.refill, l.over
  from group_members m join groups g on g.id = m.group_id join plan_limits l on l.plan_id = g.plan_id where m.workspace_id = workspace
  union all
  select 7, l.name, l.max_calls, l.kind, l.window_seconds, l.zone, l.refill, l.over from api_limits l where l.api_id = api
$$;
