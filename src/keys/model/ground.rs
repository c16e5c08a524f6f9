//! What exactly refused a call: the code of an answer tells the program what it may know, this tells the owner of the key what to do.

use crate::values::Outcome;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Why a call did not pass. Samples of refusals are stored with its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// Calls from its address are blocked: nobody looked at the key.
    AddressBlocked,
    /// Calls from its address are slowed by a block, and this second's had passed: nobody looked at the key.
    AddressSlowed,
    /// What was sent is no key.
    Form,
    /// No key has this secret.
    Unknown,
    /// A rotation has let the secret go.
    Secret,
    Revoked,
    /// The owner may not make calls.
    OwnerBanned,
    Disabled,
    /// Calls of the key, or of its workspace, are blocked.
    KeyBlocked,
    Expiry,
    /// The address is not among the key's.
    Address,
    /// The web page is not among the key's.
    Origin,
    Api,
    /// The API refuses calls that no route of it matches.
    Route,
    /// The path can't be read, or was not told.
    Path,
    /// The server had not read the API's routes yet.
    Unread,
    Permission,
    /// The key may call certain routes only: this is none of them, or nobody told which it is.
    KeyRoute,
    /// The key asks for a signature, and there was none.
    Unsigned,
    Signature,
    /// Calls of the key, or of its workspace, are slowed by a block, and this second's had passed.
    KeySlowed,
    Limit,
}

impl Ground {
    /// In the order in which the gate looks.
    pub const ALL: [Self; 22] = [
        Self::AddressBlocked,
        Self::AddressSlowed,
        Self::Form,
        Self::Unknown,
        Self::Secret,
        Self::Revoked,
        Self::OwnerBanned,
        Self::Disabled,
        Self::KeyBlocked,
        Self::Expiry,
        Self::Address,
        Self::Origin,
        Self::Api,
        Self::Route,
        Self::Path,
        Self::Unread,
        Self::Permission,
        Self::KeyRoute,
        Self::Unsigned,
        Self::Signature,
        Self::KeySlowed,
        Self::Limit,
    ];

    /// The word in URLs, files and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AddressBlocked => "address_blocked",
            Self::AddressSlowed => "address_slowed",
            Self::Form => "form",
            Self::Unknown => "unknown",
            Self::Secret => "secret",
            Self::Revoked => "revoked",
            Self::OwnerBanned => "owner_banned",
            Self::Disabled => "disabled",
            Self::KeyBlocked => "key_blocked",
            Self::Expiry => "expiry",
            Self::Address => "address",
            Self::Origin => "origin",
            Self::Api => "api",
            Self::Route => "route",
            Self::Path => "path",
            Self::Unread => "unread",
            Self::Permission => "permission",
            Self::KeyRoute => "key_route",
            Self::Unsigned => "unsigned",
            Self::Signature => "signature",
            Self::KeySlowed => "key_slowed",
            Self::Limit => "limit",
        }
    }

    /// As a filter names it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::AddressBlocked => "Address blocked",
            Self::AddressSlowed => "Address slowed by a block",
            Self::Form => "Not a key",
            Self::Unknown => "No key has the secret",
            Self::Secret => "Secret dropped by a rotation",
            Self::Revoked => "Key revoked",
            Self::OwnerBanned => "Owner banned",
            Self::Disabled => "Key disabled",
            Self::KeyBlocked => "Key or workspace blocked",
            Self::Expiry => "Key expired",
            Self::Address => "Not among the key's addresses",
            Self::Origin => "Not among the key's web pages",
            Self::Api => "Key of another API",
            Self::Route => "No route matches",
            Self::Path => "Path can't be read",
            Self::Unread => "Routes not read yet",
            Self::Permission => "Permission missing",
            Self::KeyRoute => "Not among the key's routes",
            Self::Unsigned => "Not signed",
            Self::Signature => "Signature does not hold",
            Self::KeySlowed => "Key slowed by a block",
            Self::Limit => "Limit",
        }
    }

    /// What it most likely was, where only the code is known: of samples that an earlier version kept.
    pub const fn guessed(code: Outcome) -> Self {
        match code {
            Outcome::Malformed => Self::Form,
            Outcome::Unknown => Self::Unknown,
            Outcome::Revoked => Self::Revoked,
            Outcome::Disabled => Self::Disabled,
            Outcome::Banned => Self::OwnerBanned,
            Outcome::Expired => Self::Expiry,
            Outcome::IpDenied => Self::Address,
            Outcome::WrongApi => Self::Api,
            Outcome::Forbidden => Self::Permission,
            Outcome::RateLimited | Outcome::QuotaExceeded | Outcome::Valid => Self::Limit,
        }
    }
}

impl fmt::Display for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Ground {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = || format!("There is no such rule. Known are {}.", Self::ALL.map(Self::as_str).join(", "));
        Self::ALL.into_iter().find(|ground| ground.as_str() == text).ok_or_else(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back_and_every_code_has_a_ground() {
        for ground in Ground::ALL {
            assert_eq!(ground.as_str().parse(), Ok(ground));
            assert_eq!(serde_json::to_string(&ground).ok(), Some(format!("\"{ground}\"")));
        }
        assert!("moon".parse::<Ground>().is_err_and(|words| words.contains("address_blocked, ") && words.ends_with("limit.")));
        assert!(Ground::ALL.windows(2).all(|two| two[0] < two[1]));
        assert!(Outcome::ALL.into_iter().all(|code| Ground::ALL.contains(&Ground::guessed(code))));
    }
}
