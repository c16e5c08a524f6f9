-- Whether somebody said in which time zone an account lives: its owner, or their browser. Until then it is UTC, and the next sign-in whose
-- browser tells its own fills it in. Nobody knows of older accounts in UTC whether that was chosen: their browser is asked, too.
alter table accounts add column time_zone_chosen boolean not null default false;
update accounts set time_zone_chosen = true where time_zone <> 'UTC';
