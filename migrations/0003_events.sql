-- One row per change, written in the transaction of the change.
create table events (
  id            uuid primary key,
  at            timestamptz not null,
  kind          text not null,                       -- 'key.created', 'account.disabled' …
  workspace_id  uuid references workspaces on delete cascade,
  actor_id      uuid references accounts on delete set null,
  actor         text not null,                       -- the name at that time, or 'cli', 'system'
  subject_id    uuid,                                -- the thing that changed
  reason        text not null default '',
  data          jsonb not null default '{}'
);
create index events_by_subject on events (subject_id, at desc);
create index events_by_time on events (at desc);
create index events_by_workspace on events (workspace_id, at desc);
