//! The policies that a block which refuses goes by; a block that slows is told as a limit.

use serde::{Deserialize, Serialize};

/// What it holds. The names stand in problem documents: they are public interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BlockPolicy {
    /// Calls from an address.
    BlockAddress,
    /// Calls of a key.
    BlockKey,
    /// Calls of all keys of a workspace.
    BlockWorkspace,
}

impl BlockPolicy {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BlockAddress => "block-address",
            Self::BlockKey => "block-key",
            Self::BlockWorkspace => "block-workspace",
        }
    }
}
