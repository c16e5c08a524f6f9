//! What a call is answered that limits refuse: the code, when it may pass, and where it costs more than one of them allows at all, that no time
//! helps.

use super::{
    Answer, LimitState,
    charging::Places,
    limit::{Limit, refusing_code},
};
use crate::keys::model::Window;
use std::num::NonZeroU64;

impl Answer {
    /// These of its limits refuse it, at this cost.
    pub(super) fn refuse_over(&mut self, limits: &[Limit], violated: Places, now_micros: i64, cost: u32) {
        let refusing = || limits.iter().zip(&self.limits).enumerate().filter(move |(place, _)| violated.has(*place)).map(|(_, limit)| limit);
        let outcome = refusing_code(refusing().map(|(_, state)| state));
        let why = refusing().find(|(limit, state)| limit.never_fits(state, cost)).map(|(limit, state)| state.too_small_for(limit.needs(cost)));
        // Where no time helps it is 0, as of credits that are prepaid.
        let opens = refusing().map(|(limit, state)| limit.opens_after(state, now_micros, cost));
        let last = opens.map(|seconds| NonZeroU64::new(seconds).map_or(u64::MAX, NonZeroU64::get)).max();
        (self.outcome, self.why, self.retry_after) = (outcome, why, last.filter(|seconds| *seconds != u64::MAX));
    }
}

impl Limit {
    /// Whether a call of this cost never has room, however long it waits: it takes more than all that the limit allows. What slows down lets it
    /// pass all the same, and what is prepaid is what operators add.
    pub fn never_fits(&self, state: &LimitState, cost: u32) -> bool {
        let is_a_purse = state.limit == 0 && matches!(state.window, Window::Credits(refill) if refill.is_prepaid());
        state.over.per_second().is_none() && u64::from(self.needs(cost)) > state.limit && !is_a_purse
    }
}

impl LimitState {
    /// What a call is told that takes more than all of it.
    fn too_small_for(&self, needed: u32) -> String {
        format!("This call costs {needed}, more than the limit {} allows ({}). Waiting does not help: ask an operator for more.", self.name, self.limit)
    }
}
