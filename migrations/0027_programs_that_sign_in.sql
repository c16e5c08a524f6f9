-- Programs that sign in (`POST /api/v1/auth/token`). Of tokens only a SHA-256 is kept (R41).

-- One sign-in of one program, with all tokens that came of it: a family, which ends whole (R71).
create table token_families (
  id                   uuid primary key,              -- a session's id: lists and links name both alike
  account_id           uuid not null references accounts on delete cascade,
  program              text not null,                 -- what it calls itself; empty if it says nothing
  device               text not null,                 -- its User-Agent, shortened
  address              inet,                          -- where it signed in from
  generation           integer not null default 1,    -- how many refresh tokens there were; only the newest works
  rotated_at           timestamptz not null,
  repeat               bytea not null,                -- the newest pair, sealed: for who sends the one before twice at once
  created_at           timestamptz not null,
  last_used_at         timestamptz not null,
  proved_at            timestamptz,                   -- when credentials were shown to us; none where a browser approved it
  idle_expires_at      timestamptz not null,          -- moved forward by every refresh
  absolute_expires_at  timestamptz not null           -- never moved
);
create index token_families_by_account on token_families (account_id, created_at desc);
create index token_families_by_end on token_families (least(idle_expires_at, absolute_expires_at));

-- Tokens that were given out. Old refresh tokens stay as long as their family: one that comes back ends it.
create table program_tokens (
  hash        bytea primary key,
  family_id   uuid not null references token_families on delete cascade,
  is_refresh  boolean not null,
  generation  integer not null,
  expires_at  timestamptz not null
);
create index program_tokens_by_family on program_tokens (family_id);
create index program_tokens_by_end on program_tokens (expires_at) where not is_refresh;

-- Programs that wait for a person to say yes in a browser (RFC 8628).
create table device_requests (
  id             uuid primary key,
  device_hash    bytea not null unique,               -- SHA-256 of what the program polls with
  user_hash      bytea not null unique,               -- of what the person types, under the master key: eight letters are few
  program        text not null,
  device         text not null,
  address        inet not null,
  created_at     timestamptz not null,
  expires_at     timestamptz not null,
  poll_interval  integer not null,                    -- seconds; grows when it polls too fast
  polled_at      timestamptz,
  account_id     uuid references accounts on delete cascade,  -- who decided
  is_approved    boolean,                             -- none: nobody has decided
  check ((account_id is null) = (is_approved is null))
);
create index device_requests_by_end on device_requests (expires_at);
create index device_requests_by_account on device_requests (account_id) where account_id is not null;
