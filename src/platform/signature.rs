//! Signatures of others, checked by their public keys: ECDSA on P-256 with SHA-256 (FIPS 186-5 §6), as GitHub's secret scanning signs.

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};

/// All that precedes the point in a P-256 public key: SubjectPublicKeyInfo of id-ecPublicKey, prime256v1 (RFC 5480 §2.1), in DER.
const HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// An uncompressed point: 04, x, y.
const POINT: usize = 65;

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct P256Key([u8; POINT]);

impl P256Key {
    /// Reads PEM (RFC 7468 §13). None for any other kind of key; whether the point is on the curve, the first signature shows.
    pub fn from_pem(pem: &str) -> Option<Self> {
        let body = pem.trim().strip_prefix("-----BEGIN PUBLIC KEY-----")?.strip_suffix("-----END PUBLIC KEY-----")?;
        let body: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        let der = STANDARD.decode(body).ok()?;
        let point: [u8; POINT] = der.strip_prefix(&HEAD)?.try_into().ok()?;
        (point[0] == 4).then_some(Self(point))
    }

    /// PEM again.
    pub fn to_pem(&self) -> String {
        let body = STANDARD.encode([&HEAD[..], &self.0].concat());
        let (first, rest) = body.split_at(64);
        format!("-----BEGIN PUBLIC KEY-----\n{first}\n{rest}\n-----END PUBLIC KEY-----\n")
    }

    /// Whether this key signed exactly these bytes. The signature is ASN.1 DER in base64.
    pub fn has_signed(&self, message: &[u8], signature: &str) -> bool {
        let Ok(signature) = STANDARD.decode(signature.trim()) else { return false };
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &self.0).verify(message, &signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex")).collect()
    }

    /// RFC 6979 A.2.5: the key, and its signature of "sample" with SHA-256.
    fn vector() -> (P256Key, String) {
        let x = "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6";
        let y = "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
        let r = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716";
        let s = "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";
        let key = P256Key(bytes(&format!("04{x}{y}")).try_into().expect("a point"));
        // Both have their highest bit set: a zero byte before each.
        (key, STANDARD.encode(bytes(&format!("3046022100{r}022100{s}"))))
    }

    #[test]
    fn the_vector_of_rfc_6979_is_valid_for_its_message_only() {
        let (key, signature) = vector();
        assert!(key.has_signed(b"sample", &signature));
        assert!(!key.has_signed(b"samplf", &signature) && !key.has_signed(b"sample", "") && !key.has_signed(b"sample", "not base64!"));
        let mut other = key.clone();
        other.0[64] ^= 1;
        assert!(!other.has_signed(b"sample", &signature), "no point of the curve");
    }

    #[test]
    fn pem_comes_back_and_other_keys_are_refused() {
        let (key, _) = vector();
        let pem = key.to_pem();
        assert_eq!(P256Key::from_pem(&pem), Some(key));
        assert_eq!(P256Key::from_pem(&pem.replace('\n', "\r\n")), P256Key::from_pem(&pem));
        for wrong in ["", "-----BEGIN PUBLIC KEY-----", &pem.replace("PUBLIC", "PRIVATE"), &pem[..60], &pem.replace("MFkw", "MFkx")] {
            assert_eq!(P256Key::from_pem(wrong), None, "{wrong}");
        }
    }
}
