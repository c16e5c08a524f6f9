//! Keys that are worth a second look: filters of the list, and the counts beside it. Which key is one, `key_wants_review` of migration
//! 0018 says; only keys that can pass are.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Review {
    /// A secret of it was found in the open.
    Leaked,
    /// Older than 30 days, and no call for as long.
    Idle30,
    Idle90,
    Unused,
    /// Never expires.
    Endless,
    /// Has every permission of its API, which knows more than one.
    Broad,
}

impl Review {
    /// Every review with the word of the filter and its label.
    pub const ALL: [(Self, &'static str, &'static str); 6] = [
        (Self::Leaked, "leaked", "Leaked"),
        (Self::Idle30, "idle-30", "Not used for 30 days"),
        (Self::Idle90, "idle-90", "Not used for 90 days"),
        (Self::Unused, "unused", "Never used"),
        (Self::Endless, "endless", "Never expires"),
        (Self::Broad, "broad", "May do everything"),
    ];

    /// The review of a filter's word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, word, _)| *word == text).map(|(review, ..)| review)
    }

    pub fn word(self) -> &'static str {
        Self::ALL.into_iter().find(|(review, ..)| *review == self).map_or("", |(_, word, _)| word)
    }
}

/// How many keys want a look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToReview {
    pub leaked: u64,
    pub idle: u64,
    pub endless: u64,
    pub broad: u64,
}

impl ToReview {
    /// The counts that are not zero, each with its filter.
    pub fn present(self) -> Vec<(Review, u64)> {
        [(Review::Leaked, self.leaked), (Review::Idle30, self.idle), (Review::Endless, self.endless), (Review::Broad, self.broad)]
            .into_iter()
            .filter(|(_, n)| *n > 0)
            .collect()
    }
}
