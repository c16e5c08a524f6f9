-- Groups, and usage by address.
--
-- Groups: workspaces that an operator treats alike, with limits of the group or by a plan of the group. What a group allows holds each of
-- its workspaces (all its keys together), as a plan of the workspace does. A workspace is in one group at most, so that nobody has to
-- know which of two would win.

create table groups (
  id            uuid primary key,
  slug          text not null unique check (slug ~ '^[a-z][a-z0-9-]{0,39}$'),
  name          text not null check (char_length(name) between 1 and 80),
  description   text not null default '' check (char_length(description) <= 400),
  plan_id       uuid references plans,               -- as for keys: a plan that a group has can't be deleted
  created_at    timestamptz not null,
  updated_at    timestamptz not null
);
create index groups_by_plan on groups (plan_id) where plan_id is not null;

-- As the other limits: windows of 0 seconds are calendar months.
create table group_limits (
  group_id        uuid not null references groups on delete cascade,
  name            text not null,
  max_calls       bigint not null check (max_calls >= 0),
  window_seconds  integer not null check (window_seconds between 0 and 2678400),
  zone            text not null default 'UTC' check (length(zone) between 1 and 32),
  over            text not null default 'refuse' check (over ~ '^(refuse|mark|throttle:[1-9][0-9]{0,6})(@.{1,40})?$'),
  primary key (group_id, name)
);

-- A group with members can't be deleted: they would get other limits without a word.
create table group_members (
  workspace_id  uuid primary key references workspaces on delete cascade,
  group_id      uuid not null references groups,
  added_at      timestamptz not null
);
create index group_members_by_group on group_members (group_id, workspace_id);

-- The levels are now 1 the key, 2 the key's plan, 3 its workspace, 4 the workspace's plan, 5 its group, 6 the group's plan, 7 its API.
-- `workspace` is null for a key for Tollgate's own API, so its group does not count either.
create or replace function limit_levels(key uuid, key_plan uuid, workspace uuid, workspace_plan uuid, api uuid)
returns table (level integer, name text, max_calls bigint, window_seconds integer, zone text, over text) language sql stable as $$
  select 1, l.name, l.max_calls, l.window_seconds, l.zone, l.over from key_limits l where l.key_id = key
  union all
  select 2, l.name, l.max_calls, l.window_seconds, l.zone, l.over from plan_limits l where l.plan_id = key_plan
  union all
  select 3, l.name, l.max_calls, l.window_seconds, l.zone, l.over from workspace_limits l where l.workspace_id = workspace
  union all
  select 4, l.name, l.max_calls, l.window_seconds, l.zone, l.over from plan_limits l where l.plan_id = workspace_plan
  union all
  select 5, l.name, l.max_calls, l.window_seconds, l.zone, l.over from group_members m join group_limits l on l.group_id = m.group_id where m.workspace_id = workspace
  union all
  select 6, l.name, l.max_calls, l.window_seconds, l.zone, l.over
  from group_members m join groups g on g.id = m.group_id join plan_limits l on l.plan_id = g.plan_id where m.workspace_id = workspace
  union all
  select 7, l.name, l.max_calls, l.window_seconds, l.zone, l.over from api_limits l where l.api_id = api
$$;

-- Nodes hear of a group as of a plan: once, whatever the number of keys below it.
create trigger groups_changed after update of plan_id on groups for each row execute function limits_changed('id');
create trigger group_limits_changed after insert or update or delete on group_limits for each row execute function limits_changed('group_id');
create trigger group_members_changed after insert or update or delete on group_members for each row execute function limits_changed('workspace_id');

-- Calls by the client's address, where it is told: at most some addresses of a key in a quarter of an hour (the busiest; the job that
-- forgets usage drops the others). It is no second ledger: what it leaves out of the exact counts in usage_quarters is "others".
create table usage_addresses (
  key_id        uuid not null,
  quarter       timestamptz not null,
  address       text not null,                       -- IPv4 whole, IPv6 by its /64
  outcome       text not null,
  workspace_id  uuid not null,
  api_id        uuid not null,
  count         bigint not null check (count > 0),
  primary key (key_id, quarter, address, outcome)
);
create index usage_addresses_by_workspace on usage_addresses (workspace_id, quarter);
create index usage_addresses_by_time on usage_addresses (quarter);
