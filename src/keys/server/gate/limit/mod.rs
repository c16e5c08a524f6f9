//! Limits: so many cost units in a window, or calls (`unit`). Within a window exactly `max` pass, under any concurrency. Or credits (`credits`),
//! which are leased always.
//!
//! A node that counts alone has a window's number and its count in one atomic word, so a new window starts and a call is charged in
//! the same instruction. Beside other nodes the word says so (`LEASED`), and the call is charged to what the node holds (`leases`).
//! Because it is the same word, no call that saw the one can be charged under the other. What a rolling window counts alone stands in its
//! ring (`rolling`), behind the lock of the lease; the word only says which of the two it is.
//!
//! What becomes of a call beyond it says `Over`. A throttle is a limit of a second of its own, which counts calls; what passes beyond
//! is added to what was used, so that of one window it stands beside what a restart sums up; of credits it is told, and nothing of it is taken
//! from what is left. All limits of a call: `charging`.
//!
//! A limit of calls at the same time has places instead of a count (`seats`).

mod counter;
mod shown;
mod state;
#[cfg(test)]
mod tests;
mod unit;

pub use counter::Counter;
pub use shown::Stored;
pub use state::{LimitState, refusing_code};

use super::{
    credits,
    leases::{Fit, Lease, Leases, Slot},
    rolling::Ring,
    seats::{Seat, counted_as},
    window,
};
use crate::{
    keys::model::{LimitUnit, Over, OverAction, Window},
    platform::clock::steady_millis,
};
use counter::{LEASED, pack, unpack};
use std::sync::{Arc, Mutex, MutexGuard, atomic::Ordering};
use uuid::Uuid;

/// What is allowed: `max` cost units or calls in a window.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Policy {
    pub name: Arc<str>,
    pub max: u64,
    pub window: Window,
    /// Of windows; else units.
    pub unit: LimitUnit,
    pub over: Over,
}

/// All that hold a key.
pub type Limits = Arc<[Arc<Policy>]>;

impl Policy {
    /// True if one counter goes on from the one to the other: same name, same window (`counted_as`), same unit, however much they allow.
    pub fn is_counted_as(&self, other: &Self) -> bool {
        self.name == other.name && counted_as(self.window) == counted_as(other.window) && self.unit == other.unit
    }

    /// How many calls pass in each second beyond it, as a limit of its own; none if it is no throttle. The plus keeps its counter apart
    /// from every limit's: no name has one.
    pub fn throttle(&self) -> Option<Self> {
        let max = u64::from(self.over.action.per_second()?);
        Some(Self { name: format!("{}+", self.name).into(), max, window: Window::SECOND, unit: LimitUnit::Units, over: Over::REFUSE })
    }
}

/// A policy with its counter.
#[derive(Debug, Clone)]
pub struct Limit {
    /// Shared with the facts of the key, and by all keys where it is the default.
    pub policy: Arc<Policy>,
    pub counter: Arc<Counter>,
    /// What passes beyond it, where that is slowed down.
    pub throttle: Option<Box<Self>>,
}

/// The largest limit: what fits beside the window's number.
pub const MAX: u64 = u32::MAX as u64;

/// Who charges limits: their holder, the lock under which several are charged, and the node's leases.
pub struct Till<'a> {
    pub leases: &'a Leases,
    /// The key, or the workspace whose counters they are.
    pub holder: Uuid,
    pub together: &'a Mutex<()>,
    /// The place that the call takes of limits of calls at the same time.
    pub seat: Seat,
}

/// What became of a change of the word.
enum Changed {
    Yes,
    No,
    Leased,
}

/// How a call gets past one limit, if it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passage {
    pub fit: Fit,
    /// The limit has no room for it: `fit` is what is said beyond it.
    pub is_beyond: bool,
}

impl Limit {
    /// Itself, and what slows down beyond it.
    pub fn counted(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(self.throttle.as_deref())
    }

    /// Charges `cost` if it fits, or lets the call pass beyond: then `count_beyond` is due.
    pub fn charge_or_pass(&self, till: &Till<'_>, now_micros: i64, cost: u32) -> Passage {
        match self.charge(till, now_micros, self.takes(cost)) {
            Fit::Over => Passage { fit: self.beyond(now_micros, |throttle| throttle.charge(till, now_micros, 1)), is_beyond: true },
            Fit::Wants if till.leases.lets_pass_unknown(&self.policy, now_micros) => Passage { fit: Fit::Fits, is_beyond: true },
            fit => Passage { fit, is_beyond: false },
        }
    }

    /// The same without charging.
    pub fn passage(&self, till: &Till<'_>, now_micros: i64, cost: u32) -> Passage {
        match self.fit(till, now_micros, self.takes(cost)) {
            Fit::Over => Passage { fit: self.beyond(now_micros, |throttle| throttle.fit(till, now_micros, 1)), is_beyond: true },
            Fit::Wants if till.leases.lets_pass_unknown(&self.policy, now_micros) => Passage { fit: Fit::Fits, is_beyond: true },
            fit => Passage { fit, is_beyond: false },
        }
    }

    fn beyond(&self, now_micros: i64, throttled: impl FnOnce(&Self) -> Fit) -> Fit {
        match (self.policy.over.at(now_micros), &self.throttle) {
            (OverAction::Mark, _) => Fit::Fits,
            (OverAction::Throttle { .. }, Some(throttle)) => throttled(throttle),
            (OverAction::Refuse | OverAction::Throttle { .. }, _) => Fit::Over,
        }
    }

    /// Adds a call that passed beyond to what was used of this window.
    pub fn count_beyond(&self, now_micros: i64, cost: u32) {
        if self.policy.seats().is_some() {
            return; // it takes no place, and nothing is used up
        }
        let (this, cost) = (window::number(self.policy.window, now_micros), self.takes(cost));
        let more = |window, used: u64| (window == this).then(|| used.saturating_add(cost.into()));
        if matches!(self.change(now_micros, more), Changed::Leased)
            && let Some(lease) = self.counter.lease().as_deref_mut()
        {
            lease.count_beyond(this, cost.into());
        }
    }

    /// Takes back what `charge_or_pass` did.
    pub fn take_back(&self, till: &Till<'_>, now_micros: i64, cost: u32, is_beyond: bool) {
        if self.policy.seats().is_some() {
            self.free_seat(till.seat, now_micros);
            return;
        }
        match (&self.throttle, is_beyond) {
            (_, false) => self.give_back(now_micros, self.takes(cost)),
            (Some(throttle), true) => throttle.give_back(now_micros, 1),
            (None, true) => {}
        }
    }

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
        if self.policy.window.is_rolling() {
            let changed = self.with_ring(now_micros, |ring| match change(ring.newest(), ring.used()) {
                Some(next) => {
                    ring.set(next);
                    Changed::Yes
                }
                None => Changed::No,
            });
            return changed.unwrap_or(Changed::Leased);
        }
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

    /// Acts on the ring of a rolling window, moved on to now; none if it is leased.
    fn with_ring<T>(&self, now_micros: i64, act: impl FnOnce(&mut Ring) -> T) -> Option<T> {
        let mut lease = self.counter.lease();
        if self.counter.word.load(Ordering::Acquire) == LEASED {
            return None;
        }
        let ring = lease.get_or_insert_default().ring();
        ring.turn(window::number(self.policy.window, now_micros));
        Some(act(ring))
    }

    /// What is used of the present window, where this node counts it alone.
    fn counted_alone(&self, now_micros: i64) -> Option<u64> {
        if self.policy.window.is_rolling() {
            return self.look_at_ring(now_micros, Ring::used);
        }
        let word = self.counter.word.load(Ordering::Acquire);
        (word != LEASED).then(|| u64::from(self.used(word, now_micros).1))
    }

    /// The lease of the present window, or none if this node counts it alone from here on, being alone.
    fn leased(&self, leases: &Leases, now_micros: i64) -> Option<MutexGuard<'_, Option<Box<Lease>>>> {
        let mut lease = self.counter.lease();
        if self.counter.word.load(Ordering::Acquire) != LEASED {
            return None;
        }
        let number = window::number(self.policy.window, now_micros);
        if lease.as_deref().is_none_or(|held| held.is_over(number)) && leases.may_count_alone(self.policy.window, number) {
            *lease = None;
            self.counter.word.store(pack(number, 0), Ordering::Release);
            return None;
        }
        let held = lease.get_or_insert_default();
        match self.policy.window {
            Window::Rolling(_) => _ = held.ring(),
            Window::Credits(refill) => held.of_credits(refill.units.into()),
            _ => {}
        }
        held.turn(number, self.max());
        Some(lease)
    }

    /// Charges `cost` if it fits.
    fn charge(&self, till: &Till<'_>, now_micros: i64, cost: u32) -> Fit {
        if let Some(fit) = self.take_seat(till, now_micros, cost) {
            return fit;
        }
        loop {
            match self.change(now_micros, |_, used| Some(used + u64::from(cost)).filter(|next| cost == 0 || *next <= self.max())) {
                Changed::Yes => return Fit::Fits,
                Changed::No => return Fit::Over,
                Changed::Leased => {}
            }
            if let Some(fit) = self.with_lease(till, now_micros, cost.into(), true) {
                return fit;
            }
        }
    }

    fn fit(&self, till: &Till<'_>, now_micros: i64, cost: u32) -> Fit {
        if let Some(fit) = self.seat_fits(till, now_micros, cost) {
            return fit;
        }
        loop {
            if let Some(used) = self.counted_alone(now_micros) {
                return if cost == 0 || used + u64::from(cost) <= self.max() { Fit::Fits } else { Fit::Over };
            }
            if let Some(fit) = self.with_lease(till, now_micros, cost.into(), false) {
                return fit;
            }
        }
    }

    /// What the lease says; asks for more in the background where that is worth it. None if there is no lease any more.
    fn with_lease(&self, till: &Till<'_>, now_micros: i64, cost: u64, charges: bool) -> Option<Fit> {
        let mut held = self.leased(till.leases, now_micros)?;
        let lease = held.get_or_insert_default();
        let now = steady_millis();
        let decided = if charges { lease.charge(cost) } else { lease.fit(cost) };
        let mut fit = match decided {
            Fit::Over if lease.doubts(now) => Fit::Wants,
            fit => fit,
        };
        if fit == Fit::Wants && self.policy.window.is_credits() {
            fit = till.leases.on_trust(lease, cost, charges, || self.slot(till.holder)).unwrap_or(fit);
        }
        let asks = lease.asks(fit, till.leases.share(), now);
        drop(held);
        if asks {
            till.leases.refill(self.slot(till.holder), self);
        }
        Some(fit)
    }

    /// What this limit is called in the table of leases: with its zone, since days and months are numbered alike in every one.
    pub fn slot(&self, holder: Uuid) -> Slot {
        let name = match self.policy.window.zone() {
            Some(zone) => format!("{}@{zone}", self.policy.counter_name()).into(),
            None => self.policy.counter_name(),
        };
        Slot { holder, name, window: self.policy.window }
    }

    pub fn state(&self, now_micros: i64) -> LimitState {
        if let Some(state) = self.seats_state(now_micros) {
            return state;
        }
        let (used, remaining) = self.used_and_remaining(now_micros);
        LimitState {
            name: Arc::clone(&self.policy.name),
            limit: self.policy.max,
            used,
            remaining,
            reset_after: if self.policy.window.is_rolling() {
                self.comes_back_after(now_micros, 1)
            } else {
                window::reset_after(self.policy.window, now_micros)
            },
            window: self.policy.window,
            unit: self.policy.unit,
            length: match self.policy.window {
                Window::Credits(refill) => credits::fills_in(refill, self.policy.max),
                window => window::length(window, now_micros),
            },
            over: self.policy.over.at(now_micros),
        }
    }

    /// Seconds after which a call of this cost may pass that it refused in this state; 0: never by itself.
    pub fn opens_after(&self, state: &LimitState, now_micros: i64, cost: u32) -> u64 {
        if self.never_fits(state, cost) {
            return 0;
        }
        if let Some(terms) = self.policy.seats() {
            return state.reset_after.clamp(1, u64::from(terms.lasts).max(1));
        }
        if let Window::Credits(refill) = self.policy.window
            && state.over.per_second().is_none()
        {
            return credits::opens_after(refill, state, now_micros, cost);
        }
        let is_rolling = self.policy.window.is_rolling() && state.over.per_second().is_none();
        if is_rolling { self.comes_back_after(now_micros, self.takes(cost).into()) } else { state.opens_after() }
    }

    /// Seconds until a rolling window has room for so much more, or until something of it comes back if it has; its length if nothing was
    /// used. Beside other nodes: until something comes back, as the table said.
    fn comes_back_after(&self, now_micros: i64, cost: u64) -> u64 {
        let alone = self.look_at_ring(now_micros, |ring| ring.opens((ring.used() + cost).saturating_sub(self.max())));
        let part = alone.unwrap_or_else(|| self.counter.lease().as_deref().and_then(Lease::opens));
        let left = part.map(|part| window::start(self.policy.window, part)).map(|opens| window::until(opens, now_micros));
        left.unwrap_or_else(|| window::reset_after(self.policy.window, now_micros))
    }

    /// Beside other nodes it is what this one knows: see `Lease::remaining`.
    fn used_and_remaining(&self, now_micros: i64) -> (u64, u64) {
        if let Some(used) = self.counted_alone(now_micros) {
            return (used, self.max().saturating_sub(used));
        }
        let number = window::number(self.policy.window, now_micros);
        let lease = self.counter.lease();
        if self.policy.window.is_credits() {
            let remaining = lease.as_deref().map_or(self.max(), |lease| lease.credits_at(number, self.max()));
            let beyond = lease.as_deref().filter(|lease| lease.window() >= number).map_or(0, Lease::beyond);
            return (self.max().saturating_sub(remaining) + beyond, remaining);
        }
        let present = lease.as_deref().filter(|lease| lease.window() >= number || self.policy.window.is_rolling());
        let remaining = present.map_or(self.max(), |lease| lease.remaining().min(self.max()));
        (self.max() - remaining + present.map_or(0, Lease::beyond), remaining)
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

    /// As `resume`, of a rolling window: what was used of each part.
    pub fn resume_parts(&self, leases: &Leases, now_micros: i64, used: &[(u32, u64)]) -> bool {
        loop {
            let resumed = self.with_ring(now_micros, |ring| used.iter().for_each(|(part, used)| ring.add(*part, *used)));
            if resumed.is_some() {
                return true;
            }
            if self.leased(leases, now_micros).is_some() {
                return false;
            }
        }
    }

    /// What the table has of credits, while it was not asked for them.
    pub fn know_credits(&self, leases: &Leases, now_micros: i64, left: u64) {
        if let Some(lease) = self.leased(leases, now_micros).as_deref_mut().and_then(Option::as_deref_mut) {
            lease.know_credits(left, steady_millis());
        }
    }

    /// An operator added so much.
    pub fn add_credits(&self, leases: &Leases, now_micros: i64, units: u64) {
        if let Some(lease) = self.leased(leases, now_micros).as_deref_mut().and_then(Option::as_deref_mut) {
            lease.add_credits(units);
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
