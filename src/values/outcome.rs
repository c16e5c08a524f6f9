//! How a verification ended: the codes of the public API, in one place for gate, meter, charts and words.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The code of a verification. The names are public interface (CONTRACT.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[repr(u8)]
pub enum Outcome {
    Valid,
    Malformed,
    Unknown,
    Revoked,
    Disabled,
    Expired,
    WrongApi,
    Forbidden,
    IpDenied,
    RateLimited,
    QuotaExceeded,
    Banned,
}

/// The three positions of the gate that a call can meet; charts and badges speak in these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutcomeGroup {
    Passed,
    Limited,
    Refused,
}

impl Outcome {
    pub const ALL: [Self; 12] = [
        Self::Valid,
        Self::Malformed,
        Self::Unknown,
        Self::Revoked,
        Self::Disabled,
        Self::Expired,
        Self::WrongApi,
        Self::Forbidden,
        Self::IpDenied,
        Self::RateLimited,
        Self::QuotaExceeded,
        Self::Banned,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "VALID",
            Self::Malformed => "MALFORMED",
            Self::Unknown => "UNKNOWN",
            Self::Revoked => "REVOKED",
            Self::Disabled => "DISABLED",
            Self::Expired => "EXPIRED",
            Self::WrongApi => "WRONG_API",
            Self::Forbidden => "FORBIDDEN",
            Self::IpDenied => "IP_DENIED",
            Self::RateLimited => "RATE_LIMITED",
            Self::QuotaExceeded => "QUOTA_EXCEEDED",
            Self::Banned => "BANNED",
        }
    }

    pub const fn group(self) -> OutcomeGroup {
        match self {
            Self::Valid => OutcomeGroup::Passed,
            Self::RateLimited | Self::QuotaExceeded => OutcomeGroup::Limited,
            _ => OutcomeGroup::Refused,
        }
    }

    /// What a proxy's client is answered: the status of HTTP and its phrase.
    pub const fn status(self) -> (u16, &'static str) {
        match self {
            Self::Valid => (200, "OK"),
            Self::RateLimited | Self::QuotaExceeded => (429, "Too Many Requests"),
            Self::Forbidden | Self::IpDenied | Self::Banned => (403, "Forbidden"),
            Self::Malformed | Self::Unknown | Self::Revoked | Self::Disabled | Self::Expired | Self::WrongApi => (401, "Unauthorized"),
        }
    }

    /// One sentence for the holder of the key: what happened and the next step.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Valid => "The call may pass.",
            Self::Malformed => "This is not a key of this service. Check that the whole key was copied.",
            Self::Unknown => "No key has this secret. Check it, or create a new key.",
            Self::Revoked => "This key was revoked. Create a new key.",
            Self::Disabled => "This key is disabled. Enable it on its page, or use another key.",
            Self::Expired => "This key has expired. Create a new key.",
            Self::WrongApi => "This key is for another API. Use a key that was made for this one.",
            Self::Forbidden => "This key does not have the permission that the call needs.",
            Self::IpDenied => "This key may not be used from this address.",
            Self::RateLimited => "This key has used up its limit. Wait until it resets.",
            Self::QuotaExceeded => "This key has used up its quota. Wait until it renews, or ask an operator for more.",
            Self::Banned => "The owner of this key may not make calls at present.",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

const UNKNOWN_CODE: &str = "A code is VALID, MALFORMED, UNKNOWN, REVOKED, DISABLED, EXPIRED, WRONG_API, FORBIDDEN, IP_DENIED, RATE_LIMITED, \
                            QUOTA_EXCEEDED or BANNED.";

impl FromStr for Outcome {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|o| o.as_str() == text).ok_or(UNKNOWN_CODE)
    }
}
