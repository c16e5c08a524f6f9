-- Blocks: an address, a key or a workspace whose calls are refused until a time, or until somebody lifts the block; and the rules
-- that make them. A block ends by the clock: nothing needs to run for that. Rows stay for 30 days after their end, as history.

create table blocks (
  id            uuid primary key,                    -- sorts by age
  kind          text not null default 'block' check (kind in ('block', 'notice')), -- a notice refuses nothing: a rule that only tells
  network       cidr,                                -- an IPv6 one is /64 or wider
  key_id        uuid references keys on delete cascade,
  workspace_id  uuid references workspaces on delete cascade,
  since         timestamptz not null,
  until         timestamptz,                         -- none: until it is lifted
  reason        text not null check (char_length(reason) between 1 and 200),
  rule          text,                                -- the rule that made it; none: an operator
  by_account    uuid references accounts on delete set null,
  by_name       text not null,                       -- the name at that time, 'cli' or 'system'
  lifted_at     timestamptz,
  lifted_by     uuid references accounts on delete set null,
  lifted_name   text not null default '',
  lift_note     text not null default '' check (char_length(lift_note) <= 200),
  -- The transaction that last changed it: nodes poll by it, as with keys.
  changed_in    xid8 not null default pg_current_xact_id(),
  check (num_nonnulls(network, key_id, workspace_id) = 1),
  check (until > since)
);
create index blocks_by_change on blocks (changed_in);
create index blocks_by_network on blocks (network) where network is not null and lifted_at is null;
create index blocks_by_key on blocks (key_id) where key_id is not null;
create index blocks_by_workspace on blocks (workspace_id) where workspace_id is not null;

-- How often blocked addresses tried all the same: few rows, since only blocked addresses are refused before their key is looked up.
create index unknown_attempts_blocked on unknown_attempts (address, minute) where reason = 'IP_DENIED';

-- What makes blocks by itself. Counted by each node in memory, by the minutes of the clock.
create table block_rules (
  rule        text primary key check (rule in ('unknown-keys', 'refusals', 'spread')),
  is_on       boolean not null,
  most        integer not null check (most between 1 and case when rule = 'spread' then 100 else 1000000 end), -- what is still allowed
  minutes     integer not null check (minutes between 1 and 60),   -- in which so many are counted
  blocks      boolean not null,                      -- else it only tells
  seconds     integer not null check (seconds between 60 and 31622400), -- for how long
  changed_in  xid8 not null default pg_current_xact_id()
);
insert into block_rules (rule, is_on, most, minutes, blocks, seconds) values
  ('unknown-keys', true, 100, 1, true, 600),         -- tries of keys that are none, from one address
  ('refusals', false, 600, 1, true, 600),            -- refused calls of one key
  ('spread', false, 20, 10, false, 3600);            -- networks that one key is used from

-- Networks that no block holds, besides loopback and the trusted proxies. One row.
create table block_exemptions (
  is_one      boolean primary key default true check (is_one),
  networks    cidr[] not null default '{}',
  changed_in  xid8 not null default pg_current_xact_id()
);
insert into block_exemptions default values;

-- As with keys: the transaction is the revision, so that the poll misses nothing; NOTIFY makes it at once.
create function blocks_changed() returns trigger language plpgsql as $$
begin
  new.changed_in := pg_current_xact_id();
  perform pg_notify('keys_changed', 'blocks');
  return new;
end $$;
create trigger blocks_changed before insert or update on blocks for each row execute function blocks_changed();
create trigger block_rules_changed before update on block_rules for each row execute function blocks_changed();
create trigger block_exemptions_changed before update on block_exemptions for each row execute function blocks_changed();

-- Who may: operators.
insert into role_permissions (role, permission) values ('operator', 'blocks:manage') on conflict do nothing;
insert into api_permissions (api_id, permission, description)
  select id, 'blocks:manage', 'Block addresses, keys and workspaces' from apis where slug = 'tollgate' on conflict do nothing;
