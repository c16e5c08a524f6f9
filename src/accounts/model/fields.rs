//! Fields of profiles that operators make, and what people write into them.

use crate::values::Version;
use serde::{Deserialize, Serialize};

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldKind {
    /// One line, at most 200 characters.
    Text,
    Number,
    /// A day: `2026-11-20`.
    Date,
    /// One of a list.
    Choice,
    /// `true`, or nothing.
    Checkbox,
    /// A web address, http or https.
    Url,
}

impl FieldKind {
    /// Every kind with its word and its label.
    pub const ALL: [(Self, &'static str, &'static str); 6] = [
        (Self::Text, "text", "Text"),
        (Self::Number, "number", "Number"),
        (Self::Date, "date", "Day"),
        (Self::Choice, "choice", "One of a list"),
        (Self::Checkbox, "checkbox", "Yes or no"),
        (Self::Url, "url", "Web address"),
    ];

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, word, _)| *word == text).map(|(kind, ..)| kind)
    }

    pub fn word(self) -> &'static str {
        Self::ALL.into_iter().find(|(kind, ..)| *kind == self).map_or("", |(_, word, _)| word)
    }

    pub fn label(self) -> &'static str {
        Self::ALL.into_iter().find(|(kind, ..)| *kind == self).map_or("", |(_, _, label)| label)
    }
}

/// A field of every profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileField {
    /// Its name over REST; it stays.
    pub slug: String,
    pub label: String,
    pub kind: FieldKind,
    pub choices: Vec<String>,
    pub is_required: bool,
    /// It is asked on signing up, too.
    pub at_sign_up: bool,
    /// Whoever fills it in may show it to everybody.
    pub may_be_public: bool,
    /// Fields stand in this order, then in that of their slugs.
    pub position: i32,
}

impl ProfileField {
    /// Of what its form shows.
    pub fn version(&self) -> Version {
        Version::of(self)
    }
}

/// A field, and what one account wrote into it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldValue {
    pub field: ProfileField,
    /// Empty: nothing.
    pub value: String,
    /// Everybody may see it.
    pub is_public: bool,
}

/// A field, and how many people wrote something into it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldUse {
    pub field: ProfileField,
    pub values: u64,
}

/// A field as its form describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FieldForm {
    pub slug: String,
    pub label: String,
    /// A word of `FieldKind`.
    pub kind: String,
    /// One on each line.
    pub choices: String,
    pub is_required: bool,
    pub at_sign_up: bool,
    pub may_be_public: bool,
    /// 0 to 999; empty is 0.
    pub position: String,
}
