-- Calls by the secret that was sent, from where and to which route: counted only while a key has several secrets that are accepted, so
-- that who rotates a key sees what still comes with the old one. Before, only the last use of each was known.
--
-- Exact in sum: what found no room of its own (keys::server::meter::by_secret), and what is rare, stands in the row without address and
-- without route. Of any outcome: a call that is refused is one of a program that still has this secret. Addresses of people, so kept as
-- long as those of usage_addresses (partitions as in 0051).
create table usage_secrets (
  secret_id  uuid not null,
  quarter    timestamptz not null,
  -- Folded, as in usage_addresses; empty: nobody told.
  address    text not null,
  -- As calls are counted by it; empty: other addresses and routes.
  route      text not null,
  passed     bigint not null,
  limited    bigint not null,
  refused    bigint not null,
  last_at    timestamptz not null,
  constraint usage_secrets_counts check (passed >= 0 and limited >= 0 and refused >= 0 and passed + limited + refused > 0),
  -- Read by secret and time: "since the rotation", "in the last day".
  primary key (secret_id, quarter, address, route)
) partition by range (quarter);
-- What is old is deleted, and what is rare is added up, by the quarter of an hour.
create index usage_secrets_by_time on usage_secrets (quarter);
create table usage_secrets_default partition of usage_secrets default;
