-- Keys that were made elsewhere: of their secrets only hashes are imported, so they have neither our prefix nor our checksum.

-- How `hash` was made: by Tollgate (SHA-256), or elsewhere as SHA-256 or SHA-512.
alter table key_secrets add column origin text not null default 'own' check (origin in ('own', 'sha256', 'sha512'));
alter table key_secrets add constraint key_secrets_hash_length check (octet_length(hash) = case origin when 'sha512' then 64 else 32 end);

-- A list that was pasted and is looked at before it is imported. It holds hashes, never secrets, and goes the next night.
create table key_imports (
  id            uuid primary key,
  workspace_id  uuid not null references workspaces on delete cascade,
  api           text not null,
  list          text not null check (char_length(list) <= 65536),
  created_at    timestamptz not null
);
