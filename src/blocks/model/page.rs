//! What `/admin/blocks` shows, and what its forms send.

use super::{BlockAction, BlockState, RuleSetting};
use crate::{
    keys::model::Said,
    values::{AbuseRule, BlockId},
};
use serde::{Deserialize, Serialize};

/// What the page asks for, as it stands in its URL.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BlockQuery {
    /// `active` (unless said otherwise), `past` or `all`.
    pub state: Option<String>,
    /// `address`, `key` or `workspace`.
    pub of: Option<String>,
    /// `operator`, or the name of a rule.
    pub by: Option<String>,
    /// An address or a network that blocks meet, or the id of a key or a workspace.
    pub q: Option<String>,
    /// The list continues after this block.
    pub older: Option<String>,
}

impl BlockQuery {
    /// Reads a query; `get` gives a parameter. An empty one is none.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name| get(name).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
        Self { state: get("state"), of: get("of"), by: get("by"), q: get("q"), older: get("older") }
    }

    /// The filters with their names; the place in the list is none.
    pub fn filters(&self) -> Vec<(&'static str, &str)> {
        let all = [("state", &self.state), ("of", &self.of), ("by", &self.by), ("q", &self.q)];
        all.into_iter().filter_map(|(name, value)| value.as_deref().map(|value| (name, value))).collect()
    }
}

/// A line of the list, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockRow {
    pub id: BlockId,
    pub target: String,
    /// Where the target is shown, if anywhere.
    pub href: Option<String>,
    pub action: BlockAction,
    pub state: BlockState,
    pub reason: String,
    pub since: Said,
    /// None: until it is lifted.
    pub until: Option<Said>,
    /// Who made it: "by Vera", "on the command line", "by the rule “…”".
    pub by: String,
    /// "Lifted by Vera, today, 09:12: “a test”."
    pub lifted: Option<String>,
    /// Calls that it refused, where they are counted: of one address, and of a key that is not only slowed.
    pub refused: Option<u64>,
}

/// What `/admin/blocks` shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockPage {
    pub query: BlockQuery,
    pub rows: Vec<BlockRow>,
    pub older: Option<BlockId>,
    /// In force now, whatever the filters.
    pub active: u64,
    pub rules: Vec<RuleSetting>,
    /// Networks that no block holds, besides loopback and the trusted proxies.
    pub exempt: Vec<String>,
    /// The trusted proxies of the configuration.
    pub proxies: Vec<String>,
}

/// The form of a new block: texts as they were typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BlockForm {
    pub target: String,
    pub reason: String,
    /// `refuse`, unless said otherwise, or `slow`.
    pub action: String,
    /// Read where it slows.
    pub per_second: String,
    /// `10m`, `1h`, `never`.
    pub lasts: String,
}

/// The form of a rule: texts as they were typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleForm {
    pub rule: AbuseRule,
    #[serde(default)]
    pub is_on: bool,
    #[serde(default)]
    pub most: String,
    #[serde(default)]
    pub minutes: String,
    /// `refuse`, `slow` or `tell`.
    #[serde(default)]
    pub then: String,
    /// Read where it slows.
    #[serde(default)]
    pub per_second: String,
    /// `10m`, `1h`, `7d`.
    #[serde(default)]
    pub lasts: String,
    #[serde(default)]
    pub mails: bool,
}
