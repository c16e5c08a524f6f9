-- Rolling windows: of a limit of N never more than N pass in any window of its length, whenever that begins.

-- Seconds below zero are a rolling window of so many; as before, zero is a calendar month and more than zero a fixed window.
alter table key_limits drop constraint key_limits_window_seconds_check;
alter table key_limits add constraint key_limits_window_seconds_check check (window_seconds between -2678400 and 2678400);
alter table plan_limits drop constraint plan_limits_window_seconds_check;
alter table plan_limits add constraint plan_limits_window_seconds_check check (window_seconds between -2678400 and 2678400);
alter table workspace_limits drop constraint workspace_limits_window_seconds_check;
alter table workspace_limits add constraint workspace_limits_window_seconds_check check (window_seconds between -2678400 and 2678400);
alter table api_limits drop constraint api_limits_window_seconds_check;
alter table api_limits add constraint api_limits_window_seconds_check check (window_seconds between -2678400 and 2678400);
alter table group_limits drop constraint group_limits_window_seconds_check;
alter table group_limits add constraint group_limits_window_seconds_check check (window_seconds between -2678400 and 2678400);

-- What of a rolling window was given out, as limit_leases has it of the others: by sixtieths of its length, in one row, so that one lock
-- guards their sum. The newest part and the sixty before it cover every window that ends now.
create table rolling_leases (
  holder          uuid not null,                     -- the key, or the workspace whose keys are counted together
  name            text not null,
  window_seconds  integer not null check (window_seconds >= 60 and window_seconds % 60 = 0),
  newest          bigint not null,                   -- number of the last part, counted from 1970
  parts           bigint[] not null check (cardinality(parts) = 61),
  ends_at         timestamptz not null,              -- from then on nothing of it counts
  primary key (holder, name, window_seconds)
) with (fillfactor = 70);                            -- updated often, in place
create index rolling_leases_by_end on rolling_leases (ends_at);
create index rolling_leases_by_window on rolling_leases (window_seconds, newest);

-- The parts moved on, so that the last one is that of this number.
create function rolled(parts bigint[], newest bigint, upto bigint) returns bigint[] language sql immutable as $$
  select array_agg(coalesce(parts[(place + least(upto - newest, 61))::integer], 0) order by place) from generate_series(1, 61) place
$$;

-- The row of a limit, locked, moved on to this number at least; made if it is missing.
create function rolling_lease(of_holder uuid, of_name text, of_seconds integer, upto bigint, out number bigint, out ring bigint[]) language plpgsql as $$
declare
  known rolling_leases;
begin
  insert into rolling_leases (holder, name, window_seconds, newest, parts, ends_at)
    values (of_holder, of_name, of_seconds, upto, array_fill(0::bigint, array[61]), to_timestamp((upto + 61) * (of_seconds / 60)))
    on conflict do nothing;
  select * into strict known from rolling_leases l where l.holder = of_holder and l.name = of_name and l.window_seconds = of_seconds for update;
  if known.newest > greatest(upto, (extract(epoch from clock_timestamp()) / (of_seconds / 60))::bigint) + 122 then
    -- The clock of a node was ahead by more than two windows. The limit must not wait until that date: what counts, counts as of now.
    number := upto;
    ring := array_fill(0::bigint, array[60]) || (select sum(p)::bigint from unnest(known.parts) p);
    return;
  end if;
  number := greatest(known.newest, upto);
  ring := rolled(known.parts, known.newest, number);
end $$;

create function put_rolling_lease(of_holder uuid, of_name text, of_seconds integer, number bigint, ring bigint[]) returns void language sql as $$
  update rolling_leases l set newest = number, parts = ring, ends_at = to_timestamp((number + 61) * (of_seconds / 60))
  where l.holder = of_holder and l.name = of_name and l.window_seconds = of_seconds
$$;

-- Takes and gives back, each row under its lock, rows in one order. An ask is {place, holder, name, seconds, at, most, need, ahead, back};
-- `back` says by the number of a part what is given back of it. What is given is of the part `number`, which may be newer than `at` where
-- the clock of another node is ahead. `opens` is the number from which on something of what was given out comes back.
create function lease_rolling(asks jsonb, share bigint) returns table (place bigint, number bigint, given bigint, spare bigint, opens bigint)
language plpgsql as $$
declare
  ask record;
  ring bigint[];
  part record;
  free bigint;
begin
  for ask in
    select * from jsonb_to_recordset(asks)
      as a (place bigint, holder uuid, name text, seconds integer, at bigint, most bigint, need bigint, ahead bigint, back jsonb)
    order by a.holder, a.name, a.seconds
  loop
    select r.number, r.ring into number, ring from rolling_lease(ask.holder, ask.name, ask.seconds, ask.at) r;
    for part in select (b.key::bigint - number + 61)::integer as at, b.value::bigint as back from jsonb_each_text(ask.back) b loop
      if part.at between 1 and 61 then
        ring[part.at] := greatest(ring[part.at] - part.back, 0);
      end if;
    end loop;
    free := greatest(ask.most - (select sum(p)::bigint from unnest(ring) p), 0);
    given := least(free, greatest(ask.need, least(ask.ahead, free / share)));
    ring[61] := ring[61] + given;
    perform put_rolling_lease(ask.holder, ask.name, ask.seconds, number, ring);
    place := ask.place;
    spare := free - given;
    opens := (select min(p.at) + number from unnest(ring) with ordinality p (part, at) where p.part > 0);
    return next;
  end loop;
end $$;

-- Sees to it that no less counts as given out than was used; how often it is sent makes no difference. One is {holder, name, seconds, used};
-- `used` says by the number of a part what was used of it. Exact numbers hold part by part. Others are late rather than early, as usage is
-- kept by minutes and days: then no less counts up to each part than was used up to it, so that what was leased is not counted twice.
create function raise_rolling(counted jsonb, is_exact boolean) returns void language plpgsql as $$
declare
  one record;
  ring bigint[];
  newest bigint;
  part bigint;
  was bigint;
  has bigint;
begin
  for one in
    select * from jsonb_to_recordset(counted) as c (holder uuid, name text, seconds integer, used jsonb) where c.used <> '{}'
    order by c.holder, c.name, c.seconds
  loop
    select r.number, r.ring into newest, ring
    from rolling_lease(one.holder, one.name, one.seconds, (select max(u::bigint) from jsonb_object_keys(one.used) u)) r;
    was := 0;
    has := 0;
    for at in 1..61 loop
      part := coalesce((one.used ->> (newest - 61 + at)::text)::bigint, 0);
      was := was + part;
      has := has + ring[at];
      if is_exact then
        ring[at] := greatest(ring[at], part);
      elsif was > has then
        ring[at] := ring[at] + was - has;
        has := was;
      end if;
    end loop;
    perform put_rolling_lease(one.holder, one.name, one.seconds, newest, ring);
  end loop;
end $$;
