-- Accounts and their workspaces. Every account owns one personal workspace from its first moment, so that keys, usage and
-- events belong to a workspace and teams can come without moving data.

create table accounts (
  id                uuid primary key,
  email             text not null check (char_length(email) between 3 and 254),
  email_key         text not null unique,         -- normalised: what is unique and searched; mail goes to email (R59)
  name              text not null check (char_length(name) between 1 and 80),
  password_hash     text,                         -- PHC string, Argon2id
  password_set_at   timestamptz,
  time_zone         text not null default 'UTC',  -- IANA name
  verified_at       timestamptz,
  last_sign_in_at   timestamptz,
  created_at        timestamptz not null,
  updated_at        timestamptz not null
);
create index accounts_by_age on accounts (created_at desc, id desc);

-- An account that may not come in; the row says who did it, when and why.
create table account_disablements (
  account_id  uuid primary key references accounts on delete cascade,
  at          timestamptz not null,
  by_account  uuid references accounts on delete set null,
  reason      text not null default ''
);

create table workspaces (
  id           uuid primary key,
  name         text not null check (char_length(name) between 1 and 80),
  personal_of  uuid unique references accounts on delete cascade,
  created_at   timestamptz not null
);

create table workspace_members (
  workspace_id  uuid not null references workspaces on delete cascade,
  account_id    uuid not null references accounts on delete cascade,
  joined_at     timestamptz not null,
  primary key (workspace_id, account_id)
);
create index workspace_members_by_account on workspace_members (account_id);

-- A role is a named set of permissions; the catalogue of permissions is values::permission.
create table roles (
  slug  text primary key,
  name  text not null
);
create table role_permissions (
  role        text not null references roles on delete cascade,
  permission  text not null,
  primary key (role, permission)
);
create table account_roles (
  account_id  uuid not null references accounts on delete cascade,
  role        text not null references roles on delete cascade,
  granted_at  timestamptz not null,
  primary key (account_id, role)
);

insert into roles (slug, name) values ('developer', 'Developer'), ('operator', 'Operator');
insert into role_permissions (role, permission)
select 'developer', p from unnest(array[
  'account:read', 'account:write', 'keys:read', 'keys:write', 'usage:read']) p
union all
select 'operator', p from unnest(array[
  'account:read', 'account:write', 'keys:read', 'keys:write', 'keys:verify', 'keys:manage', 'usage:read',
  'admin:read', 'accounts:manage', 'apis:manage', 'jobs:manage']) p;
