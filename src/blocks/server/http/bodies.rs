//! The JSON of the REST routes of blocks. Unknown fields are refused.

use crate::{
    blocks::{
        model::{Block, BlockState, BlockTarget, NewBlock, RuleChange, RuleSetting},
        server::{
            Added,
            rules::{action_of, then_of},
        },
    },
    error::AppError,
    keys::server::http::SpreadBody,
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

/// A block that an operator wants.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBlockBody {
    /// An address, a network (IPv4 /8 to /32, IPv6 /16 to /64; an IPv6 address stands for its /64), the id of a key or a workspace, or the
    /// id or email of an account, whose workspace is meant.
    #[schema(example = "203.0.113.0/24")]
    target: String,
    /// `refuse` (unless said otherwise), or `slow`: `per_second` calls pass.
    #[serde(default)]
    #[schema(example = "slow")]
    action: Option<String>,
    /// Calls that pass in a second, on all nodes together: 1 to 10,000. Only where it slows.
    #[serde(default)]
    #[schema(example = 5)]
    per_second: Option<u32>,
    /// 1 to 200 characters, for operators; the caller is told only until when.
    #[schema(example = "Tries keys")]
    reason: String,
    /// How long, 1 second to 366 days; left out or `null`: until it is lifted.
    #[serde(default)]
    #[schema(example = 3600)]
    seconds: Option<u64>,
}

impl NewBlockBody {
    pub fn block(self) -> Result<NewBlock, AppError> {
        let action = action_of(self.action.as_deref().unwrap_or("refuse"), self.per_second)?;
        Ok(NewBlock { target: self.target, action, reason: self.reason, seconds: self.seconds })
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
    /// `refuse` or `slow`; `null` of a notice.
    #[schema(example = "slow")]
    pub action: Option<&'static str>,
    /// Calls that pass in a second, where it slows.
    #[schema(example = 5)]
    pub per_second: Option<u32>,
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
            action: (block.state != BlockState::Notice).then_some(block.action.as_str()),
            per_second: block.action.per_second(),
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

/// A block that was made, made longer or lifted, and how far that has got.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangedBlockBody {
    #[serde(flatten)]
    block: BlockBody,
    /// On which nodes it holds.
    spread: SpreadBody,
}

impl From<Added> for ChangedBlockBody {
    fn from(added: Added) -> Self {
        Self { block: added.block.into(), spread: added.spread.into() }
    }
}

/// Blocks, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct BlockListBody {
    pub data: Vec<BlockBody>,
    pub has_more: bool,
    pub next_cursor: Option<String>,
}

/// A rule that watches for abuse, as it is set.
#[derive(Debug, Serialize, ToSchema)]
pub struct RuleBody {
    /// `unknown-keys`, `refusals` or `spread`.
    #[schema(example = "refusals")]
    pub name: &'static str,
    pub on: bool,
    /// So many are still allowed: tries, refused calls, networks.
    #[schema(example = 600)]
    pub most: u32,
    /// In so many minutes of the clock.
    #[schema(example = 1)]
    pub minutes: u32,
    /// `refuse`, `slow` or `tell`.
    #[schema(example = "slow")]
    pub action: &'static str,
    /// Calls that pass in a second, where it slows.
    #[schema(example = 5)]
    pub per_second: Option<u32>,
    /// How long a block of it lasts; and so long it does not tell again.
    #[schema(example = 600)]
    pub seconds: u64,
    /// Operators get a mail when it blocks; one that only tells always mails.
    pub mails: bool,
}

impl From<RuleSetting> for RuleBody {
    fn from(rule: RuleSetting) -> Self {
        Self {
            name: rule.rule.as_str(),
            on: rule.is_on,
            most: rule.most,
            minutes: rule.minutes,
            action: rule.then_word(),
            per_second: rule.then.and_then(|then| then.per_second()),
            seconds: rule.seconds,
            mails: rule.mails,
        }
    }
}

/// A rule that was set, and how far that has got.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangedRuleBody {
    #[serde(flatten)]
    pub rule: RuleBody,
    /// Which nodes count so.
    pub spread: SpreadBody,
}

/// Every rule.
#[derive(Debug, Serialize, ToSchema)]
pub struct RuleListBody {
    pub data: Vec<RuleBody>,
    pub has_more: bool,
    pub next_cursor: Option<String>,
}

/// What of a rule is to be another; what is left out stays as it is.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RuleChangeBody {
    on: Option<bool>,
    /// 1 to 1,000,000; of `spread` to 100.
    #[schema(example = 600)]
    most: Option<u32>,
    /// 1 to 60.
    #[schema(example = 1)]
    minutes: Option<u32>,
    /// `refuse`, `slow` (with `per_second`) or `tell`.
    #[schema(example = "slow")]
    action: Option<String>,
    /// 1 to 10,000; goes with `"action": "slow"`.
    #[schema(example = 5)]
    per_second: Option<u32>,
    /// 60 to 31,622,400.
    #[schema(example = 600)]
    seconds: Option<u64>,
    mails: Option<bool>,
}

impl RuleChangeBody {
    pub fn change(self) -> Result<RuleChange, AppError> {
        let then = match (self.action.as_deref(), self.per_second) {
            (Some(word), rate) => Some(then_of(word, rate)?),
            (None, Some(_)) => return Err(AppError::invalid("action", "Say slow: only what slows has a rate.")),
            (None, None) => None,
        };
        Ok(RuleChange { is_on: self.on, most: self.most, minutes: self.minutes, then, seconds: self.seconds, mails: self.mails })
    }
}

/// Networks that no block holds, besides loopback and the trusted proxies.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExemptionsBody {
    /// At most 50, each as wide as a block may be.
    #[schema(example = json!(["192.0.2.0/24"]))]
    pub networks: Vec<String>,
}

/// The networks that no block holds from now on, and how far that has got.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangedExemptionsBody {
    #[schema(example = json!(["192.0.2.0/24"]))]
    pub networks: Vec<String>,
    /// Which nodes hold to them.
    pub spread: SpreadBody,
}
