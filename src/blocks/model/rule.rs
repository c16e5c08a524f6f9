//! What the rules that watch for abuse allow, and what they do.

use crate::values::AbuseRule;
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
    /// It blocks; else it only tells.
    pub blocks: bool,
    /// For so long, and so long it does not tell again.
    pub seconds: u64,
}

/// Seconds as the forms and the command line write them: 600 is "10m".
pub fn lasting_words(seconds: u64) -> String {
    let units = [(86_400, 'd'), (3_600, 'h'), (60, 'm')];
    let (unit, letter) = units.into_iter().find(|(unit, _)| seconds >= *unit && seconds.is_multiple_of(*unit)).unwrap_or((1, 's'));
    format!("{}{letter}", seconds / unit)
}

impl RuleSetting {
    /// What it found, as the reason of a block: "More than 100 unknown keys in 1 minute".
    pub fn reason(&self) -> String {
        let what = match self.rule {
            AbuseRule::UnknownKeys => "unknown keys",
            AbuseRule::Refusals => "refused calls",
            AbuseRule::Spread => "networks",
        };
        format!("More than {} {what} in {} {}", self.most, self.minutes, if self.minutes == 1 { "minute" } else { "minutes" })
    }
}
