//! Where the picture of a person is.

use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// A picture of a person by the hash of what it shows: another picture is at another address, so that each may be kept for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture(String);

/// The size of a picture: squares of 64 and 256 pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureSize {
    Small,
    Large,
}

impl Picture {
    /// Where all pictures are.
    pub const BELOW: &'static str = "/avatars/";

    pub fn new(hash: &[u8; 32]) -> Self {
        Self(hash.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The picture with this hash, as a database gives it; none if it is no hash.
    pub fn from_bytes(hash: &[u8]) -> Option<Self> {
        hash.try_into().ok().map(Self::new)
    }

    /// Its address on this site.
    pub fn path(&self, size: PictureSize) -> String {
        format!("{}{}/{}", Self::BELOW, self.0, size.as_str())
    }

    pub fn hash(&self) -> Option<[u8; 32]> {
        let mut hash = [0; 32];
        for (byte, digits) in hash.iter_mut().zip(self.0.as_bytes().chunks_exact(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        }
        Some(hash)
    }
}

impl FromStr for Picture {
    type Err = ();

    /// 64 hexadecimal digits, small ones: one address for one picture.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_hash = text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if is_hash { Ok(Self(text.to_owned())) } else { Err(()) }
    }
}

impl PictureSize {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Small => "64",
            Self::Large => "256",
        }
    }
}

impl FromStr for PictureSize {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Small, Self::Large].into_iter().find(|size| size.as_str() == text).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_the_hash_and_the_size() {
        let picture = Picture::new(&[0xab; 32]);
        assert_eq!(picture.path(PictureSize::Small), format!("/avatars/{}/64", "ab".repeat(32)));
        assert_eq!(picture.path(PictureSize::Large), format!("/avatars/{}/256", "ab".repeat(32)));
        assert_eq!("ab".repeat(32).parse::<Picture>(), Ok(picture.clone()));
        assert_eq!((picture.hash(), Picture::from_bytes(&[0xab; 32]), Picture::from_bytes(&[0xab; 31])), (Some([0xab; 32]), Some(picture), None));
    }

    #[test]
    fn nothing_else_is_an_address() {
        for text in [String::new(), "ab".to_owned(), "AB".repeat(32), "zz".repeat(32), "ab".repeat(33), "é".repeat(32)] {
            assert_eq!(text.parse::<Picture>(), Err(()), "{text}");
        }
        assert_eq!("128".parse::<PictureSize>(), Err(()));
    }
}
