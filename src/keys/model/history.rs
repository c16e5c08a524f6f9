//! The history of a key: who changed what, when and why.

use super::{Act, KeyLimit, Said};
use crate::values::Actor;
use serde::{Deserialize, Serialize};

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
            Self::Limited if ["added ", "changed ", "removed "].iter().any(|verb| detail.starts_with(verb)) => detail.to_owned(),
            // As it was written before it said what changed.
            Self::Limited => format!("set the limit to {detail}"),
            Self::Credited => format!("added credits: {detail}"),
            Self::Planned => format!("set its own plan to {detail}"),
            Self::Disabled => "disabled it".to_owned(),
            Self::Enabled => "enabled it".to_owned(),
            Self::Revoked => "revoked it for good".to_owned(),
            Self::Expired => format!("no longer accepts it: it expired on {detail}"),
            Self::SecretEnded => format!("no longer accepts the old secret {detail}: its time is up"),
            Self::Rotated => format!("rotated the secret; {detail}"),
            Self::Dropped => format!("dropped the secret {detail}"),
            Self::Extended => format!("moved the end of the secret {detail}"),
            Self::Leaked => format!("reported a leak: {detail}"),
            Self::Cleared => "cleared the leak reports".to_owned(),
            Self::Banned => format!("banned its owner {detail}").trim_end().to_owned(),
            Self::Unbanned => "lifted the ban of its owner".to_owned(),
            Self::Blocked if detail.starts_with("to ") => format!("slowed it {detail}"),
            Self::Blocked => format!("blocked it {detail}").trim_end().to_owned(),
            Self::Unblocked => "lifted the block".to_owned(),
        }
    }
}

/// What became of the limits of a key, for its history: "added the limit “burst”, 5 calls a second; removed the limit “day”, 100 units a day".
pub fn limits_changed(from: &[KeyLimit], to: &[KeyLimit]) -> String {
    let now = to.iter().filter_map(|limit| {
        let (name, words) = (&limit.name, limit.words());
        match from.iter().find(|was| was.name == *name) {
            None => Some(format!("added the limit “{name}”, {words}")),
            Some(was) if was == limit => None,
            Some(was) if was.words() == words => Some(format!("changed the limit “{name}”, {words}")),
            Some(was) => Some(format!("changed the limit “{name}” from {} to {words}", was.words())),
        }
    });
    let gone = from.iter().filter(|was| to.iter().all(|limit| limit.name != was.name));
    let gone = gone.map(|was| format!("removed the limit “{}”, {}", was.name, was.words()));
    now.chain(gone).collect::<Vec<_>>().join("; ")
}

/// One line of the history, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEntry {
    pub act: Act,
    pub actor: Actor,
    pub at: Said,
    /// Why, as the person said it; often empty.
    pub reason: String,
    /// What exactly: "from “a” to “b”".
    pub detail: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::model::Window;

    #[test]
    fn a_change_of_limits_says_what_was_added_changed_and_removed() {
        let limit = |name: &str, limit| KeyLimit::new(name, limit, Window::HOUR);
        let said = |from: &[KeyLimit], to: &[KeyLimit]| Act::Limited.words(&limits_changed(from, to));
        let before = [limit("burst", 5), limit("day", 100)];
        assert_eq!(said(&[], &before[..1]), "added the limit “burst”, 5 units an hour");
        assert_eq!(said(&before, &[limit("burst", 6), limit("day", 100)]), "changed the limit “burst” from 5 units an hour to 6 units an hour");
        assert_eq!(
            said(&before, &[limit("burst", 5), limit("week", 9)]),
            "added the limit “week”, 9 units an hour; removed the limit “day”, 100 units an hour"
        );
        assert_eq!(Act::Limited.words("100 units an hour, the default"), "set the limit to 100 units an hour, the default", "of before");
    }
}
