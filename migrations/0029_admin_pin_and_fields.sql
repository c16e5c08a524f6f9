-- One more proof before operators do what can't be taken back, if whoever owns the server wants it; and fields of profiles.

-- The admin PIN. No row: there is none, and nothing of the product shows that there could be one.
create table admin_pin (
  one     boolean primary key default true check (one), -- a table of one row at most
  hash    text not null,                             -- Argon2id, as a PHC string
  set_at  timestamptz not null
);

-- The sessions in which it was given, and when. Another PIN makes them void.
create table admin_pin_proofs (
  session_id  uuid primary key references sessions (id) on delete cascade,
  proved_at   timestamptz not null
);

-- Keys for Tollgate itself may look after accounts, as far as their owners may: bans over REST.
insert into api_permissions (api_id, permission, description)
  select id, p.permission, p.description from apis, (values
    ('admin:read', 'Read what operators see'),
    ('accounts:manage', 'Ban accounts, mail domains and networks, and lift bans')
  ) as p (permission, description) where slug = 'tollgate' on conflict do nothing;

-- What operators want to know of people besides name and address: fields of profiles, and what people wrote into them.
create table profile_fields (
  id             uuid primary key,
  slug           text not null unique check (slug ~ '^[a-z][a-z0-9_]{0,29}$'),   -- its name over REST; it stays
  label          text not null check (char_length(label) between 1 and 60),
  kind           text not null check (kind in ('text', 'number', 'date', 'choice', 'checkbox', 'url')),
  choices        text[] not null default '{}',
  is_required    boolean not null,
  at_sign_up     boolean not null,
  may_be_public  boolean not null,                   -- its owner may show it to everybody
  position       integer not null,
  created_at     timestamptz not null
);
create table profile_values (
  account_id  uuid not null references accounts on delete cascade,
  field_id    uuid not null references profile_fields on delete cascade,
  value       text not null check (char_length(value) between 1 and 500),
  is_public   boolean not null default false,
  primary key (account_id, field_id)
);
create index profile_values_by_value on profile_values (field_id, value);
