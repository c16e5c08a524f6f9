//! The history of a key: who changed what, when and why.

use super::Said;
use serde::{Deserialize, Serialize};

/// What was done to a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ssr", derive(sqlx::Type), sqlx(type_name = "text", rename_all = "snake_case"))]
pub enum Act {
    Created,
    Renamed,
    /// When it expires was set or taken away.
    Expiry,
    Permitted,
    /// Which bundles of permissions it holds was set.
    Bundled,
    /// From where it may be used was set.
    Addressed,
    /// Of which web pages it may be used was set.
    Paged,
    /// Which routes it may call was set.
    Routed,
    /// How its calls must be signed was set.
    Signed,
    Tagged,
    /// What services are told of it was set.
    Described,
    Limited,
    /// Credits were added.
    Credited,
    /// It got a plan of its own, or lost it.
    Planned,
    Disabled,
    Enabled,
    Revoked,
    /// Its end has come.
    Expired,
    Rotated,
    /// A secret was dropped before its time.
    Dropped,
    /// An old secret ends at another time.
    Extended,
    /// The end of an old secret has come.
    SecretEnded,
    /// A secret of it was found in the open.
    Leaked,
    /// What was reported as a leak is none.
    Cleared,
    /// Its owner was banned: told by the ban, no line of the key's own. So are the next three.
    Banned,
    /// The ban of its owner is over.
    Unbanned,
    /// It was blocked or slowed, alone or with its workspace.
    Blocked,
    /// The block was lifted, or is over.
    Unblocked,
}

impl Act {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Renamed => "renamed",
            Self::Expiry => "expiry",
            Self::Permitted => "permitted",
            Self::Bundled => "bundled",
            Self::Addressed => "addressed",
            Self::Paged => "paged",
            Self::Routed => "routed",
            Self::Signed => "signed",
            Self::Tagged => "tagged",
            Self::Described => "described",
            Self::Limited => "limited",
            Self::Credited => "credited",
            Self::Planned => "planned",
            Self::Disabled => "disabled",
            Self::Enabled => "enabled",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::Rotated => "rotated",
            Self::Dropped => "dropped",
            Self::Extended => "extended",
            Self::SecretEnded => "secret_ended",
            Self::Leaked => "leaked",
            Self::Cleared => "cleared",
            Self::Banned => "banned",
            Self::Unbanned => "unbanned",
            Self::Blocked => "blocked",
            Self::Unblocked => "unblocked",
        }
    }

    /// The rest of a sentence that begins with who did it.
    pub fn words(self, detail: &str) -> String {
        match self {
            Self::Created if detail == "imported" => "imported the key by the hash of its secret".to_owned(),
            Self::Created if detail == "list" => "created the key with others of a list".to_owned(),
            Self::Created => "created the key".to_owned(),
            Self::Renamed => format!("renamed it {detail}"),
            Self::Expiry => format!("set the expiry to {detail}"),
            Self::Permitted => format!("set the permissions to {detail}"),
            Self::Bundled => format!("set the bundles to {detail}"),
            Self::Addressed => format!("let it be used from {detail}"),
            Self::Paged => format!("let it be used by pages of {detail}"),
            Self::Routed => format!("let it call {detail}"),
            Self::Signed if detail == "off" => "turned signed requests off".to_owned(),
            Self::Signed => format!("asked for signed requests ({detail})"),
            Self::Tagged => format!("set the tags to {detail}"),
            Self::Described => format!("gave it {detail}"),
            Self::Limited => format!("set the limit to {detail}"),
            Self::Credited => format!("added credits: {detail}"),
            Self::Planned => format!("set its own plan to {detail}"),
            Self::Disabled => "disabled it".to_owned(),
            Self::Enabled => "enabled it".to_owned(),
            Self::Revoked => "revoked it for good".to_owned(),
            Self::Expired => format!("accepts it no more: it expired on {detail}"),
            Self::SecretEnded => format!("accepts the old secret {detail} no more: its time is over"),
            Self::Rotated => format!("rotated the secret; {detail}"),
            Self::Dropped => format!("dropped the secret {detail}"),
            Self::Extended => format!("moved the end of the secret {detail}"),
            Self::Leaked => format!("reported a leak: {detail}"),
            Self::Cleared => "cleared what was reported as a leak".to_owned(),
            Self::Banned => format!("banned its owner {detail}").trim_end().to_owned(),
            Self::Unbanned => "lifted the ban of its owner".to_owned(),
            Self::Blocked if detail.starts_with("to ") => format!("slowed it {detail}"),
            Self::Blocked => format!("blocked it {detail}").trim_end().to_owned(),
            Self::Unblocked => "lifted the block".to_owned(),
        }
    }
}

/// One line of the history, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEntry {
    pub act: Act,
    /// The name at that time, or `cli`, or `system`.
    pub actor: String,
    pub at: Said,
    /// Why, as the person said it; often empty.
    pub reason: String,
    /// What exactly: "from “a” to “b”".
    pub detail: String,
}
