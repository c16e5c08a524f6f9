-- A secret that was dropped, rotated away or replaced by the first use of the next one stays for 30 days, at most ten of a key: its calls
-- are known to be the key's, answered EXPIRED and shown there, and are no guesses.

-- It is over whatever the clock of a node says; `expires_at` tells when it ended.
alter table key_secrets add column ended boolean not null default false;
alter table key_secrets add constraint key_secrets_ended_are_told check (not ended or (expires_at is not null and end_noted and not until_first_use));

-- What is to be forgotten.
create index key_secrets_by_end on key_secrets (expires_at) where end_noted;
