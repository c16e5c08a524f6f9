//! What the pages show. Words about time are made on the server, in the person's time zone.

use super::{
    Api, ApiPermission, Bundle, HistoryEntry, Key, Level, LevelView, LimitView, PermissionUse, SecretCalls, SigningView, Standing, ToReview, Withheld,
    WorkspaceState,
};
use crate::values::{AccountId, Actor, Counts, SecretId, Slug, WorkspaceId, link};
use serde::{Deserialize, Serialize};

/// A moment in words, with the instant for `<time datetime>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// RFC 3339, UTC.
    pub at: String,
    /// "8 s ago", "18 Nov, 09:12".
    pub words: String,
}

/// Where a secret of a key was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeakView {
    /// How the secret begins.
    pub start: String,
    pub url: String,
    /// What kind of place: "content", "an operator".
    pub source: String,
    /// Who reported it: a name, or "secret scanning".
    pub by: String,
    pub at: Said,
}

impl LeakView {
    /// Whether a browser can go there.
    pub fn is_web(&self) -> bool {
        self.url.starts_with("https://") || self.url.starts_with("http://")
    }
}

/// That an operator or a rule holds calls of a key. Why is for operators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldView {
    /// It holds all keys of the workspace.
    pub is_workspace: bool,
    /// So many calls pass in a second; none: no call passes.
    pub per_second: Option<u32>,
    /// None: until an operator lifts it.
    pub until: Option<Said>,
}

/// What `/keys` asks for, as it stands in its URL.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyQuery {
    /// Part of a name or of an external id, how a tag or a secret begins, or an id.
    pub q: Option<String>,
    /// The slug of an API.
    pub api: Option<String>,
    /// A word of `StandingKind::ALL`.
    pub status: Option<String>,
    /// A word of `Review::ALL`.
    pub review: Option<String>,
    pub tag: Option<String>,
    /// Who uses it, by the id of its workspace's own.
    pub external_id: Option<String>,
    /// Part of the name of a workspace, or of its owner's name or email, in every workspace: needs `keys:manage`.
    pub owner: Option<String>,
    /// The SHA-256 of a whole secret in hex, and after a dot its SHA-512, for imported ones: whose is it?
    pub hash: Option<String>,
    /// The list continues after this cursor.
    pub older: Option<String>,
    /// The list ends before this cursor.
    pub newer: Option<String>,
    /// Keys of every workspace: needs `keys:manage`.
    pub everywhere: bool,
    /// Keys of this workspace in place of the caller's: needs `keys:manage`.
    pub workspace: Option<WorkspaceId>,
}

impl KeyQuery {
    /// Reads a query; `get` gives a parameter. An empty one is none, as forms send them.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name| get(name).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
        Self {
            q: get("q"),
            api: get("api"),
            status: get("status"),
            review: get("review"),
            tag: get("tag"),
            external_id: get("external_id"),
            owner: get("owner"),
            hash: get("hash"),
            older: get("older"),
            newer: get("newer"),
            ..Self::default()
        }
    }

    /// True if something is left out of the list.
    pub fn is_filtered(&self) -> bool {
        self.filters().iter().any(|(_, value)| value.is_some())
    }

    /// Each filter by its parameter.
    pub fn filters(&self) -> [(&'static str, Option<&str>); 8] {
        [
            ("q", self.q.as_deref()),
            ("api", self.api.as_deref()),
            ("status", self.status.as_deref()),
            ("review", self.review.as_deref()),
            ("tag", self.tag.as_deref()),
            ("external_id", self.external_id.as_deref()),
            ("owner", self.owner.as_deref()),
            ("hash", self.hash.as_deref()),
        ]
    }

    /// The address of the list with these filters and one more parameter (`older` or `newer` with a cursor).
    pub fn link(&self, path: &str, more: Option<(&str, &str)>) -> String {
        link(path, self.filters().into_iter().filter_map(|(name, value)| Some((name, value?))).chain(more))
    }

    /// By which REST and files are asked for the keys of every workspace; of pages another one lists them.
    pub const EVERYWHERE: &'static str = "everywhere";

    /// The same of REST and of files.
    pub fn request(&self, path: &str, more: Option<(&str, &str)>) -> String {
        let whose = self.everywhere.then_some((Self::EVERYWHERE, "true"));
        link(path, self.filters().into_iter().filter_map(|(name, value)| Some((name, value?))).chain(whose).chain(more))
    }
}

/// How many keys there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyCount {
    pub all: u64,
    /// Neither disabled nor revoked nor expired.
    pub live: u64,
}

/// The person whose key it is, as operators see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyOwner {
    pub account: AccountId,
    pub name: String,
    pub email: String,
}

/// One row of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRow {
    /// A list reads no bundles, and limits only of a key that one held.
    pub key: Key,
    /// The workspace's name; interesting in the operator's list.
    pub owner: String,
    /// The person whose workspace it is; for operators only.
    pub person: Option<KeyOwner>,
    pub standing: Standing,
    /// A secret of it that is still accepted was found in the open.
    pub is_leaked: bool,
    /// The last 30 days.
    pub calls: Counts,
    /// The last 30 days, oldest first.
    pub spark: Vec<Counts>,
    pub last_used: Option<Said>,
    pub expires: Option<Said>,
}

/// A list of keys, as `/keys` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyList {
    pub query: KeyQuery,
    pub rows: Vec<KeyRow>,
    /// When the secret ended that was looked for, if it did.
    pub ended: Option<Said>,
    /// No key has the secret that was looked for, but one within the list had it before it was dropped or rotated away.
    pub had_ended: bool,
    /// How many the filters leave.
    pub found: u64,
    /// How many there are at all.
    pub all: u64,
    /// All calls of today.
    pub today: Counts,
    /// The cursors of the pages on either side.
    pub newer: Option<String>,
    pub older: Option<String>,
    pub workspace: String,
    /// Keys of the workspace that want a look, whatever the filters.
    pub review: ToReview,
    /// The tags that are in use, for the filter.
    pub tags: Vec<String>,
    /// Slug and name of each API, for the filter.
    pub apis: Vec<(Slug, String)>,
}

/// What `/keys` shows: the list, and the form for a new key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeysShown {
    pub list: KeyList,
    /// What holds the calls of all of them.
    pub state: WorkspaceState,
    pub form: NewKeyForm,
}

/// What the form for a new key needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewKeyForm {
    /// "my first key"; empty where there are keys, since a name that is there would have to be deleted first.
    pub suggested_name: String,
    /// Makes the form safe to send twice.
    pub once: String,
    /// None while only a name is asked for: the dialog is closed, and there are keys.
    pub choices: Option<NewKeyChoices>,
}

/// What a new key can be given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewKeyChoices {
    /// Their permissions are those that the caller may give. The first is chosen.
    pub apis: Vec<Api>,
    /// By API, what keys of the workspace may not have there for want of a grant.
    pub withheld: Vec<(Slug, Withheld)>,
    /// What holds a new key at each of them: "100 units an hour", "10,000 units a day for all keys together".
    pub limits: Vec<String>,
}

/// One day of a key's chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayBar {
    /// Where it begins, RFC 3339.
    pub at: String,
    /// "18 Nov".
    pub day: String,
    pub calls: Counts,
}

/// One secret of a key; of the secret itself only its start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretView {
    pub id: SecretId,
    pub start: String,
    pub since: Said,
    /// Until when it is accepted; none: no end.
    pub until: Option<Said>,
    /// It ends earlier, as soon as a call passes with the newest.
    pub until_first_use: bool,
    pub is_newest: bool,
    /// None: nobody has used it.
    pub last_use: Option<SecretUseView>,
    /// For an old one: somebody has used it since the newest was made.
    pub is_missed: bool,
    /// For an old one: for how long nobody used it, if it is long enough to drop it: "5 hours".
    pub quiet: Option<String>,
    /// None: it is the only one.
    pub calls: Option<SecretCalls>,
}

/// Who used a secret last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretUseView {
    pub at: Said,
    /// "203.0.113.7 (GET /orders)"; empty if the asking service said neither.
    pub by: String,
}

/// A secret that has ended, and that somebody has sent since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissedSecret {
    pub start: String,
    pub ended: Said,
    pub last_use: SecretUseView,
}

/// What `/keys/{id}` shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyDetail {
    pub key: Key,
    /// The workspace's name.
    pub owner: String,
    /// The person whose workspace it is; for operators only.
    pub person: Option<KeyOwner>,
    pub is_own: bool,
    pub created_by: Actor,
    pub created: Said,
    pub standing: Standing,
    pub last_used: Option<Said>,
    pub expires: Option<Said>,
    /// For the date field: `2026-11-18`.
    pub expires_on: Option<String>,
    /// "Stockholm time".
    pub zone: String,
    pub calls: Counts,
    pub today: Counts,
    pub days: Vec<DayBar>,
    /// Where the last day ends, RFC 3339.
    pub days_end: String,
    pub secrets: Vec<SecretView>,
    /// Those that have ended and are still sent, the last sent first.
    pub missed: Vec<MissedSecret>,
    /// Everything that the key could be given, and what it has although nobody could give it any more.
    pub permissions: Vec<ApiPermission>,
    /// What needs a grant that its workspace does not have. Calls that need it are refused, also where the key has it from before.
    pub withheld: Vec<Withheld>,
    /// The bundles that it could be given, and those that it holds.
    pub bundles: Vec<Bundle>,
    /// What it has, from where, and whether it was needed lately.
    pub uses: Vec<PermissionUse>,
    /// Since when that is told: for 30 days, or since the key was made.
    pub counted_since: Said,
    pub is_a_day_old: bool,
    pub limits: Vec<LimitView>,
    /// The one among them that the bars of the chart can be held against.
    pub day_limit: Option<LimitView>,
    /// Why these: every level, nearest first, the one in force marked.
    pub why: Vec<LevelView>,
    pub history: Vec<HistoryEntry>,
    /// What holds its calls now, the strictest first.
    pub holds: Vec<HoldView>,
    /// Where secrets that are still accepted were found, the newest first.
    pub leaks: Vec<LeakView>,
    /// How its calls must be signed; none: they need not.
    pub signing: Option<SigningView>,
    pub can_edit: bool,
    pub can_set_limits: bool,
    /// May say that it leaked, and that it did not.
    pub can_mark_leaked: bool,
    /// A command that calls its API, with `$KEY` where the secret stands.
    pub example: String,
    /// Makes the rotation safe to send twice.
    pub once: String,
}

impl KeyDetail {
    /// It is new and no call came yet: what it needs shows later.
    pub fn is_untried(&self) -> bool {
        !self.is_a_day_old && self.last_used.is_none() && self.uses.iter().all(|used| used.calls == 0)
    }

    /// There is something that it could lose, since its calls did not need it.
    pub fn can_narrow(&self) -> bool {
        !self.is_untried() && self.uses.iter().any(PermissionUse::can_be_taken)
    }

    /// The level whose limits hold the key.
    pub fn level(&self) -> Level {
        self.why.iter().find(|l| l.is_in_force).map_or(Level::Default, |l| l.level)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_keeps_the_filters() {
        let query = KeyQuery { q: Some("a&b=ü".into()), status: Some("idle".into()), ..KeyQuery::default() };
        assert_eq!(query.link("/keys", None), "/keys?q=a%26b%3D%C3%BC&status=idle");
        assert_eq!(query.link("/keys", Some(("older", "x"))), "/keys?q=a%26b%3D%C3%BC&status=idle&older=x");
        assert_eq!(KeyQuery::default().link("/keys", None), "/keys");
    }

    #[test]
    fn an_empty_parameter_is_none() {
        assert_eq!(KeyQuery::read(|_| Some(" ".to_owned())), KeyQuery::default());
    }
}
