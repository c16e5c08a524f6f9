//! What the rules that watch for abuse allow, and what they do.

use super::BlockAction;
use crate::values::{AbuseRule, Version};
use serde::{Deserialize, Serialize};

/// A rule as it is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleSetting {
    pub rule: AbuseRule,
    pub is_on: bool,
    /// So many are still allowed.
    pub most: u32,
    /// In so many minutes of the clock: 1 to 60.
    pub minutes: u32,
    /// What it does; none: it only tells.
    pub then: Option<BlockAction>,
    /// For so long, and so long it does not tell again.
    pub seconds: u64,
    /// Operators get a mail when it blocks. One that only tells always mails.
    pub mails: bool,
}

/// What of a rule is to be another; none stays as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RuleChange {
    pub is_on: Option<bool>,
    pub most: Option<u32>,
    pub minutes: Option<u32>,
    pub then: Option<Option<BlockAction>>,
    pub seconds: Option<u64>,
    pub mails: Option<bool>,
}

impl RuleChange {
    /// The rule as it is then.
    pub fn of(self, before: RuleSetting) -> RuleSetting {
        RuleSetting {
            rule: before.rule,
            is_on: self.is_on.unwrap_or(before.is_on),
            most: self.most.unwrap_or(before.most),
            minutes: self.minutes.unwrap_or(before.minutes),
            then: self.then.unwrap_or(before.then),
            seconds: self.seconds.unwrap_or(before.seconds),
            mails: self.mails.unwrap_or(before.mails),
        }
    }
}

/// Of the networks that no block holds, as their form shows them.
pub fn exempt_version(networks: &[String]) -> Version {
    Version::of(&networks)
}

/// Seconds as the forms and the command line write them: 600 is "10m".
pub fn lasting_words(seconds: u64) -> String {
    let units = [(86_400, 'd'), (3_600, 'h'), (60, 'm')];
    let (unit, letter) = units.into_iter().find(|(unit, _)| seconds >= *unit && seconds.is_multiple_of(*unit)).unwrap_or((1, 's'));
    format!("{}{letter}", seconds / unit)
}

impl RuleSetting {
    /// Of what its form shows.
    pub fn version(&self) -> Version {
        Version::of(self)
    }

    /// `refuse`, `slow` or `tell`.
    pub const fn then_word(&self) -> &'static str {
        match self.then {
            Some(action) => action.as_str(),
            None => "tell",
        }
    }

    /// What it found, as the reason of a block: "More than 100 unknown keys in 1 minute".
    pub fn reason(&self) -> String {
        let what = match self.rule {
            AbuseRule::UnknownKeys => "unknown keys",
            AbuseRule::Refusals => "refused calls",
            AbuseRule::Spread => "networks",
        };
        format!("More than {} {what} in {} {}", self.most, self.minutes, if self.minutes == 1 { "minute" } else { "minutes" })
    }

    /// The same where several nodes divide the number: one of them saw more than its share.
    pub fn reason_among(&self, nodes: u32) -> String {
        match nodes {
            0 | 1 => self.reason(),
            nodes => format!("{} (more than {} on one of {nodes} nodes)", self.reason(), self.most.div_ceil(nodes)),
        }
    }
}
