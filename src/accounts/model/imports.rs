//! Accounts of another system, line by line.

use crate::values::ImportId;
use serde::{Deserialize, Serialize};

/// What became of a line, or would.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportedAs {
    Created,
    /// The address has an account, which stays as it is.
    Known,
    Wrong,
    /// The time was over before its turn: the same list, sent again, goes on with it.
    Later,
}

impl ImportedAs {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Known => "known",
            Self::Wrong => "wrong",
            Self::Later => "later",
        }
    }
}

/// A line of the list, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedLine {
    /// The line of a CSV file, or the place of an object in a JSON list; from 1.
    pub line: u64,
    pub email: String,
    pub outcome: ImportedAs,
    /// Which field is wrong.
    pub field: Option<String>,
    pub detail: String,
}

/// What `/admin/accounts/import` shows of a list before it is imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountImport {
    pub id: ImportId,
    /// How many lines make an account, have one already, can't be imported.
    pub created: u64,
    pub known: u64,
    pub wrong: u64,
    /// Bounded; what is wrong first.
    pub lines: Vec<ImportedLine>,
}
