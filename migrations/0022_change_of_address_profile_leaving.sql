-- Change of address, public profiles, leaving.

-- Which kinds of mailed proofs there are is said in one place: accounts::server::tokens.
alter table auth_tokens drop constraint auth_tokens_kind_check;
alter table auth_tokens add constraint auth_tokens_kind_check check (kind ~ '^[a-z_]{1,40}$');

-- An address that waits for its proof; a newer one takes its place.
create table email_changes (
  account_id  uuid primary key references accounts on delete cascade,
  id          uuid not null unique,                  -- the event that asked for it, and the id of the mailed proof
  new_email   text not null check (char_length(new_email) between 3 and 254),
  asked_at    timestamptz not null
);

-- The way back to an address that was left: one row per change, so that changing twice takes nobody's way back.
create table email_undos (
  id          uuid primary key,                      -- the event of the change
  account_id  uuid not null references accounts on delete cascade,
  old_email   text not null check (char_length(old_email) between 3 and 254),
  token_hash  bytea not null unique,
  until       timestamptz not null                   -- 7 days after the change
);
create index email_undos_by_account on email_undos (account_id);
create index email_undos_by_end on email_undos (until);

-- What a person may show of themself at /u/{handle}. Nothing is public until its owner says so.
alter table accounts
  add column handle        text unique check (handle ~ '^[a-z0-9][a-z0-9-]{1,28}[a-z0-9]$'),
  add column handle_set_at timestamptz,
  add column language      text not null default 'en' check (language in ('en', 'de')),
  add column published     text[] not null default '{}' check (published <@ array['name', 'time_zone', 'language', 'joined']);

-- A handle that was given up is nobody else's for 90 days: its address is known under another name.
create table handle_holds (
  handle      text primary key,
  account_id  uuid references accounts on delete set null,   -- who may take it back; nobody once that account is erased
  until       timestamptz not null
);

-- Who left: for a while (deactivated), or for good (`erase_at`: when the erasure comes). Until then a right password brings it back.
create table account_departures (
  account_id  uuid primary key references accounts on delete cascade,
  at          timestamptz not null,
  erase_at    timestamptz
);
create index account_departures_by_end on account_departures (erase_at) where erase_at is not null;
-- Its keys are answered BANNED, as those of a disabled account are.
create trigger account_departures_changed after insert or delete on account_departures for each row execute function account_keys_changed();

-- Everything that is kept of an account, for its owner: one at a time, written by a job in pieces, gone a day later.
create table account_exports (
  account_id  uuid primary key references accounts on delete cascade,
  id          uuid not null unique,                  -- the event that asked for it
  asked_at    timestamptz not null,
  done_at     timestamptz,                           -- 24 hours from here it can be fetched
  bytes       bigint not null default 0
);
create table account_export_chunks (
  export_id  uuid not null references account_exports (id) on delete cascade,
  number     integer not null,
  bytes      bytea not null,
  primary key (export_id, number)
);

-- Whoever leaves for good is taken out of these.
create index events_by_actor on events (actor_id, id) where actor_id is not null;
create index keys_by_creator on keys (created_by) where created_by is not null;
create index key_state_changes_by_actor on key_state_changes (actor_id) where actor_id is not null;
