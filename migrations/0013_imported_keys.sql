-- Keys that were made elsewhere: of their secrets only hashes are imported, so they have neither our prefix nor our checksum.

-- How `hash` was made: by Tollgate (SHA-256), or elsewhere as SHA-256 or SHA-512.
alter table key_secrets add column origin text not null default 'own' check (origin in ('own', 'sha256', 'sha512'));
alter table key_secrets add constraint key_secrets_hash_length check (octet_length(hash) = case origin when 'sha512' then 64 else 32 end);

-- Hashes of secrets that were rotated away or dropped, so that a list that is sent again brings none of them back.
create table ended_secrets (hash bytea primary key);
create function secrets_ended() returns trigger language plpgsql as $$
begin
  insert into ended_secrets (hash) select hash from gone on conflict do nothing;
  return null;
end $$;
create trigger secrets_ended after delete on key_secrets referencing old table as gone for each statement execute function secrets_ended();

-- A list that was pasted and is looked at before it is imported; it goes when it is imported, or the next night.
create table key_imports (
  id            uuid primary key,
  workspace_id  uuid not null references workspaces on delete cascade,
  api           text not null,
  list          text not null check (char_length(list) <= 65536),
  created_at    timestamptz not null
);
