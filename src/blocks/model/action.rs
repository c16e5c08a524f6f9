//! What a block does with the calls of its target.

use serde::{Deserialize, Serialize};

/// Refuses every call, or lets some pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum BlockAction {
    #[default]
    Refuse,
    /// So many calls pass in a second: 1 to 10,000.
    Slow { per_second: u32 },
}

impl BlockAction {
    /// The highest rate that slows.
    pub const FASTEST: u32 = 10_000;

    /// As it is stored: none refuses.
    pub const fn of(per_second: Option<u32>) -> Self {
        match per_second {
            None => Self::Refuse,
            Some(per_second) => Self::Slow { per_second },
        }
    }

    pub const fn per_second(self) -> Option<u32> {
        match self {
            Self::Refuse => None,
            Self::Slow { per_second } => Some(per_second),
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Slow { .. } => "slow",
        }
    }

    /// "refused", or "slowed to 5 calls a second".
    pub fn words(self) -> String {
        match self {
            Self::Refuse => "refused".to_owned(),
            Self::Slow { per_second: 1 } => "slowed to 1 call a second".to_owned(),
            Self::Slow { per_second } => format!("slowed to {per_second} calls a second"),
        }
    }
}
