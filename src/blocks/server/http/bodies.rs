//! The JSON of the REST routes of blocks. Unknown fields are refused.

use crate::blocks::model::{Block, BlockTarget, NewBlock};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

/// A block that an operator wants.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBlockBody {
    /// An address, a network (IPv4 /8 to /32, IPv6 /16 to /64; an IPv6 address stands for its /64), or the id of a key or a workspace.
    #[schema(example = "203.0.113.0/24")]
    target: String,
    /// 1 to 200 characters, for operators; the caller is told only until when.
    #[schema(example = "Tries keys")]
    reason: String,
    /// How long, 1 second to 366 days; left out or `null`: until it is lifted.
    #[serde(default)]
    #[schema(example = 3600)]
    seconds: Option<u64>,
}

impl NewBlockBody {
    pub fn block(self) -> NewBlock {
        NewBlock { target: self.target, reason: self.reason, seconds: self.seconds }
    }
}

/// A block, or the notice of a rule that only tells. One of `network`, `key_id` and `workspace_id` says of what.
#[derive(Debug, Serialize, ToSchema)]
pub struct BlockBody {
    #[schema(example = "blk_01K3V7QDE4S8T1N5W9Y2B6C0XZ")]
    pub id: String,
    #[schema(example = "203.0.113.0/24")]
    pub network: Option<String>,
    pub key_id: Option<String>,
    pub workspace_id: Option<String>,
    /// `active`, `ended`, `lifted` or `notice` (which refuses nothing).
    #[schema(example = "active")]
    pub state: &'static str,
    pub reason: String,
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub since: OffsetDateTime,
    /// `null`: until it is lifted.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<OffsetDateTime>,
    /// Who made it: a name, `cli`, or `system` for a rule.
    pub by: String,
    /// The rule that made it: `unknown-keys`, `refusals` or `spread`.
    pub rule: Option<String>,
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub lifted_at: Option<OffsetDateTime>,
    pub lifted_by: Option<String>,
    pub lift_note: Option<String>,
}

impl From<Block> for BlockBody {
    fn from(block: Block) -> Self {
        let (mut network, mut key_id, mut workspace_id) = (None, None, None);
        match block.target {
            BlockTarget::Address { network: it } => network = Some(it),
            BlockTarget::Key { id, .. } => key_id = Some(id.to_string()),
            BlockTarget::Workspace { id, .. } => workspace_id = Some(id.to_string()),
        }
        let (lifted_at, lifted_by, lift_note) = match block.lifted {
            Some(lifted) => (Some(lifted.at), Some(lifted.by), Some(lifted.note)),
            None => (None, None, None),
        };
        Self {
            id: block.id.to_string(),
            network,
            key_id,
            workspace_id,
            state: block.state.as_str(),
            reason: block.reason,
            since: block.since,
            until: block.until,
            by: block.by,
            rule: block.rule.map(|rule| rule.to_string()),
            lifted_at,
            lifted_by,
            lift_note,
        }
    }
}

/// Blocks, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct BlockListBody {
    pub data: Vec<BlockBody>,
    pub has_more: bool,
    pub next_cursor: Option<String>,
}
