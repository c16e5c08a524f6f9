//! "Who would be limited?": a plan held against the usage since the first of last month (UTC).

use crate::values::{KeyId, WorkspaceId};
use serde::{Deserialize, Serialize};

/// What a plan would have held back since the first of last month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DryRun {
    /// Those with the most calls beyond the limit first; at most 50.
    pub limited: Vec<WouldBeLimited>,
    /// How many would have been limited, also those that `limited` leaves out.
    pub count: u64,
    /// Names of limits whose windows roll: held against whole quarters of an hour, as usage is kept; what was asked in one counts as if at
    /// its beginning.
    #[serde(default)]
    pub by_quarters: Vec<String>,
    /// Names of limits that quarters of an hour don't fit into, of those that roll in less than an hour, of credits and of calls at the same
    /// time: usage is kept by quarters, so they can't be held against it.
    pub too_short: Vec<String>,
}

/// A workspace with all its keys together, or one key, as it would have fared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WouldBeLimited {
    pub workspace: WorkspaceId,
    pub name: String,
    /// If it was asked by key; then `name` is the key's.
    pub key: Option<KeyId>,
    /// Windows in which something would have been refused; of a rolling limit quarters of an hour.
    pub windows: u64,
    /// Cost units beyond the limit, summed over its limits.
    pub beyond: u64,
    /// Cost units at all.
    pub units: u64,
}
