-- Usage: verifications counted by key, route, outcome and minute, written in batches by each node's meter.
-- The quarter-hour rollup is written in the same transaction; a quarter is the largest bucket that fits every time zone's days.

create table usage_minutes (
  key_id        uuid not null,
  minute        timestamptz not null,
  route         text not null,
  outcome       text not null,                       -- VALID, RATE_LIMITED, DISABLED …
  workspace_id  uuid not null,
  api_id        uuid not null,
  count         bigint not null check (count > 0),
  primary key (key_id, minute, route, outcome)
);
create index usage_minutes_by_workspace on usage_minutes (workspace_id, minute);
create index usage_minutes_by_time on usage_minutes using brin (minute);

create table usage_quarters (
  key_id        uuid not null,
  quarter       timestamptz not null,
  route         text not null,
  outcome       text not null,
  workspace_id  uuid not null,
  api_id        uuid not null,
  count         bigint not null check (count > 0),
  primary key (key_id, quarter, route, outcome)
);
create index usage_quarters_by_workspace on usage_quarters (workspace_id, quarter);
create index usage_quarters_by_time on usage_quarters (quarter);

-- A batch that was written once is not written again, even when its answer was lost on the way.
create table usage_batches (
  id  uuid primary key,
  at  timestamptz not null
);
create index usage_batches_by_age on usage_batches (at);

create table key_activity (
  key_id        uuid primary key,
  last_used_at  timestamptz not null
);

-- Attempts with secrets that are unknown or malformed: counted by reason and address (IPv4 /32, IPv6 /64).
create table unknown_attempts (
  minute   timestamptz not null,
  reason   text not null,                            -- UNKNOWN, MALFORMED, MISSING
  address  text not null,
  count    bigint not null check (count > 0),
  primary key (minute, reason, address)
);

-- Samples of refusals, said to be samples: at most a few per key, code and minute.
create table refusal_samples (
  id            uuid primary key,
  at            timestamptz not null,
  key_id        uuid,
  workspace_id  uuid,
  api_id        uuid,
  code          text not null,
  route         text not null,
  address       text not null default '',
  request_id    text not null default '',
  detail        text not null default ''
);
create index refusal_samples_by_time on refusal_samples (at desc);
create index refusal_samples_by_key on refusal_samples (key_id, at desc);
create index refusal_samples_by_workspace on refusal_samples (workspace_id, at desc, id desc);
