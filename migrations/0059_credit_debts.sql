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
begin
  insert into credit_debts (node, number, settled_at) values (of_node, of_number, clock_timestamp()) on conflict do nothing;
  if not found then
    return false;
  end if;
  for debt in
    select * from jsonb_to_recordset(debts) as d (holder uuid, name text, seconds integer, refill bigint, used jsonb) order by d.holder, d.name
  loop
    for part in select p.key::bigint as at, p.value::bigint as units from jsonb_each_text(debt.used) p order by 1 loop
      continue when part.units < 0 and exists (
        select from credit_buckets c
        where c.holder = debt.holder and c.name = debt.name and (c.seconds <> debt.seconds or c.number > part.at));
      -- The limit may have got another interval since: what was used stays used.
      update credit_buckets c set used = c.used + part.units
        where c.holder = debt.holder and c.name = debt.name and c.seconds <> debt.seconds;
      if not found then
        b := refilled_bucket(debt.holder, debt.name, debt.seconds, debt.refill, part.at);
        update credit_buckets c set seconds = b.seconds, number = b.number, before = b.before, used = b.used + part.units, high = b.high, got = b.got
          where c.holder = b.holder and c.name = b.name;
      end if;
    end loop;
  end loop;
  return true;
end $$;
