//! Randomness, keyed hashes and sealing. Randomness is an argument (`ctx.rng`), so that tests can seed it; the master key never leaves `Vault`.

use aes_gcm::{
    Aes256Gcm,
    aead::{self, Aead as _, Payload},
};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretBox};
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

/// The master key and what is derived from it, each purpose with a key of its own.
#[derive(Clone)]
pub struct Vault(Arc<SecretBox<[u8; 32]>>);

impl Vault {
    pub fn new(master: [u8; 32]) -> Self {
        Self(Arc::new(SecretBox::new(Box::new(master))))
    }

    /// HMAC-SHA-256 of `data` under the key for `purpose`.
    pub fn keyed_hash(&self, purpose: &str, data: &[u8]) -> [u8; 32] {
        mac(&mac(self.0.expose_secret(), purpose.as_bytes()), data)
    }

    /// Encrypts for the database (AES-256-GCM, NIST SP 800-38D; a random nonce of 96 bits): only who says the same `purpose` and
    /// `context` opens it, so a row that was copied to another account is worth nothing there. The first byte is the version of all this.
    pub fn seal(&self, rng: &Rng, purpose: &str, context: &[u8], plain: &[u8]) -> Result<Vec<u8>, aead::Error> {
        let nonce: [u8; 12] = rng.bytes();
        let sealed = self.cipher(purpose).encrypt(&nonce.into(), Payload { msg: plain, aad: context })?;
        Ok([&[SEALED_BY_1][..], &nonce, &sealed].concat())
    }

    /// What was sealed so; none if it was changed, or sealed for something else or under another master key.
    pub fn open(&self, purpose: &str, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, message) = sealed.strip_prefix(&[SEALED_BY_1])?.split_first_chunk::<12>()?;
        self.cipher(purpose).decrypt(&(*nonce).into(), Payload { msg: message, aad: context }).ok()
    }

    fn cipher(&self, purpose: &str) -> Aes256Gcm {
        aead::KeyInit::new(&self.keyed_hash("seal", purpose.as_bytes()).into())
    }

    /// 64 bytes for the sealing of cookies (axum-extra's private jar).
    pub fn cookie_key(&self) -> [u8; 64] {
        let mut out = [0; 64];
        out[..32].copy_from_slice(&self.keyed_hash("cookie", b"1"));
        out[32..].copy_from_slice(&self.keyed_hash("cookie", b"2"));
        out
    }
}

/// AES-256-GCM under a key derived with HMAC-SHA-256.
const SEALED_BY_1: u8 = 1;

fn mac(key: &[u8], data: &[u8]) -> [u8; 32] {
    // HMAC takes keys of any length, so this does not fail.
    Hmac::<Sha256>::new_from_slice(key).map(|m| m.chain_update(data).finalize().into_bytes().into()).unwrap_or([0; 32])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_only_where_it_was_sealed_for() {
        let (vault, rng) = (Vault::new([7; 32]), Rng::seeded(1));
        let sealed = vault.seal(&rng, "seed", b"acc_1", b"a seed").unwrap();
        assert_eq!(vault.open("seed", b"acc_1", &sealed).as_deref(), Some(&b"a seed"[..]));
        assert_eq!(vault.open("seed", b"acc_2", &sealed), None, "another account");
        assert_eq!(vault.open("form", b"acc_1", &sealed), None, "another purpose");
        assert_eq!(Vault::new([8; 32]).open("seed", b"acc_1", &sealed), None, "another master key");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(vault.open("seed", b"acc_1", &changed), None, "byte {at}");
        }
        assert_eq!(vault.open("seed", b"acc_1", &[]), None);
        assert_ne!(vault.seal(&rng, "seed", b"acc_1", b"a seed").unwrap(), sealed, "a nonce of its own each time");
    }
}
