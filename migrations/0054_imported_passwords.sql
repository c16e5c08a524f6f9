-- Password hashes that other systems made (bcrypt, Argon2 without our pepper), and what a job says when it ends well.

-- Trying such a hash takes another time than one of ours. Signing in reads the kinds that there are, and tries one of each whoever is asked
-- for, so that its time says nothing of an account.
create table imported_hash_kinds (
  kind      text primary key check (char_length(kind) between 7 and 100),  -- what stands before the salt: $2b$12$, $argon2id$v=19$m=65536,t=3,p=4$
  added_at  timestamptz not null                                            -- by the newest import: a kind is not taken away under its hands
);

-- Our own hashes name their pepper; an account leaves this index at its first sign-in. The nightly job looks here which kinds are left.
create index accounts_with_imported_hash on accounts (password_hash) where password_hash is not null and password_hash not like '%,keyid=%';

alter table jobs add column result text check (char_length(result) <= 2000);  -- null: it said nothing, or has not ended well
comment on column jobs.result is 'What it did, in words with counts; shown in Admin.';
