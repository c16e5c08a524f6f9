-- Limits of calls at the same time. One place of such a limit lasts window_seconds at most, an hour at the longest; nodes keep the places in
-- memory, so there are not too many of them. Beyond them calls are refused: neither marked nor slowed down, since what passes must have a place.
do $$
declare t text;
begin
  foreach t in array array['key_limits', 'plan_limits', 'workspace_limits', 'group_limits', 'api_limits'] loop
    execute format(
      'alter table %I add constraint %I check (kind <> ''concurrent'' or (max_calls <= 10000 and window_seconds <= 3600 and over = ''refuse''))',
      t, t || '_concurrent_check');
  end loop;
end $$;

-- How many places of a limit a node may have taken, while it is not alone; or has taken, where it is alone and they last long. Others may
-- take no more than the limit less this, until ends_at: by then all of them have ended. A node that ended leaves its rows until then, so
-- there is no reference to nodes.
create table place_leases (
  holder   uuid not null,          -- the key, or the workspace whose keys are counted together
  name     text not null,          -- of the limit
  node_id  uuid not null,          -- new with every start of a process
  places   bigint not null check (places >= 0),
  turn     bigint not null,        -- number of the node's request: a late one changes nothing
  ends_at  timestamptz not null,   -- by the clock of this database
  primary key (holder, name, node_id)
) with (fillfactor = 70);          -- updated often, in place
create index place_leases_by_end on place_leases (ends_at);
