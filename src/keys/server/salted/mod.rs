//! Imported secrets whose hashes are salted: bcrypt and Argon2 (PHC strings). Such a hash can't be looked up, only tried. So a secret is
//! found by how it begins, tried once, off the path of verification and within bounds (`tries`), and from its first use on known by its
//! SHA-256 like any other (`upgrading`).

mod tries;
mod upgrading;

pub use tries::Tries;
pub use upgrading::upgrade;

use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordVerifier, Version};
use std::ops::RangeInclusive;

/// Characters of a secret by which it is found.
pub const START: RangeInclusive<usize> = 8..=16;
/// So many secrets that begin the same are tried.
pub const MOST: usize = 4;
/// bcrypt costs a tenth of a second at 10, and twice as much with each one more.
const COST: RangeInclusive<u32> = 4..=13;
/// KiB that one Argon2 takes, and KiB that it goes over in all its passes.
const MEMORY: u32 = 131_072;
const WORK: u64 = 524_288;

/// True if the text is meant as such a hash.
pub fn is_meant(text: &str) -> bool {
    text.starts_with("$2") || text.starts_with("$argon2")
}

/// A hash that can be tried at a bearable cost.
pub fn read(text: &str) -> Result<String, &'static str> {
    const BCRYPT: &str = "This is no bcrypt hash of the kinds 2a, 2b and 2y at a cost of 4 to 13. Make a new key.";
    const ARGON2: &str = "This is no Argon2 hash without a key, of at most 128 MiB and 512 MiB in all passes. Make a new key.";
    if text.starts_with("$2") {
        let is_known = ["$2a$", "$2b$", "$2y$"].iter().any(|kind| text.starts_with(kind));
        let parts = text.parse::<bcrypt::HashParts>().ok().filter(|parts| is_known && COST.contains(&parts.get_cost()));
        return if parts.is_some() { Ok(text.to_owned()) } else { Err(BCRYPT) };
    }
    let phc = PasswordHash::new(text).map_err(|_| ARGON2)?;
    let params = Params::try_from(&phc).map_err(|_| ARGON2)?;
    let is_bearable = params.m_cost() <= MEMORY && u64::from(params.m_cost()) * u64::from(params.t_cost()) <= WORK && params.p_cost() <= 16;
    let is_known = Algorithm::try_from(phc.algorithm.as_str()).is_ok() && phc.version.is_some_and(|version| Version::try_from(version).is_ok());
    let is_whole = phc.salt.is_some() && phc.hash.as_ref().is_some_and(|hash| hash.len() >= 16) && params.keyid().is_empty() && params.data().is_empty();
    if is_bearable && is_known && is_whole && text.len() <= 300 { Ok(text.to_owned()) } else { Err(ARGON2) }
}

/// Whether a secret has this hash. Takes up to a second of one core.
///
/// bcrypt reads 72 bytes and takes a NUL for their end: what is longer, or holds one, may be another secret and has no hash.
fn matches(phc: &str, secret: &str) -> bool {
    if phc.starts_with("$2") {
        return !secret.contains('\0') && bcrypt::non_truncating_verify(secret, phc).unwrap_or(false);
    }
    PasswordHash::new(phc).is_ok_and(|phc| Argon2::default().verify_password(secret.as_bytes(), &phc).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::PasswordHasher;

    fn argon2(memory: u32, passes: u32, secret: &str) -> String {
        let params = Params::new(memory, passes, 1, None).expect("parameters");
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon.hash_password_with_salt(secret.as_bytes(), &[7; 16]).expect("a hash").to_string()
    }

    #[test]
    fn a_secret_has_its_hash_and_no_other() {
        let (secret, long) = ("sk_live_4eC39HqLyjWDarjtT1zdp7dc", "x".repeat(73));
        let bcrypt = bcrypt::hash_with_salt(secret, 4, [7; 16]).expect("a hash").to_string();
        for phc in [bcrypt.clone(), bcrypt.replacen("$2b$", "$2y$", 1), argon2(64, 1, secret)] {
            assert_eq!(read(&phc).as_ref(), Ok(&phc));
            assert!(matches(&phc, secret), "{phc}");
            assert!(!matches(&phc, "sk_live_4eC39HqLyjWDarjtT1zdp7dd") && !matches(&phc, "") && !matches(&phc, &phc));
        }
        assert!(!matches(&bcrypt, &format!("{secret}\0{secret}")), "the same to bcrypt");
        let cut = bcrypt::hash_with_salt(&long, 4, [7; 16]).expect("a hash").to_string();
        assert!(!matches(&cut, &long), "bcrypt did not see its end");
    }

    #[test]
    fn what_costs_too_much_is_not_tried() {
        let bcrypt = bcrypt::hash_with_salt("secret", 4, [7; 16]).expect("a hash").to_string();
        for wrong in [bcrypt.replacen("$04$", "$14$", 1), bcrypt.replacen("$04$", "$31$", 1), bcrypt.replacen("$2b$", "$2x$", 1), bcrypt[..59].to_owned()] {
            assert!(read(&wrong).is_err(), "{wrong}");
        }
        let argon2 = argon2(64, 1, "secret");
        for (from, to) in [("m=64", "m=131073"), ("m=64,t=1", "m=65536,t=9"), ("p=1", "p=1,keyid=Hj5+dsK0"), ("argon2id", "argon2"), ("v=19", "v=20")] {
            assert!(argon2.contains(from) && read(&argon2.replacen(from, to, 1)).is_err(), "{to}");
        }
        assert!(read("$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ").is_err(), "a salt alone");
    }
}
