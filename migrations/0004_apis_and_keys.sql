-- APIs, keys, secrets, limits. A key is an identity; its secrets come and go (rotation), of each only the SHA-256 is kept.

create table apis (
  id            uuid primary key,
  slug          text not null unique check (slug ~ '^[a-z][a-z0-9-]{0,39}$'),
  name          text not null check (char_length(name) between 1 and 80),
  key_prefix    text not null unique check (key_prefix ~ '^[a-z][a-z0-9]{1,11}$'),
  workspace_id  uuid references workspaces on delete set null,
  created_at    timestamptz not null
);
create table api_permissions (
  api_id       uuid not null references apis on delete cascade,
  permission   text not null check (permission ~ '^[a-z][a-z0-9_-]*:[a-z][a-z0-9_-]*$'),
  description  text not null default '',
  primary key (api_id, permission)
);

create table keys (
  id            uuid primary key,
  workspace_id  uuid not null references workspaces on delete cascade,
  api_id        uuid not null references apis,
  name          text not null check (char_length(name) between 1 and 80),
  environment   text not null default 'live' check (environment in ('live', 'test')),
  permissions   text[] not null default '{}',
  state         text not null default 'active' check (state in ('active', 'disabled', 'revoked')),
  expires_at    timestamptz,
  created_by    uuid references accounts on delete set null,
  request_key   text,                                -- makes creating safe to send twice
  created_at    timestamptz not null,
  updated_at    timestamptz not null,
  -- The transaction that last changed what the gate knows of this key: nodes poll by it, so nothing is missed (see keys::server::gate).
  changed_in    xid8 not null default pg_current_xact_id(),
  unique (workspace_id, request_key)
);
create index keys_by_workspace on keys (workspace_id, created_at desc, id desc);
create index keys_by_api on keys (api_id);
create index keys_by_change on keys (changed_in);

create table key_secrets (
  id          uuid primary key,
  key_id      uuid not null references keys on delete cascade,
  hash        bytea not null unique,                 -- SHA-256 of the whole secret
  start       text not null,                         -- prefix and four characters: what people recognise
  created_at  timestamptz not null,
  expires_at  timestamptz                            -- when a rotation lets it go
);
create index key_secrets_by_key on key_secrets (key_id);

create table key_limits (
  key_id          uuid not null references keys on delete cascade,
  name            text not null,
  max_calls       bigint not null check (max_calls >= 0),
  window_seconds  integer not null check (window_seconds between 1 and 2678400),
  primary key (key_id, name)
);

create table key_state_changes (
  id        uuid primary key,
  key_id    uuid not null references keys on delete cascade,
  at        timestamptz not null,
  act       text not null,                           -- created, renamed, expiry, permitted, limited, disabled, enabled, revoked, rotated, dropped
  actor_id  uuid references accounts on delete set null,
  actor     text not null,                           -- the name at that time, or 'cli'
  reason    text not null default '',                -- why, as the person said it
  detail    text not null default '',                -- what exactly, in words: 'from “a” to “b”'
  number    bigint not null generated always as identity -- the order of changes of one instant
);
create index key_state_changes_by_key on key_state_changes (key_id, number desc);

-- Every change that the gate must know marks the key and wakes the nodes. NOTIFY is sent at commit.
create function key_changed() returns trigger language plpgsql as $$
declare changed uuid;
begin
  if tg_table_name = 'keys' then
    new.changed_in := pg_current_xact_id();
    perform pg_notify('keys_changed', new.id::text);
    return new;
  end if;
  if tg_op = 'DELETE' then changed := old.key_id; else changed := new.key_id; end if;
  update keys set changed_in = pg_current_xact_id() where id = changed;
  return null;
end $$;
create trigger keys_changed before insert or update on keys for each row execute function key_changed();
create trigger key_secrets_changed after insert or update or delete on key_secrets for each row execute function key_changed();
create trigger key_limits_changed after insert or update or delete on key_limits for each row execute function key_changed();

-- An account that is disabled takes the keys of its workspace with it (BANNED), without the accounts feature knowing of keys.
create function account_keys_changed() returns trigger language plpgsql as $$
declare changed uuid;
begin
  if tg_op = 'DELETE' then changed := old.account_id; else changed := new.account_id; end if;
  update keys set changed_in = pg_current_xact_id() where workspace_id in (select id from workspaces where personal_of = changed);
  return null;
end $$;
create trigger account_disablements_changed after insert or delete on account_disablements for each row execute function account_keys_changed();
-- A key for Tollgate never exceeds its owner: a role given or taken is known to the gate at once.
create trigger account_roles_changed after insert or delete on account_roles for each row execute function account_keys_changed();

-- A key that is gone, and an API that is new or renamed, wake the nodes as well.
create function key_removed() returns trigger language plpgsql as $$
begin
  perform pg_notify('keys_changed', old.id::text);
  return null;
end $$;
create trigger keys_removed after delete on keys for each row execute function key_removed();
create function apis_changed() returns trigger language plpgsql as $$
begin
  perform pg_notify('keys_changed', 'apis');
  return null;
end $$;
create trigger apis_changed after insert or update or delete on apis for each statement execute function apis_changed();

-- The two APIs that the product ships.
insert into apis (id, slug, name, key_prefix, created_at) values
  ('01890000-0000-7000-8000-000000000001', 'tollgate', 'Tollgate', 'tg', now()),
  ('01890000-0000-7000-8000-000000000002', 'demo', 'Demo', 'demo', now());
insert into api_permissions (api_id, permission, description) values
  ('01890000-0000-7000-8000-000000000001', 'account:read', 'Read your account and sessions'),
  ('01890000-0000-7000-8000-000000000001', 'account:write', 'Change your account, end sessions'),
  ('01890000-0000-7000-8000-000000000001', 'keys:read', 'List and read keys'),
  ('01890000-0000-7000-8000-000000000001', 'keys:write', 'Create, rename, disable and revoke keys'),
  ('01890000-0000-7000-8000-000000000001', 'keys:verify', 'Verify keys for a service'),
  ('01890000-0000-7000-8000-000000000001', 'keys:manage', 'Set limits of keys'),
  ('01890000-0000-7000-8000-000000000001', 'usage:read', 'Read usage'),
  ('01890000-0000-7000-8000-000000000002', 'orders:read', 'Read orders'),
  ('01890000-0000-7000-8000-000000000002', 'orders:write', 'Create and change orders');
