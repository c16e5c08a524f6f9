//! The nouns of the site, for both sides.

use crate::{
    keys::model::{Standing, WorkspaceState},
    notices::model::ToldNotice,
    usage::model::UsageReport,
    values::KeyId,
};
use serde::{Deserialize, Serialize};

/// What `/home` shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Home {
    /// How many keys there are.
    pub keys: u64,
    /// What holds the calls of all of them.
    pub state: WorkspaceState,
    /// Those that want a decision, the most pressing first.
    pub concerns: Vec<KeyState>,
    /// Limits that are nearly used up, as a mail said.
    pub notices: Vec<ToldNotice>,
    /// The last 24 hours.
    pub usage: UsageReport,
    /// The standing of the keys that were busy in these hours.
    pub busy: Vec<KeyState>,
}

/// A key and how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyState {
    pub key: KeyId,
    pub name: String,
    pub standing: Standing,
}
use time::OffsetDateTime;

/// What `/status` shows: what everybody may know of how this site does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    pub parts: Vec<PartStatus>,
}

/// One part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartStatus {
    pub name: String,
    pub working: Working,
    /// What that means for who uses it.
    pub detail: String,
}

/// Whether a part works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Working {
    Yes,
    Partly,
    No,
}

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
