-- The shape of a limit: what it does beyond itself, and where its days and months begin.

-- What a limit does with calls beyond it, as the command line writes it: refuse, mark (they pass and are marked), throttle:5 (five pass
-- in each second); until a time, from which on it refuses: mark@2027-01-31T00:00:00Z. One column, since it is read and written whole.
alter table key_limits add column over text not null default 'refuse' check (over ~ '^(refuse|mark|throttle:[1-9][0-9]{0,6})(@.{1,40})?$');
alter table plan_limits add column over text not null default 'refuse' check (over ~ '^(refuse|mark|throttle:[1-9][0-9]{0,6})(@.{1,40})?$');
alter table workspace_limits add column over text not null default 'refuse' check (over ~ '^(refuse|mark|throttle:[1-9][0-9]{0,6})(@.{1,40})?$');
alter table api_limits add column over text not null default 'refuse' check (over ~ '^(refuse|mark|throttle:[1-9][0-9]{0,6})(@.{1,40})?$');

-- The zone of a limit's days and months, as the IANA database names it; windows of another length are in UTC.
alter table key_limits add column zone text not null default 'UTC' check (length(zone) between 1 and 32);
alter table plan_limits add column zone text not null default 'UTC' check (length(zone) between 1 and 32);
alter table workspace_limits add column zone text not null default 'UTC' check (length(zone) between 1 and 32);
alter table api_limits add column zone text not null default 'UTC' check (length(zone) between 1 and 32);
-- And that of a notice, which says when the window ends.
alter table limit_notices add column zone text not null default 'UTC';
alter table shared_limit_notices add column zone text not null default 'UTC';

-- The levels as 0014 has them, with these columns.
drop function limit_levels(uuid, uuid, uuid, uuid, uuid);
create function limit_levels(key uuid, key_plan uuid, workspace uuid, workspace_plan uuid, api uuid)
returns table (level integer, name text, max_calls bigint, window_seconds integer, zone text, over text) language sql stable as $$
  select 1, l.name, l.max_calls, l.window_seconds, l.zone, l.over from key_limits l where l.key_id = key
  union all
  select 2, l.name, l.max_calls, l.window_seconds, l.zone, l.over from plan_limits l where l.plan_id = key_plan
  union all
  select 3, l.name, l.max_calls, l.window_seconds, l.zone, l.over from workspace_limits l where l.workspace_id = workspace
  union all
  select 4, l.name, l.max_calls, l.window_seconds, l.zone, l.over from plan_limits l where l.plan_id = workspace_plan
  union all
  select 5, l.name, l.max_calls, l.window_seconds, l.zone, l.over from api_limits l where l.api_id = api
$$;
