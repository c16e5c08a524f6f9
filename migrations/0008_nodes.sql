-- The processes that answer from a key table of their own, and how far each has read the database: what a change waits for before it
-- says "refused on 2 of 2 nodes". A node that beats no more is still counted until it must have stopped by itself (stops_after).
create table nodes (
  id           uuid primary key,
  name         text not null,                        -- host and port: what an operator recognises
  version      text not null,
  started_at   timestamptz not null,
  beat_at      timestamptz not null,                 -- by the clock of this database, as everything below that tells time
  stops_after  integer not null check (stops_after > 0), -- seconds without the database after which it answers no question
  keys         bigint not null default 0,            -- how many it knows
  seen         pg_snapshot not null                  -- every transaction in it is in the node's key table
) with (fillfactor = 50);                            -- written every second: room for updates in place

-- Keys that are gone: a node that was away reads here what it need not know any more. Kept for an hour.
create table removed_keys (
  key_id      uuid primary key,
  removed_in  xid8 not null default pg_current_xact_id(),
  removed_at  timestamptz not null default now()
);
create or replace function key_removed() returns trigger language plpgsql as $$
begin
  insert into removed_keys (key_id) values (old.id) on conflict (key_id) do nothing;
  perform pg_notify('keys_changed', old.id::text);
  return null;
end $$;
