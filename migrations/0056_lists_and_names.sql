-- Lists that wait until somebody has looked at them: longer ones, as files, and those of accounts. And keys of a workspace by their names.

-- A list of keys comes as a file, too: 10,000 keys as other systems export them are some megabytes.
alter table key_imports drop constraint key_imports_list_check;
alter table key_imports add constraint key_imports_list_check check (octet_length(list) <= 8388608);

-- Which wait in a workspace: the oldest goes for the next one, and with the workspace all of them.
create index key_imports_workspace on key_imports (workspace_id, created_at);

-- A list of accounts, of the operator who brought it. Sealed, since the hashes of passwords are in it; it goes when it is imported, or the
-- next night.
create table account_imports (
  id          uuid primary key,
  account_id  uuid not null references accounts on delete cascade,
  list        bytea not null check (octet_length(list) <= 8388608 + 64),
  created_at  timestamptz not null
);
create index account_imports_account on account_imports (account_id, created_at);

-- Keys whose names begin with a text, or are one, in any case: in a workspace of a million they are found without reading all. Compared byte
-- by byte, so that "begins with" is a range; of one name the newest first.
create index keys_by_name on keys (workspace_id, (lower(name) collate "C"), created_at desc, id desc);
