//! Which permissions calls needed, of their route and by the question: counted in the counter that the call has anyway, so that a call
//! costs no further look-up, and no allocation but the first time.
//!
//! Only permissions that the key has are counted, so nobody fills the memory with names; of one key, route, outcome and minute at most
//! [`PER_COUNTER`]. Not in the spool: an end by force loses the permissions of what was not written yet, never a count.

use crate::values::{ApiId, KeyId, Outcome, WorkspaceId};

/// Different permissions of one counter.
pub const PER_COUNTER: usize = 64;

/// Calls of one key that needed a permission, with one outcome in one minute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForPermission {
    pub key: KeyId,
    pub workspace: WorkspaceId,
    pub api: ApiId,
    pub permission: Box<str>,
    pub outcome: Outcome,
    /// Minutes since 1970, UTC.
    pub minute: i64,
    pub count: u64,
}

/// What the calls of one counter needed: one or two permissions as a rule, found by looking through them.
#[derive(Debug, Default)]
pub(super) struct Needs(Vec<(Box<str>, u64)>);

impl Needs {
    /// Adds the calls to each permission that they needed, if there is room.
    pub fn add(&mut self, needed: [Option<&str>; 2], count: u64) {
        for permission in needed.into_iter().flatten() {
            if let Some((_, calls)) = self.0.iter_mut().find(|(known, _)| **known == *permission) {
                *calls += count;
            } else if self.0.len() < PER_COUNTER {
                self.0.push((permission.into(), count));
            }
        }
    }

    /// Adds those of another counter.
    pub fn merge(&mut self, others: Self) {
        others.0.into_iter().for_each(|(permission, count)| self.add([Some(&permission), None], count));
    }

    pub fn into_counts(self) -> impl Iterator<Item = (Box<str>, u64)> {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_permission_is_counted_and_there_is_an_end() {
        let mut needs = Needs::default();
        needs.add([Some("orders:read"), None], 1);
        needs.add([Some("orders:read"), Some("orders:audit")], 2);
        needs.add([None, None], 5);
        let counts: Vec<_> = needs.into_counts().map(|(permission, calls)| (permission.to_string(), calls)).collect();
        assert_eq!(counts, [("orders:read".to_owned(), 3), ("orders:audit".to_owned(), 2)]);
        let mut full = Needs::default();
        (0..1_000).for_each(|n| full.add([Some(&format!("orders:p{n}")), None], 1));
        assert_eq!(full.into_counts().count(), PER_COUNTER);
    }
}
