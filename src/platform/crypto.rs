//! Randomness, keyed hashes, and sealing. Randomness is an argument (`ctx.rng`), so that tests can seed it; the master key never leaves `Vault`.

use hmac::{Hmac, KeyInit, Mac};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use secrecy::{ExposeSecret, SecretBox};
use sha2::{Digest, Sha256, Sha512};
use std::sync::{Arc, Mutex};

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
        const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
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

    /// Encrypts and authenticates under the key for `purpose` (ChaCha20-Poly1305, RFC 8439), for what must be read again: a random nonce,
    /// then the sealed text. It opens only with the same `bound_to`, which says whose it is. None never happens for short texts.
    pub fn seal(&self, rng: &Rng, purpose: &str, bound_to: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        let nonce: [u8; NONCE_LEN] = rng.bytes();
        let mut sealed = plain.to_vec();
        self.sealing_key(purpose)?.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(bound_to), &mut sealed).ok()?;
        Some([&nonce[..], &sealed].concat())
    }

    /// What `seal` sealed; none if it is another's, was changed, or was sealed under another master key.
    pub fn open(&self, purpose: &str, bound_to: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut text = sealed.to_vec();
        let plain = self.sealing_key(purpose)?.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(bound_to), &mut text).ok()?;
        Some(plain.to_vec())
    }

    fn sealing_key(&self, purpose: &str) -> Option<LessSafeKey> {
        UnboundKey::new(&CHACHA20_POLY1305, &self.keyed_hash("seal", purpose.as_bytes())).ok().map(LessSafeKey::new)
    }

    /// 64 bytes for the sealing of cookies (axum-extra's private jar).
    pub fn cookie_key(&self) -> [u8; 64] {
        let mut out = [0; 64];
        out[..32].copy_from_slice(&self.keyed_hash("cookie", b"1"));
        out[32..].copy_from_slice(&self.keyed_hash("cookie", b"2"));
        out
    }
}

fn mac(key: &[u8], data: &[u8]) -> [u8; 32] {
    // HMAC takes keys of any length, so this does not fail.
    Hmac::<Sha256>::new_from_slice(key).map(|m| m.chain_update(data).finalize().into_bytes().into()).unwrap_or([0; 32])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_for_its_owner_only() {
        let (vault, rng) = (Vault::new([7; 32]), Rng::seeded(1));
        let sealed = vault.seal(&rng, "a purpose", b"key 1", b"a secret").expect("it seals");
        assert!(!sealed.windows(8).any(|part| part == b"a secret"));
        assert_ne!(sealed, vault.seal(&rng, "a purpose", b"key 1", b"a secret").expect("it seals"));
        assert_eq!(vault.open("a purpose", b"key 1", &sealed).as_deref(), Some(&b"a secret"[..]));
        assert_eq!(vault.open("a purpose", b"key 2", &sealed), None);
        assert_eq!(vault.open("another", b"key 1", &sealed), None);
        assert_eq!(Vault::new([8; 32]).open("a purpose", b"key 1", &sealed), None);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(vault.open("a purpose", b"key 1", &changed), None, "{at}");
        }
        assert_eq!(vault.open("a purpose", b"key 1", &sealed[..11]), None);
    }
}
