//! One act on many keys.

use super::{KeyQuery, Spread, Standing};
use crate::values::KeyId;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// What is done to each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ManyAct {
    Disable,
    Enable,
    /// Moves the expiry to a later date.
    Extend,
    Tag,
    Untag,
    /// Gives a plan of their own, or takes it. Operators only.
    Plan,
    Revoke,
}

impl ManyAct {
    /// Every act with its word and its label.
    pub const ALL: [(Self, &'static str, &'static str); 7] = [
        (Self::Disable, "disable", "Disable"),
        (Self::Enable, "enable", "Enable"),
        (Self::Extend, "extend", "Extend the expiry"),
        (Self::Tag, "tag", "Add a tag"),
        (Self::Untag, "untag", "Remove a tag"),
        (Self::Plan, "plan", "Give a plan"),
        (Self::Revoke, "revoke", "Revoke"),
    ];

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, word, _)| *word == text).map(|(act, ..)| act)
    }

    pub fn word(self) -> &'static str {
        Self::ALL.into_iter().find(|(act, ..)| *act == self).map_or("", |(_, word, _)| word)
    }
}

/// Which keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    These(Vec<KeyId>),
    /// Every key that the filters of the list leave.
    Matching(Box<KeyQuery>),
}

/// An act that somebody wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Many {
    pub act: ManyAct,
    pub keys: Selection,
    /// At most 200 characters; stands in the history of each key.
    pub reason: String,
    /// For `Extend`.
    pub expires_at: Option<OffsetDateTime>,
    /// For `Tag` and `Untag`.
    pub tag: Option<String>,
    /// For `Plan`: the slug of a plan, or none of their own.
    pub plan: Option<Option<String>>,
}

/// A key by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedKey {
    pub id: KeyId,
    pub name: String,
    pub start: String,
}

/// What an act does, or did, to which keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ManyPlan {
    /// Those that change.
    pub changed: Vec<NamedKey>,
    /// Those that stay as they are, and why: "is disabled already".
    pub skipped: Vec<(NamedKey, String)>,
    /// More keys match than one request takes: send it again for the rest.
    pub has_more: bool,
    /// How far the act has got; none for a look.
    pub spread: Option<Spread>,
}

/// What `/keys/many` shows before the act: bounded, however many keys it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManyPreview {
    pub act: ManyAct,
    /// False: the act wants a date, a tag or a plan first.
    pub is_complete: bool,
    /// How many keys change, and the first of them.
    pub changes: u64,
    pub changed: Vec<ManyRow>,
    /// Their calls of the last 24 hours, and how many of them have leaked; of all that change.
    pub calls: u64,
    pub leaked: u64,
    /// They may be of several workspaces.
    pub has_owners: bool,
    pub skipped: Vec<SkippedKeys>,
    pub has_more: bool,
    /// "Stockholm time".
    pub zone: String,
    /// Slug and name of each plan, where one is to be chosen.
    pub plans: Vec<(String, String)>,
}

/// A key that changes, as it stands before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManyRow {
    pub key: NamedKey,
    /// The workspace's name.
    pub owner: String,
    pub standing: Standing,
    /// Of the last 24 hours.
    pub calls: u64,
    /// A secret of it that is still accepted was found in the open.
    pub is_leaked: bool,
}

/// Keys that stay as they are for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedKeys {
    /// "is disabled already".
    pub why: String,
    pub count: u64,
    /// The names of the first of them.
    pub names: Vec<String>,
}

/// The query of `/keys/many`, and the fields of its form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManyQuery {
    pub act: String,
    /// Ids of keys.
    pub keys: Vec<String>,
    /// Every key that `filters` leave, in place of `keys`.
    pub all: bool,
    pub filters: KeyQuery,
    /// A day, in the person's time zone.
    pub until: Option<String>,
    /// The tag to add or remove, or the slug of a plan (`NO_PLAN`: none of their own).
    pub label: Option<String>,
}

impl ManyQuery {
    /// No slug looks like this.
    pub const NO_PLAN: &'static str = "-";

    /// Reads a query; `get` gives a parameter, `keys` those called `key`.
    pub fn read(get: impl Fn(&str) -> Option<String>, keys: Vec<String>) -> Self {
        let said = |name| get(name).map(|v: String| v.trim().to_owned()).filter(|v| !v.is_empty());
        Self {
            act: said("act").unwrap_or_default(),
            keys,
            all: said("all").is_some(),
            until: said("until"),
            label: said("label"),
            filters: KeyQuery { older: None, newer: None, ..KeyQuery::read(get) },
        }
    }
}

/// The form that does it, as it was sent: what the page was asked for, by the names in its address, and what was typed beside that. The ids
/// of chosen keys are sent apart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TypedMany {
    pub act: String,
    pub all: String,
    pub q: String,
    pub api: String,
    pub status: String,
    pub review: String,
    pub tag: String,
    pub external_id: String,
    pub owner: String,
    pub hash: String,
    pub until: String,
    pub label: String,
    pub reason: String,
    /// How many keys, where there is no way back.
    pub typed: String,
}

impl TypedMany {
    /// What the page was asked for.
    pub fn query(&self, keys: Vec<String>) -> ManyQuery {
        let fields = [
            ("act", &self.act),
            ("all", &self.all),
            ("q", &self.q),
            ("api", &self.api),
            ("status", &self.status),
            ("review", &self.review),
            ("tag", &self.tag),
            ("external_id", &self.external_id),
            ("owner", &self.owner),
            ("hash", &self.hash),
            ("until", &self.until),
            ("label", &self.label),
        ];
        ManyQuery::read(|name| fields.iter().find(|(field, _)| *field == name).map(|(_, value)| (*value).clone()), keys)
    }
}
