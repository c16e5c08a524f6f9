//! Imported secrets whose hashes are salted: bcrypt and Argon2 (PHC strings). Such a hash can't be looked up, only tried. So a secret is
//! found by how it begins, tried once, off the path of verification and within bounds (`tries`), and from its first use on known by its
//! SHA-256 like any other (`upgrading`).

mod tries;
mod upgrading;

pub use tries::Tries;
pub use upgrading::upgrade;

use crate::platform::salted_hash::{self, Unreadable};
use std::ops::RangeInclusive;

pub use salted_hash::is_meant;

/// Characters of a secret by which it is found.
pub const START: RangeInclusive<usize> = 8..=16;
/// So many secrets that begin the same are tried.
pub const MOST: usize = 4;

/// A hash that can be tried at a bearable cost.
pub fn read(text: &str) -> Result<String, &'static str> {
    salted_hash::read(text).map_err(|unreadable| match unreadable {
        Unreadable::Bcrypt => "This is no bcrypt hash of the kinds 2a, 2b and 2y at a cost of 4 to 13. Make a new key.",
        Unreadable::Argon2 => "This is no Argon2 hash without a key, of at most 128 MiB and 512 MiB in all passes. Make a new key.",
    })
}
