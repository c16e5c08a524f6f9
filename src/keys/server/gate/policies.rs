//! Limits that many keys have alike, kept once: what a plan, a group, a workspace or an API allows. A million keys of one plan share one
//! [`Policy`], where each would hold its own. Limits of the keys themselves are not kept here: those that are read together share equal lists
//! (`store`).
//!
//! A policy lives as long as somebody gives it (`levels`) or a key's record holds it; only how it was found is kept beside it.

use super::limit::Policy;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

/// The policies that live, by what they say.
#[derive(Debug, Default)]
pub struct Policies(Mutex<HashMap<Policy, Weak<Policy>>>);

impl Policies {
    /// The one that says the same, or this one from now on.
    pub fn shared(&self, policy: Policy) -> Arc<Policy> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(same) = known.get(&policy).and_then(Weak::upgrade) {
            return same;
        }
        if known.len() == known.capacity() {
            known.retain(|_, policy| policy.strong_count() > 0); // before it grows
        }
        let shared = Arc::new(policy.clone());
        known.insert(policy, Arc::downgrade(&shared));
        shared
    }

    /// How many live.
    pub fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().filter(|policy| policy.strong_count() > 0).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::model::{LimitUnit, Over, Window};

    fn policy(max: u64) -> Policy {
        Policy { name: "day".into(), max, window: Window::DAY, unit: LimitUnit::Units, over: Over::REFUSE }
    }

    #[test]
    fn what_says_the_same_is_one_and_goes_with_its_last_holder() {
        let policies = Policies::default();
        let (one, two, other) = (policies.shared(policy(5)), policies.shared(policy(5)), policies.shared(policy(6)));
        assert!(Arc::ptr_eq(&one, &two) && !Arc::ptr_eq(&one, &other));
        assert_eq!(policies.len(), 2);
        drop((one, two));
        assert_eq!(policies.len(), 1);
        for max in 0..1_000 {
            policies.shared(policy(max));
        }
        assert!(policies.0.lock().expect("nobody panicked").len() < 64, "what nobody holds does not add up");
    }
}
