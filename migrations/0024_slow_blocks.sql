-- Blocks that slow: in place of refusing, so many calls a second pass. Mails to operators of what rules found. And imported secrets whose
-- hashes are salted.

-- None: every call is refused. Of one target there may be both: refusing wins while it lasts.
alter table blocks add column per_second integer check (per_second between 1 and 10000);
alter table blocks add constraint blocks_notices_slow_nothing check (kind = 'block' or per_second is null);

-- What a rule that blocks does: none refuses. And whether operators get a mail of that; a rule that only tells always mails.
alter table block_rules add column per_second integer check (per_second between 1 and 10000);
alter table block_rules add column mails boolean not null default false;
alter table block_rules add constraint block_rules_tell_and_slow_nothing check (blocks or per_second is null);

-- What operators are to be told by mail: one row for each finding, made in its transaction. Its own table, since every node reads
-- anew when a block changes.
create table block_notices (
  block_id  uuid primary key references blocks on delete cascade,
  told_at   timestamptz                              -- the mail that told it; none: not told yet
);
create index block_notices_by_mail on block_notices (told_at);

-- How often slowed addresses called beyond their rate: nothing else is RATE_LIMITED before its key is looked up.
create index unknown_attempts_slowed on unknown_attempts (address, minute) where reason = 'RATE_LIMITED';

-- Imported secrets whose hashes are salted (bcrypt, Argon2): found by `start` and tried, until the first use makes an ordinary SHA-256 of
-- them. `salted` is a keyed hash of the salted one, so that a list that is sent again makes nothing twice; it stays. Until the first use
-- it stands in `hash` as well, which no secret has.
alter table key_secrets add column phc text check (char_length(phc) <= 300);
alter table key_secrets add column salted bytea unique check (octet_length(salted) = 32);
alter table key_secrets drop constraint key_secrets_origin_check;
alter table key_secrets add constraint key_secrets_origin_check check (origin in ('own', 'sha256', 'sha512', 'salted'));
alter table key_secrets add constraint key_secrets_phc_while_salted check ((origin = 'salted') = (phc is not null));
create index key_secrets_by_salted_start on key_secrets (start) where phc is not null;

create or replace function secrets_ended() returns trigger language plpgsql as $$
begin
  insert into ended_secrets (hash) select hash from gone union select salted from gone where salted is not null on conflict do nothing;
  return null;
end $$;
