-- Second factors, and proof again before dangerous acts. Seeds are sealed and codes hashed under the master key: who reads these
-- tables alone can neither make nor test a code.

-- When whoever sits there last proved who it is: at sign-in, and by every step-up. Dangerous acts need it to be ten minutes old at most.
alter table sessions add column proved_at timestamptz;
update sessions set proved_at = created_at;

-- An authenticator app (RFC 6238).
create table totp_factors (
  account_id    uuid primary key references accounts on delete cascade,
  seed          bytea not null,                      -- 160 bits, sealed
  last_step     bigint not null,                     -- the newest step that was accepted: none is accepted twice (R29)
  created_at    timestamptz not null,
  last_used_at  timestamptz not null
);

-- One that is being set up: it counts for nothing until a code of it was typed (R32), and is shown in the session that began it only.
create table totp_enrolments (
  account_id  uuid primary key references accounts on delete cascade,
  session_id  uuid not null references sessions (id) on delete cascade,
  seed        bytea not null,
  expires_at  timestamptz not null
);

-- Ten for each account with a second factor; each works once.
create table recovery_codes (
  account_id  uuid not null references accounts on delete cascade,
  hash        bytea not null,
  made_at     timestamptz not null,
  used_at     timestamptz,
  primary key (account_id, hash)
);

-- The password was right and the second factor is asked for. Not a session: it opens nothing (R24).
create table pending_sign_ins (
  token_hash       bytea primary key,                -- SHA-256 of what one browser holds
  account_id       uuid not null references accounts on delete cascade,
  password_set_at  timestamptz,                      -- of the password that was right: another one ends this
  created_at       timestamptz not null,
  expires_at       timestamptz not null
);
create index pending_sign_ins_by_end on pending_sign_ins (expires_at);
create index pending_sign_ins_by_account on pending_sign_ins (account_id);

-- A form that waits while its sender proves who it is.
create table interrupted_forms (
  id          uuid primary key,
  session_id  uuid not null references sessions (id) on delete cascade,
  account_id  uuid not null references accounts on delete cascade,
  form        bytea not null,                        -- sealed
  created_at  timestamptz not null,
  expires_at  timestamptz not null
);
create index interrupted_forms_by_session on interrupted_forms (session_id, created_at);

-- An operator takes the second factors of an account away, a day later: its owner is told and can stop it (R34).
create table factor_resets (
  account_id   uuid primary key references accounts on delete cascade,
  asked_at     timestamptz not null,
  due_at       timestamptz not null,
  by_account   uuid references accounts on delete set null,
  by_name      text not null,
  reason       text not null,
  token_hash   bytea not null unique                 -- of the link that stops it
);
