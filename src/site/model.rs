//! The nouns of the site, for both sides.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// A mail that development kept instead of sending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptMail {
    pub id: String,
    pub to: String,
    pub subject: String,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

/// The same, opened: both versions as they would arrive, and the links to click.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedMail {
    pub mail: KeptMail,
    pub text: String,
    pub html: String,
    /// Label and address.
    pub links: Vec<(String, String)>,
}

/// What lies in the mailbox of development.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mailbox {
    /// Mails are really sent, so none are here.
    pub is_smtp: bool,
    /// The newest first.
    pub mails: Vec<KeptMail>,
    /// The one that was asked for.
    pub opened: Option<OpenedMail>,
}
