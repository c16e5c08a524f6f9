//! The forms of a new key and of one that there is, as they were typed.

use crate::values::Typed;
use serde::{Deserialize, Serialize};

/// A new key in texts, by the names of the form's fields; what it may beside a preset is sent apart. Empty: nothing was said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TypedKey {
    pub name: String,
    /// The slug of an API.
    pub api: String,
    /// A word of `Preset`, or `chosen` for what was ticked.
    pub preset: String,
    /// Lines.
    pub routes: String,
    /// For how long: `never`, `7d` …
    pub expires: String,
    /// `live` or `test`.
    pub environment: String,
    pub external_id: String,
    /// JSON.
    pub meta: String,
    /// The token of the page view, which makes it safe to send twice.
    pub once: String,
}

/// What a form changes of a key, in texts; what it has no field for stays, and what is empty is taken away. What the key may is sent apart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TypedEdit {
    pub name: String,
    /// A day in the person's time zone; empty: never.
    pub expires_on: Typed,
    /// As in `TypedKey`.
    pub preset: String,
    /// Lines; empty: from everywhere.
    pub addresses: Typed,
    /// Lines; empty: of every page.
    pub origins: Typed,
    /// Lines; empty: all that its permissions allow.
    pub routes: Typed,
    /// Words.
    pub tags: Typed,
    pub external_id: Typed,
    /// JSON.
    pub meta: Typed,
    /// The state that the form showed (`Key::version`).
    pub version: String,
}
