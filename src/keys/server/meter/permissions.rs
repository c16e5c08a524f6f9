//! Which permissions calls needed, of their route and by the question: counted in the counter that the call has anyway, so that a call
//! costs no further look-up, and no allocation but the first time.
//!
//! Only permissions that the key has are counted, so nobody fills the memory with names; of one key, route, outcome and minute at most
//! [`PER_COUNTER`]. Not in the spool: an end by force loses the permissions of what was not written yet, never a count.

use crate::{
    platform::maps::FastHash,
    values::{ApiId, KeyId, Outcome, WorkspaceId},
};
use std::{hash::BuildHasher, sync::LazyLock};

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

/// What the calls of one counter needed: one or two permissions as a rule, found by looking through them. The first stands in the counter itself, and
/// names are compared by their hashes, with keys of this process, and their lengths: for the first a call reads nothing that lies elsewhere. Of two with
/// the same, about one chance in 2⁶⁴, the second would be counted as the first.
#[derive(Debug, Default)]
pub(super) struct Needs {
    first: Option<Need>,
    more: Vec<Need>,
}

#[derive(Debug)]
struct Need {
    hash: u64,
    calls: u64,
    permission: Box<str>,
}

fn hash(permission: &str) -> u64 {
    static KEYS: LazyLock<FastHash> = LazyLock::new(Default::default);
    KEYS.hash_one(permission)
}

impl Needs {
    /// Adds the calls to each permission that they needed, if there is room.
    pub fn add(&mut self, needed: [Option<&str>; 2], count: u64) {
        for permission in needed.into_iter().flatten() {
            let hash = hash(permission);
            if let Some(known) = self.first.iter_mut().chain(&mut self.more).find(|known| known.hash == hash && known.permission.len() == permission.len()) {
                known.calls += count;
                continue;
            }
            let need = Need { hash, calls: count, permission: permission.into() };
            if self.first.is_none() {
                self.first = Some(need);
            } else if self.more.len() + 1 < PER_COUNTER {
                self.more.push(need);
            }
        }
    }

    /// Adds those of another counter.
    pub fn merge(&mut self, others: Self) {
        others.into_counts().for_each(|(permission, count)| self.add([Some(&permission), None], count));
    }

    pub fn into_counts(self) -> impl Iterator<Item = (Box<str>, u64)> {
        self.first.into_iter().chain(self.more).map(|need| (need.permission, need.calls))
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
