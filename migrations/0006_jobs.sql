-- Work done after the response. A job is enqueued in the transaction that causes it (outbox) and claimed with SKIP LOCKED;
-- a lease that ran out gives it to the next runner; one that failed too often stays as a dead letter until somebody retries it.
create table jobs (
  id            uuid primary key,
  kind          text not null,
  payload       jsonb not null,                      -- ids only, never secrets
  state         text not null default 'waiting' check (state in ('waiting', 'running', 'done', 'failed')),
  attempts      integer not null default 0,
  max_attempts  integer not null default 10,
  run_at        timestamptz not null,
  leased_until  timestamptz,
  leased_by     text,
  last_error    text,
  created_at    timestamptz not null,
  finished_at   timestamptz
);
create index jobs_to_run on jobs (run_at) where state in ('waiting', 'running');
create index jobs_by_state on jobs (state, id desc);   -- ids sort by age

create function job_enqueued() returns trigger language plpgsql as $$
begin
  perform pg_notify('jobs', new.kind);
  return null;
end $$;
create trigger job_enqueued after insert on jobs for each row when (new.state = 'waiting') execute function job_enqueued();
