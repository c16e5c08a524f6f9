//! Limits as the gate knows them at this moment, for the meters beside the chart and the line across it (`limit_lines`).

use super::{
    calendar::{Calendar, instant},
    credits,
    report::whole,
    store::pace,
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

/// Meters shown when no key is chosen: those nearest to their limit.
const MOST_METERS: usize = 3;

/// What the gate of this process knows; nothing where there is no gate (a worker).
pub(super) fn states(ctx: &Ctx, key: KeyId, now: Timestamp) -> Vec<LimitState> {
    ctx.part::<Gate>().map(|gate| gate.limit_state(key, now.as_microsecond())).unwrap_or_default()
}

/// Every limit of one key, or of several those nearest to the end. Rolling ones are without a forecast.
pub fn meters(ctx: &Ctx, keys: &[(KeyId, String)], calendar: &Calendar, now: Timestamp) -> Vec<LimitMeter> {
    found(ctx, keys, calendar, now).into_iter().map(|(meter, _)| meter).collect()
}

/// The same with the forecasts of rolling ones and of credits, which need to know what was used when.
pub async fn meters_with_pace(ctx: &Ctx, keys: &[(KeyId, String)], calendar: &Calendar, now: Timestamp) -> sqlx::Result<Vec<LimitMeter>> {
    let mut meters = Vec::new();
    for (mut meter, state) in found(ctx, keys, calendar, now) {
        if state.window.is_rolling() && state.window.is_quota() && state.used > 0 {
            let pieces = pieces(ctx, &meter, &state, now).await?;
            meter.forecast = forecast_rolling(&state, &pieces, calendar, now);
        }
        if state.window.is_credits() {
            meter.lasts = credits::lasts(ctx, &meter, &state, calendar, now).await?;
        }
        meters.push(meter);
    }
    Ok(meters)
}

/// What was used when: by quarters of an hour, of more than a week by days; and what many keys share by hours, calls of more than a week by whole
/// days and the hours before and after them.
async fn pieces(ctx: &Ctx, meter: &LimitMeter, state: &LimitState, now: Timestamp) -> sqlx::Result<Vec<Piece>> {
    let by_days = state.length > WEEK;
    let piece = match (meter.is_shared, by_days) {
        (true, _) => HOUR,
        (false, true) => DAY,
        (false, false) => QUARTER,
    };
    let begin = now.as_second() - i64::from(state.length) - piece;
    let at = |second: i64| instant(Timestamp::from_second(second).unwrap_or(now));
    let rows = if meter.is_shared {
        let days = if by_days { whole_days(begin, now.as_second()) } else { begin..begin };
        pace::list_shared_pieces(&ctx.db, meter.key, at(begin), at(days.start)..at(days.end), state.unit).await?
    } else {
        pace::list_pieces(&ctx.db, meter.key, at(begin), by_days, state.unit).await?
    };
    let known_since = rows.first().map(|row| row.at.unix_timestamp());
    let piece = |row: pace::PieceRow| {
        let seconds = i64::from(row.seconds);
        Piece { ends: row.at.unix_timestamp() + seconds, seconds, units: whole(row.units) }
    };
    let pieces = rows.into_iter().map(piece).collect();
    Ok(if meter.is_shared { with_the_rest(pieces, known_since, state, now.as_second()) } else { pieces })
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

const QUARTER: i64 = 900;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;
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

fn found(ctx: &Ctx, keys: &[(KeyId, String)], calendar: &Calendar, now: Timestamp) -> Vec<(LimitMeter, LimitState)> {
    let mut meters: Vec<(LimitMeter, LimitState)> = Vec::new();
    let gate = ctx.part::<Gate>();
    for (key, name) in keys {
        let is_shared = gate.as_ref().and_then(|gate| gate.level(*key)).is_some_and(Level::is_shared);
        if is_shared && meters.iter().any(|(m, _)| m.is_shared) {
            continue; // the same counters as of the key before
        }
        // Calls that go on at the same time are no usage of a window.
        for state in states(ctx, *key, now).into_iter().filter(|state| !state.window.is_concurrent()) {
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
                forecast: forecast(&state, calendar, now),
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
    meters
}

/// The present window at its own pace. None for windows of less than a day, which are over before a forecast is read, none for rolling ones
/// (`forecast_rolling`) and credits (`credits::lasts`), which never are, and none before a twentieth of it has passed: the first calls of a month
/// say nothing of its end.
fn forecast(state: &LimitState, calendar: &Calendar, now: Timestamp) -> Option<Forecast> {
    let window = u64::from(state.length);
    let gone = window.checked_sub(state.reset_after).filter(|gone| *gone >= window / 20)?;
    if !state.window.is_quota() || state.window.kind() != LimitKind::Fixed || state.used == 0 || gone == 0 {
        return None;
    }
    let scaled = |n: u64, by: u64, of: u64| u64::try_from(u128::from(n) * u128::from(by) / u128::from(of.max(1))).unwrap_or(u64::MAX);
    let expected = scaled(state.used, window, gone);
    let left = scaled(state.limit, gone, state.used).saturating_sub(gone);
    let at = now.checked_add(i64::try_from(left).ok()?.seconds()).ok()?;
    let used_up = (state.used < state.limit && expected > state.limit).then(|| calendar.moment(at, now));
    let ends = now.checked_add(i64::try_from(state.reset_after).ok()?.seconds()).ok()?;
    Some(Forecast { expected, by: calendar.moment(ends, now), used_up })
}

/// A rolling window that goes on at the pace of its last quarter, while what was used before comes back piece by piece: what is used in any
/// window then, and when it is full, if that is within the next one. None where the last quarter passed nothing.
fn forecast_rolling(state: &LimitState, pieces: &[Piece], calendar: &Calendar, now: Timestamp) -> Option<Forecast> {
    let (length, start) = (i64::from(state.length), now.as_second());
    let scaled = |n: u64, by: u64, of: u64| u64::try_from(u128::from(n) * u128::from(by) / u128::from(of.max(1))).unwrap_or(u64::MAX);
    // Of the piece in which the quarter begins, which may be a day, as much as lies in it.
    let inside = |piece: &Piece| {
        let seconds = (piece.ends - (start - length / 4)).clamp(0, piece.seconds);
        scaled(piece.units, u64::try_from(seconds).unwrap_or(0), u64::try_from(piece.seconds).unwrap_or(1))
    };
    let recent: u64 = pieces.iter().map(inside).sum();
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

    fn at_noon(used: u64, length: u32, reset_after: u64) -> Option<Forecast> {
        of(Window::Seconds(length), used, length, reset_after)
    }

    fn of(window: Window, used: u64, length: u32, reset_after: u64) -> Option<Forecast> {
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
        forecast(&state, &Calendar::utc(), "2026-11-20T12:00:00Z".parse().expect("an instant"))
    }

    #[test]
    fn a_day_goes_on_as_it_went() {
        let used_up = |f: Option<Forecast>| f.and_then(|f| f.used_up);
        assert_eq!(at_noon(400, 86_400, 43_200).map(|f| f.expected), Some(800));
        assert_eq!(used_up(at_noon(400, 86_400, 43_200)), None);
        // 800 in twelve hours: the other 200 last three more.
        assert_eq!(used_up(at_noon(800, 86_400, 43_200)).as_deref(), Some("15:00"));
        assert_eq!(used_up(at_noon(1_000, 86_400, 43_200)), None, "it is used up already");
    }

    #[test]
    fn a_month_is_as_long_as_it_is() {
        assert_eq!(of(Window::Month, 390, 30 * 86_400, 907_200).map(|f| f.expected), Some(600), "19 days and a half of November are gone");
        assert_eq!(of(Window::Month, 10, 30 * 86_400, 29 * 86_400), None);
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
        assert_eq!(of(Window::Rolling(86_400), 400, 86_400, 43_200), None, "without its pieces nothing is known");
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
    fn credits_have_no_window_that_ends() {
        let daily = "credits:10/day".parse().expect("credits");
        assert_eq!(of(daily, 400, 86_400, 43_200), None);
    }

    #[test]
    fn the_first_calls_say_nothing_and_an_hour_is_too_short() {
        assert_eq!(at_noon(10, 86_400, 86_000), None);
        assert_eq!(at_noon(10, 3_600, 1_800), None);
        assert_eq!(at_noon(0, 86_400, 43_200), None);
    }
}
