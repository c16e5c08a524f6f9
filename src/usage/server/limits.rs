//! Limits as the gate knows them at this moment, for the line across the chart and the meters beside it.

use super::calendar::Calendar;
use crate::{
    keys::{
        model::{Level, LimitKind, Window},
        server::gate::{Gate, LimitState},
    },
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
    let window = match size {
        BucketSize::Hour => Window::HOUR,
        BucketSize::Day => Window::DAY,
        BucketSize::Minute | BucketSize::Week | BucketSize::Month => return None,
    };
    let limit = states(ctx, key, now).into_iter().filter(|state| state.window == window).map(|state| state.limit).min()?;
    Some(LimitLine { calls: limit, window: window.words() })
}

/// Every limit of one key, or of several those nearest to the end.
pub fn meters(ctx: &Ctx, keys: &[(KeyId, String)], calendar: &Calendar, now: Timestamp) -> Vec<LimitMeter> {
    let mut meters: Vec<LimitMeter> = Vec::new();
    let gate = ctx.part::<Gate>();
    for (key, name) in keys {
        let is_shared = gate.as_ref().and_then(|gate| gate.level(*key)).is_some_and(Level::is_shared);
        if is_shared && meters.iter().any(|m| m.is_shared) {
            continue; // the same counters as of the key before
        }
        // Calls that go on at the same time are no usage of a window.
        for state in states(ctx, *key, now).into_iter().filter(|state| !state.window.is_concurrent()) {
            if keys.len() > 1 && state.used == 0 {
                continue;
            }
            let resets = now.checked_add(i64::try_from(state.reset_after).unwrap_or(0).seconds()).unwrap_or(now);
            meters.push(LimitMeter {
                key: *key,
                key_name: if is_shared { "all keys together".to_owned() } else { name.clone() },
                is_quota: state.window.is_quota(),
                is_rolling: state.window.is_rolling(),
                is_credits: state.window.is_credits(),
                remaining: state.remaining,
                is_shared,
                window: state.window.words(),
                over: state.over,
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

/// The present window at its own pace. None for windows of less than a day, which are over before a forecast is read, none for rolling ones
/// and credits, which never are, and none before a
/// twentieth of it has passed: the first calls of a month say nothing of its end.
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
    Some(Forecast { expected, used_up })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::model::OverAction;

    fn at_noon(used: u64, length: u32, reset_after: u64) -> Option<Forecast> {
        of(Window::Seconds(length), used, length, reset_after)
    }

    fn of(window: Window, used: u64, length: u32, reset_after: u64) -> Option<Forecast> {
        let state = LimitState { name: "day".into(), limit: 1_000, used, remaining: 1_000 - used, reset_after, window, length, over: OverAction::Refuse };
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

    #[test]
    fn a_rolling_window_has_no_end_to_forecast() {
        assert_eq!(of(Window::Rolling(86_400), 400, 86_400, 43_200), None);
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
