-- Sign-in with others (OpenID Connect). Who somebody is at a provider is the pair of issuer and subject, never an address: addresses
-- change hands (OpenID Connect Core 1.0 §5.7).

create table linked_sign_ins (
  id            uuid primary key,
  account_id    uuid not null references accounts on delete cascade,
  provider      text not null,                       -- its slug in the configuration when it was linked
  issuer        text not null,
  subject       text not null,
  email         text,                                -- what the provider said then; for people to tell one from another
  created_at    timestamptz not null,
  last_used_at  timestamptz,
  unique (issuer, subject)
);
create index linked_sign_ins_by_account on linked_sign_ins (account_id);

-- A sign-in that is on its way to a provider and back: each comes back once. All else of it is sealed in one browser.
create table sign_in_flows (
  state_hash  bytea primary key,                     -- SHA-256 of the state
  expires_at  timestamptz not null
);
create index sign_in_flows_by_end on sign_in_flows (expires_at);
