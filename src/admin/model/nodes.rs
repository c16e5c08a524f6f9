//! The processes that answer for the gate, as an operator sees them.

use super::Health;
use crate::keys::model::Said;
use serde::{Deserialize, Serialize};

/// One node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRow {
    /// Host and port.
    pub name: String,
    /// It is the one that shows this page.
    pub is_this: bool,
    pub health: Health,
    /// "answers", "silent: goes on from memory for 14 minutes at most".
    pub state: String,
    pub since: Said,
    /// "just now", "40 seconds ago".
    pub contact: String,
    /// How many it knew then.
    pub keys: u64,
    pub version: String,
}
