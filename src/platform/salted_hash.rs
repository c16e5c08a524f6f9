//! Salted hashes that other systems made: bcrypt and Argon2 (PHC strings). Read within bounds of cost, and tried. Their kind is what stands
//! before the salt: who tries a hash of nobody (`of_nobody`) of the same kind does the same work.

use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordVerifier, Version};
use std::ops::RangeInclusive;

/// bcrypt costs a tenth of a second at 10, and twice as much with each one more.
const COST: RangeInclusive<u32> = 4..=13;
/// KiB that one Argon2 takes, and KiB that it goes over in all its passes.
const MEMORY: u32 = 131_072;
const WORK: u64 = 524_288;
/// bcrypt reads so many bytes, the NUL at the end included.
const BCRYPT_BYTES: usize = 72;

/// Which one can't be tried, or costs too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    Bcrypt,
    Argon2,
}

/// True if the text is meant as such a hash.
pub fn is_meant(text: &str) -> bool {
    text.starts_with("$2") || text.starts_with("$argon2")
}

/// A hash that can be tried at a bearable cost.
pub fn read(text: &str) -> Result<String, Unreadable> {
    if text.starts_with("$2") {
        let is_known = ["$2a$", "$2b$", "$2y$"].iter().any(|kind| text.starts_with(kind));
        let parts = text.parse::<bcrypt::HashParts>().ok().filter(|parts| is_known && COST.contains(&parts.get_cost()));
        return if parts.is_some() { Ok(text.to_owned()) } else { Err(Unreadable::Bcrypt) };
    }
    let phc = PasswordHash::new(text).map_err(|_| Unreadable::Argon2)?;
    let params = Params::try_from(&phc).map_err(|_| Unreadable::Argon2)?;
    let is_bearable = params.m_cost() <= MEMORY && u64::from(params.m_cost()) * u64::from(params.t_cost()) <= WORK && params.p_cost() <= 16;
    let is_known = Algorithm::try_from(phc.algorithm.as_str()).is_ok() && phc.version.is_some_and(|version| Version::try_from(version).is_ok());
    let is_whole = phc.salt.is_some() && phc.hash.as_ref().is_some_and(|hash| hash.len() >= 16) && params.keyid().is_empty() && params.data().is_empty();
    if is_bearable && is_known && is_whole && text.len() <= 300 { Ok(text.to_owned()) } else { Err(Unreadable::Argon2) }
}

/// Whether a secret can have this hash, by its shape. bcrypt reads 72 bytes and takes a NUL for their end: what is longer, or holds one,
/// may be another secret and has no hash.
pub fn can_be(phc: &str, secret: &str) -> bool {
    !phc.starts_with("$2") || (secret.len() < BCRYPT_BYTES && !secret.contains('\0'))
}

/// Whether a secret has this hash. Takes up to a second of one core.
pub fn matches(phc: &str, secret: &str) -> bool {
    if phc.starts_with("$2") {
        return can_be(phc, secret) && bcrypt::non_truncating_verify(secret, phc).unwrap_or(false);
    }
    PasswordHash::new(phc).is_ok_and(|phc| Argon2::default().verify_password(secret.as_bytes(), &phc).is_ok())
}

/// The same work for whatever secret: one that can't have the hash costs a try, too.
pub fn matches_alike(phc: &str, secret: &str) -> bool {
    let fits = can_be(phc, secret);
    matches(phc, if fits { secret } else { "" }) && fits
}

/// What a hash costs: all before its salt, bcrypt by its cost alone. To be asked of what was read (`read`).
pub fn kind(phc: &str) -> String {
    let fields: Vec<&str> = phc.split('$').collect();
    match &fields[..] {
        ["", two, cost, _] if two.starts_with('2') => format!("$2b${cost}$"),
        [head @ .., _, _] => format!("{}$", head.join("$")),
        _ => String::new(),
    }
}

/// A hash of this kind that nothing is known to have: its salt and its tag are zeros.
pub fn of_nobody(kind: &str) -> String {
    if kind.starts_with("$2") { format!("{kind}{}", ".".repeat(53)) } else { format!("{kind}{}${}", "A".repeat(22), "A".repeat(43)) }
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

    fn bcrypt(secret: &str) -> String {
        bcrypt::hash_with_salt(secret, 4, [7; 16]).expect("a hash").to_string()
    }

    #[test]
    fn a_secret_has_its_hash_and_no_other() {
        let (secret, long) = ("sk_live_4eC39HqLyjWDarjtT1zdp7dc", "x".repeat(73));
        let one = bcrypt(secret);
        for phc in [one.clone(), one.replacen("$2b$", "$2y$", 1), one.replacen("$2b$", "$2a$", 1), argon2(64, 1, secret)] {
            assert_eq!(read(&phc).as_ref(), Ok(&phc));
            assert!(matches(&phc, secret) && matches_alike(&phc, secret), "{phc}");
            for wrong in ["sk_live_4eC39HqLyjWDarjtT1zdp7dd", "", phc.as_str()] {
                assert!(!matches(&phc, wrong) && !matches_alike(&phc, wrong), "{wrong}");
            }
        }
        let doubled = format!("{secret}\0{secret}");
        assert!(!matches(&one, &doubled) && !matches_alike(&one, &doubled), "the same to bcrypt");
        let (cut, empty) = (bcrypt(&long), bcrypt(""));
        assert!(!matches(&cut, &long) && !matches_alike(&cut, &long), "bcrypt did not see its end");
        assert!(!matches_alike(&empty, &long), "what is tried in its place is not it");
    }

    #[test]
    fn what_costs_too_much_is_not_tried() {
        let bcrypt = bcrypt("secret");
        for wrong in [bcrypt.replacen("$04$", "$14$", 1), bcrypt.replacen("$04$", "$31$", 1), bcrypt.replacen("$2b$", "$2x$", 1), bcrypt[..59].to_owned()] {
            assert_eq!(read(&wrong), Err(Unreadable::Bcrypt), "{wrong}");
        }
        let argon2 = argon2(64, 1, "secret");
        for (from, to) in [("m=64", "m=131073"), ("m=64,t=1", "m=65536,t=9"), ("p=1", "p=1,keyid=Hj5+dsK0"), ("argon2id", "argon2"), ("v=19", "v=20")] {
            assert!(argon2.contains(from) && read(&argon2.replacen(from, to, 1)) == Err(Unreadable::Argon2), "{to}");
        }
        assert!(read("$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ").is_err(), "a salt alone");
    }

    #[test]
    fn a_hash_of_nobody_costs_what_its_kind_costs() {
        let bcrypt = bcrypt("secret");
        assert_eq!((kind(&bcrypt), kind(&bcrypt.replacen("$2b$", "$2y$", 1))), ("$2b$04$".to_owned(), "$2b$04$".to_owned()));
        assert_eq!(kind(&argon2(64, 1, "secret")), "$argon2id$v=19$m=64,t=1,p=1$");
        for phc in [bcrypt, argon2(64, 1, "secret")] {
            let nobody = of_nobody(&kind(&phc));
            assert_eq!((read(&nobody).as_ref(), kind(&nobody)), (Ok(&nobody), kind(&phc)));
            assert!(!matches_alike(&nobody, "secret") && !matches_alike(&nobody, ""));
        }
    }
}
