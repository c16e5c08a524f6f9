-- One more proof before operators do what can't be taken back, if whoever owns the server wants it.

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
