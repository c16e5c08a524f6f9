//! The form of a new key, as it was typed.

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
