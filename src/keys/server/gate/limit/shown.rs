//! Where a limit stands, for those who look: nothing that is counted changes by it, whatever time they ask for.

use super::{Limit, LimitState};
use crate::keys::{
    model::Window,
    server::gate::{
        leases::{Lease, Leases},
        rolling::Ring,
        window,
    },
};

/// What the database says of a limit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stored {
    /// What usage has of its window, or of the parts of a rolling one that count.
    pub used: u64,
    /// What nodes were given of it, less what they gave back. None: no node was given any.
    pub granted: Option<u64>,
    /// From this part of a rolling window on something comes back.
    pub opens: Option<u32>,
    /// What of credits is given to nodes or used; less than nothing where an operator added some.
    pub taken: i64,
    /// Places for calls at the same time that other nodes have, or that those which ended had.
    pub elsewhere: u64,
}

impl Limit {
    /// Looks at the ring of a rolling window as it is at this time, which may lie ahead; none if it is leased.
    pub(super) fn look_at_ring<T>(&self, now_micros: i64, look: impl FnOnce(&Ring) -> T) -> Option<T> {
        let number = window::number(self.policy.window, now_micros);
        let mut lease = self.counter.lease();
        if self.counter.is_leased() {
            return None;
        }
        let ring = lease.get_or_insert_default().ring();
        if ring.newest() >= number {
            return Some(look(ring));
        }
        let mut then = ring.clone();
        then.turn(number);
        Some(look(&then))
    }

    /// True if this node knows all that is used of the window: it counts it alone, or would from its first call on and nobody made one. Of calls at
    /// the same time those that a node let begin which has ended may go on.
    pub fn is_known_here(&self, leases: &Leases, now_micros: i64) -> bool {
        if self.policy.window.is_concurrent() {
            return false;
        }
        let lease = self.counter.lease();
        if !self.counter.is_leased() {
            return true;
        }
        let number = window::number(self.policy.window, now_micros);
        lease.as_deref().is_none_or(|held| held.is_over(number)) && leases.may_count_alone(self.policy.window, number)
    }

    /// Where it stands by what is stored. What this node has charged is used even if it is not written yet. Nodes hold blocks that they have not
    /// used, so what was given counts only where usage can't say (`is_metered`, windows of less than a minute), or where its minutes reach
    /// beyond the window; and for what is left to a node that is alone, since nobody else can give anything back.
    pub fn state_of(&self, leases: &Leases, stored: &Stored, is_metered: bool, now_micros: i64) -> LimitState {
        let state = self.state(now_micros);
        if self.is_known_here(leases, now_micros) {
            return state; // by now
        }
        if let Some(terms) = self.policy.seats() {
            let here = self.counter.lease().as_deref_mut().map_or(0, |lease| lease.seats().taken_here(now_micros));
            let used = stored.elsewhere.saturating_add(here.into());
            let remaining = u64::from(terms.most).saturating_sub(used);
            // When the first one of another node ends is not known: by then.
            let reset_after = match (here, remaining) {
                (0, 0) => terms.lasts.into(),
                (0, _) => 0,
                _ => state.reset_after,
            };
            return LimitState { used, remaining, reset_after, ..state };
        }
        let (number, max) = (window::number(self.policy.window, now_micros), self.max());
        let held = self.counter.lease();
        let lease = held.as_deref();
        let beyond = lease.filter(|lease| lease.window() >= number).map_or(0, Lease::beyond);
        if self.policy.window.is_credits() {
            if leases.owes() {
                return state; // the table does not know what passed without it
            }
            let free = signed(max).saturating_sub(stored.taken);
            let left = free.saturating_add(signed(lease.map_or(0, Lease::unused_credits)));
            // What was leased before the last refill never fills it beyond the limit.
            let is_old = lease.is_some_and(|lease| lease.window() < number);
            let left = if is_old { left.min(free.max(signed(max))) } else { left };
            let known = lease.and_then(|lease| leases.credits_left_alone(lease, number, max));
            let remaining = u64::try_from(left).unwrap_or(0).max(known.unwrap_or(0));
            return LimitState { used: max.saturating_sub(remaining) + beyond, remaining, ..state };
        }
        let (charged, unused) = lease.map_or((0, 0), |lease| (lease.charged(number), lease.unused(number)));
        let untold = lease.filter(|lease| lease.window() >= number).map_or(0, Lease::untold_beyond);
        let given = stored.granted.map_or(0, |granted| granted.saturating_sub(unused)) + untold;
        let used = match self.policy.window {
            short if !is_metered || matches!(short, Window::Seconds(..60)) => given,
            Window::Rolling(..3_600) => stored.used.min(given),
            Window::Seconds(seconds @ ..3_600) if !seconds.is_multiple_of(60) => stored.used.min(given),
            _ => stored.used,
        };
        let used = used.max(charged);
        let remaining = match stored.granted.filter(|_| leases.is_alone()) {
            Some(granted) => (max + unused).saturating_sub(granted).min(max),
            None => max.saturating_sub(used),
        };
        let known = lease.and_then(|lease| leases.left_alone(lease, number, max));
        let opens = stored.opens.map(|part| window::until(window::start(self.policy.window, part), now_micros));
        LimitState { used, remaining: remaining.max(known.unwrap_or(0)), reset_after: opens.unwrap_or(state.reset_after), ..state }
    }
}

fn signed(units: u64) -> i64 {
    i64::try_from(units).unwrap_or(i64::MAX)
}
