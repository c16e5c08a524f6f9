//! Signed requests of a key: how, and a call that is signed for somebody to try.

use super::Said;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// How a signature is made (the names of RFC 9421 §6.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// Tollgate has the public key only.
    #[serde(rename = "ed25519")]
    Ed25519,
    /// Tollgate has the secret too.
    #[serde(rename = "hmac-sha256")]
    HmacSha256,
}

impl Algorithm {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::HmacSha256 => "hmac-sha256",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Ed25519, Self::HmacSha256].into_iter().find(|algorithm| algorithm.as_str() == text)
    }
}

/// Every call of the key must be signed so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signing {
    pub algorithm: Algorithm,
    /// The SHA-256 of the public key or of the secret, in hex.
    pub fingerprint: String,
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
}

/// The same for the page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningView {
    pub algorithm: Algorithm,
    pub fingerprint: String,
    pub since: Said,
}

/// A call that somebody wants signed. Texts as they were typed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SignCall {
    pub method: String,
    /// Whole, with its query.
    pub url: String,
    pub body: String,
}

/// How it is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedCall {
    /// What is signed, line by line.
    pub base: String,
    /// Commands that sign it, where the private key is not here.
    pub sign: Option<String>,
    /// The call, with `$KEY` where the key stands, and `$SIGNATURE` where it is signed elsewhere.
    pub curl: String,
}
