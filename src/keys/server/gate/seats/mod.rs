//! Calls at the same time: a limit of N lets no call begin while N others go on.
//!
//! # Holds
//!
//! Whoever asks the gate is told whether a call may begin; when it ends the gate does not see. So a call that passes takes a *place*, and the
//! answer names it: its *hold*. The service gives it back (`release_http`) when it has answered the call; a place that nobody gives back
//! ends by itself after the limit's `hold` seconds. A call that another limit refuses takes none, and one that finds no place is charged to
//! no other limit (`charging`). A question that costs nothing takes none and is never refused by it, and so with routes without quota; a call
//! that costs 5 takes one. Where the limit marks what is beyond it, a call that finds no place passes without one: it has no hold, and is none of
//! those that go on.
//!
//! A place is a number that nobody can guess and the instant at which it ends; the hold's id says both, with the key and the node that gave
//! it. The taken ones of a limit stand in one ordered set, so that the first to end is its first: taking, giving back and ending cost a
//! look into a set of at most [`MOST`]. Nothing else is kept of a hold, so giving back twice frees one place only, and a key without such a
//! limit has nothing of this. The set lies in the counter of the limit, and goes on when the limit is raised or lowered; it is forgotten
//! with it, when the limit ends. A revoked key's places end as every other's.
//!
//! # Several nodes
//!
//! A node that is alone counts by itself: no database. Beside others it takes only what was *lent* to it. A row of `place_leases` says of
//! one limit how many places a node may have taken in all, and when the last of them has ended (`ends_at`); under one lock for the limit a
//! node is lent no more than the limit less what the rows of the others say (`store`). What is lent holds for ten seconds (`TERM`), on this
//! node's steady clock from before it asked; the row for as long as a place can last that is taken in the last of them, and two seconds
//! more. So at no time are more places taken than the limit says, whatever is lost, late or killed: a node has no more taken than
//! its row says, and no row ends before its places. Nodes' wall clocks need not agree; each ends its own places by its own.
//!
//! A node asks for at most 1,000 limits at once, in transactions of at most 50 (`store::LOCKS`), one after the other: so many locks it holds
//! at a time, in one order, so that no two nodes wait for each other, and so many limits others wait for. If one of them fails what the
//! earlier ones lent stays lent.
//!
//! What is lent and was not needed within a second goes back in the next one, the rest with what lay idle. Too little passes by **at most
//! what was lent to others and not taken**: for a second or two where they run, for `hold` and twelve seconds where one was killed.
//! A place that is given back to another node than the one that gave it is sent there by NOTIFY; if that is lost, or the node has ended, the
//! place ends by itself. So do all places of a node that ended.
//!
//! A node that becomes alone counts what the rows of ended ones still say. One that is alone notes once a second what has lasted longer than
//! that, in the background, and all of it when it stops; so after a restart, too, no more than the limit goes on, but for calls that began
//! within the last second before a `kill -9`.

mod hold;
mod lending;
mod store;
mod taken;

pub use hold::{Hold, Tags};
pub use lending::Elsewhere;
pub use store::{elsewhere, forget_old};
pub use taken::{Seat, Seats, Terms};

use super::{
    Gate,
    leases::{Ask, Fit, Leases},
    limit::{Limit, LimitState, Policy, Till},
    record::Record,
};
use crate::{keys::model::Window, platform::clock::steady_millis, values::NodeId};
use std::sync::Arc;
use taken::Others;
use uuid::Uuid;

/// The most places that a limit has.
const MOST: u32 = 10_000;

const SECOND: i64 = 1_000_000;

impl Policy {
    /// How many places, and for how long; none if it counts something else.
    pub fn seats(&self) -> Option<Terms> {
        let Window::Concurrent(lasts) = self.window else { return None };
        Some(Terms { most: u32::try_from(self.max).unwrap_or(MOST).min(MOST), lasts })
    }
}

/// What a counter is found by beside its name: places that are taken stay taken when they may last for another time.
pub fn counted_as(window: Window) -> Window {
    if let Window::Concurrent(_) = window { Window::Concurrent(0) } else { window }
}

impl Seat {
    /// One that ends by itself after so many seconds.
    pub fn new(now_micros: i64, seconds: u32, tag: u64) -> Self {
        Self { ends: now_micros.saturating_add(i64::from(seconds).saturating_mul(SECOND)), tag }
    }
}

impl Record {
    /// For how many seconds a call of this key takes a place, if it takes one.
    pub fn lasts(&self) -> Option<u32> {
        self.policies().iter().filter_map(|policy| policy.seats()).map(|terms| terms.lasts).min()
    }
}

impl Limit {
    /// Takes a place for the call, if there is one; none if this is no such limit.
    pub fn take_seat(&self, till: &Till<'_>, now_micros: i64, cost: u32) -> Option<Fit> {
        let terms = self.policy.seats()?;
        if cost == 0 {
            return Some(Fit::Fits);
        }
        let mut counter = self.counter.lease();
        let seats = counter.get_or_insert_default().seats();
        let others = till.leases.others(till.holder, &self.policy.name); // asked under the lock: see `begin_sharing`
        let fit = seats.fit(terms, others, now_micros, steady_millis());
        if fit == Fit::Fits {
            seats.take(till.seat);
            let is_known = std::mem::replace(&mut seats.is_watched, true);
            drop(counter);
            if !is_known {
                till.leases.watch(self.slot(till.holder), &self.counter);
            }
        }
        Some(fit)
    }

    /// The same without taking it.
    pub fn seat_fits(&self, till: &Till<'_>, now_micros: i64, cost: u32) -> Option<Fit> {
        let terms = self.policy.seats()?;
        if cost == 0 {
            return Some(Fit::Fits);
        }
        let others = till.leases.others(till.holder, &self.policy.name);
        Some(self.counter.lease().get_or_insert_default().seats().fit(terms, others, now_micros, steady_millis()))
    }

    /// Gives a place back; false if it is not taken (any more).
    pub fn free_seat(&self, seat: Seat, now_micros: i64) -> bool {
        self.policy.seats().is_some() && self.counter.lease().as_deref_mut().is_some_and(|lease| lease.seats().free(seat, now_micros))
    }

    /// What was lent under other terms than those of now is void at once; places that are taken stay.
    pub fn keep_to_terms(&self) {
        if let Some(terms) = self.policy.seats()
            && let Some(lease) = self.counter.lease().as_deref_mut()
        {
            lease.seats().turn(terms);
        }
    }

    /// Where it stands: `used` are places that are taken, and it "resets" when the first of them ends by itself.
    pub fn seats_state(&self, now_micros: i64) -> Option<LimitState> {
        let terms = self.policy.seats()?;
        let (taken, first) = self.counter.lease().as_deref_mut().map_or((0, None), |lease| lease.seats().state(terms, now_micros));
        let left = first.map(|ends| u64::try_from(ends.saturating_sub(now_micros)).unwrap_or(0).div_ceil(1_000_000));
        let remaining = terms.most.saturating_sub(taken);
        Some(LimitState {
            name: Arc::clone(&self.policy.name),
            limit: terms.most.into(),
            used: taken.into(),
            remaining: remaining.into(),
            reset_after: left.unwrap_or(if remaining == 0 { terms.lasts.into() } else { 0 }),
            window: self.policy.window,
            unit: self.policy.unit,
            length: terms.lasts,
            over: self.policy.over.at(now_micros),
        })
    }

    /// What the table must know before others take places too, if anything.
    pub fn tell_seats(&self, holder: Uuid, now_micros: i64) -> Option<Ask> {
        let terms = self.policy.seats()?;
        let tells = self.counter.lease().as_deref_mut().is_some_and(|lease| lease.seats().tells(now_micros));
        tells.then(|| Ask::of_seats(&self.slot(holder), &self.counter, terms, false))
    }
}

impl Leases {
    /// Who may take places of this limit beside this node.
    fn others(&self, holder: Uuid, name: &str) -> Others {
        if self.is_alone() { Others::Gone(self.elsewhere(holder, name)) } else { Others::There }
    }
}

impl Gate {
    /// The id of this node, which holds of it name.
    pub fn node(&self) -> NodeId {
        self.leases.me()
    }

    /// Gives back a place that this node gave; false if it is not taken (any more).
    pub fn release(&self, hold: &Hold) -> bool {
        let Some(record) = self.table.by_id(hold.key).filter(|_| hold.node == self.node()) else { return false };
        let now = self.clock.now_micros();
        // All of them, not only the first: a call takes a place of each. A key without counters has let no call begin.
        record.counted().is_some_and(|counted| counted.limits.iter().filter(|limit| limit.free_seat(hold.seat, now)).count() > 0)
    }

    /// Gives back what another node was asked to give back: ids of holds, with a space between.
    pub fn release_told(&self, holds: &str) {
        holds.split(' ').filter_map(|hold| hold.parse::<Hold>().ok()).for_each(|hold| _ = self.release(&hold));
    }
}
