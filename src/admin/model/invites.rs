//! Invitations to sign up, as operators see them.

use crate::{keys::model::Said, values::InviteId};
use serde::{Deserialize, Serialize};

/// One invitation of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteRow {
    pub id: InviteId,
    /// An address, or whoever has the link.
    pub whom: String,
    pub is_mailed: bool,
    /// How many people it lets in, and how many came.
    pub uses: u64,
    pub used: u64,
    pub by: String,
    pub at: Said,
    pub until: Said,
    /// "cancelled", "used", "expired"; none: it may be used.
    pub over: Option<String>,
    /// It may be mailed again.
    pub can_resend: bool,
    pub can_cancel: bool,
}

/// What `/admin/invites` shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteList {
    pub rows: Vec<InviteRow>,
    /// Those that let in nobody any more.
    pub over: bool,
    /// A link that was just made, shown for a short time.
    pub new_link: Option<String>,
    /// Sign-up is by invitation here.
    pub is_needed: bool,
    /// A random name for the form of a new one: sent twice it makes one link.
    pub once: String,
}

/// How long an invitation lives, as its form offers it: the days that are sent, and what is read.
pub const INVITE_LASTS: [(&str, &str); 4] = [("1", "1 day"), ("7", "7 days"), ("30", "30 days"), ("90", "90 days")];
