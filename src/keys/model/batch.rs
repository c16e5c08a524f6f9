//! Many keys that are made at once, from a list. Their secrets are no part of it: they stand in one answer only.

use super::Api;
use crate::{error::FieldError, values::BatchId};
use serde::{Deserialize, Serialize};

/// What a line of a list says: a key, or what is wrong with which of its fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchLine {
    /// The line of a CSV file, or the place of an object in a JSON list; from 1.
    pub line: u64,
    pub name: String,
    /// Empty: it makes a key.
    pub errors: Vec<FieldError>,
}

/// What `/keys/create-many` shows of a list before its keys are made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchPreview {
    pub id: BatchId,
    /// The slug of the API.
    pub api: String,
    /// How many lines make a key, and how many are wrong. One that is wrong keeps all from being made.
    pub keys: u64,
    pub wrong: u64,
    /// Bounded; what is wrong first.
    pub lines: Vec<BatchLine>,
    /// Its keys were made, and the file with their secrets was given.
    pub is_done: bool,
    /// As it was typed, to be mended; nothing of one that is right, or too long to be typed.
    pub list: Option<String>,
}

/// What `/keys/create-many` shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchPage {
    /// The caller may give keys to others, and set limits.
    pub is_operator: bool,
    /// Those that keys can be made for.
    pub apis: Vec<Api>,
    /// Makes the button safe to press twice.
    pub once: String,
    pub preview: Option<BatchPreview>,
}
