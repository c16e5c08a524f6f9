-- Plans, and limits at more places than the key itself. A key is held by the first of these levels that has any limit, by all of
-- that level's limits: 1 the key, 2 the key's plan, 3 its workspace, 4 the workspace's plan, 5 its API; else by the default of the
-- configuration. What a workspace or its plan allows is counted for all keys of the workspace together.

create table plans (
  id            uuid primary key,
  slug          text not null unique check (slug ~ '^[a-z][a-z0-9-]{0,39}$' and slug <> 'default'),
  name          text not null check (char_length(name) between 1 and 80),
  description   text not null default '' check (char_length(description) <= 400),
  entitlements  text[] not null default '{}' check (cardinality(entitlements) <= 20),
  -- What 1,000 cost units are worth, in millionths of the currency's unit: for an estimate on the usage page, never for a bill.
  price_micros  bigint check (price_micros >= 0),
  currency      text check (currency ~ '^[A-Z]{3}$'),
  created_at    timestamptz not null,
  updated_at    timestamptz not null,
  check ((price_micros is null) = (currency is null))
);

-- Windows of 0 seconds are calendar months, UTC.
create table plan_limits (
  plan_id         uuid not null references plans on delete cascade,
  name            text not null,
  max_calls       bigint not null check (max_calls >= 0),
  window_seconds  integer not null check (window_seconds between 0 and 2678400),
  primary key (plan_id, name)
);
create table workspace_limits (
  workspace_id    uuid not null references workspaces on delete cascade,
  name            text not null,
  max_calls       bigint not null check (max_calls >= 0),
  window_seconds  integer not null check (window_seconds between 0 and 2678400),
  primary key (workspace_id, name)
);
create table api_limits (
  api_id          uuid not null references apis on delete cascade,
  name            text not null,
  max_calls       bigint not null check (max_calls >= 0),
  window_seconds  integer not null check (window_seconds between 0 and 2678400),
  primary key (api_id, name)
);
alter table key_limits drop constraint key_limits_window_seconds_check;
alter table key_limits add constraint key_limits_window_seconds_check check (window_seconds between 0 and 2678400);

-- A plan that is assigned can't be deleted: somebody would be limited otherwise without a word.
alter table keys add column plan_id uuid references plans;
create index keys_by_plan on keys (plan_id) where plan_id is not null;
create table workspace_plans (
  workspace_id  uuid primary key references workspaces on delete cascade,
  plan_id       uuid not null references plans,
  assigned_at   timestamptz not null
);
create index workspace_plans_by_plan on workspace_plans (plan_id);

-- Every limit that any level has for a key. `workspace` and its plan are null for a key for Tollgate's own API: managing keys does
-- not use up what a customer may call. Inlined by the planner: one index probe a level.
create function limit_levels(key uuid, key_plan uuid, workspace uuid, workspace_plan uuid, api uuid)
returns table (level integer, name text, max_calls bigint, window_seconds integer) language sql stable as $$
  select 1, l.name, l.max_calls, l.window_seconds from key_limits l where l.key_id = key
  union all
  select 2, l.name, l.max_calls, l.window_seconds from plan_limits l where l.plan_id = key_plan
  union all
  select 3, l.name, l.max_calls, l.window_seconds from workspace_limits l where l.workspace_id = workspace
  union all
  select 4, l.name, l.max_calls, l.window_seconds from plan_limits l where l.plan_id = workspace_plan
  union all
  select 5, l.name, l.max_calls, l.window_seconds from api_limits l where l.api_id = api
$$;

-- A change above the key is written once, whatever the number of keys below it: nodes read the keys of what changed. As with keys,
-- the transaction is the revision, so that the poll misses nothing; NOTIFY makes it at once.
create table limit_changes (
  holder      uuid primary key,                      -- a plan, a workspace or an API
  changed_in  xid8 not null
);
create index limit_changes_by_change on limit_changes (changed_in);
create function limits_changed() returns trigger language plpgsql as $$
declare changed jsonb;
begin
  if tg_op = 'DELETE' then changed := to_jsonb(old); else changed := to_jsonb(new); end if;
  insert into limit_changes as c (holder, changed_in) values ((changed ->> tg_argv[0])::uuid, pg_current_xact_id())
    on conflict (holder) do update set changed_in = excluded.changed_in where c.changed_in <> excluded.changed_in;
  perform pg_notify('keys_changed', 'limits');
  return null;
end $$;
create trigger plans_changed after update of slug on plans for each row execute function limits_changed('id');
create trigger plan_limits_changed after insert or update or delete on plan_limits for each row execute function limits_changed('plan_id');
create trigger workspace_limits_changed after insert or update or delete on workspace_limits for each row execute function limits_changed('workspace_id');
create trigger workspace_plans_changed after insert or update or delete on workspace_plans for each row execute function limits_changed('workspace_id');
create trigger api_limits_changed after insert or update or delete on api_limits for each row execute function limits_changed('api_id');

-- Who may: plans are made and assigned by operators.
insert into role_permissions (role, permission) values ('operator', 'plans:manage') on conflict do nothing;
insert into api_permissions (api_id, permission, description)
  select id, 'plans:manage', 'Make plans, set limits and assign them' from apis where slug = 'tollgate' on conflict do nothing;
