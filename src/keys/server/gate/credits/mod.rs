//! Credits: a limit that is used up and comes back, as a token bucket does.
//!
//! A bucket holds `max` units at first. A call takes its cost. At every multiple of the interval since 1970 a refill adds `refill` units, never
//! beyond `max`; without an interval nothing comes back (prepaid). An operator may add units at any time, also beyond `max`: those stay until
//! they are used. So from the refill of number a to that of number b, whatever the calls, **no more passes than `max` + (b - a) `refill` and
//! what operators added**; in any stretch of time T that is `max` and `refill` times the refills in T.
//!
//! What is beyond that is refused, slowed down or marked (`Over`). What passes there takes nothing: the bucket is never below zero by it, and a
//! call that costs more than is left leaves what is left to cheaper ones. So the bound is of calls that are not marked, and exactly what is
//! in the bucket is charged before the first mark, less what other nodes hold and did not use.
//!
//! # Why that holds on several nodes
//!
//! The bucket is a row of `credit_buckets`; what is given out of it counts as used (`leases`). Were a block still used after a refill, the
//! bucket could be full again beside it, and twice `max` pass at once. So what was leased after the refill of number n may be charged until
//! this node's clock, or the table, says n + 1. Then, by the numbers of refills, what passes is at most what was granted, and the row
//! grants no more than the bound: `used` begins at 0, a grant adds to it and never goes beyond `max`, a refill takes `refill` off and never
//! goes below 0.
//!
//! What was granted and not used goes back. Of a block of the present refill all of it. Of an older one the refill since may have taken some
//! off already: it found `high` used and took `got` off, and had the block never been granted, it would have found `high - block` and taken
//! off no more than that. So what goes back is `block - got + min(got, max(high - block, 0))`, and the row is as if it had never been
//! granted. Of a block that is older than the last two refills that the table looked at nothing goes back, since that is not known any
//! more. Then too little passes, by what was held and not used, as with every lease.
//!
//! A node that is alone gives everything back before it asks again, so it is the bucket itself, to the unit (tested). A killed one takes with
//! it what it held, until that is refilled; of prepaid credits for good: an operator may add it. Where clocks differ by d, refills come
//! d early by the clock that is ahead. Without the database a node that is alone goes on (`leases::trust`).

mod resume;
mod store;

pub use resume::{resume_credits, used_now};

use super::{
    Gate,
    limit::{LimitState, Policy},
    window,
};
use crate::{
    keys::model::{Refill, Window},
    values::KeyId,
};

/// In how many seconds all units of a bucket come back; 0: never.
pub fn fills_in(refill: Refill, max: u64) -> u32 {
    if refill.is_prepaid() {
        return 0;
    }
    u32::try_from(max.div_ceil(refill.units.into()).saturating_mul(refill.seconds.into())).unwrap_or(u32::MAX).max(refill.seconds)
}

/// Seconds until a call of this cost may pass that was refused in this state, if nobody else takes them. 0: never by itself, as where all
/// units together are too few.
pub fn opens_after(refill: Refill, state: &LimitState, now_micros: i64, cost: u32) -> u64 {
    if refill.is_prepaid() || u64::from(cost) > state.limit {
        return 0;
    }
    let missing = u64::from(cost).saturating_sub(state.remaining).max(1);
    let refills = u32::try_from(missing.div_ceil(refill.units.into())).unwrap_or(u32::MAX);
    let number = window::number(Window::Credits(refill), now_micros);
    window::until(window::start(Window::Credits(refill), number.saturating_add(refills)), now_micros)
}

impl Gate {
    /// An operator added so much to the bucket that this key draws from: it may be used at once on this node, on others within about a second.
    pub fn credits_added(&self, key: KeyId, name: &str, units: u64) {
        let now = self.clock.now_micros();
        let Some(record) = self.table.by_id(key) else { return };
        let is_meant = |policy: &Policy| policy.window.is_credits() && &*policy.name == name;
        if record.policies().iter().any(|policy| is_meant(policy)) {
            let limits = self.counted(&record).limits.iter().filter(|limit| is_meant(&limit.policy));
            limits.for_each(|limit| limit.add_credits(&self.leases, now, units));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::model::{LimitUnit, OverAction};

    fn state(limit: u64, remaining: u64) -> LimitState {
        let window = Window::Credits(Refill { units: 3, seconds: 60 });
        LimitState { name: "c".into(), limit, used: 0, remaining, reset_after: 60, window, unit: LimitUnit::Units, length: 0, over: OverAction::Refuse }
    }

    #[test]
    fn it_opens_when_enough_is_back() {
        let (refill, now) = (Refill { units: 3, seconds: 60 }, 600_000_000 + 20_000_000);
        let opens = |remaining, cost| opens_after(refill, &state(10, remaining), now, cost);
        assert_eq!([opens(0, 1), opens(0, 3), opens(0, 4), opens(1, 4), opens(2, 9)], [40, 40, 100, 40, 160]);
        assert_eq!((opens(0, 10), opens(0, 11)), (220, 0), "all comes back, and no more than that");
        assert_eq!(opens_after(Refill::PREPAID, &state(10, 0), now, 1), 0);
    }

    #[test]
    fn it_fills_in_whole_refills() {
        assert_eq!([0, 1, 3, 4].map(|max| fills_in(Refill { units: 3, seconds: 60 }, max)), [60, 60, 60, 120]);
        assert_eq!(fills_in(Refill { units: 1, seconds: 86_400 }, u64::from(u32::MAX)), u32::MAX);
        assert_eq!(fills_in(Refill::PREPAID, 100), 0);
    }
}
