-- What a limit did with calls beyond it when a mark of it was told (0023): a mail, and the home page, said of each that such calls are refused.
-- What was told before keeps `refuse`, as it was told.
alter table limit_notices add column over text not null default 'refuse' check (over ~ '^(refuse|mark|throttle:[1-9][0-9]{0,6})(@.{1,40})?$');
alter table shared_limit_notices add column over text not null default 'refuse' check (over ~ '^(refuse|mark|throttle:[1-9][0-9]{0,6})(@.{1,40})?$');
comment on column limit_notices.over is 'What becomes of calls beyond the limit, as key_limits.over writes it: the mail and the home page say it.';
comment on column shared_limit_notices.over is 'As limit_notices.over.';
