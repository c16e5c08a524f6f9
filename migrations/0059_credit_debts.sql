-- What a server that was alone let pass of credits while the database was away. It knew what was left of each bucket and that nobody else
-- could use it, so it went on from there; here it is told afterwards. Why no more passes than may: src/keys/server/gate/leases/trust.rs.

-- What was told, by server and in the order of telling: what is sent again, since its answer was lost, counts once.
create table credit_debts (
  node          uuid not null,                       -- the process; it may have ended, so it refers to no row of nodes
  number        bigint not null,
  settled_at    timestamptz not null,
  primary key (node, number)
);
create index credit_debts_by_time on credit_debts (settled_at);

-- Takes from the buckets what has passed already, though a bucket may be left with less than nothing by it. A debt is {holder, name, seconds,
-- refill, used}; `used` says by the number of a refill what passed after it. In their order, with the refills between: as if each had been
-- leased when it was used. Less than nothing is what was leased before and not used: it goes back unless the bucket was refilled since. False
-- if all this was told before.
create function settle_credits(of_node uuid, of_number bigint, debts jsonb) returns boolean language plpgsql as $$
declare
  debt record;
  part record;
  b credit_buckets;
  is_there boolean;                                  -- the bucket is, as `b`
  is_other boolean;                                  -- the limit got another interval since
  is_read boolean;                                   -- `b` has what came back up to a part
begin
  insert into credit_debts (node, number, settled_at) values (of_node, of_number, clock_timestamp()) on conflict do nothing;
  if not found then
    return false;
  end if;
  for debt in
    select * from jsonb_to_recordset(debts) as d (holder uuid, name text, seconds integer, refill bigint, used jsonb) order by d.holder, d.name
  loop
    select * into b from credit_buckets c where c.holder = debt.holder and c.name = debt.name for update;
    is_there := found;
    is_other := is_there and b.seconds <> debt.seconds;
    is_read := false;
    -- In memory, and written once: a statement for each part would take seconds for what an outage leaves.
    for part in select p.key::bigint as at, p.value::bigint as units from jsonb_each_text(debt.used) p order by 1 loop
      continue when part.units < 0 and is_there and (is_other or b.number > part.at);
      if not is_other then
        if not is_read then
          b := refilled_bucket(debt.holder, debt.name, debt.seconds, debt.refill, part.at);
          is_there := true;
          is_read := true;
        elsif part.at > b.number then
          -- As refilled_bucket does it.
          b.high := b.used;
          b.got := least(greatest(b.used, 0), debt.refill * (part.at - b.number));
          b.used := b.used - b.got;
          b.before := b.number;
          b.number := part.at;
        end if;
      end if;
      b.used := b.used + part.units;
    end loop;
    update credit_buckets c set seconds = b.seconds, number = b.number, before = b.before, used = b.used, high = b.high, got = b.got
      where c.holder = debt.holder and c.name = debt.name;
  end loop;
  return true;
end $$;
