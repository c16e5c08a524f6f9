-- From which web pages a key may be used, whether an API answers preflights of browsers, and keys whose calls must be signed (RFC 9421).

-- Origins (RFC 6454 §6.2, https://app.example.com or https://*.example.com); none: whatever page.
alter table keys add column origins text[] not null default '{}' check (cardinality(origins) <= 20);
alter table apis add column answers_preflights boolean not null default false;

-- What the signatures of a key are checked with. A row says that every call must be signed.
create table key_signings (
  key_id         uuid primary key references keys on delete cascade,
  algorithm      text not null check (algorithm in ('ed25519', 'hmac-sha256')),
  public_key     bytea check (octet_length(public_key) = 32),
  sealed_secret  bytea,                                -- under the master key; a MAC can't be checked with a hash of its secret
  fingerprint    bytea not null check (octet_length(fingerprint) = 32), -- SHA-256 of the public key or the secret
  created_at     timestamptz not null,
  check ((algorithm = 'ed25519') = (public_key is not null)),
  check ((algorithm = 'hmac-sha256') = (sealed_secret is not null))
);
create trigger key_signings_changed after insert or update or delete on key_signings for each row execute function key_changed();

-- Signatures that were used: each nonce of a key once. No foreign key: the insert is on the way of a call, and a row lives ten minutes.
create table signing_nonces (
  key_id      uuid not null,
  nonce       bytea not null check (octet_length(nonce) = 32), -- its SHA-256
  expires_at  timestamptz not null,
  primary key (key_id, nonce)
);
create index signing_nonces_by_end on signing_nonces (expires_at);
