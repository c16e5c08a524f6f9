//! Ids: UUIDv7 inside, `prefix_` + 26 characters of Crockford base32 outside (`key_01KAYV7QRE…`), which sort by age.
//! The prefix makes a wrong id in the wrong place an error instead of a surprise. Reading accepts lower case.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// An id that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("An id of this kind starts with {expected}_ and has 26 characters after it.")]
pub struct IdError {
    pub expected: &'static str,
}

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// An id as text. On the stack: the verify path writes three of them into every answer.
pub struct Text {
    bytes: [u8; 32],
    length: usize,
}

impl Text {
    fn of(prefix: &'static str, id: Uuid) -> Self {
        let length = prefix.len() + 1 + 26;
        let mut bytes = [b'_'; 32];
        bytes[..prefix.len()].copy_from_slice(prefix.as_bytes());
        let mut bits = id.as_u128();
        for slot in bytes[prefix.len() + 1..length].iter_mut().rev() {
            *slot = ALPHABET[(bits & 31) as usize];
            bits >>= 5;
        }
        Self { bytes, length }
    }

    /// All of it ASCII.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

fn decode(text: &str) -> Option<Uuid> {
    if text.len() != 26 {
        return None;
    }
    let mut bits: u128 = 0;
    for (i, c) in text.bytes().enumerate() {
        let value = ALPHABET.iter().position(|a| *a == c.to_ascii_uppercase())? as u128;
        if i == 0 && value > 7 {
            return None; // 26 × 5 bits hold 130; the two highest must be zero
        }
        bits = (bits << 5) | value;
    }
    Some(Uuid::from_u128(bits))
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            pub const PREFIX: &'static str = $prefix;
            pub const fn new(id: Uuid) -> Self { Self(id) }
            pub const fn uuid(self) -> Uuid { self.0 }
            /// As it is written.
            pub fn text(self) -> Text { Text::of($prefix, self.0) }
        }
        impl From<Uuid> for $name { fn from(id: Uuid) -> Self { Self(id) } }
        impl From<$name> for Uuid { fn from(id: $name) -> Self { id.0 } }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.pad(Text::of($prefix, self.0).as_str()) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { fmt::Display::fmt(self, f) }
        }
        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                text.strip_prefix(concat!($prefix, "_")).and_then(decode).map(Self).ok_or(IdError { expected: $prefix })
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> { s.serialize_str(Text::of($prefix, self.0).as_str()) }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}

ids! {
    /// One person who can sign in.
    AccountId = "acc";
    /// What owns keys and usage.
    WorkspaceId = "ws";
    /// A protected service.
    ApiId = "api";
    /// A key: the identity of a program.
    KeyId = "key";
    /// One secret of a key.
    SecretId = "sec";
    /// A list of keys that waits to be imported.
    ImportId = "imp";
    /// A list of keys that waits to be made.
    BatchId = "batch";
    /// A bundle of permissions of an API.
    BundleId = "bdl";
    /// One signed-in browser.
    SessionId = "ses";
    /// A mailed proof.
    TokenId = "tok";
    /// A sign-in at a provider that is linked to an account.
    LinkId = "lnk";
    /// An invitation to sign up.
    InviteId = "inv";
    /// A job in the queue.
    JobId = "job";
    /// A set of limits with a name.
    PlanId = "plan";
    /// Workspaces that are treated alike.
    GroupId = "grp";
    /// One change.
    EventId = "evt";
    /// One running process that answers for the gate.
    NodeId = "node";
    /// A file that a job prepares.
    ExportId = "exp";
    /// Somebody or something that may not come in.
    BanId = "ban";
    /// An operator in the account of somebody else, for a while.
    ActingId = "act";
    /// A browser in which somebody came in before.
    DeviceId = "dev";
    /// A passkey of an account.
    PasskeyId = "pk";
    /// A rule that watches errors.
    AlertRuleId = "alr";
    /// An address, key or workspace that is refused for a time.
    BlockId = "blk";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_what_it_wrote() {
        for bits in [0u128, 1, u128::MAX, 0x0189_0000_0000_7000_8000_0000_0000_0001] {
            let id = KeyId::new(Uuid::from_u128(bits));
            assert_eq!(id.to_string().parse::<KeyId>(), Ok(id));
            assert_eq!(id.to_string().len(), 30);
        }
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let id = KeyId::new(Uuid::from_u128(7)).to_string();
        assert!(id.parse::<AccountId>().is_err());
        assert!("key_".parse::<KeyId>().is_err());
        assert!("key_ZZZZZZZZZZZZZZZZZZZZZZZZZZ".parse::<KeyId>().is_err());
    }
}
