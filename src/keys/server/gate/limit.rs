//! Limits: so many calls in a window. Windows are fixed and begin at multiples of their length since 1970 (UTC), so that every node
//! and every restart agrees where one begins; within a window exactly `max` cost units pass, under any concurrency.
//!
//! A window's number and its count share one atomic word, so a new window starts and a call is charged in the same instruction.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

/// What is allowed: `max` cost units in `window` seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    pub name: Arc<str>,
    pub max: u64,
    /// Seconds.
    pub window: u32,
}

/// A policy with its counter.
#[derive(Debug, Clone)]
pub struct Limit {
    pub policy: Policy,
    pub counter: Arc<Counter>,
}

/// Where a limit stands. Times in whole seconds, rounded up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitState {
    pub name: Arc<str>,
    pub limit: u64,
    pub used: u64,
    pub remaining: u64,
    pub reset_after: u64,
    pub window: u32,
}

/// High 32 bits: the number of the window; low 32 bits: what was used of it.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

/// The largest limit: what fits beside the window's number.
pub const MAX: u64 = u32::MAX as u64;

const fn pack(window: u32, used: u32) -> u64 {
    ((window as u64) << 32) | used as u64
}

#[allow(clippy::cast_possible_truncation, reason = "the halves of the word are what is wanted")]
const fn unpack(word: u64) -> (u32, u32) {
    ((word >> 32) as u32, word as u32)
}

impl Policy {
    fn number(&self, now_micros: i64) -> u32 {
        let seconds = now_micros.div_euclid(1_000_000);
        u32::try_from(seconds.div_euclid(i64::from(self.window.max(1)))).unwrap_or(0)
    }

    /// Whole seconds until the window ends, at least 1.
    fn reset_after(&self, now_micros: i64) -> u64 {
        let window = i64::from(self.window.max(1)) * 1_000_000;
        let left = window - now_micros.rem_euclid(window);
        u64::try_from(left).unwrap_or(0).div_ceil(1_000_000).max(1)
    }
}

impl Limit {
    /// What is used of the window that `now` lies in. A clock that went back stays in the newer window.
    fn used(&self, word: u64, now_micros: i64) -> (u32, u32) {
        let (window, used) = unpack(word);
        let now = self.policy.number(now_micros);
        if now > window { (now, 0) } else { (window, used) }
    }

    fn max(&self) -> u64 {
        self.policy.max.min(MAX)
    }

    /// Charges `cost` if it fits; all or nothing.
    fn charge(&self, now_micros: i64, cost: u32) -> bool {
        let mut word = self.counter.0.load(Ordering::Relaxed);
        loop {
            let (window, used) = self.used(word, now_micros);
            let next = u64::from(used) + u64::from(cost);
            if next > self.max() {
                return false;
            }
            let next = pack(window, u32::try_from(next).unwrap_or(u32::MAX));
            match self.counter.0.compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(seen) => word = seen,
            }
        }
    }

    fn fits(&self, now_micros: i64, cost: u32) -> bool {
        let (_, used) = self.used(self.counter.0.load(Ordering::Acquire), now_micros);
        u64::from(used) + u64::from(cost) <= self.max()
    }

    pub fn state(&self, now_micros: i64) -> LimitState {
        let (_, used) = self.used(self.counter.0.load(Ordering::Acquire), now_micros);
        let used = u64::from(used);
        LimitState {
            name: Arc::clone(&self.policy.name),
            limit: self.policy.max,
            used,
            remaining: self.max().saturating_sub(used),
            reset_after: self.policy.reset_after(now_micros),
            window: self.policy.window,
        }
    }

    /// At start: what was used of the present window before.
    pub fn resume(&self, now_micros: i64, used: u64) {
        self.counter.0.store(pack(self.policy.number(now_micros), u32::try_from(used).unwrap_or(u32::MAX)), Ordering::Release);
    }
}

/// Charges all limits or none: check all, then commit all. One limit needs no lock; several take the record's, so that a call which
/// one limit refuses is never charged, nor seen, by another.
pub fn charge_all(limits: &[Limit], together: &Mutex<()>, now_micros: i64, cost: u32) -> Result<(), usize> {
    match limits {
        [] => Ok(()),
        [one] => one.charge(now_micros, cost).then_some(()).ok_or(0),
        many => {
            let _held = together.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(refusing) = many.iter().position(|limit| !limit.fits(now_micros, cost)) {
                return Err(refusing);
            }
            for limit in many {
                limit.charge(now_micros, cost);
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::atomic::AtomicUsize;

    fn limit(max: u64, window: u32) -> Limit {
        Limit { policy: Policy { name: "t".into(), max, window }, counter: Arc::default() }
    }
    const SECOND: i64 = 1_000_000;

    #[test]
    fn exactly_the_limit_passes_under_concurrency() {
        let limits = [limit(1000, 3600), limit(5000, 60)];
        for limits in [&limits[..1], &limits[..]] {
            let passed = AtomicUsize::new(0);
            let together = Mutex::new(());
            limits.iter().for_each(|l| l.resume(0, 0));
            std::thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        for _ in 0..500 {
                            if charge_all(limits, &together, 10 * SECOND, 1).is_ok() {
                                passed.fetch_add(1, Ordering::Relaxed);
                            }
                        }
                    });
                }
            });
            assert_eq!(passed.load(Ordering::Relaxed), 1000);
        }
    }

    #[test]
    fn a_refused_call_charges_no_other_limit() {
        let limits = [limit(10, 3600), limit(2, 3600)];
        let together = Mutex::new(());
        assert!(charge_all(&limits, &together, 0, 1).is_ok());
        assert!(charge_all(&limits, &together, 0, 1).is_ok());
        assert_eq!(charge_all(&limits, &together, 0, 1), Err(1));
        assert_eq!(limits[0].state(0).used, 2);
    }

    #[test]
    fn a_window_ends_where_it_said() {
        let l = limit(1, 3600);
        let at = 3_599 * SECOND;
        assert!(l.charge(at, 1));
        assert!(!l.charge(at, 1));
        assert_eq!(l.state(at).reset_after, 1);
        assert!(l.charge(at + SECOND, 1));
        assert_eq!(l.state(3_600 * SECOND).reset_after, 3_600);
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing_twice() {
        let l = limit(1, 60);
        assert!(l.charge(120 * SECOND, 1));
        assert!(!l.charge(30 * SECOND, 1));
    }

    proptest! {
        /// Against the obvious model: a map from window number to what was used.
        #[test]
        fn it_equals_the_model(max in 0u64..20, window in 1u32..100, steps in proptest::collection::vec((0i64..500, 1u32..4), 1..200)) {
            let l = limit(max, window);
            let mut now = 0;
            let mut model = std::collections::HashMap::<i64, u64>::new();
            for (ahead, cost) in steps {
                now += ahead * SECOND / 7;
                let used = model.entry(now / SECOND / i64::from(window)).or_default();
                let fits = *used + u64::from(cost) <= max;
                prop_assert_eq!(l.charge(now, cost), fits);
                if fits { *used += u64::from(cost); }
                prop_assert_eq!(l.state(now).used, *used);
                prop_assert_eq!(l.state(now).remaining, max - *used);
            }
        }
    }
}
