-- Samples of calls that passed, beside those of refusals: who looks into a problem also sees what a call that passes looks like, which
-- limits it left and from where it came. An API keeps 1 in n of them; none unless an operator says so.
alter table apis add column sample_one_in integer not null default 0 check (sample_one_in between 0 and 10000);
comment on column apis.sample_one_in is 'One in so many calls that pass is kept as a sample; 0: none.';

-- A table of its own: refusals are few and looked for among themselves. Cut by the week and kept as long as they are.
create table passed_samples (
  id            uuid not null,
  at            timestamptz not null,
  key_id        uuid not null,
  workspace_id  uuid not null,
  api_id        uuid not null,
  route         text not null,
  address       text not null default '',
  request_id    text not null default '',
  cost          bigint not null check (cost >= 0),            -- units that it was charged
  one_in        integer not null check (one_in > 0),          -- as the API had it at that moment: another number later changes no row
  limits        jsonb not null default '[]',                  -- where each limit stood after it: name, limit, remaining
  primary key (id, at)
) partition by range (at);
create table passed_samples_default partition of passed_samples default;
-- The list of a workspace, of operators, of one key, of one API; and a request by its id, whatever its time.
create index passed_samples_by_workspace on passed_samples (workspace_id, at desc, id desc);
create index passed_samples_by_time on passed_samples (at desc, id desc);
create index passed_samples_by_key on passed_samples (key_id, at desc, id desc);
create index passed_samples_by_api on passed_samples (api_id, at desc, id desc);
create index passed_samples_by_request on passed_samples (request_id) where request_id <> '';

-- A process that ended by force leaves its last batch on disk, and its data folder may start again after any time: a batch that was written
-- must then still be known, or it would count twice. So an id is forgotten after two days only once the files of its batch are known to be
-- gone; the few that no process closed (the last of each, or where a file could not be removed) stay as long as usage itself.
alter table usage_batches add column is_closed boolean not null default false;
comment on column usage_batches.is_closed is 'No file on disk holds this batch any more: it can''t be sent again.';
drop index usage_batches_by_age;
create index usage_batches_by_age on usage_batches (is_closed, at);
