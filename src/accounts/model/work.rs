//! What a browser computes before it may sign up, where a site asks that.

use serde::{Deserialize, Serialize};

/// A challenge, for the form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkAsked {
    /// Signed by us; its first 32 characters are what is hashed.
    pub challenge: String,
    /// The SHA-256 of `FIRST:NUMBER` begins with so many zero bits.
    pub bits: u32,
    /// Without a number it is taken so many seconds after it was made.
    pub wait_seconds: u64,
}

/// What a form or a program sends back.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct WorkDone {
    pub challenge: String,
    /// Decimal digits; empty: it waited.
    pub answer: String,
}
