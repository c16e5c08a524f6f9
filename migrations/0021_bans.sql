-- Who may not come in for a while or for good (bans), who is being guessed at (locks), and which browsers are known (devices).

-- One row per ban: of an account, of a mail domain with all below it, or of a network. It is over when it was lifted, or when its end
-- has come: `until` is compared with the clock wherever a ban is looked at, so none needs to be ended by anybody.
create table bans (
  id          uuid primary key,
  account_id  uuid references accounts on delete cascade,
  domain      text,                                   -- lower case, ASCII (IDNA): example.com holds mail.example.com too
  network     cidr,
  reason      text not null check (char_length(reason) between 1 and 300),
  at          timestamptz not null,
  by_account  uuid references accounts on delete set null,
  by_name     text not null,                          -- the name at that time, or 'cli'
  until       timestamptz check (until > at),         -- null: until somebody lifts it
  lifted_at   timestamptz,
  lifted_by   uuid references accounts on delete set null,
  lifter      text,                                   -- the name at that time, or 'cli'
  ended_at    timestamptz,                            -- when it was noted that its end has come
  check (num_nonnulls(account_id, domain, network) = 1),
  check ((lifted_at is null) = (lifter is null))
);
-- At most one at a time for the same thing, however many operators press at once.
create unique index bans_of_account on bans (account_id) where lifted_at is null and ended_at is null;
create unique index bans_of_domain on bans (domain) where lifted_at is null and ended_at is null;
create unique index bans_of_network on bans (network) where lifted_at is null and ended_at is null;
create index bans_by_account on bans (account_id, at desc);
create index bans_by_network on bans using gist (network inet_ops) where lifted_at is null;
create index bans_by_end on bans (until) where lifted_at is null and ended_at is null;

-- The keys of a banned account are answered BANNED on every node, as those of a disabled one (0004).
create trigger bans_changed after insert or update or delete on bans for each row execute function account_keys_changed();

-- An account whose address met so many wrong passwords that its lock is long (`locks`); gone with the lock. The mail that tells the
-- owner holds a link that clears it; only the hash of its token is here.
create table account_locks (
  account_id  uuid primary key references accounts on delete cascade,
  at          timestamptz not null,
  until       timestamptz not null,
  token_hash  bytea not null unique,
  expires_at  timestamptz not null                    -- of the link
);

-- A browser in which somebody came in: it has wrong passwords counted for itself alone, and no mail is sent when it comes back. Void
-- after "this wasn't me", and then no longer known.
create table known_devices (
  id            uuid primary key,
  account_id    uuid not null references accounts on delete cascade,
  created_at    timestamptz not null,
  last_used_at  timestamptz not null,
  voided_at     timestamptz
);
create index known_devices_by_account on known_devices (account_id, last_used_at desc);

-- The link of a mail about a new device: "this wasn't me". Several live side by side, one for each mail, seven days, once.
create table device_alarms (
  id          uuid primary key,                       -- of the event that the mail tells of
  account_id  uuid not null references accounts on delete cascade,
  token_hash  bytea not null unique,
  expires_at  timestamptz not null,
  used_at     timestamptz
);
create index device_alarms_by_account on device_alarms (account_id);
