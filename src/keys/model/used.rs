//! Effective permissions: where each comes from, and which of them a key needed lately.

use super::{Said, bundle_words};
use crate::values::{Permission, Slug};
use serde::{Deserialize, Serialize};

/// A permission that a key has, and how often its calls needed it in the last 30 days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionUse {
    pub permission: Permission,
    /// It was given to the key by itself.
    pub is_single: bool,
    /// The bundles of the key that give it.
    pub bundles: Vec<Slug>,
    /// False: it needs a grant and has none, so calls that need it are refused.
    pub is_granted: bool,
    pub calls: u64,
    pub last: Option<Said>,
    /// False: nobody can tell from the calls, since no route of the API names it and no service asks for it, or it was not counted for all of
    /// these days.
    pub is_known: bool,
    /// False: permissions are counted, or kept, for less than these days.
    pub is_counted_long: bool,
}

impl PermissionUse {
    /// It could have been needed, and was not.
    pub const fn is_idle(&self) -> bool {
        self.is_known && self.calls == 0
    }

    /// It is idle, and the key would lose it without losing a bundle.
    pub fn can_be_taken(&self) -> bool {
        self.is_idle() && self.bundles.is_empty()
    }

    /// Where it comes from: "given by itself and by the bundle order-desk".
    pub fn origin(&self) -> String {
        match (self.is_single, self.bundles.is_empty()) {
            (_, true) => "given directly".to_owned(),
            (true, false) => format!("given directly and by {}", bundle_words(&self.bundles)),
            (false, false) => format!("given by {}", bundle_words(&self.bundles)),
        }
    }
}
