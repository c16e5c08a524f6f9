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
