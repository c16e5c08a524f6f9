//! What holds the calls of all keys of a workspace at this moment.

use super::HoldView;
use serde::{Deserialize, Serialize};

/// Blocks of the workspace, and limits that all its keys share and that are used up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkspaceState {
    /// The strictest first.
    pub holds: Vec<HoldView>,
    /// Sentences: which limit, what calls are answered, and until when.
    pub used_up: Vec<String>,
}

impl WorkspaceState {
    /// How many things hold its calls.
    pub const fn len(&self) -> usize {
        self.holds.len() + self.used_up.len()
    }

    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
