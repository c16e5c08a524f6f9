-- That a key has expired, or an old secret has ended, is written into the history once, by a job: what was noted is marked here, so that
-- nothing is noted twice, whichever node does it, and an end that moved is noted anew. The indexes hold only what was not noted yet.

alter table keys add column expiry_noted timestamptz;       -- the end that the history tells of
alter table key_secrets add column end_noted boolean not null default false;

-- What was over before this began is not told as news.
update keys set expiry_noted = expires_at where expires_at <= now();
update key_secrets set end_noted = true where expires_at <= now();

create index keys_by_expiry_to_note on keys (expires_at) where expires_at is not null and state <> 'revoked' and expiry_noted is distinct from expires_at;
create index key_secrets_by_end_to_note on key_secrets (expires_at) where expires_at is not null and not end_noted;
