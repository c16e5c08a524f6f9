//! Used against granted: which of its permissions a key needed lately.

use super::Said;
use crate::values::Permission;
use serde::{Deserialize, Serialize};

/// A permission that a key has, and how often its calls needed it in the last 30 days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionUse {
    pub permission: Permission,
    pub calls: u64,
    pub last: Option<Said>,
    /// False: no route of the API needs it, so nobody can tell from the calls.
    pub is_known: bool,
}

impl PermissionUse {
    /// It could have been needed, and was not.
    pub const fn is_idle(&self) -> bool {
        self.is_known && self.calls == 0
    }
}
