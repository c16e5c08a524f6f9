-- A mail's link is made anew for each try, and of the hash that was stored for it only its key is missing: while servers get a new master
-- key one after the other, another one mails it than stored it. So a job names the key under which whoever enqueued it makes links.
alter table jobs add column master_key text check (master_key ~ '^[0-9a-f]{8}$');  -- null: from before this migration
comment on column jobs.master_key is 'Only a runner with this master key claims the job, until the key is dropped.';
