//! How long credits last: at the pace of the last days, with what comes back. Beside the meters of Usage (`limits`).

use super::{
    calendar::{Calendar, instant},
    report::whole,
    store::pace::{self, Grain, PieceRow},
};
use crate::{
    keys::{
        model::{LimitUnit, Refill},
        server::gate::LimitState,
    },
    platform::Ctx,
    usage::model::{Lasts, LimitMeter},
};
use jiff::{Timestamp, ToSpan};

/// So far back it is looked for the pace.
const BACK: i64 = 7 * 86_400;
/// A shorter time with calls says nothing of the days to come.
const LEAST: i64 = 6 * 3_600;
/// What fills again in less time was empty and full many times before a forecast is read.
const SHORT: u32 = 3_600;
/// Who reads it within so many seconds before should act.
const SOON: u64 = 7 * 86_400;
/// What lies further ahead is not told.
const AHEAD: u64 = 183 * 86_400;

/// How fast units are used: so many in so many seconds.
#[derive(Debug, Clone, Copy)]
struct Pace {
    units: u64,
    seconds: u64,
}

impl Pace {
    /// That since the first call among these.
    fn of(pieces: &[PieceRow], now: Timestamp) -> Option<Self> {
        let units: u64 = pieces.iter().map(|piece| whole(piece.units)).sum();
        let first = pieces.iter().find(|piece| piece.units > 0)?;
        let seconds = now.as_second() - first.at.unix_timestamp();
        (seconds >= LEAST).then_some(Self { units, seconds: u64::try_from(seconds).ok()? })
    }
}

/// None where nothing is left, where too little is known, and of credits that all come back within an hour.
pub async fn lasts(ctx: &Ctx, meter: &LimitMeter, state: &LimitState, calendar: &Calendar, now: Timestamp) -> sqlx::Result<Option<Lasts>> {
    let is_told = |refill: &Refill| state.remaining > 0 && (refill.is_prepaid() || state.length > SHORT);
    let Some(refill) = state.window.refill().filter(is_told) else { return Ok(None) };
    let since = instant(Timestamp::from_second(now.as_second() - BACK).unwrap_or(now));
    let pieces = if meter.is_shared {
        pace::list_shared_pieces(&ctx.db, meter.key, since, since..since, LimitUnit::Units).await?
    } else {
        pace::list_pieces(&ctx.db, meter.key, since, Grain::Quarters, LimitUnit::Units).await?
    };
    let Some(pace) = Pace::of(&pieces, now) else { return Ok(None) };
    let after = used_up_after(refill, state, pace).filter(|after| *after <= AHEAD);
    let at = after.and_then(|after| i64::try_from(after).ok()).and_then(|after| now.checked_add(after.seconds()).ok());
    Ok(Some(Lasts { used_up: at.map(|at| calendar.moment(at, now)), is_soon: after.is_some_and(|after| after <= SOON) }))
}

/// In how many seconds nothing is left; none: never.
fn used_up_after(refill: Refill, state: &LimitState, pace: Pace) -> Option<u64> {
    // Units times the seconds of the pace, so that nothing is rounded: each second uses `uses` of these.
    let scaled = |units: u64| u128::from(units) * u128::from(pace.seconds);
    let (uses, full, back) = (u128::from(pace.units), scaled(state.limit), scaled(refill.units.into()));
    let after = |at: u128, left: u128| u64::try_from(at + left / uses.max(1)).ok();
    let refilled = |left: u128| left.max((left + back).min(full));
    let (mut left, mut at) = (scaled(state.remaining), u128::from(state.reset_after));
    if refill.is_prepaid() || left < uses * at {
        return after(0, left);
    }
    left = refilled(left - uses * at);
    // From here on by whole intervals, many at once.
    let every = u128::from(refill.seconds);
    let spent = uses * every;
    loop {
        if left < spent {
            return after(at, left);
        }
        let intervals = if left > full {
            // What operators added: nothing comes back before it is used.
            match (left - full) / spent {
                0 => {
                    left = refilled(left - spent);
                    1
                }
                intervals => {
                    left -= intervals * spent;
                    intervals
                }
            }
        } else if spent > back {
            let loses = spent - back;
            let intervals = (left - spent) / loses + 1;
            left -= intervals * loses;
            intervals
        } else {
            return None;
        };
        at += intervals * every;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::model::{OverAction, Window};
    use time::Duration;

    const PREPAID: Refill = Refill::PREPAID;
    const HOURLY: Refill = Refill { units: 10, seconds: 3_600 };

    /// Of 100 at most, the next refill in half an hour.
    fn state(refill: Refill, remaining: u64) -> LimitState {
        LimitState {
            name: "c".into(),
            limit: 100,
            used: 0,
            remaining,
            reset_after: if refill.is_prepaid() { 0 } else { 1_800 },
            window: Window::Credits(refill),
            unit: LimitUnit::Units,
            length: 36_000,
            over: OverAction::Refuse,
        }
    }

    /// In minutes, at so many units an hour.
    fn minutes(refill: Refill, remaining: u64, an_hour: u64) -> Option<u64> {
        used_up_after(refill, &state(refill, remaining), Pace { units: an_hour, seconds: 3_600 }).map(|seconds| seconds / 60)
    }

    #[test]
    fn prepaid_ones_last_as_long_as_they_are_used_evenly() {
        assert_eq!([(100, 10), (1, 60), (250, 100)].map(|(left, an_hour)| minutes(PREPAID, left, an_hour)), [Some(600), Some(1), Some(150)]);
    }

    #[test]
    fn what_comes_back_lasts_too() {
        assert_eq!(minutes(HOURLY, 4, 10), Some(24), "before any comes back");
        assert_eq!(minutes(HOURLY, 50, 10), None, "as much comes back as is used");
        assert_eq!(minutes(HOURLY, 50, 20), Some(300), "after the refills 50, 40, 30, 20 and 10, and these are half an hour's");
        assert_eq!(minutes(HOURLY, 100, 200), Some(33), "all of it when the first come back, which are three minutes'");
    }

    #[test]
    fn what_is_beyond_the_limit_is_used_first() {
        // 290 after half an hour and nothing back; 20 an hour: nine hours and a half to 100, then as from a full bucket.
        assert_eq!(minutes(HOURLY, 300, 20), Some(30 + 9 * 60 + 60 + 9 * 60 + 30));
        assert_eq!(minutes(HOURLY, 300, 10), None, "the 100 stay");
    }

    /// Against walking from second to second.
    #[test]
    fn it_is_what_walking_finds() {
        for (units, seconds, left, an_hour) in
            [(10, 3_600, 100, 13), (1, 60, 100, 70), (7, 900, 310, 45), (90, 7_200, 99, 60), (5, 3_600, 1, 9), (100, 3_600, 100, 130), (30, 60, 20, 3_000)]
        {
            let refill = Refill { units, seconds };
            let state = LimitState { reset_after: u64::from(seconds) / 3, ..state(refill, left) };
            let (mut stays, mut next, mut at) = (left * 3_600, state.reset_after, 0);
            while stays >= an_hour && at < 100 * 86_400 {
                (stays, at, next) = (stays - an_hour, at + 1, next - 1);
                if next == 0 {
                    (stays, next) = (stays.max((stays + u64::from(units) * 3_600).min(100 * 3_600)), u64::from(seconds));
                }
            }
            let told = used_up_after(refill, &state, Pace { units: an_hour, seconds: 3_600 });
            assert!(told.is_some_and(|told| told.abs_diff(at) <= 1), "{told:?} and {at} of {refill:?}, {left}, {an_hour}");
        }
    }

    #[test]
    fn a_pace_needs_some_hours_of_calls() {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().expect("an instant");
        let piece = |hours: i64, units| PieceRow { at: instant(now) - Duration::hours(hours), seconds: 900, units };
        let pace = |pieces: &[PieceRow]| Pace::of(pieces, now).map(|pace| (pace.units, pace.seconds));
        assert_eq!(pace(&[piece(48, 0), piece(24, 60), piece(1, 12)]), Some((72, 86_400)));
        assert_eq!((pace(&[piece(5, 1_000)]), pace(&[piece(48, 0)]), pace(&[])), (None, None, None));
    }
}
