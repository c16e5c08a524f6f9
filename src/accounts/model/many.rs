//! One act on many accounts.

use serde::{Deserialize, Serialize};

/// What is done to many accounts at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountAct {
    Disable,
    Enable,
    Ban,
    LiftBan,
    EndSessions,
    SendReset,
}

impl AccountAct {
    /// Every act with its word and its label.
    pub const ALL: [(Self, &'static str, &'static str); 6] = [
        (Self::Disable, "disable", "Disable"),
        (Self::Enable, "enable", "Enable"),
        (Self::Ban, "ban", "Ban"),
        (Self::LiftBan, "lift-ban", "Lift the ban"),
        (Self::EndSessions, "end-sessions", "End all sessions"),
        (Self::SendReset, "send-reset", "Send a reset link"),
    ];

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, word, _)| *word == text).map(|(act, ..)| act)
    }

    pub fn word(self) -> &'static str {
        Self::ALL.into_iter().find(|(act, ..)| *act == self).map_or("", |(_, word, _)| word)
    }
}
