-- Passkeys (WebAuthn, W3C Level 3): public keys of authenticators, with which an account signs in, with or without a password.

-- What authenticators call an account: random, so that it says nothing of it to anybody (WebAuthn §14.6.1), and the same for all its
-- passkeys.
create table passkey_users (
  account_id  uuid primary key references accounts on delete cascade,
  handle      uuid not null unique
);

create table passkeys (
  id             uuid primary key,
  account_id     uuid not null references accounts on delete cascade,
  credential_id  bytea not null unique,
  credential     jsonb not null,               -- the public key, its counter and flags; nothing of it is secret
  aaguid         uuid not null,                -- the make of the authenticator, as it says itself; zero if it does not
  name           text not null,
  is_synced      boolean not null,             -- it has copies on other devices (the flag BS)
  created_at     timestamptz not null,
  last_used_at   timestamptz
);
create index passkeys_by_account on passkeys (account_id, created_at);

-- A question to an authenticator that waits for its answer: good once, for five minutes, in the browser that asked and for what it asked.
create table passkey_challenges (
  challenge_hash  bytea primary key,           -- SHA-256
  holder          bytea not null,              -- SHA-256 of what only that browser holds: its session, its half-done sign-in, a cookie
  purpose         text not null check (purpose in ('sign_in', 'second_factor', 'step_up', 'add', 'sign_up')),
  account_id      uuid references accounts on delete cascade, -- whose passkey must answer, where that is known
  handle          uuid,                        -- of an account that is yet to be
  state           jsonb not null,              -- what the answer is compared with
  options         jsonb not null,              -- what the browser is told
  expires_at      timestamptz not null
);
create index passkey_challenges_by_holder on passkey_challenges (holder, expires_at);
create index passkey_challenges_by_end on passkey_challenges (expires_at);
