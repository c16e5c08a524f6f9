//! What a call takes of a limit, in the limit's own unit: the one place that turns its cost into that.

use super::{Limit, LimitState, Policy};
use crate::keys::model::LimitUnit;
use std::sync::Arc;

impl Policy {
    /// What a call of this cost takes: all of it, or one where calls are counted; one that costs nothing takes nothing.
    pub const fn takes(&self, cost: u32) -> u32 {
        match self.unit {
            LimitUnit::Calls if cost > 1 => 1,
            LimitUnit::Units | LimitUnit::Calls => cost,
        }
    }

    /// What its counter is called: one of calls is another one than one of units, in memory and in the table of leases. No name has this mark.
    pub fn counter_name(&self) -> Arc<str> {
        match self.unit {
            LimitUnit::Units => Arc::clone(&self.name),
            LimitUnit::Calls => format!("{}#", self.name).into(),
        }
    }
}

impl Limit {
    /// What a call of this cost takes of it.
    pub fn takes(&self, cost: u32) -> u32 {
        self.policy.takes(cost)
    }

    /// The room that a call of this cost needs: what it takes, and of calls at the same time one place.
    pub fn needs(&self, cost: u32) -> u32 {
        if self.policy.seats().is_some() { cost.min(1) } else { self.takes(cost) }
    }
}

impl LimitState {
    /// "100 calls an hour".
    pub fn words(&self) -> String {
        self.unit.limit_words(self.limit, self.window)
    }
}
