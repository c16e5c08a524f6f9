-- A checkpoint of the audit log, written when a master key is dropped. Entries that were made with that key can't be verified by their MACs
-- afterwards: nobody is to have it any more, or somebody has it who must not. So before it goes all is verified with it, and what stands
-- there is written down as one digest, under the key in use: it proves that nothing up to there was changed since.
create table audit_checkpoints (
  number    bigint primary key check (number > 0),   -- 1, 2, 3 …
  at        timestamptz not null,
  made_by   text not null,                           -- 'cli'
  entry     bigint not null check (entry >= 0),      -- covers the entries up to this one
  head      bytea not null,                          -- the MAC of that entry; nothing where there was none
  digest    bytea not null,                          -- of all columns of all entries up to it, in their order
  dropped   text not null,                           -- the master key that was given up
  verified  boolean not null,                        -- false: an operator dropped it although not all could be verified
  adopted   bigint not null default 0 check (adopted >= 0),  -- entries that waited under a lost key and were taken in as they were found
  key_id    text not null,
  previous  bytea not null,                          -- digest of the checkpoint before; nothing before the first
  mac       bytea not null                           -- HMAC over all other columns
);

-- Only appended to, as the chain is (0036).
create trigger audit_checkpoints_stay before update or delete on audit_checkpoints for each row execute function audit_links_stay();
create trigger audit_checkpoints_stay_all before truncate on audit_checkpoints for each statement execute function audit_links_stay();
revoke update, delete, truncate on audit_checkpoints from public;
revoke update, delete, truncate on audit_checkpoints from current_user;
