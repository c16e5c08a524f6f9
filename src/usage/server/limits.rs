//! Limits as the gate knows them at this moment, for the line across the chart and the meters beside it.

use super::{calendar::Calendar, span::width};
use crate::{
    keys::server::gate::{Gate, LimitState},
    platform::Ctx,
    usage::model::{BucketSize, LimitLine, LimitMeter},
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

/// "an hour", "a day", "10 minutes".
fn window_words(seconds: u32) -> String {
    let units = [(604_800, "a week", "weeks"), (86_400, "a day", "days"), (3_600, "an hour", "hours"), (60, "a minute", "minutes"), (1, "a second", "seconds")];
    let (unit, one, many) = units.into_iter().find(|(unit, ..)| seconds >= *unit && seconds.is_multiple_of(*unit)).unwrap_or(units[4]);
    if seconds == unit { one.to_owned() } else { format!("in {} {many}", seconds / unit) }
}
