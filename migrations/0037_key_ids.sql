-- Rotation of the master key (R86): which ones this database was used with, so that a start with another one is refused in words, and
-- which one a recovery code was hashed under. What is sealed carries the id in itself (`platform::vault`); passwords in their PHC string.

create table master_keys (
  id          text primary key check (id ~ '^[0-9a-f]{8}$'),  -- first bytes of an HMAC under the key; tells nothing about it
  number      bigint generated always as identity,            -- in the order in which they came; what has no id is of the first
  added_at    timestamptz not null,
  current_at  timestamptz,                                     -- since when it is used for new things; null: it was only read so far
  dropped_at  timestamptz,                                     -- an operator gave it up: it may be missing, and is not read
  check (dropped_at is null or dropped_at >= added_at)
);

-- Null: from before keys had ids.
alter table recovery_codes add column master_key text;
