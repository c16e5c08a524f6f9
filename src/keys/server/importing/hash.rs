//! Hashes of secrets as other systems write them: SHA-256 or SHA-512, in hexadecimal digits, base64 or base64url; and salted ones, bcrypt
//! and Argon2, as they are.

use crate::{keys::server::salted, platform::crypto::Vault};
use base64::{
    Engine,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// A hash, and by which function it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hash {
    /// 32 or 64 bytes; of a salted one none before `name_salted`.
    pub bytes: Vec<u8>,
    /// What the table calls it: `sha256`, `sha512` or `salted`.
    pub origin: &'static str,
    /// The salted hash.
    pub phc: Option<String>,
}

impl Hash {
    /// A salted hash is known by a keyed hash of it: the same list sent again finds it, and nobody can present it as a secret.
    pub fn name_salted(&mut self, vault: &Vault) {
        if let Some(phc) = &self.phc {
            self.bytes = name_of_salted(vault, phc).to_vec();
        }
    }

    /// What older master keys called it.
    pub fn earlier_names(&self, vault: &Vault) -> Vec<Vec<u8>> {
        let names = self.phc.iter().flat_map(|phc| vault.keyed_hashes(PURPOSE, phc.as_bytes()).into_iter().skip(1));
        names.map(|name| name.to_vec()).collect()
    }
}

const PURPOSE: &str = "salted secret";

/// The name of a salted hash under the current master key, to give it to one that has an older name.
pub fn name_of_salted(vault: &Vault, phc: &str) -> [u8; 32] {
    vault.keyed_hash(PURPOSE, phc.as_bytes())
}

/// With or without `=` at the end.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&base64::alphabet::STANDARD, GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent));

pub fn read(text: &str) -> Result<Hash, &'static str> {
    let text = text.trim();
    if text.is_empty() {
        return Err("There is no hash.");
    }
    if salted::is_meant(text) {
        return Ok(Hash { bytes: Vec::new(), origin: "salted", phc: Some(salted::read(text)?) });
    }
    let bytes = match text.len() {
        64 | 128 if text.bytes().all(|b| b.is_ascii_hexdigit()) => hex(text),
        _ => BASE64.decode(text.replace('-', "+").replace('_', "/")).unwrap_or_default(),
    };
    match bytes.len() {
        32 => Ok(Hash { bytes, origin: "sha256", phc: None }),
        64 => Ok(Hash { bytes, origin: "sha512", phc: None }),
        _ => Err("This is no SHA-256 or SHA-512 in hexadecimal digits, base64 or base64url, nor bcrypt or Argon2. Secrets themselves are never imported."),
    }
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).filter_map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_spellings_are_one_hash() {
        // SHA-256 of "abc" (FIPS 180-4).
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let wanted = read(hex).expect("hex");
        assert_eq!((wanted.bytes.len(), wanted.origin), (32, "sha256"));
        for same in [
            &hex.to_uppercase(),
            "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
            "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0",
            "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0",
        ] {
            assert_eq!(read(same).as_ref(), Ok(&wanted), "{same}");
        }
        assert_eq!(read(&"ab".repeat(64)).map(|h| h.origin), Ok("sha512"));
        for wrong in ["", "abc", &hex[1..], "sk_live_4eC39HqLyjWDarjtT1zdp7dc", "$2b$10$abcdefghijklmnopqrstuv", "$argon2id$v=19$m=1", "ü"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
