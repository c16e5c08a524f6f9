-- When the limits of a key are looked at next for notices, where many keys are in use: once so much more is used that one of its marks may be reached
-- (`room`), and at the latest when it is `due`. Without it each look, every minute, reads what all of them used of all their windows: with 20,000 keys
-- half a second of a core.
--
-- `calls` and `units` are what passed since `quarter` (of an hour) when it was looked at: what was used since then is the difference. Nothing here is missed:
-- after a crash, which empties a table that is not logged, every key is looked at. Keys that nobody calls are forgotten after a day.
create unlogged table next_looks (
  key_id   uuid primary key,
  due      timestamptz not null,
  quarter  timestamptz not null,
  calls    bigint not null,
  units    bigint not null,
  room     bigint not null
);

-- How many more units a key may use, or calls it may make, before a mark of one of its limits can be reached that was not when it was looked at. Of a window
-- that begins anew all is used since then, and of one that rolls half of what reaches a mark again, so it is never more than half of the lowest mark.
-- A limit of which less is left than calls cost has reached its marks, too. What they cost is known as averages of pieces of time, which grow together: so it
-- is at most the highest of these (`dearest`) or all that was used since. (Of a window that rolls also less by what is over: that is seen when it is due.)
create function room_below_marks(allowed bigint, used bigint, is_short boolean, dearest bigint, thresholds smallint[]) returns bigint language sql immutable as $$
  select greatest(1, least(
    min((allowed * t + 99) / 100 - used) filter (where used * 100 < allowed * t),
    min(allowed * t / 200),
    allowed / 2,
    case when not is_short then least(allowed - used - dearest, (allowed - used) / 2) + 1 end
  )) from unnest(thresholds) t
$$;
