//! Limits: so many cost units in a window. Within a window exactly `max` units pass, under any concurrency.
//!
//! A node that counts alone has a window's number and its count in one atomic word, so a new window starts and a call is charged in
//! the same instruction. Beside other nodes the word says so (`LEASED`), and the call is charged to what the node holds (`leases`).
//! Because it is the same word, no call that saw the one can be charged under the other.

use super::{
    leases::{Fit, Lease, Leases, Slot},
    window,
};
use crate::{keys::model::Window, platform::clock::steady_millis, values::Outcome};
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};
use uuid::Uuid;

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
    /// Only the one in this place.
    pub const fn only(place: usize) -> Self {
        Self(if place < 32 { 1 << place } else { 0 })
    }

    pub const fn has(self, place: usize) -> bool {
        place < 32 && self.0 >> place & 1 == 1
    }
}

/// What a call is answered that these limits refuse: one over a day or longer is a quota, whatever else refuses too.
pub fn refusing_code<'a>(mut refusing: impl Iterator<Item = &'a LimitState>) -> Outcome {
    if refusing.any(|limit| limit.window.is_quota()) { Outcome::QuotaExceeded } else { Outcome::RateLimited }
}

/// What was used of a window.
#[derive(Debug)]
pub struct Counter {
    /// High 32 bits: the number of the window; low 32 bits: what was used of it. Or `LEASED`.
    word: AtomicU64,
    /// What this node holds, while the word is `LEASED`. None: nothing yet.
    lease: Mutex<Option<Box<Lease>>>,
}

/// A counter begins leased; the first call of a node that is alone makes it count by itself.
impl Default for Counter {
    fn default() -> Self {
        Self { word: AtomicU64::new(LEASED), lease: Mutex::default() }
    }
}

/// No window has this number before the year 2106.
const LEASED: u64 = u64::MAX;

/// The largest limit: what fits beside the window's number.
pub const MAX: u64 = u32::MAX as u64;

const fn pack(window: u32, used: u32) -> u64 {
    ((window as u64) << 32) | used as u64
}

#[allow(clippy::cast_possible_truncation, reason = "the halves of the word are what is wanted")]
const fn unpack(word: u64) -> (u32, u32) {
    ((word >> 32) as u32, word as u32)
}

impl Counter {
    pub fn lease(&self) -> MutexGuard<'_, Option<Box<Lease>>> {
        self.lease.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on it is charged by lease. The window that it counted alone, and how much of it; none if nothing.
    pub fn hand_over(&self, max: u64) -> Option<(u32, u64)> {
        let mut lease = self.lease();
        let word = self.word.swap(LEASED, Ordering::AcqRel);
        if word == LEASED {
            return None;
        }
        let (window, used) = unpack(word);
        let used = u64::from(used);
        *lease = Some(Box::new(Lease::of_counted(window, used, max)));
        (used > 0).then_some((window, used))
    }
}

/// Who charges limits: their holder, the lock under which several are charged, and the node's leases.
pub struct Till<'a> {
    pub leases: &'a Leases,
    /// The key, or the workspace whose counters they are.
    pub holder: Uuid,
    pub together: &'a Mutex<()>,
}

/// What became of a change of the word.
enum Changed {
    Yes,
    No,
    Leased,
}

impl Limit {
    /// What is used of the window that `now` lies in. A clock that went back stays in the newer window.
    fn used(&self, word: u64, now_micros: i64) -> (u32, u32) {
        let (window, used) = unpack(word);
        let now = window::number(self.policy.window, now_micros);
        if now > window { (now, 0) } else { (window, used) }
    }

    pub fn max(&self) -> u64 {
        self.policy.max.min(MAX)
    }

    /// Makes what is used of the present window (its number is told too) into what `change` says, unless it says none.
    fn change(&self, now_micros: i64, change: impl Fn(u32, u64) -> Option<u64>) -> Changed {
        let mut word = self.counter.word.load(Ordering::Relaxed);
        loop {
            if word == LEASED {
                return Changed::Leased;
            }
            let (window, used) = self.used(word, now_micros);
            let Some(next) = change(window, u64::from(used)) else { return Changed::No };
            let next = pack(window, u32::try_from(next).unwrap_or(u32::MAX));
            match self.counter.word.compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return Changed::Yes,
                Err(seen) => word = seen,
            }
        }
    }

    /// The lease of the present window, or none if this node counts it alone from here on, being alone.
    fn leased(&self, leases: &Leases, now_micros: i64) -> Option<MutexGuard<'_, Option<Box<Lease>>>> {
        let mut lease = self.counter.lease();
        if self.counter.word.load(Ordering::Acquire) != LEASED {
            return None;
        }
        let number = window::number(self.policy.window, now_micros);
        if lease.as_deref().is_none_or(|held| number > held.window()) && leases.may_count_alone(self.policy.window, number) {
            *lease = None;
            self.counter.word.store(pack(number, 0), Ordering::Release);
            return None;
        }
        lease.get_or_insert_default().turn(number, self.max());
        Some(lease)
    }

    /// Charges `cost` if it fits.
    fn charge(&self, till: &Till<'_>, now_micros: i64, cost: u32) -> Fit {
        loop {
            match self.change(now_micros, |_, used| Some(used + u64::from(cost)).filter(|next| *next <= self.max())) {
                Changed::Yes => return Fit::Fits,
                Changed::No => return Fit::Over,
                Changed::Leased => {}
            }
            if let Some(fit) = self.with_lease(till, now_micros, |lease| lease.charge(cost.into())) {
                return fit;
            }
        }
    }

    fn fit(&self, till: &Till<'_>, now_micros: i64, cost: u32) -> Fit {
        loop {
            let word = self.counter.word.load(Ordering::Acquire);
            if word != LEASED {
                let (_, used) = self.used(word, now_micros);
                return if u64::from(used) + u64::from(cost) <= self.max() { Fit::Fits } else { Fit::Over };
            }
            if let Some(fit) = self.with_lease(till, now_micros, |lease| lease.fit(cost.into())) {
                return fit;
            }
        }
    }

    /// What the lease says; asks for more in the background where that is worth it. None if there is no lease any more.
    fn with_lease(&self, till: &Till<'_>, now_micros: i64, decide: impl FnOnce(&mut Lease) -> Fit) -> Option<Fit> {
        let mut held = self.leased(till.leases, now_micros)?;
        let lease = held.get_or_insert_default();
        let fit = decide(lease);
        let asks = lease.asks(fit, till.leases.share(), steady_millis());
        drop(held);
        if asks {
            till.leases.refill(self.slot(till.holder), self);
        }
        Some(fit)
    }

    /// What this limit is called in the table of leases.
    pub fn slot(&self, holder: Uuid) -> Slot {
        Slot { holder, name: Arc::clone(&self.policy.name), window: self.policy.window }
    }

    pub fn state(&self, now_micros: i64) -> LimitState {
        let (used, remaining) = self.used_and_remaining(now_micros);
        LimitState {
            name: Arc::clone(&self.policy.name),
            limit: self.policy.max,
            used,
            remaining,
            reset_after: window::reset_after(self.policy.window, now_micros),
            window: self.policy.window,
            length: window::length(self.policy.window, now_micros),
        }
    }

    /// Beside other nodes it is what this one knows: see `Lease::remaining`.
    fn used_and_remaining(&self, now_micros: i64) -> (u64, u64) {
        let word = self.counter.word.load(Ordering::Acquire);
        if word != LEASED {
            let used = u64::from(self.used(word, now_micros).1);
            return (used, self.max().saturating_sub(used));
        }
        let number = window::number(self.policy.window, now_micros);
        let lease = self.counter.lease();
        let remaining = lease.as_deref().filter(|lease| lease.window() >= number).map_or(self.max(), |lease| lease.remaining().min(self.max()));
        (self.max() - remaining, remaining)
    }

    /// Adds what was used of this window before this counter began, even beyond the limit; nothing if a newer one has begun. False if
    /// the window is leased: then the table must be told.
    pub fn resume(&self, leases: &Leases, now_micros: i64, used: u64) -> bool {
        let this = window::number(self.policy.window, now_micros);
        loop {
            match self.change(now_micros, |window, present| (window == this).then(|| present.saturating_add(used))) {
                Changed::Yes | Changed::No => return true,
                Changed::Leased => {
                    if let Some(mut lease) = self.leased(leases, now_micros) {
                        lease.get_or_insert_default().count_before(used);
                        return false;
                    }
                }
            }
        }
    }

    /// Takes a charge back, if its window still lasts.
    fn give_back(&self, now_micros: i64, cost: u32) {
        let this = window::number(self.policy.window, now_micros);
        let back = |window, used: u64| (window == this).then(|| used.saturating_sub(u64::from(cost)));
        if matches!(self.change(now_micros, back), Changed::Leased)
            && let Some(lease) = self.counter.lease().as_deref_mut()
        {
            lease.give_back(this, cost.into());
        }
    }
}

/// Why nothing was charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uncharged {
    /// These limits refuse.
    Over(Violated),
    /// Of these this node must lease more before it can tell.
    Wants(Violated),
}

/// Charges all limits or none: check all, then commit all. One limit needs no lock; several take their owner's, so that a call which
/// one limit refuses is never charged, nor seen, by another.
pub fn charge_all(limits: &[Limit], till: &Till<'_>, now_micros: i64, cost: u32) -> Result<(), Uncharged> {
    match limits {
        [] => Ok(()),
        [one] => uncharged(one.charge(till, now_micros, cost), 0),
        many => {
            let _held = till.together.lock().unwrap_or_else(PoisonError::into_inner);
            let (mut over, mut wants) = (0, 0);
            for (place, limit) in many.iter().take(32).enumerate() {
                match limit.fit(till, now_micros, cost) {
                    Fit::Fits => {}
                    Fit::Over => over |= 1 << place,
                    Fit::Wants => wants |= 1 << place,
                }
            }
            if over != 0 {
                return Err(Uncharged::Over(Violated(over)));
            }
            if wants != 0 {
                return Err(Uncharged::Wants(Violated(wants)));
            }
            for (place, limit) in many.iter().enumerate() {
                // Only while a level changes, or while the nodes become more, may something have come in between.
                let charged = uncharged(limit.charge(till, now_micros, cost), place);
                if charged.is_err() {
                    many[..place].iter().for_each(|charged| charged.give_back(now_micros, cost));
                    return charged;
                }
            }
            Ok(())
        }
    }
}

fn uncharged(fit: Fit, place: usize) -> Result<(), Uncharged> {
    let this = Violated(1 << place.min(31));
    match fit {
        Fit::Fits => Ok(()),
        Fit::Over => Err(Uncharged::Over(this)),
        Fit::Wants => Err(Uncharged::Wants(this)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::{
        collections::HashMap,
        sync::{LazyLock, atomic::AtomicUsize},
    };

    fn limit(max: u64, seconds: u32) -> Limit {
        of(max, Window::Seconds(seconds))
    }
    fn of(max: u64, window: Window) -> Limit {
        Limit { policy: Policy { name: "t".into(), max, window }, counter: Arc::default() }
    }
    const SECOND: i64 = 1_000_000;

    /// A node that is alone.
    static ALONE: LazyLock<Leases> = LazyLock::new(Leases::alone);
    fn till(together: &Mutex<()>) -> Till<'_> {
        Till { leases: &ALONE, holder: Uuid::nil(), together }
    }

    #[test]
    fn exactly_the_limit_passes_under_concurrency() {
        for limits in [vec![limit(1000, 3600)], vec![limit(1000, 3600), limit(5000, 60)]] {
            let passed = AtomicUsize::new(0);
            let together = Mutex::new(());
            std::thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        for _ in 0..500 {
                            if charge_all(&limits, &till(&together), 10 * SECOND, 1).is_ok() {
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
        assert!(charge_all(&limits, &till(&together), 0, 1).is_ok());
        assert!(charge_all(&limits, &till(&together), 0, 1).is_ok());
        let Err(Uncharged::Over(violated)) = charge_all(&limits, &till(&together), 0, 1) else { panic!("it is used up") };
        assert_eq!([0, 1, 2, 40].map(|place| violated.has(place)), [false, true, true, false]);
        assert_eq!(limits[0].state(0).used, 2);
    }

    #[test]
    fn a_window_ends_where_it_said() {
        let l = limit(1, 3600);
        let (at, lock) = (3_599 * SECOND, Mutex::new(()));
        assert_eq!(l.charge(&till(&lock), at, 1), Fit::Fits);
        assert_eq!(l.charge(&till(&lock), at, 1), Fit::Over);
        assert_eq!(l.state(at).reset_after, 1);
        assert_eq!(l.charge(&till(&lock), at + SECOND, 1), Fit::Fits);
        assert_eq!(l.state(3_600 * SECOND).reset_after, 3_600);
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing_twice() {
        let (l, lock) = (limit(1, 60), Mutex::new(()));
        assert_eq!(l.charge(&till(&lock), 120 * SECOND, 1), Fit::Fits);
        assert_eq!(l.charge(&till(&lock), 30 * SECOND, 1), Fit::Over);
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
                let answer = charge_all(if by_the_other { &same_counters } else { &limits }, &till(&together), now, cost);
                match answer {
                    Ok(()) => prop_assert!(refusing.is_empty()),
                    Err(Uncharged::Wants(_)) => prop_assert!(false, "alone, there is nobody to ask"),
                    Err(Uncharged::Over(violated)) => prop_assert_eq!((0..32).filter(|place| violated.has(*place)).collect::<Vec<_>>(), refusing.clone()),
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
