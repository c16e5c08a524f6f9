//! Why something can't be answered just now: each a problem type of its own (RFC 9457), with 503 and `Retry-After`. All of them stand on
//! `/docs`, and on `/docs/errors`, with what to do.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The code of a 503. The names are public interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum NotNow {
    Starting,
    DatabaseAway,
    CutOff,
    LimitsUnknown,
    SignatureUnknown,
    Overloaded,
    Busy,
}

impl NotNow {
    pub const ALL: [Self; 7] = [Self::Starting, Self::DatabaseAway, Self::CutOff, Self::LimitsUnknown, Self::SignatureUnknown, Self::Overloaded, Self::Busy];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "STARTING",
            Self::DatabaseAway => "DATABASE_AWAY",
            Self::CutOff => "CUT_OFF",
            Self::LimitsUnknown => "LIMITS_UNKNOWN",
            Self::SignatureUnknown => "SIGNATURE_UNKNOWN",
            Self::Overloaded => "OVERLOADED",
            Self::Busy => "BUSY",
        }
    }

    /// The `type` of its problem document: where it is described. Relative, with its whole path, since nobody's host name is known here.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Starting => "/docs#error-starting",
            Self::DatabaseAway => "/docs#error-database-away",
            Self::CutOff => "/docs#error-cut-off",
            Self::LimitsUnknown => "/docs#error-limits-unknown",
            Self::SignatureUnknown => "/docs#error-signature-unknown",
            Self::Overloaded => "/docs#error-overloaded",
            Self::Busy => "/docs#error-busy",
        }
    }

    /// The same in a few words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Starting => "Still starting",
            Self::DatabaseAway => "The database is away",
            Self::CutOff => "Cut off from the database",
            Self::LimitsUnknown => "What is left of a limit is not known",
            Self::SignatureUnknown => "Whether a signature is new is not known",
            Self::Overloaded => "Too many wait already",
            Self::Busy => "Busy",
        }
    }

    /// What happened; when to try again is said behind it.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Starting => "This server has just started and has not read the keys yet.",
            Self::DatabaseAway => "The database does not answer.",
            Self::CutOff => "This server has been cut off from its database for too long to tell which keys still pass.",
            Self::LimitsUnknown => {
                "The limits of this key are credits, or several servers share the limits of this key, and what is left of them could not be learnt from the database in time."
            }
            Self::SignatureUnknown => "Whether this signature was used before could not be learnt from the database in time.",
            Self::Overloaded => "This is busy right now: as many wait for it as may.",
            Self::Busy => "This is busy right now.",
        }
    }
}

impl fmt::Display for NotNow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_code_and_a_type_of_its_own_that_say_the_same() {
        for why in NotNow::ALL {
            assert_eq!(why.kind(), format!("/docs#error-{}", why.as_str().to_lowercase().replace('_', "-")));
            assert_eq!(serde_json::to_value(why).expect("JSON"), why.as_str());
            assert!(why.sentence().ends_with('.') && !why.title().ends_with('.'), "{why}");
        }
    }
}
