-- How long sessions and keys last, per role and per plan; passwords that are tried no more; work asked of who signs up under attack.
--
-- Each value is said by the first of these that says it: the roles of the account (the strictest of them), the plan of its own
-- workspace, the plan of that workspace's group; else by the configuration. A value that is null is not said here; 0 is "never", which
-- for sessions is the cap of the site, at most 400 days.

create table session_policies (
  id               uuid primary key,
  role             text unique references roles on delete cascade,
  plan_id          uuid unique references plans on delete cascade,
  idle_seconds     integer check (idle_seconds = 0 or idle_seconds between 60 and 34560000),
  max_seconds      integer check (max_seconds = 0 or max_seconds between 60 and 34560000),
  session_count    integer check (session_count between 1 and 200),
  key_max_seconds  integer check (key_max_seconds = 0 or key_max_seconds between 3600 and 316224000),
  updated_at       timestamptz not null,
  check (num_nonnulls(role, plan_id) = 1),
  check (num_nonnulls(idle_seconds, max_seconds, session_count, key_max_seconds) > 0)
);

-- What is said of one account, and by what, in words. Every request with a session asks this: some index probes, and one for the
-- table where nothing is said.
create function session_policy(account uuid)
returns table (idle integer, idle_from text, longest integer, longest_from text, most integer, most_from text, key_longest integer, key_longest_from text)
language sql stable as $$
  with said as materialized (
    select 1 as level, 'role ' || r.name as origin, p.idle_seconds, p.max_seconds, p.session_count, p.key_max_seconds
    from session_policies p join account_roles a on a.role = p.role join roles r on r.slug = p.role where a.account_id = $1
    union all
    select 2, 'plan ' || n.name, p.idle_seconds, p.max_seconds, p.session_count, p.key_max_seconds
    from workspaces w join workspace_plans h on h.workspace_id = w.id join session_policies p on p.plan_id = h.plan_id join plans n on n.id = p.plan_id
    where w.personal_of = $1
    union all
    select 3, 'plan ' || n.name || ' of the group ' || g.name, p.idle_seconds, p.max_seconds, p.session_count, p.key_max_seconds
    from workspaces w join group_members m on m.workspace_id = w.id join groups g on g.id = m.group_id join session_policies p on p.plan_id = g.plan_id
      join plans n on n.id = p.plan_id
    where w.personal_of = $1
  )
  select i.idle_seconds, i.origin, x.max_seconds, x.origin, c.session_count, c.origin, k.key_max_seconds, k.origin
  from (select 1) one
    left join (select s.idle_seconds, s.origin from said s where s.idle_seconds is not null order by s.level, nullif(s.idle_seconds, 0), s.origin limit 1) i on true
    left join (select s.max_seconds, s.origin from said s where s.max_seconds is not null order by s.level, nullif(s.max_seconds, 0), s.origin limit 1) x on true
    left join (select s.session_count, s.origin from said s where s.session_count is not null order by s.level, s.session_count, s.origin limit 1) c on true
    left join (select s.key_max_seconds, s.origin from said s where s.key_max_seconds is not null order by s.level, nullif(s.key_max_seconds, 0), s.origin limit 1) k on true
$$;

-- True while something that began at this instant has not outlived so many seconds; nothing said and "never" end nothing.
create function lasts(since timestamptz, seconds integer, now timestamptz) returns boolean language sql stable as $$
  select seconds is null or seconds = 0 or since + seconds * interval '1 second' > now
$$;

-- After 100 wrong tries in a row a password is tried no more, outside the browsers that its owner used, until a new one is set
-- (NIST SP 800-63B-4 §3.2.2). The row of the lock says since when, so that the owner is told once.
alter table account_locks add column stopped_at timestamptz;

-- The wait after the n-th failure, as before, and from `stops_at` on a hundred years: until the counter is taken away.
create function attempt_wait(n integer, free integer, first integer, longest integer, stops_at integer) returns interval language sql immutable as $$
  select case when n >= stops_at then interval '36500 days' else attempt_wait(n, free, first, longest) end
$$;

-- Sign-ups by the hour, in all ('all') and by network, and those that waited in place of working ('waited:…'): what says that there are
-- too many. Networks only by a keyed hash.
create table sign_up_counts (
  bucket    text not null,
  hour      timestamptz not null,
  sign_ups  integer not null,
  primary key (bucket, hour)
);
create index sign_up_counts_by_hour on sign_up_counts (hour);

-- Challenges of sign-up that were used: each is good once. The rest of a challenge is signed, not stored.
create table spent_challenges (
  id          uuid primary key,
  expires_at  timestamptz not null
);
create index spent_challenges_by_end on spent_challenges (expires_at);
