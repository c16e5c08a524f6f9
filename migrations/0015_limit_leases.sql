-- Limits that are exact on several nodes: what of a counter's window was given out. A node beside others charges only what it was
-- given here; `granted` is at once the sum of what every node may charge and has charged, so it never exceeds the limit by a grant.
-- The protocol and its bound: src/keys/server/gate/leases/mod.rs.
create table limit_leases (
  holder          uuid not null,                     -- the key, or the workspace whose keys are counted together
  name            text not null,
  window_seconds  integer not null,                  -- 0: calendar months
  number          bigint not null,                   -- of the window, counted from 1970
  granted         bigint not null check (granted >= 0),
  ends_at         timestamptz not null,
  primary key (holder, name, window_seconds, number)
) with (fillfactor = 70);                            -- updated often, in place
create index limit_leases_by_end on limit_leases (ends_at);
create index limit_leases_by_window on limit_leases (window_seconds, number);

-- A node that counts without leases, since it was alone; a newcomer waits until it has handed over what it counted.
alter table nodes add column counts_alone boolean not null default false;
