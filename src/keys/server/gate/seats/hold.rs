//! The id of a hold: which node gave it, to which key, and the place itself. Nobody can make one up, since the number of a place is
//! random; so the node that gave it needs no list of them.

use super::taken::Seat;
use crate::{
    platform::crypto::{Rng, sha256},
    values::{KeyId, NodeId},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{
    fmt,
    str::FromStr,
    sync::atomic::{AtomicU64, Ordering},
};
use uuid::Uuid;

/// What a verification answers that took a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    pub node: NodeId,
    pub key: KeyId,
    pub seat: Seat,
}

impl Hold {
    /// When it ends by itself, in microseconds since 1970.
    pub const fn ends(&self) -> i64 {
        self.seat.ends
    }
}

const PREFIX: &str = "hold_";
const BYTES: usize = 48;

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0; BYTES];
        bytes[..16].copy_from_slice(self.node.uuid().as_bytes());
        bytes[16..32].copy_from_slice(self.key.uuid().as_bytes());
        bytes[32..40].copy_from_slice(&self.seat.ends.to_be_bytes());
        bytes[40..].copy_from_slice(&self.seat.tag.to_be_bytes());
        f.write_str(PREFIX)?;
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl FromStr for Hold {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let bytes: [u8; BYTES] = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?.try_into().ok()?;
            let number = |at: usize| bytes[at..at + 8].iter().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
            let seat = Seat { ends: number(32).cast_signed(), tag: number(40) };
            let id = |at: usize| Uuid::from_slice(&bytes[at..at + 16]).ok();
            Some(Self { node: NodeId::new(id(0)?), key: KeyId::new(id(16)?), seat })
        };
        read().ok_or("This is no hold. Send the `hold.id` of a verification, as it was answered.")
    }
}

/// Numbers of places: one that was not answered to somebody can't be guessed.
pub struct Tags {
    seed: [u8; 32],
    next: AtomicU64,
}

impl Tags {
    pub fn new(rng: &Rng) -> Self {
        Self { seed: rng.bytes(), next: AtomicU64::new(0) }
    }

    pub fn next(&self) -> u64 {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let hash = sha256([&self.seed[..], &number.to_be_bytes()].concat());
        hash.iter().take(8).fold(0_u64, |tag, byte| (tag << 8) | u64::from(*byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_is_read_as_it_was_written() {
        let id = |bits| Uuid::from_u128(bits);
        let hold = Hold { node: NodeId::new(id(1 << 99)), key: KeyId::new(id(u128::MAX)), seat: Seat { ends: 1_795_000_000_000_000, tag: u64::MAX - 7 } };
        let text = hold.to_string();
        assert_eq!((text.parse::<Hold>(), text.len()), (Ok(hold), 69));
        for wrong in ["", "hold_", "key_01", &text[1..], &text[..68], &format!("{text}A"), &text.replace('_', "-")] {
            assert!(wrong.parse::<Hold>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn no_two_places_have_a_number() {
        let tags = Tags::new(&Rng::seeded(7));
        let numbers: std::collections::HashSet<u64> = (0..1_000).map(|_| tags.next()).collect();
        assert_eq!(numbers.len(), 1_000);
        assert_ne!(Tags::new(&Rng::seeded(8)).next(), Tags::new(&Rng::seeded(7)).next());
    }
}
