-- Calls by the permissions that they needed, of their route and by the asking service: without it a permission that a service names
-- itself looks unused, and narrowing a key to what it uses would take it from a live program. Counted of calls that passed, or that only
-- a limit refused. A call may need two, so these counts are no part of a sum.
create table usage_permissions (
  key_id        uuid not null,
  quarter       timestamptz not null,
  permission    text not null,
  outcome       text not null,
  workspace_id  uuid not null,
  api_id        uuid not null,
  count         bigint not null check (count > 0),
  primary key (key_id, quarter, permission, outcome)
);
create index usage_permissions_by_workspace on usage_permissions (workspace_id, quarter);
-- "Does anybody ask for this permission of this API?"
create index usage_permissions_by_api on usage_permissions (api_id, permission, quarter);
create index usage_permissions_by_time on usage_permissions (quarter);

-- Since when permissions are counted, where calls were counted before: until 30 days have passed, nobody can say "never used".
-- No row: from the beginning.
create table permission_counting (
  only_row  boolean primary key default true check (only_row),
  since     timestamptz not null
);
insert into permission_counting (since) select now() where exists (select from usage_quarters);

-- What calls are counted by beside their route, with one shape: `kind` says by what.
create view usage_parts as
  select 'address'::text as kind, key_id, quarter, address as part, outcome, workspace_id, api_id, count from usage_addresses
  union all
  select 'permission'::text, key_id, quarter, permission, outcome, workspace_id, api_id, count from usage_permissions;
