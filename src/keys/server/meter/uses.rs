//! The last use of each secret, until the next write; bounded by the number of secrets.

use crate::{
    platform::maps::{FastMap, roomy},
    values::{KeyId, SecretId},
};
use std::{collections::hash_map::Entry, sync::Arc};

/// Who used a secret last: the first use in a minute, and the first that passed in it. Not in the spool: the next use tells it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretUse {
    pub secret: SecretId,
    pub key: KeyId,
    pub at_micros: i64,
    /// Empty if the asking service did not say it.
    pub address: String,
    pub route: Arc<str>,
    /// It passed with the newest secret, and these old ones were to live until then.
    pub ends: Vec<SecretId>,
}

type Latest = FastMap<SecretId, SecretUse>;

/// Those of a stripe.
#[derive(Default)]
pub(super) struct Uses {
    latest: Latest,
    /// The room that the batch before had.
    spare: Latest,
}

impl Uses {
    pub fn note(&mut self, mut latest: SecretUse) {
        match self.latest.entry(latest.secret) {
            Entry::Occupied(mut known) => {
                if latest.ends.is_empty() {
                    latest.ends = std::mem::take(&mut known.get_mut().ends);
                }
                known.insert(latest);
            }
            Entry::Vacant(free) => _ = free.insert(latest),
        }
    }

    /// All of them; begins anew, in the room of the batch before.
    pub fn renew(&mut self) -> Latest {
        let room = std::mem::take(&mut self.spare);
        std::mem::replace(&mut self.latest, room)
    }

    /// For the batch after the next one: the room of what was taken, which is empty now and held so many.
    pub fn reuse(&mut self, emptied: Latest, held: usize) {
        self.spare = roomy(emptied, held);
    }
}
