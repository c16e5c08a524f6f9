-- What calls cost, beside how many they were: limits count cost units, so a restart that resumes them needs the sum of these.
-- Null in rows of earlier versions: every call cost one unit, so their cost is their count. (A nullable column is added at once,
-- however long the table is.)
alter table usage_minutes add column cost bigint check (cost >= 0);
alter table usage_quarters add column cost bigint check (cost >= 0);
