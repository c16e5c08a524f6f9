//! SHA-256 of secrets. A processor with instructions for it takes about 0.1 µs for one, no more than it would to look one up. Without them it takes 0.75 µs,
//! and a verification needs two: that of the asking service, which shows the same secret with every call, and that of the key. Then those that this
//! thread saw lately are looked up.
//!
//! No secret is kept. A digest is found by its mark: SipHash-2-4 with 128 bits (Aumasson and Bernstein, 2012) of the secret, under keys
//! that are random in every process. To be taken for another secret one must guess such a mark, which is one chance in 2¹²⁸ a try: no
//! better than guessing a secret, which has 178 bits behind a hash of 256. What was found is compared with the table as ever: a secret
//! that was revoked is as revoked as before.

use crate::platform::crypto::{Rng, is_sha256_fast, sha256};
use siphasher::sip128::{Hash128, Hasher128, SipHasher24};
use std::{cell::RefCell, hash::Hasher, sync::LazyLock};

/// A power of two. 48 bytes each, 192 KiB for every thread that verifies.
const SLOTS: usize = 4_096;

/// A secret's digest, and where it belongs.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// Zero where it is not kept.
    mark: u128,
    pub hash: [u8; 32],
}

/// Mark and digest; all zero while nothing is there.
type Slots = Box<[(u128, [u8; 32])]>;

thread_local! {
    static SLOTS_OF_THREAD: RefCell<Slots> = RefCell::new(vec![(0, [0; 32]); SLOTS].into_boxed_slice());
}

impl Seen {
    /// The digest of a secret, looked up or computed.
    pub fn of(secret: &str) -> Self {
        if is_sha256_fast() { Self { mark: 0, hash: sha256(secret) } } else { Self::looked_up(secret) }
    }

    fn looked_up(secret: &str) -> Self {
        let mark = mark(secret);
        let known = SLOTS_OF_THREAD.with_borrow(|slots| Some(slots[slot(mark)]).filter(|(of, _)| *of == mark && mark != 0));
        Self { mark, hash: known.map_or_else(|| sha256(secret), |(_, hash)| hash) }
    }

    /// Keeps it for the next time: only of secrets that exist, so that guesses don't push them out.
    pub fn keep(self) {
        if self.mark == 0 {
            return;
        }
        SLOTS_OF_THREAD.with_borrow_mut(|slots| {
            let slot = &mut slots[slot(self.mark)];
            if slot.0 != self.mark {
                *slot = (self.mark, self.hash);
            }
        });
    }
}

fn mark(secret: &str) -> u128 {
    static KEYS: LazyLock<[u8; 16]> = LazyLock::new(|| Rng::system().bytes());
    let mut hasher = SipHasher24::new_with_key(&KEYS);
    hasher.write(secret.as_bytes());
    let Hash128 { h1, h2 } = hasher.finish128();
    u128::from(h1) << 64 | u128::from(h2)
}

const fn slot(mark: u128) -> usize {
    mark as usize % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_the_same_looked_up_or_computed() {
        for n in 0..3 * SLOTS {
            let secret = format!("demo_live_{n}");
            let computed = Seen::looked_up(&secret);
            assert_eq!(computed.hash, sha256(&secret));
            computed.keep();
            assert_eq!(Seen::looked_up(&secret).hash, sha256(&secret), "kept");
        }
        for n in 0..3 * SLOTS {
            let secret = format!("demo_live_{n}");
            assert_eq!(Seen::looked_up(&secret).hash, sha256(&secret), "kept, or pushed out by another");
        }
    }

    #[test]
    fn it_is_the_same_on_every_processor() {
        assert_eq!([Seen::of("demo_live_1").hash, Seen::looked_up("demo_live_1").hash], [sha256("demo_live_1"); 2]);
        assert_eq!(Seen::of("demo_live_1").mark == 0, is_sha256_fast(), "computed, where that is faster");
    }

    #[test]
    fn what_is_not_kept_pushes_nothing_out() {
        let real = Seen::looked_up("real");
        real.keep();
        for n in 0..3 * SLOTS {
            _ = Seen::looked_up(&format!("guess {n}"));
        }
        assert!(SLOTS_OF_THREAD.with_borrow(|slots| slots[slot(real.mark)].0 == real.mark));
    }
}
