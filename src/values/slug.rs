//! Names for machines: the slug of an API and the prefix of its keys.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

macro_rules! parsed {
    ($(#[$doc:meta])* $name:ident, $max:literal, $extra:expr, $rule:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);
        impl $name {
            pub fn as_str(&self) -> &str { &self.0 }
        }
        impl FromStr for $name {
            type Err = &'static str;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let extra: fn(u8) -> bool = $extra;
                let fine = text.starts_with(|c: char| c.is_ascii_lowercase()) && text.len() <= $max
                    && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || extra(b));
                if fine { Ok(Self(text.to_owned())) } else { Err($rule) }
            }
        }
        impl TryFrom<String> for $name {
            type Error = &'static str;
            fn try_from(text: String) -> Result<Self, Self::Error> { text.parse() }
        }
        impl From<$name> for String { fn from(v: $name) -> Self { v.0 } }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
    };
}

parsed!(
    /// The name of an API in addresses: `orders`, `price-list`.
    Slug, 40, |b| b == b'-', "A slug starts with a letter and has at most 40 lower-case letters, digits and hyphens."
);
parsed!(
    /// What keys of an API begin with: `ord` in `ord_live_…`. At least two characters.
    KeyPrefixText, 12, |_| false, "A key prefix starts with a letter and has 2 to 12 lower-case letters and digits."
);

/// What keys of an API begin with: `ord` in `ord_live_…`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyPrefix(KeyPrefixText);

impl KeyPrefix {
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}
impl FromStr for KeyPrefix {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed: KeyPrefixText = text.parse()?;
        if text.len() < 2 {
            return Err("A key prefix starts with a letter and has 2 to 12 lower-case letters and digits.");
        }
        Ok(Self(parsed))
    }
}
impl TryFrom<String> for KeyPrefix {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}
impl From<KeyPrefix> for String {
    fn from(p: KeyPrefix) -> Self {
        p.0.into()
    }
}
impl fmt::Display for KeyPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
