//! Which state of a thing somebody saw. A form carries it, and a save that would overwrite another state is refused first
//! (`AppError::unless_seen`): so of two open pages the older one takes nothing back without a word.

use serde::Serialize;
use std::{fmt, io};

/// A short name of a state: the same for the same state, and another for any other one. Good against accidents, no proof against anybody,
/// who could but overwrite what they may write anyway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version(String);

impl Version {
    /// The hidden field of a form that carries it.
    pub const FIELD: &'static str = "version";

    /// Of what a form shows of a thing: only a change of that is another state.
    pub fn of(shown: &impl Serialize) -> Self {
        let mut hash = Fnv(Fnv::OFFSET);
        // It writes to memory, and what has no text in JSON (a map by something else than texts) shows nothing in a form either.
        let is_whole = serde_json::to_writer(&mut hash, shown).is_ok();
        Self(if is_whole { format!("{:032x}", hash.0) } else { String::new() })
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// FNV-1a of 128 bits.
struct Fnv(u128);

impl Fnv {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
}

impl io::Write for Fnv {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for byte in bytes {
            self.0 = (self.0 ^ u128::from(*byte)).wrapping_mul(Self::PRIME);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_state_has_the_same_version_and_another_state_another() {
        let of = |name: &str, tags: &[&str]| Version::of(&(name, tags));
        assert_eq!(of("checkout", &["prod"]), of("checkout", &["prod"]));
        let all = [of("checkout", &["prod"]), of("checkout", &[]), of("", &["checkout", "prod"]), of("checkout", &["prod", ""])];
        for (n, one) in all.iter().enumerate() {
            assert_eq!(one.as_str().len(), 32);
            assert!(all[n + 1..].iter().all(|other| other != one), "{one}");
        }
    }

    #[test]
    fn it_is_the_hash_that_it_says() {
        // "a" without quotes, as the tables of FNV-1a have it.
        let mut hash = Fnv(Fnv::OFFSET);
        assert!(io::Write::write_all(&mut hash, b"a").is_ok());
        assert_eq!(format!("{:032x}", hash.0), "d228cb696f1a8caf78912b704e4a8964");
    }
}
