//! Keys that were made elsewhere, imported by the hashes of their secrets.

use crate::values::{ImportId, KeyId};
use serde::{Deserialize, Serialize};

/// What becomes, or became, of one line of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportLine {
    /// The line of a CSV file, or the place of an object in a JSON list; from 1.
    pub line: u64,
    pub name: String,
    pub outcome: ImportOutcome,
    /// What is wrong, or what was left out.
    pub detail: String,
    /// The key, where there is one.
    pub key: Option<KeyId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportOutcome {
    /// A key is made of it.
    Created,
    /// Its hash is here already.
    Known,
    Wrong,
    /// The time was over before its turn: the same list, sent again, goes on with it.
    Later,
}

impl ImportOutcome {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Known => "known",
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
    /// How many lines make a key, are here already, can't be imported.
    pub created: u64,
    pub known: u64,
    pub wrong: u64,
    /// Bounded; what is wrong first.
    pub lines: Vec<ImportLine>,
}
