-- The ceiling of keys: of an API's permissions some are for everybody, others need a grant. A plan, a group or a workspace grants them; what
-- any of them grants to a workspace (or, by a key's own plan, to a key) its keys may have. Before, whoever had keys could give them any permission
-- of an operator's API.

-- Free for everybody unless the operator says otherwise: nothing changes for keys that there are.
alter table api_permissions add column needs_grant boolean not null default false;

-- The owner first: whoever is looked at is asked for everything it grants. By permission for those who would go with one of the catalogue.
create table plan_grants (
  plan_id     uuid not null references plans on delete cascade,
  api_id      uuid not null,
  permission  text not null,
  primary key (plan_id, api_id, permission),
  foreign key (api_id, permission) references api_permissions on delete cascade
);
create index plan_grants_by_permission on plan_grants (api_id, permission);
create table group_grants (
  group_id    uuid not null references groups on delete cascade,
  api_id      uuid not null,
  permission  text not null,
  primary key (group_id, api_id, permission),
  foreign key (api_id, permission) references api_permissions on delete cascade
);
create index group_grants_by_permission on group_grants (api_id, permission);
create table workspace_grants (
  workspace_id  uuid not null references workspaces on delete cascade,
  api_id        uuid not null,
  permission    text not null,
  primary key (workspace_id, api_id, permission),
  foreign key (api_id, permission) references api_permissions on delete cascade
);
create index workspace_grants_by_permission on workspace_grants (api_id, permission);

-- Nodes hear of it as of limits above the key: once, whatever the number of keys below. Of an API, where a mark changes.
create trigger plan_grants_changed after insert or update or delete on plan_grants for each row execute function limits_changed('plan_id');
create trigger group_grants_changed after insert or update or delete on group_grants for each row execute function limits_changed('group_id');
create trigger workspace_grants_changed after insert or update or delete on workspace_grants for each row execute function limits_changed('workspace_id');
create trigger api_permissions_marked after insert on api_permissions for each row
  when (new.needs_grant) execute function limits_changed('api_id');
create trigger api_permissions_marked_anew after update of needs_grant on api_permissions for each row
  when (old.needs_grant is distinct from new.needs_grant) execute function limits_changed('api_id');
create trigger api_permissions_unmarked after delete on api_permissions for each row
  when (old.needs_grant) execute function limits_changed('api_id');

-- What keys of a workspace with this plan of their own (or none) may not have of an API, for want of a grant. The gate decides the same from
-- memory (keys::server::gate::levels; a test compares them).
create function withheld_permissions(api uuid, workspace uuid, key_plan uuid) returns setof text language sql stable as $$
  select p.permission from api_permissions p
  where p.api_id = api and p.needs_grant
    and not exists (select from workspace_grants g where g.workspace_id = workspace and g.api_id = api and g.permission = p.permission)
    and not exists (
      select from group_members m join group_grants g on g.group_id = m.group_id
      where m.workspace_id = workspace and g.api_id = api and g.permission = p.permission)
    and not exists (
      select from plan_grants g where g.api_id = api and g.permission = p.permission and g.plan_id in (
        select key_plan
        union all
        select h.plan_id from workspace_plans h where h.workspace_id = workspace
        union all
        select o.plan_id from group_members m join groups o on o.id = m.group_id where m.workspace_id = workspace))
$$;
