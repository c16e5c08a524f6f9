//! Limits: so many cost units in a window. Within a window exactly `max` units pass, under any concurrency.
//!
//! A window's number and its count share one atomic word, so a new window starts and a call is charged in the same instruction.

use super::window;
use crate::{keys::model::Window, values::Outcome};
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

/// What is allowed: `max` cost units in a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    pub name: Arc<str>,
    pub max: u64,
    pub window: Window,
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
    pub window: Window,
    /// Of the present window: that of a month differs.
    pub length: u32,
}

/// The limits that a call would have exceeded, by their place: bit 0 is the first. Never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Violated(u32);

impl Violated {
    pub const fn has(self, place: usize) -> bool {
        place < 32 && self.0 >> place & 1 == 1
    }

    fn of(limits: &[Limit], exceeds: impl Fn(&Limit) -> bool) -> Option<Self> {
        let bits = limits.iter().take(32).enumerate().filter(|(_, limit)| exceeds(limit)).fold(0, |bits, (place, _)| bits | 1 << place);
        (bits != 0).then_some(Self(bits))
    }
}

/// What a call is answered that these limits refuse: one over a day or longer is a quota, whatever else refuses too.
pub fn refusing_code<'a>(mut refusing: impl Iterator<Item = &'a LimitState>) -> Outcome {
    if refusing.any(|limit| limit.window.is_quota()) { Outcome::QuotaExceeded } else { Outcome::RateLimited }
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

impl Limit {
    /// What is used of the window that `now` lies in. A clock that went back stays in the newer window.
    fn used(&self, word: u64, now_micros: i64) -> (u32, u32) {
        let (window, used) = unpack(word);
        let now = window::number(self.policy.window, now_micros);
        if now > window { (now, 0) } else { (window, used) }
    }

    fn max(&self) -> u64 {
        self.policy.max.min(MAX)
    }

    /// Makes what is used of the present window (its number is told too) into what `change` says; false if it says none.
    fn change(&self, now_micros: i64, change: impl Fn(u32, u64) -> Option<u64>) -> bool {
        let mut word = self.counter.0.load(Ordering::Relaxed);
        loop {
            let (window, used) = self.used(word, now_micros);
            let Some(next) = change(window, u64::from(used)) else { return false };
            let next = pack(window, u32::try_from(next).unwrap_or(u32::MAX));
            match self.counter.0.compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(seen) => word = seen,
            }
        }
    }

    /// Charges `cost` if it fits.
    fn charge(&self, now_micros: i64, cost: u32) -> bool {
        self.change(now_micros, |_, used| Some(used + u64::from(cost)).filter(|next| *next <= self.max()))
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
            reset_after: window::reset_after(self.policy.window, now_micros),
            window: self.policy.window,
            length: window::length(self.policy.window, now_micros),
        }
    }

    /// Adds what was used of this window before this counter began, even beyond the limit; nothing if a newer one has begun.
    pub fn resume(&self, now_micros: i64, used: u64) {
        let this = window::number(self.policy.window, now_micros);
        self.change(now_micros, |window, present| (window == this).then(|| present.saturating_add(used)));
    }

    /// Takes a charge back, if its window still lasts.
    fn give_back(&self, now_micros: i64, cost: u32) {
        let this = window::number(self.policy.window, now_micros);
        self.change(now_micros, |window, used| (window == this).then(|| used.saturating_sub(u64::from(cost))));
    }
}

/// Charges all limits or none: check all, then commit all. One limit needs no lock; several take their owner's, so that a call which
/// one limit refuses is never charged, nor seen, by another.
pub fn charge_all(limits: &[Limit], together: &Mutex<()>, now_micros: i64, cost: u32) -> Result<(), Violated> {
    match limits {
        [] => Ok(()),
        [one] => one.charge(now_micros, cost).then_some(()).ok_or(Violated(1)),
        many => {
            let _held = together.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(violated) = Violated::of(many, |limit| !limit.fits(now_micros, cost)) {
                return Err(violated);
            }
            for (place, limit) in many.iter().enumerate() {
                // Only while a level changes may a key that still has one of these limits alone have come in between.
                if !limit.charge(now_micros, cost) {
                    many[..place].iter().for_each(|charged| charged.give_back(now_micros, cost));
                    return Err(Violated(1 << place.min(31)));
                }
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::{collections::HashMap, sync::atomic::AtomicUsize};

    fn limit(max: u64, seconds: u32) -> Limit {
        of(max, Window::Seconds(seconds))
    }
    fn of(max: u64, window: Window) -> Limit {
        Limit { policy: Policy { name: "t".into(), max, window }, counter: Arc::default() }
    }
    const SECOND: i64 = 1_000_000;

    #[test]
    fn exactly_the_limit_passes_under_concurrency() {
        for limits in [vec![limit(1000, 3600)], vec![limit(1000, 3600), limit(5000, 60)]] {
            let passed = AtomicUsize::new(0);
            let together = Mutex::new(());
            std::thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        for _ in 0..500 {
                            if charge_all(&limits, &together, 10 * SECOND, 1).is_ok() {
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
    fn a_refused_call_charges_no_other_limit_and_every_refusing_one_is_named() {
        let limits = [limit(10, 3600), limit(2, 3600), limit(2, 86_400)];
        let together = Mutex::new(());
        assert!(charge_all(&limits, &together, 0, 1).is_ok());
        assert!(charge_all(&limits, &together, 0, 1).is_ok());
        let violated = charge_all(&limits, &together, 0, 1).expect_err("it is used up");
        assert_eq!([0, 1, 2, 40].map(|place| violated.has(place)), [false, true, true, false]);
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

    /// A day has 86,400 seconds, and every few of them another month begins in these tests: 2026-01-30 and on.
    const JANUARY: i64 = 1_769_731_200 * SECOND;

    fn policies() -> impl Strategy<Value = Vec<(u64, Window)>> {
        let window = prop_oneof![(1u32..100).prop_map(Window::Seconds), Just(Window::HOUR), Just(Window::DAY), Just(Window::Month)];
        proptest::collection::vec((0u64..20, window), 1..4)
    }

    proptest! {
        /// Against the obvious model: a map from window to what was used, for several limits that two keys share.
        #[test]
        fn it_equals_the_model(policies in policies(), steps in proptest::collection::vec((0i64..200_000, 0u32..4, any::<bool>()), 1..200)) {
            let limits: Vec<Limit> = policies.iter().map(|(max, window)| of(*max, *window)).collect();
            let same_counters = limits.clone();
            let together = Mutex::new(());
            let mut now = JANUARY;
            let mut model = HashMap::<(usize, String), u64>::new();
            for (ahead, cost, by_the_other) in steps {
                now += ahead * SECOND / 7;
                let at = time::OffsetDateTime::from_unix_timestamp(now / SECOND).expect("a time");
                let slot = |place: usize| (place, match policies[place].1 {
                    Window::Seconds(seconds) => (now / SECOND / i64::from(seconds)).to_string(),
                    Window::Month => format!("{}-{}", at.year(), at.month()),
                });
                let fits = |place: &usize| model.get(&slot(*place)).copied().unwrap_or(0) + u64::from(cost) <= policies[*place].0;
                let refusing: Vec<usize> = (0..policies.len()).filter(|place| !fits(place)).collect();
                let answer = charge_all(if by_the_other { &same_counters } else { &limits }, &together, now, cost);
                match answer {
                    Ok(()) => prop_assert!(refusing.is_empty()),
                    Err(violated) => prop_assert_eq!((0..32).filter(|place| violated.has(*place)).collect::<Vec<_>>(), refusing.clone()),
                }
                for (place, limit) in limits.iter().enumerate() {
                    let used = model.entry(slot(place)).or_default();
                    if refusing.is_empty() { *used += u64::from(cost); }
                    prop_assert_eq!(limit.state(now).used, *used);
                    prop_assert_eq!(limit.state(now).remaining, policies[place].0 - *used);
                }
            }
        }
    }
}
