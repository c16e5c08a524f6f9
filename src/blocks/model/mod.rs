//! The nouns of blocks, for both sides.

mod action;
mod page;
mod rule;

pub use action::BlockAction;
pub use page::{BlockForm, BlockPage, BlockQuery, BlockRow, RuleForm};
pub use rule::{RuleChange, RuleSetting, exempt_version, lasting_words};

use crate::values::{AbuseRule, BlockId, KeyId, WorkspaceId};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// What a block holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum BlockTarget {
    /// A network, as Postgres writes it: `203.0.113.7/32`, `2001:db8::/64`.
    Address {
        network: String,
    },
    Key {
        id: KeyId,
        name: String,
    },
    Workspace {
        id: WorkspaceId,
        name: String,
    },
}

impl BlockTarget {
    /// As people read it; one address without its length of prefix.
    pub fn words(&self) -> String {
        match self {
            Self::Address { network } => network.strip_suffix("/32").filter(|v4| v4.contains('.')).unwrap_or(network).to_owned(),
            Self::Key { name, .. } => format!("the key {name}"),
            Self::Workspace { name, .. } => format!("the workspace {name}"),
        }
    }
}

/// Where a block stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockState {
    /// In force.
    Active,
    /// Its time is over.
    Ended,
    /// Somebody ended it before.
    Lifted,
    /// It never refused anything: its rule only tells.
    Notice,
}

impl BlockState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Ended => "ended",
            Self::Lifted => "lifted",
            Self::Notice => "notice",
        }
    }
}

/// A block, or the notice of a rule that only tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    pub id: BlockId,
    pub target: BlockTarget,
    /// Of a notice: nothing is held.
    pub action: BlockAction,
    pub state: BlockState,
    pub reason: String,
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
    /// None: until it is lifted.
    #[serde(with = "time::serde::rfc3339::option")]
    pub until: Option<OffsetDateTime>,
    /// The name of who made it, `cli`, or `system` for a rule.
    pub by: String,
    pub rule: Option<AbuseRule>,
    pub lifted: Option<Lifted>,
}

/// How a block ended before its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifted {
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    pub by: String,
    /// Why, as the person said it; often empty.
    pub note: String,
}

/// A block that an operator wants; texts as they were typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewBlock {
    /// An address, a network, the id of a key, a workspace or an account, or the email of an account: its workspace is meant.
    pub target: String,
    pub action: BlockAction,
    pub reason: String,
    /// Seconds; none: until it is lifted.
    pub seconds: Option<u64>,
}
