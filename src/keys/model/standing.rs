//! How a key stands: the badge in the list, with a sentence that explains it.

use super::StandingKind;
use serde::{Deserialize, Serialize};

impl StandingKind {
    /// Every kind with the word of the filter.
    pub const ALL: [(Self, &'static str, &'static str); 9] = [
        (Self::Passing, "passing", "Passing"),
        (Self::Held, "held", "Held at limit"),
        (Self::Refused, "refused", "Refused"),
        (Self::Expiring, "expiring", "Expires soon"),
        (Self::New, "new", "New"),
        (Self::Idle, "idle", "Idle"),
        (Self::Disabled, "disabled", "Disabled"),
        (Self::Expired, "expired", "Expired"),
        (Self::Revoked, "revoked", "Revoked"),
    ];

    /// The kind of a filter's word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, word, _)| *word == text).map(|(kind, ..)| kind)
    }

    /// True where no call passes until somebody does something.
    pub const fn is_off(self) -> bool {
        matches!(self, Self::Disabled | Self::Expired | Self::Revoked)
    }
}

/// The badge: its word and the sentence behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    pub kind: StandingKind,
    /// A limit of it is used up at this moment; without it `Held` speaks of calls that are past.
    pub is_at_limit: bool,
    /// "Expires in 6 days".
    pub label: String,
    /// "From 26 Nov, 00:00 every call is answered EXPIRED. …"
    pub why: String,
}
