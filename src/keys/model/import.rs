//! Keys that were made elsewhere, imported by the hashes of their secrets.

use super::Api;
use crate::values::{ImportId, KeyId};
use serde::{Deserialize, Serialize};

/// What becomes, or became, of one line of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ImportLine {
    /// The line of a CSV file, or the place of an object in a JSON list; from 1.
    pub line: u64,
    pub name: String,
    pub outcome: ImportOutcome,
    /// What is wrong, or what was left out.
    pub detail: String,
    /// The key, where there is one.
    pub key: Option<KeyId>,
    /// Permissions that the line has and the API does not.
    pub unknown_permissions: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportOutcome {
    /// A key is made of it.
    Created,
    /// Its hash is here already.
    Known,
    /// It was deleted where it comes from, so no key is made of it.
    Skipped,
    #[default]
    Wrong,
    /// The time was over before its turn: the same list, sent again, goes on with it.
    Later,
}

impl ImportOutcome {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Known => "known",
            Self::Skipped => "skipped",
            Self::Wrong => "wrong",
            Self::Later => "later",
        }
    }
}

/// What `/keys/import` shows of a list before it is imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportPreview {
    pub id: ImportId,
    /// The slug of the API.
    pub api: String,
    /// How many lines make a key, are here already, were deleted there, can't be imported.
    pub created: u64,
    pub known: u64,
    pub skipped: u64,
    pub wrong: u64,
    /// Permissions that lines have and the API does not, each once, and whether they are left out.
    pub unknown_permissions: Vec<String>,
    pub is_without: bool,
    /// In their order. Bounded: of a longer list those that are wrong before others.
    pub lines: Vec<ImportLine>,
}

impl ImportPreview {
    /// Where a list is looked at: as it is, or without the permissions that the API does not have.
    pub fn path(id: ImportId, is_without: bool) -> String {
        format!("/keys/import?list={id}{}", if is_without { "&without=true" } else { "" })
    }
}

/// What `/keys/import` shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportShown {
    /// Those that keys can be imported for.
    pub apis: Vec<Api>,
    /// Lists may name accounts, and limits.
    pub is_operator: bool,
    pub preview: Option<ImportPreview>,
}
