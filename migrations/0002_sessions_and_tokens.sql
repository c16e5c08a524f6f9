-- Who is signed in, and what lets somebody prove an address. Ids and tokens are stored only as SHA-256 (R41, R52).

create table sessions (
  id_hash              bytea primary key,            -- SHA-256 of the cookie's id
  id                   uuid not null unique,         -- how lists and links name it
  account_id           uuid references accounts on delete cascade,
  device               text not null default '',     -- the browser's User-Agent, shortened
  address              inet,
  created_at           timestamptz not null,
  last_used_at         timestamptz not null,
  idle_expires_at      timestamptz not null,         -- moved forward by use
  absolute_expires_at  timestamptz not null          -- never moved
);
create index sessions_by_account on sessions (account_id, last_used_at desc);
create index sessions_by_end on sessions (least(idle_expires_at, absolute_expires_at));

create table auth_tokens (
  id               uuid primary key,
  account_id       uuid not null references accounts on delete cascade,
  kind             text not null check (kind in ('verify_email', 'reset_password', 'operator_link')),
  token_hash       bytea not null unique,
  code_hash        bytea,                            -- the typed alternative, six digits
  code_tries       smallint not null default 0,      -- five wrong codes end the token (R35)
  created_at       timestamptz not null,
  expires_at       timestamptz not null,             -- 60 minutes; an operator's first link a day
  code_expires_at  timestamptz not null,             -- 10 minutes
  used_at          timestamptz
);
create index auth_tokens_by_account on auth_tokens (account_id, kind);

-- Sign-up by invitation: a link that may be used a number of times.
create table invites (
  id          uuid primary key,
  token_hash  bytea not null unique,
  created_by  uuid references accounts on delete set null,
  uses_left   integer not null check (uses_left >= 0),
  created_at  timestamptz not null,
  expires_at  timestamptz not null
);

-- Guessing: failures by submitted identifier, by address, by flow; charged for unknown ones too (R17, R21).
create table attempt_counters (
  bucket         text primary key,                   -- 'sign_in:id:<hash>', 'sign_in:ip:<prefix>', 'forgot:id:<hash>' …
  failures       integer not null,
  last_at        timestamptz not null,
  blocked_until  timestamptz not null
);
create index attempt_counters_by_age on attempt_counters (last_at);

-- How long the n-th failure in a row blocks a bucket: the first ones not at all, then `first` seconds, doubling up to `longest`.
create function attempt_wait(n integer, free integer, first integer, longest integer) returns interval language sql immutable as $$
  select make_interval(secs => case when n < free then 0 else least(first * power(2, least(n - free, 20)), longest) end)
$$;
