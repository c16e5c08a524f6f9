-- When the limits of a key are looked at next for notices, where many keys are in use: once so much more is used that one of its marks may be reached
-- (`room`), and at the latest when it is `due`. Without it each look, every minute, reads what all of them used of all their windows: with 20,000 keys
-- half a second of a core.
--
-- `calls` and `units` are what had passed since `quarter` when it was looked at: what passed since then is the difference. That is the quarter of an hour
-- before the present one, since some of its calls are written when it is over. What is written later still is seen when the key is due; so is all else
-- that passes a mark without a call: a lower limit, another plan, marks or mails that somebody chooses. Keys stay in sight for half an hour after their last
-- call.
--
-- Nothing in it is worth a log: after a crash, which empties it, every key is looked at. Keys that nobody calls are forgotten after a day.
create unlogged table key_looks (
  key_id   uuid primary key,
  due      timestamptz not null,
  quarter  timestamptz not null,
  calls    bigint not null,
  units    bigint not null,
  room     bigint not null
);

-- How many more units a key may use, or calls it may make, before it reaches a mark of a limit that it had not reached. Never more than half of the lowest
-- mark: of a window that begins anew all is used since the look, of one that rolls at least half of what reaches a mark again.
--
-- Marks count as reached, too, when less is left than calls cost (`is_short`). What they cost is known as averages over pieces of time. As pieces grow and
-- are added up, the lowest average may rise, but not above what is the highest now (`dearest`), or above all that is used from now on. Of a window that
-- rolls it may also rise as cheap calls leave it: that is seen when the key is due.
create function room_below_marks(allowed bigint, used bigint, is_short boolean, dearest bigint, thresholds smallint[]) returns bigint language sql immutable as $$
  select greatest(1, least(
    min((allowed * t + 99) / 100 - used) filter (where used * 100 < allowed * t),
    min(allowed * t / 200),
    case when not is_short then least(allowed - used - dearest, (allowed - used) / 2) + 1 end
  )) from unnest(thresholds) t
$$;
