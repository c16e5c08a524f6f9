-- Blocks that slow: in place of refusing every call, so many a second pass. And mails to operators of what rules found.

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
