//! Limits as they stand on all nodes at this moment, for the meters beside the chart and the line across it (`limit_lines`).

use super::{
    calendar::{Calendar, instant},
    credits,
    report::whole,
    store::pace::{self, Grain},
};
use crate::{
    keys::{
        model::{Level, LimitKind},
        server::gate::{Gate, LimitState},
    },
    platform::Ctx,
    usage::model::{Forecast, LimitMeter},
    values::KeyId,
};
use jiff::{Timestamp, ToSpan};
use std::ops::Range;

/// Keys whose use is asked of all nodes to find these.
const MOST_ASKED: usize = 50;
/// Meters shown when no key is chosen: those nearest to their limit.
const MOST_METERS: usize = 3;

/// What limits a key has, with what the gate of this process alone knows of them; nothing where there is no gate (a worker).
pub(super) fn states(ctx: &Ctx, key: KeyId, now: Timestamp) -> Vec<LimitState> {
    ctx.part::<Gate>().map(|gate| gate.limit_state(key, now.as_microsecond())).unwrap_or_default()
}

/// Every limit of one key, or of several those nearest to the end, without forecasts.
pub async fn meters(ctx: &Ctx, keys: &[(KeyId, String)], calendar: &Calendar, now: Timestamp) -> sqlx::Result<Vec<LimitMeter>> {
    Ok(found(ctx, keys, calendar, now).await?.into_iter().map(|(meter, _)| meter).collect())
}

/// The same with forecasts, of windows from an hour on and of credits, which need to know what was used when.
pub async fn meters_with_pace(ctx: &Ctx, keys: &[(KeyId, String)], calendar: &Calendar, now: Timestamp) -> sqlx::Result<Vec<LimitMeter>> {
    let mut meters = Vec::new();
    for (mut meter, state) in found(ctx, keys, calendar, now).await? {
        // What many keys share is known by the hour: too little for a rolling window of some hours.
        let is_told = i64::from(state.length) >= HOUR && (state.window.is_quota() || !(meter.is_shared && meter.is_rolling));
        if state.window.is_credits() {
            meter.lasts = credits::lasts(ctx, &meter, &state, calendar, now).await?;
        } else if is_told && state.used > 0 {
            let pieces = pieces(ctx, &meter, &state, now).await?;
            meter.forecast = if meter.is_rolling { forecast_rolling(&state, &pieces, calendar, now) } else { forecast(&state, &pieces, calendar, now) };
        }
        meters.push(meter);
    }
    Ok(meters)
}

/// What was used when, of a rolling window in one length of it, of a fixed one in the last quarter of one: by minutes of six hours, by quarters of
/// an hour, of more than a week by days; and what many keys share by hours, calls of more than a week by whole days and the hours before and after
/// them.
async fn pieces(ctx: &Ctx, meter: &LimitMeter, state: &LimitState, now: Timestamp) -> sqlx::Result<Vec<Piece>> {
    let span = if meter.is_rolling { state.length } else { state.length / 4 };
    let grain = if span <= SIX_HOURS {
        Grain::Minutes
    } else if span <= WEEK {
        Grain::Quarters
    } else {
        Grain::Days
    };
    let piece = if meter.is_shared { HOUR } else { i64::from(grain.seconds()) };
    let begin = now.as_second() - i64::from(span) - piece;
    let at = |second: i64| instant(Timestamp::from_second(second).unwrap_or(now));
    let rows = if meter.is_shared {
        let days = if grain == Grain::Days { whole_days(begin, now.as_second()) } else { begin..begin };
        pace::list_shared_pieces(&ctx.db, meter.key, at(begin), at(days.start)..at(days.end), state.unit).await?
    } else {
        pace::list_pieces(&ctx.db, meter.key, at(begin), grain, state.unit).await?
    };
    let known_since = rows.first().map(|row| row.at.unix_timestamp());
    let piece = |row: pace::PieceRow| {
        let seconds = i64::from(row.seconds);
        Piece { ends: row.at.unix_timestamp() + seconds, seconds, units: whole(row.units) }
    };
    let pieces = rows.into_iter().map(piece).collect();
    Ok(if meter.is_shared && meter.is_rolling { with_the_rest(pieces, known_since, state, now.as_second()) } else { pieces })
}

/// The days of UTC that lie between two moments, whole.
const fn whole_days(from: i64, to: i64) -> Range<i64> {
    (from + DAY - 1).div_euclid(DAY) * DAY..to.div_euclid(DAY) * DAY
}

/// Hours of what keys share are written from the day on that they share something. What else is used of the window was used before, nobody
/// knows when: it is taken for even.
fn with_the_rest(known: Vec<Piece>, known_since: Option<i64>, state: &LimitState, now: i64) -> Vec<Piece> {
    let begin = now - i64::from(state.length);
    let told: u64 = known.iter().filter(|piece| piece.ends > begin).map(|piece| piece.units).sum();
    let rest = state.used.saturating_sub(told);
    let until = known_since.map_or(now, |at| at.clamp(begin, now));
    // Less than an hour before what is known, or nothing: of the last seconds.
    let parts = if until - begin < HOUR { 1 } else { PARTS };
    let until = if parts == 1 { now } else { until };
    let share = |n: u32| rest * u64::from(n) / u64::from(parts);
    let seconds = if parts == 1 { 1 } else { (until - begin) / i64::from(parts) };
    let part = |n: u32| Piece { ends: begin + (until - begin) * i64::from(n + 1) / i64::from(parts), seconds, units: share(n + 1) - share(n) };
    let mut pieces: Vec<Piece> = (0..parts).map(part).filter(|piece| piece.units > 0).chain(known).collect();
    pieces.sort_by_key(|piece| piece.ends);
    pieces
}

const SIX_HOURS: u32 = 21_600;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;
/// A pace is that of at least so many seconds, of short windows of a twentieth of them.
const LEAST_PACE: u64 = 900;
/// Into so many pieces is cut what was used nobody knows when.
const PARTS: u32 = 96;
const WEEK: u32 = 604_800;

/// What was used in one piece of time, when that was over, and how long it was: a second at least.
#[derive(Debug, Clone, Copy)]
struct Piece {
    ends: i64,
    seconds: i64,
    units: u64,
}

impl Piece {
    /// Since when some of it lies in the time from `since` to `now`; none: nothing does.
    fn since(&self, since: i64, now: i64) -> Option<i64> {
        let begins = (self.ends - self.seconds).max(since);
        (self.units > 0 && begins < self.ends.min(now)).then_some(begins)
    }

    /// Of what was used in it as much as lies in that time: a piece may be a day, and the last one is not over.
    fn within(&self, since: i64, now: i64) -> u64 {
        let (begins, ends) = (self.ends - self.seconds, self.ends.min(now));
        let inside = u64::try_from(ends - begins.max(since)).unwrap_or(0);
        scaled(self.units, inside, u64::try_from(ends - begins).unwrap_or(0))
    }
}

/// `n * by / of`, rounded down.
fn scaled(n: u64, by: u64, of: u64) -> u64 {
    u64::try_from(u128::from(n) * u128::from(by) / u128::from(of.max(1))).unwrap_or(u64::MAX)
}

async fn found(ctx: &Ctx, keys: &[(KeyId, String)], calendar: &Calendar, now: Timestamp) -> sqlx::Result<Vec<(LimitMeter, LimitState)>> {
    let mut meters: Vec<(LimitMeter, LimitState)> = Vec::new();
    let Some(gate) = ctx.part::<Gate>() else { return Ok(meters) };
    let mut ids: Vec<KeyId> = keys.iter().map(|(key, _)| *key).collect();
    if ids.len() > MOST_ASKED {
        // What each used is summed over all nodes only of those that are nearest to a limit as this node knows it.
        let nearness = |key: &KeyId| gate.limit_state(*key, now.as_microsecond()).iter().map(|s| s.used * 1_000 / s.limit.max(1)).max().unwrap_or(0);
        ids.sort_by_cached_key(|key| std::cmp::Reverse(nearness(key)));
        ids.truncate(MOST_ASKED);
    }
    let mut standings = gate.standings(&ctx.db, &ids, now.as_microsecond()).await?;
    for (key, name) in keys {
        let is_shared = gate.level(*key).is_some_and(Level::is_shared);
        if is_shared && meters.iter().any(|(m, _)| m.is_shared) {
            continue; // the same counters as of the key before
        }
        // Calls that go on at the same time are no usage of a window.
        for state in standings.remove(key).unwrap_or_default().into_iter().filter(|state| !state.window.is_concurrent()) {
            if keys.len() > 1 && state.used == 0 {
                continue;
            }
            let resets = now.checked_add(i64::try_from(state.reset_after).unwrap_or(0).seconds()).unwrap_or(now);
            let meter = LimitMeter {
                key: *key,
                key_name: if is_shared { "all keys together".to_owned() } else { name.clone() },
                name: state.name.to_string(),
                is_quota: state.window.is_quota(),
                is_rolling: state.window.is_rolling(),
                is_credits: state.window.is_credits(),
                unit: state.unit,
                remaining: state.remaining,
                is_shared,
                window: state.window.words(),
                over: state.over,
                used: state.used,
                limit: state.limit,
                resets_at: calendar.moment(resets, now),
                reset_after: state.reset_after,
                forecast: None,
                lasts: None,
            };
            meters.push((meter, state));
        }
    }
    if keys.len() > 1 {
        // used/limit compared without division: a.used × b.limit against b.used × a.limit.
        meters.sort_by(|(a, _), (b, _)| (u128::from(b.taken()) * u128::from(a.limit)).cmp(&(u128::from(a.taken()) * u128::from(b.limit))));
        meters.truncate(MOST_METERS);
    }
    Ok(meters)
}

/// A fixed window that goes on at the pace of the last quarter of its length, whether that lies in it or not, or since something was used in that
/// quarter, if it was later (of a few minutes at least: one call says nothing). None where the quarter used nothing, and none before a twentieth of
/// the window has passed: the first calls of a month say nothing of its end.
fn forecast(state: &LimitState, pieces: &[Piece], calendar: &Calendar, now: Timestamp) -> Option<Forecast> {
    let (length, start) = (u64::from(state.length), now.as_second());
    let gone = length.checked_sub(state.reset_after).filter(|gone| *gone >= length / 20)?;
    if state.window.kind() != LimitKind::Fixed || state.used == 0 || gone == 0 {
        return None;
    }
    let since = start - i64::from(state.length) / 4;
    let first = pieces.iter().filter_map(|piece| piece.since(since, start)).min()?;
    let recent: u64 = pieces.iter().map(|piece| piece.within(since, start)).sum();
    if recent == 0 {
        return None;
    }
    let least = (length / 20).min(LEAST_PACE);
    let seconds = u64::try_from(start - first).unwrap_or(0).max(least);
    let expected = state.used.saturating_add(scaled(recent, state.reset_after, seconds));
    let left = scaled(state.limit.saturating_sub(state.used), seconds, recent);
    let moment = |after: u64| Some(calendar.moment(now.checked_add(i64::try_from(after).ok()?.seconds()).ok()?, now));
    let used_up = if state.used < state.limit && expected > state.limit { moment(left) } else { None };
    Some(Forecast { expected, by: moment(state.reset_after)?, used_up })
}

/// A rolling window that goes on at the pace of its last quarter, while what was used before comes back piece by piece: what is used in any
/// window then, and when it is full, if that is within the next one. None where the last quarter passed nothing.
fn forecast_rolling(state: &LimitState, pieces: &[Piece], calendar: &Calendar, now: Timestamp) -> Option<Forecast> {
    let (length, start) = (i64::from(state.length), now.as_second());
    let recent: u64 = pieces.iter().map(|piece| piece.within(start - length / 4, start)).sum();
    let expected = recent.saturating_mul(4);
    if expected == 0 {
        return None;
    }
    let seconds = u64::from(state.length);
    let (mut used, mut at, mut full) = (state.used, start, None);
    let ends = pieces.iter().map(|piece| (piece.ends + length, piece.units)).chain([(start + length, 0)]);
    for (back, units) in ends.filter(|(back, _)| (start..=start + length).contains(back)) {
        if used >= state.limit {
            break; // it was full at the beginning
        }
        let grown = scaled(expected, u64::try_from(back - at).unwrap_or(0), seconds);
        if used.saturating_add(grown) > state.limit {
            full = Some(at + i64::try_from(scaled(state.limit - used, seconds, expected)).ok()?);
            break;
        }
        (used, at) = ((used + grown).saturating_sub(units), back);
    }
    let moment = |seconds: i64| Timestamp::from_second(seconds).ok().map(|at| calendar.moment(at, now));
    Some(Forecast { expected, by: moment(start + length)?, used_up: full.and_then(moment) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::model::{LimitUnit, OverAction, Window};

    const QUARTER: i64 = 900;

    /// Of a fixed window of 1,000 at noon, with what was used in pieces that ended so many seconds ago.
    fn fixed(window: Window, used: u64, length: u32, reset_after: u64, seconds: i64, pieces: &[(i64, u64)]) -> Option<Forecast> {
        let state = LimitState {
            name: "day".into(),
            limit: 1_000,
            used,
            remaining: 1_000 - used,
            reset_after,
            window,
            unit: LimitUnit::Units,
            length,
            over: OverAction::Refuse,
        };
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().expect("an instant");
        let pieces: Vec<Piece> = pieces.iter().map(|(ago, units)| Piece { ends: now.as_second() - ago, seconds, units: *units }).collect();
        forecast(&state, &pieces, &Calendar::utc(), now)
    }

    fn at_noon(used: u64, pieces: &[(i64, u64)]) -> Option<(u64, Option<String>)> {
        fixed(Window::DAY, used, 86_400, 43_200, QUARTER, pieces).map(|f| (f.expected, f.used_up))
    }

    #[test]
    fn a_day_goes_on_as_it_went_lately() {
        // 120 in the last six hours, whatever was used before.
        let steady = [(6 * HOUR - QUARTER, 60), (HOUR, 60)];
        assert_eq!(at_noon(400, &steady), Some((640, None)));
        assert_eq!(at_noon(940, &steady), Some((1_180, Some("15:00".to_owned()))), "the other sixty last three hours");
        assert_eq!(at_noon(1_000, &steady), Some((1_240, None)), "it is used up already");
        assert_eq!(at_noon(400, &[(7 * HOUR, 400)]), None, "nothing in the last six hours");
        // It began a quarter of an hour ago, and goes on.
        assert_eq!(at_noon(500, &[(0, 500)]), Some((24_500, Some("12:15".to_owned()))));
        assert_eq!(at_noon(1, &[(-840, 1)]), Some((49, None)), "one call of a minute ago is no pace of a minute");
    }

    #[test]
    fn an_hour_and_a_month_are_foreseen_too() {
        let hour = |pieces: &[(i64, u64)], used| fixed(Window::HOUR, used, 3_600, 100, 60, pieces).map(|f| (f.expected, f.used_up));
        let steady = [(180, 180), (120, 180), (60, 180), (0, 180)];
        assert_eq!(hour(&steady, 720), Some((1_020, Some("12:01".to_owned()))), "three a second for the other 280");
        assert_eq!(hour(&steady, 600), Some((900, None)));
        let month = |gone: u64, pieces: &[(i64, u64)]| fixed(Window::Month, 390, 2_592_000, 2_592_000 - gone, DAY, pieces).map(|f| f.expected);
        // Of seven days and a half: twenty a day, and ten of the half.
        let days: Vec<(i64, u64)> = (0..20).map(|day| (day * DAY - DAY / 2, if day == 0 { 10 } else { 20 })).collect();
        assert_eq!(month(1_684_800, &days), Some(600), "for the other ten days and a half");
        assert_eq!(month(86_400, &days), None, "the first day says nothing of its end");
    }

    /// Of a rolling day of 1,000 at noon: what was used in quarters of an hour that ended so many hours ago.
    fn rolling(pieces: &[(i64, u64)]) -> Option<Forecast> {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().expect("an instant");
        let used: u64 = pieces.iter().map(|(_, units)| units).sum();
        let window = Window::Rolling(86_400);
        let state = LimitState {
            name: "day".into(),
            limit: 1_000,
            used,
            remaining: 1_000u64.saturating_sub(used),
            reset_after: 60,
            window,
            unit: LimitUnit::Units,
            length: 86_400,
            over: OverAction::Refuse,
        };
        let pieces: Vec<Piece> = pieces.iter().map(|(hours, units)| Piece { ends: now.as_second() - hours * 3_600, seconds: QUARTER, units: *units }).collect();
        forecast_rolling(&state, &pieces, &Calendar::utc(), now)
    }

    #[test]
    fn a_rolling_window_goes_on_as_its_last_quarter_went() {
        let said = |pieces: &[(i64, u64)]| rolling(pieces).map(|f| (f.expected, f.used_up));
        assert_eq!(said(&[(1, 600)]), Some((2_400, Some("16:00".to_owned()))), "a hundred an hour for the other 400");
        assert_eq!(said(&[(20, 800), (1, 100)]), Some((400, None)), "the 800 come back at four");
        assert_eq!(said(&[(20, 800), (1, 180)]), Some((720, Some("12:40".to_owned()))), "which is too late here");
        assert_eq!(said(&[(1, 1_000)]), Some((4_000, None)), "it is full already");
        assert_eq!(said(&[(7, 600)]), None, "nothing in the last six hours");
        assert_eq!(rolling(&[(1, 100)]).map(|f| f.by).as_deref(), Some("Sat 21 Nov, 12:00"));
        assert_eq!(rolling(&[]), None, "without its pieces nothing is known");
    }

    #[test]
    fn of_the_day_in_which_the_last_quarter_of_a_month_begins_its_part_counts() {
        let now: Timestamp = "2026-11-20T18:00:00Z".parse().expect("an instant");
        let state = LimitState {
            name: "month".into(),
            limit: 100_000,
            used: 460,
            remaining: 99_540,
            reset_after: 60,
            window: Window::Rolling(2_592_000),
            unit: LimitUnit::Calls,
            length: 2_592_000,
            over: OverAction::Refuse,
        };
        let day = |text: &str, units| Piece { ends: text.parse::<Timestamp>().expect("an instant").as_second() + DAY, seconds: DAY, units };
        let expected = |pieces: &[Piece]| forecast_rolling(&state, pieces, &Calendar::utc(), now).map(|f| f.expected);
        // It begins on the 13th at six.
        assert_eq!(expected(&[day("2026-11-12T00:00:00Z", 20), day("2026-11-13T00:00:00Z", 400), day("2026-11-20T00:00:00Z", 40)]), Some(4 * (300 + 40)));
        assert_eq!(expected(&[day("2026-11-12T00:00:00Z", 460)]), None);
    }

    #[test]
    fn what_is_not_known_by_hours_is_taken_for_even() {
        let state = |used| LimitState {
            name: "day".into(),
            limit: 1_000,
            used,
            remaining: 0,
            reset_after: 60,
            window: Window::Rolling(86_400),
            unit: LimitUnit::Units,
            length: 86_400,
            over: OverAction::Refuse,
        };
        let sum = |pieces: &[Piece], from: i64| pieces.iter().filter(|piece| piece.ends > from).map(|piece| piece.units).sum::<u64>();
        let now = 1_000_000_000;
        let all = with_the_rest(Vec::new(), None, &state(960), now);
        assert_eq!((all.len(), sum(&all, 0), sum(&all, now - 86_400 / 4), all[95].ends), (96, 960, 240, now));
        let known = vec![Piece { ends: now - 7_200, seconds: HOUR, units: 100 }, Piece { ends: now, seconds: HOUR, units: 50 }];
        let all = with_the_rest(known.clone(), Some(now - 10_800), &state(150), now);
        assert_eq!((all.len(), sum(&all, 0)), (2, 150), "nothing is missing");
        let all = with_the_rest(known, Some(now - 10_800), &state(250), now);
        assert_eq!((sum(&all, 0), sum(&all, now - 10_800)), (250, 150), "all of the rest was before");
        let all = with_the_rest(vec![Piece { ends: now - 86_400 + 1_800, seconds: HOUR, units: 100 }], Some(now - 86_400 - 1_800), &state(107), now);
        assert_eq!((all.len(), all[1].ends, all[1].units), (2, now, 7), "of the last seconds");
    }

    #[test]
    fn whole_days_begin_and_end_at_midnight() {
        let second = |text: &str| text.parse::<Timestamp>().expect("an instant").as_second();
        let days = |from: &str, to: &str| whole_days(second(from), second(to));
        let october = second("2026-10-22T00:00:00Z")..second("2026-11-20T00:00:00Z");
        assert_eq!(days("2026-10-21T12:37:11Z", "2026-11-20T13:37:11Z"), october);
        assert_eq!(days("2026-10-22T00:00:00Z", "2026-11-20T00:00:00Z"), october, "midnight itself begins one, and ends one");
        assert_eq!(days("2026-10-22T00:00:01Z", "2026-11-20T23:59:59Z").start, october.start + DAY);
    }

    #[test]
    fn credits_have_no_window_that_ends_and_the_first_calls_say_nothing() {
        let daily = "credits:10/day".parse().expect("credits");
        let of = |window, used, reset_after| fixed(window, used, 86_400, reset_after, QUARTER, &[(0, 10)]);
        assert_eq!(of(daily, 400, 43_200), None);
        assert_eq!(of(Window::DAY, 10, 86_000), None);
        assert_eq!(of(Window::DAY, 0, 43_200), None);
    }
}
