//! Limits as the gate knows them at this moment, for the line across the chart and the meters beside it.

use super::{calendar::Calendar, span::width};
use crate::{
    keys::server::gate::{Gate, LimitState},
    platform::Ctx,
    usage::model::{BucketSize, Forecast, LimitLine, LimitMeter},
    values::KeyId,
};
use jiff::{Timestamp, ToSpan};

/// Meters shown when no key is chosen: those nearest to their limit.
const MOST_METERS: usize = 3;

/// What the gate of this process knows; nothing where there is no gate (a worker).
fn states(ctx: &Ctx, key: KeyId, now: Timestamp) -> Vec<LimitState> {
    ctx.part::<Gate>().map(|gate| gate.limit_state(key, now.as_microsecond())).unwrap_or_default()
}

/// The limit of the key whose window is as long as a bar is wide.
pub fn line(ctx: &Ctx, key: KeyId, size: BucketSize, now: Timestamp) -> Option<LimitLine> {
    let fits = |state: &LimitState| i64::from(state.window) == width(size) && matches!(size, BucketSize::Hour | BucketSize::Day);
    let limit = states(ctx, key, now).into_iter().filter(fits).map(|state| state.limit).min()?;
    Some(LimitLine { calls: limit, window: window_words(u32::try_from(width(size)).unwrap_or(0)) })
}

/// Every limit of one key, or of several those nearest to the end.
pub fn meters(ctx: &Ctx, keys: &[(KeyId, String)], calendar: &Calendar, now: Timestamp) -> Vec<LimitMeter> {
    let mut meters: Vec<LimitMeter> = Vec::new();
    for (key, name) in keys {
        for state in states(ctx, *key, now) {
            if keys.len() > 1 && state.used == 0 {
                continue;
            }
            let resets = now.checked_add(i64::try_from(state.reset_after).unwrap_or(0).seconds()).unwrap_or(now);
            meters.push(LimitMeter {
                key: *key,
                key_name: name.clone(),
                window: window_words(state.window),
                used: state.used,
                limit: state.limit,
                resets_at: calendar.moment(resets, now),
                reset_after: state.reset_after,
                forecast: forecast(&state, calendar, now),
            });
        }
    }
    if keys.len() > 1 {
        // used/limit compared without division: a.used × b.limit against b.used × a.limit.
        meters.sort_by(|a, b| (u128::from(b.used) * u128::from(a.limit)).cmp(&(u128::from(a.used) * u128::from(b.limit))));
        meters.truncate(MOST_METERS);
    }
    meters
}

/// Shorter windows are over before a forecast is read.
const SHORTEST_FORECAST: u64 = 86_400;

/// The present window at its own pace. None before a twentieth of it has passed: the first calls of a month say nothing of its end.
fn forecast(state: &LimitState, calendar: &Calendar, now: Timestamp) -> Option<Forecast> {
    let window = u64::from(state.window);
    let gone = window.checked_sub(state.reset_after).filter(|gone| *gone >= window / 20)?;
    if window < SHORTEST_FORECAST || state.used == 0 || gone == 0 {
        return None;
    }
    let scaled = |n: u64, by: u64, of: u64| u64::try_from(u128::from(n) * u128::from(by) / u128::from(of.max(1))).unwrap_or(u64::MAX);
    let expected = scaled(state.used, window, gone);
    let left = scaled(state.limit, gone, state.used).saturating_sub(gone);
    let at = now.checked_add(i64::try_from(left).ok()?.seconds()).ok()?;
    let used_up = (state.used < state.limit && expected > state.limit).then(|| calendar.moment(at, now));
    Some(Forecast { expected, used_up })
}

/// "an hour", "a day", "10 minutes".
fn window_words(seconds: u32) -> String {
    let units = [(604_800, "a week", "weeks"), (86_400, "a day", "days"), (3_600, "an hour", "hours"), (60, "a minute", "minutes"), (1, "a second", "seconds")];
    let (unit, one, many) = units.into_iter().find(|(unit, ..)| seconds >= *unit && seconds.is_multiple_of(*unit)).unwrap_or(units[4]);
    if seconds == unit { one.to_owned() } else { format!("in {} {many}", seconds / unit) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_noon(used: u64, window: u32, reset_after: u64) -> Option<Forecast> {
        let state = LimitState { name: "day".into(), limit: 1_000, used, remaining: 1_000 - used, reset_after, window };
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
    fn the_first_calls_say_nothing_and_an_hour_is_too_short() {
        assert_eq!(at_noon(10, 86_400, 86_000), None);
        assert_eq!(at_noon(10, 3_600, 1_800), None);
        assert_eq!(at_noon(0, 86_400, 43_200), None);
    }
}
