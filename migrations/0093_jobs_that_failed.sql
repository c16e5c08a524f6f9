-- Every account that is erased takes its address out of what failed jobs say (platform::jobs::forget_address): it reads these few rows, not all jobs
-- of a week, once for each of what may be thousands of sign-ups that nobody proved.
create index jobs_with_an_error on jobs (id) where last_error is not null;
