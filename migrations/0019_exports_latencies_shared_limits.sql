-- Files that a job prepares, how long calls took, and notices of limits that all keys of a workspace share.

-- A file that somebody asked for: its lines are written page by page into chunks, and what was written is noted in the same transaction,
-- so that a writer that is killed goes on where it was, and two writers do not write the same page. In the database, so that every node
-- can serve it; gone a day after it was done.
create table exports (
  id            uuid primary key,
  account_id    uuid not null references accounts on delete cascade,
  workspace_id  uuid not null references workspaces on delete cascade,
  subject       text not null check (subject in ('usage', 'refusals', 'keys')),
  format        text not null check (format in ('csv', 'json')),
  filters       jsonb not null,                      -- as they stand in a URL: an object of texts
  time_zone     text not null,                       -- in which its days are meant
  words         text not null,                       -- what it holds, as people read it
  state         text not null check (state in ('waiting', 'running', 'done', 'failed')),
  problem       text,                                -- why it failed
  rows_expected bigint,                              -- about; null until it is known
  rows_written  bigint not null default 0,
  chunks        integer not null default 0,
  bytes         bigint not null default 0,
  resume        text,                                -- where the next page begins
  created_at    timestamptz not null,
  finished_at   timestamptz,
  expires_at    timestamptz not null
);
create index exports_by_account on exports (account_id, workspace_id, id desc);
create index exports_by_end on exports (expires_at);
create table export_chunks (
  export_id  uuid not null references exports on delete cascade,
  number     integer not null,
  data       bytea not null,
  primary key (export_id, number)
);

-- How long calls took, where services tell it: how many calls of a key to a route in a quarter of an hour (a day of UTC) fell into a
-- bucket of a logarithmic scale, 2^(1/4) wide from 0.1 ms. Percentiles come from sums of these, never from averages of percentiles.
create table latency_quarters (
  key_id        uuid not null,
  quarter       timestamptz not null,
  route         text not null,
  bucket        smallint not null check (bucket between 0 and 101),
  workspace_id  uuid not null,
  api_id        uuid not null,
  count         bigint not null check (count > 0),
  primary key (key_id, quarter, route, bucket)
);
create index latency_quarters_by_workspace on latency_quarters (workspace_id, quarter);
create index latency_quarters_by_time on latency_quarters (quarter);
create table latency_days (
  key_id        uuid not null,
  day           timestamptz not null,                -- midnight, UTC
  route         text not null,
  bucket        smallint not null check (bucket between 0 and 101),
  workspace_id  uuid not null,
  api_id        uuid not null,
  count         bigint not null check (count > 0),
  primary key (key_id, day, route, bucket)
);
create index latency_days_by_workspace on latency_days (workspace_id, day);
create index latency_days_by_time on latency_days (day);

-- What a workspace shares is told to its owner once per window and threshold, as the limits of keys are.
create table shared_limit_notices (
  workspace_id    uuid not null references workspaces on delete cascade,
  account_id      uuid not null references accounts on delete cascade,
  limit_name      text not null,
  window_seconds  integer not null,
  window_start    timestamptz not null,
  threshold       smallint not null,
  used            bigint not null,                   -- as it was when this was told
  allowed         bigint not null,
  at              timestamptz not null,
  primary key (workspace_id, account_id, limit_name, window_seconds, window_start, threshold)
);
create index shared_limit_notices_by_account on shared_limit_notices (account_id, at desc);
create index shared_limit_notices_by_age on shared_limit_notices (at);
