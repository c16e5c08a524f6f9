-- Which permission was missing, by its name: its sentence has two forms, since a permission may also be one that nobody grants, and only
-- the one was found. Empty: none was.
alter table refusal_samples add column permission text not null default '';
update refusal_samples set permission = substring(detail from '^It asks for ([^ ,]+), which ')
where code = 'FORBIDDEN' and detail ~ '^It asks for [^ ,]+, which ';

-- Until when windows of limits that ended were looked at: a mark that was reached at the end of one is told although the next look finds the
-- next window.
create table limit_looks (
  is_only  boolean primary key default true check (is_only),
  at       timestamptz not null
);
