//! What the signatures of a key are checked with: an ed25519 public key (RFC 8032) or an HMAC-SHA-256 secret.

use crate::{keys::model::Algorithm, platform::crypto::sha256};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use hmac::{Hmac, KeyInit, Mac};
use ring::signature::{ED25519, UnparsedPublicKey};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::Sha256;
use std::fmt;

/// Checks signatures of one key.
#[derive(Clone)]
pub struct Signer {
    /// SHA-256 of the public key or the secret: two signers with the same one check the same signatures.
    pub fingerprint: [u8; 32],
    check: Checks,
}

#[derive(Clone)]
enum Checks {
    Ed25519([u8; 32]),
    HmacSha256(SecretString),
    /// The secret can't be opened: no signature is right.
    Sealed,
}

impl Signer {
    pub fn ed25519(public_key: [u8; 32]) -> Self {
        Self { fingerprint: sha256(public_key), check: Checks::Ed25519(public_key) }
    }

    /// The bytes of the secret are its text as it was shown.
    pub fn hmac_sha256(secret: String) -> Self {
        Self { fingerprint: sha256(&secret), check: Checks::HmacSha256(secret.into()) }
    }

    pub fn sealed(fingerprint: [u8; 32]) -> Self {
        Self { fingerprint, check: Checks::Sealed }
    }

    pub fn is_sealed(&self) -> bool {
        matches!(self.check, Checks::Sealed)
    }

    pub fn algorithm(&self) -> Algorithm {
        if matches!(self.check, Checks::Ed25519(_)) { Algorithm::Ed25519 } else { Algorithm::HmacSha256 }
    }

    /// Whether this signature of these bytes is right; in constant time where a secret is compared.
    pub fn accepts(&self, signed: &[u8], signature: &[u8]) -> bool {
        match &self.check {
            Checks::Ed25519(public_key) => UnparsedPublicKey::new(&ED25519, public_key).verify(signed, signature).is_ok(),
            Checks::HmacSha256(secret) => mac(secret.expose_secret(), signed).is_some_and(|mac| mac.verify_slice(signature).is_ok()),
            Checks::Sealed => false,
        }
    }

    /// A signature; none of an algorithm whose private key is not here.
    pub fn sign(&self, signed: &[u8]) -> Option<Vec<u8>> {
        match &self.check {
            Checks::HmacSha256(secret) => mac(secret.expose_secret(), signed).map(|mac| mac.finalize().into_bytes().to_vec()),
            Checks::Ed25519(_) | Checks::Sealed => None,
        }
    }
}

fn mac(secret: &str, signed: &[u8]) -> Option<Hmac<Sha256>> {
    // HMAC takes keys of any length, so this does not fail.
    Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok().map(|mac| mac.chain_update(signed))
}

impl PartialEq for Signer {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint && self.algorithm() == other.algorithm() && self.is_sealed() == other.is_sealed()
    }
}
impl Eq for Signer {}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("algorithm", &self.algorithm()).finish_non_exhaustive()
    }
}

/// What stands before the 32 bytes in the DER of an ed25519 public key (RFC 8410 §4).
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
const RULE: &str = "Paste an ed25519 public key: its 32 bytes in base64, PEM (BEGIN PUBLIC KEY), or a JWK.";

/// A JWK of RFC 8037. Other members, such as `kid`, don't count.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: String,
    x: String,
    #[serde(default)]
    d: Option<serde::de::IgnoredAny>,
}

/// The public key of a text: 32 bytes in base64, PEM or a JWK.
pub fn public_key(text: &str) -> Result<[u8; 32], &'static str> {
    const PRIVATE: &str = "This is a private key. Keep it secret and paste the public one.";
    let text = text.trim();
    if text.len() > 2_000 {
        return Err(RULE);
    }
    if text.starts_with('{') {
        let jwk: Jwk = serde_json::from_str(text).map_err(|_| RULE)?;
        return match (&*jwk.kty, &*jwk.crv) {
            _ if jwk.d.is_some() => Err(PRIVATE),
            ("OKP", "Ed25519") => bytes(&jwk.x),
            _ => Err("This JWK is of another kind: kty is OKP and crv Ed25519 (RFC 8037)."),
        };
    }
    if text.contains("PRIVATE KEY-----") {
        return Err(PRIVATE);
    }
    let Some(pem) = text.strip_prefix("-----BEGIN PUBLIC KEY-----") else { return bytes(text) };
    let body: String = pem.strip_suffix("-----END PUBLIC KEY-----").ok_or(RULE)?.split_ascii_whitespace().collect();
    let der = STANDARD.decode(body).map_err(|_| RULE)?;
    let key = der.strip_prefix(&SPKI).ok_or("This is a public key of another algorithm; ed25519 is read here.")?;
    sound(key)
}

fn bytes(text: &str) -> Result<[u8; 32], &'static str> {
    // base64url too, padded or not.
    let text = text.trim_end_matches('=').replace('-', "+").replace('_', "/");
    sound(&STANDARD_NO_PAD.decode(text).map_err(|_| RULE)?)
}

/// 32 bytes that are a point of the curve, and not one of the few under which anybody can sign (RFC 8032 §5.1, of small order).
fn sound(key: &[u8]) -> Result<[u8; 32], &'static str> {
    let key: [u8; 32] = key.try_into().map_err(|_| RULE)?;
    // Under a point of small order the signature of R = identity and S = 0 is right for many messages, whatever they say.
    let mut forged = [0; 64];
    forged[0] = 1;
    let is_weak = (0..64_u8).any(|n| UnparsedPublicKey::new(&ED25519, &key).verify(&[n], &forged).is_ok());
    if is_weak { Err("Anybody could sign for this public key. Make a new one.") } else { Ok(key) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9421 B.1.4.
    const X: &str = "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs";
    const PEM: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=\n-----END PUBLIC KEY-----\n";

    #[test]
    fn a_public_key_is_read_in_three_ways() {
        let raw = public_key("JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=").expect("base64");
        assert_eq!(public_key(X), Ok(raw));
        assert_eq!(public_key(PEM), Ok(raw));
        assert_eq!(public_key(&format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"k","x":"{X}"}}"#)), Ok(raw));
    }

    #[test]
    fn what_is_no_public_key_is_refused() {
        let private = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{X}","d":"n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU"}}"#);
        for text in ["", "abc", "{}", &X[1..], &format!("{X}AA"), "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----", &PEM[..60], &private] {
            assert!(public_key(text).is_err(), "{text}");
        }
        // The neutral element: every message would have the same right signature.
        let mut identity = [0; 32];
        identity[0] = 1;
        assert!(public_key(&STANDARD.encode(identity)).is_err());
    }

    #[test]
    fn a_secret_does_not_print() {
        let signer = Signer::hmac_sha256("demo_sig_secret".to_owned());
        assert!(!format!("{signer:?}").contains("secret\""), "{signer:?}");
        assert!(signer.accepts(b"x", &signer.sign(b"x").expect("a MAC")));
        assert!(!signer.accepts(b"y", &signer.sign(b"x").expect("a MAC")));
        assert!(!Signer::sealed(signer.fingerprint).accepts(b"x", &signer.sign(b"x").expect("a MAC")));
    }
}
