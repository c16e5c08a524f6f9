//! The rules that watch for abuse: the gate counts by them, the feature `blocks` says what they do.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AbuseRule {
    /// Tries of secrets that no key has, or that are none, from one address (IPv4 /32, IPv6 /64).
    UnknownKeys,
    /// Calls of one key that were refused for what they asked, or by a limit: `FORBIDDEN`, `WRONG_API`, `RATE_LIMITED`, `QUOTA_EXCEEDED`. Others
    /// (an address that is not the key's, a key that has ended, a block) anybody could send who once had a secret of it.
    Refusals,
    /// Networks (IPv4 /24, IPv6 /48) that one key was used from.
    Spread,
}

impl AbuseRule {
    pub const ALL: [Self; 3] = [Self::UnknownKeys, Self::Refusals, Self::Spread];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownKeys => "unknown-keys",
            Self::Refusals => "refusals",
            Self::Spread => "spread",
        }
    }

    /// As a heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::UnknownKeys => "Unknown keys from one address",
            Self::Refusals => "Refused calls of one key",
            Self::Spread => "One key from many networks",
        }
    }

    /// The largest number that may be set. Of networks each one seen is kept in memory.
    pub const fn highest(self) -> u32 {
        match self {
            Self::UnknownKeys | Self::Refusals => 1_000_000,
            Self::Spread => 100,
        }
    }
}

impl fmt::Display for AbuseRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for AbuseRule {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|rule| rule.as_str() == text).ok_or("The rules are unknown-keys, refusals and spread.")
    }
}
