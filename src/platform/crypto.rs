//! Randomness and hashes. Randomness is an argument (`ctx.rng`), so that tests can seed it. Keyed hashes and sealing are of the `Vault`.

pub use super::vault::{MasterKeyId, Vault};

use sha2::{Digest, Sha256, Sha512};
use std::sync::{Arc, Mutex};

/// Digits of base 62, in the order of ASCII.
pub const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Where random bytes come from. Cheap to clone.
#[derive(Clone)]
pub struct Rng(Source);

#[derive(Clone)]
enum Source {
    System,
    /// SHA-256 in counter mode over a seed: only for tests.
    Seeded(Arc<Mutex<(u64, u64)>>),
}

impl Rng {
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// The same bytes in the same order for the same seed.
    pub fn seeded(seed: u64) -> Self {
        Self(Source::Seeded(Arc::new(Mutex::new((seed, 0)))))
    }

    /// Fills `out` with random bytes. The operating system's source does not fail after start (checked there).
    #[allow(clippy::disallowed_methods, reason = "this is the one place that asks for randomness")]
    pub fn fill(&self, out: &mut [u8]) {
        match &self.0 {
            Source::System => {
                if let Err(error) = getrandom::fill(out) {
                    // Going on with predictable bytes would be worse than stopping.
                    tracing::error!("the operating system gave no randomness: {error}");
                    std::process::abort();
                }
            }
            Source::Seeded(state) => {
                let mut state = state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                for chunk in out.chunks_mut(32) {
                    state.1 += 1;
                    let mut hash = Sha256::new();
                    hash.update(state.0.to_le_bytes());
                    hash.update(state.1.to_le_bytes());
                    chunk.copy_from_slice(&hash.finalize()[..chunk.len()]);
                }
            }
        }
    }

    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut out = [0; N];
        self.fill(&mut out);
        out
    }

    /// `len` characters of `0-9A-Za-z`, each equally likely (bytes above the last multiple of 62 are thrown away).
    pub fn base62(&self, len: usize) -> String {
        let mut out = String::with_capacity(len);
        while out.len() < len {
            for byte in self.bytes::<64>() {
                if byte < 248 && out.len() < len {
                    out.push(ALPHABET[usize::from(byte % 62)] as char);
                }
            }
        }
        out
    }
}

/// Whether this processor has instructions for SHA-256, which `sha256` takes then.
pub fn is_sha256_fast() -> bool {
    // Both remember what they found.
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("sha");
    #[cfg(target_arch = "aarch64")]
    return std::arch::is_aarch64_feature_detected!("sha2");
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    false
}

/// SHA-256: how secrets, session ids and mailed tokens are stored (they have at least 128 bits of their own, R41).
pub fn sha256(bytes: impl AsRef<[u8]>) -> [u8; 32] {
    Sha256::digest(bytes.as_ref()).into()
}

/// CRC-32 (IEEE 802.3) in base 62, padded with `0` on the left: 62⁶ > 2³². It ends every secret that people may paste somewhere; it is no
/// authentication, it tells typing mistakes from secrets.
pub fn checksum(covered: &[u8]) -> [u8; 6] {
    let mut rest = crc32fast::hash(covered) as usize;
    let mut out = [b'0'; 6];
    for slot in out.iter_mut().rev() {
        *slot = ALPHABET[rest % 62];
        rest /= 62;
    }
    out
}

/// SHA-512: only of secrets that were made elsewhere and imported so.
pub fn sha512(bytes: impl AsRef<[u8]>) -> [u8; 64] {
    Sha512::digest(bytes.as_ref()).into()
}
