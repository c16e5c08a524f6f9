//! What a secret looks like: `{prefix}_{live|test}_`, 30 random characters of `0-9A-Za-z`, then six that are the CRC-32 of all
//! before them, in base 62.
//!
//! 30 characters hold 178 bits, so a plain SHA-256 is kept and nothing slower. The checksum is no authentication: it lets the gate
//! turn away typing mistakes and foreign strings without a look into its table, and lets scanners tell a leaked key from noise.

use crate::{
    platform::crypto::{ALPHABET, Rng, Vault, checksum},
    values::KeyPrefix,
};

const RANDOM: usize = 30;
const CHECKSUM: usize = 6;
const BODY: usize = RANDOM + CHECKSUM;
/// How many random characters people see of a secret in lists.
const SHOWN: usize = 4;

/// Makes a secret. The caller shows it once and keeps only its hash.
pub fn mint(rng: &Rng, prefix: &KeyPrefix, environment: &str) -> String {
    finished(format!("{prefix}_{environment}_{}", rng.base62(RANDOM)))
}

/// The secret that belongs to these words under the master key: the same words give the same secret. One of them must be random and
/// stored nowhere, so that neither the database nor the master key alone, nor both, bring the secret back.
pub fn derive(vault: &Vault, words: &[&str], prefix: &KeyPrefix, environment: &str) -> String {
    derived(|input| vault.keyed_hash(PURPOSE, input), words, prefix, environment)
}

/// The same under each master key, the current one first: what is sent again after a rotation of the master key is known again.
pub fn derive_each(vault: &Vault, words: &[&str], prefix: &KeyPrefix, environment: &str) -> Vec<String> {
    let under = |at: usize| derived(|input| vault.keyed_hashes(PURPOSE, input).get(at).copied().unwrap_or_default(), words, prefix, environment);
    (0..=vault.previous_ids().len()).map(under).collect()
}

const PURPOSE: &str = "key secret";

fn derived(hash: impl Fn(&[u8]) -> [u8; 32], words: &[&str], prefix: &KeyPrefix, environment: &str) -> String {
    let mut secret = format!("{prefix}_{environment}_");
    let full = secret.len() + RANDOM;
    // Each word with its length, so that no two lists of words read the same.
    let mut input: Vec<u8> = words.iter().flat_map(|w| [&(w.len() as u64).to_le_bytes()[..], w.as_bytes()].concat()).collect();
    while secret.len() < full {
        // Bytes above the last multiple of 62 are thrown away, so that each character is equally likely.
        for byte in hash(&input) {
            if byte < 248 && secret.len() < full {
                secret.push(char::from(ALPHABET[usize::from(byte % 62)]));
            }
        }
        input.push(0);
    }
    finished(secret)
}

fn finished(mut secret: String) -> String {
    for character in checksum(secret.as_bytes()) {
        secret.push(char::from(character));
    }
    secret
}

/// What people recognise a secret by, and all that logs may hold of it: the prefix and four characters.
pub fn start(secret: &str) -> &str {
    let shown = secret.len().saturating_sub(RANDOM + CHECKSUM - SHOWN);
    secret.get(..shown).unwrap_or_default()
}

/// Whether this can be a secret of Tollgate: its shape and its checksum are right. Allocates nothing.
///
/// No branch at each character, which would cost more: no processor foresees them where each call shows another secret.
pub fn is_well_formed(secret: &str) -> bool {
    // All of it is ASCII, or one of these says no.
    let Some((head, body)) = secret.as_bytes().split_last_chunk::<BODY>() else { return false };
    let Some((prefix, environment)) = head.split_last_chunk::<6>() else { return false };
    let is_known = (environment == b"_live_") | (environment == b"_test_");
    if !is_known || !is_prefix(prefix) || !is_alphanumeric(body) {
        return false;
    }
    let Some((covered, given)) = secret.as_bytes().split_last_chunk::<CHECKSUM>() else { return false };
    checksum(covered) == *given
}

/// The rule of `KeyPrefix`, without making one.
fn is_prefix(text: &[u8]) -> bool {
    let begins = text.first().is_some_and(u8::is_ascii_lowercase);
    (2..=12).contains(&text.len()) && begins && text.iter().fold(true, |so_far, b| so_far & (b.is_ascii_lowercase() | b.is_ascii_digit()))
}

fn is_alphanumeric(body: &[u8; BODY]) -> bool {
    body.iter().fold(true, |so_far, b| so_far & b.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> KeyPrefix {
        text.parse().expect("a prefix")
    }

    #[test]
    fn the_checksum_is_the_crc_32_of_ieee() {
        // The check value of CRC-32/ISO-HDLC: "123456789" gives cbf43926.
        assert_eq!(crc32fast::hash(b"123456789"), 0xcbf4_3926);
        assert_eq!(base10(&checksum(b"123456789")), 0xcbf4_3926);
        assert_eq!(&checksum(b""), b"000000", "padded on the left");
    }

    fn base10(digits: &[u8]) -> u64 {
        digits.iter().fold(0, |n, d| n * 62 + ALPHABET.iter().position(|a| a == d).expect("a digit") as u64)
    }

    #[test]
    fn a_minted_secret_is_well_formed() {
        let rng = Rng::seeded(7);
        for (p, environment) in [("tg", "live"), ("demo", "test"), ("a23456789012", "live")] {
            let secret = mint(&rng, &prefix(p), environment);
            assert!(is_well_formed(&secret), "{secret}");
            assert_eq!(secret.len(), p.len() + 6 + 36);
            assert_eq!(start(&secret).len(), p.len() + 6 + 4);
            assert!(secret.starts_with(start(&secret)));
        }
        assert_ne!(mint(&rng, &prefix("tg"), "live"), mint(&rng, &prefix("tg"), "live"));
    }

    #[test]
    fn the_same_words_give_the_same_secret() {
        let vault = Vault::new([7; 32]);
        let secret = derive(&vault, &["ws_1", "token"], &prefix("tg"), "live");
        assert!(is_well_formed(&secret), "{secret}");
        assert_eq!(secret, derive(&vault, &["ws_1", "token"], &prefix("tg"), "live"));
        for other in [&["ws_2", "token"], &["ws_1", "tokem"], &["ws_1t", "oken"]] {
            assert_ne!(secret, derive(&vault, other, &prefix("tg"), "live"));
        }
        assert_ne!(secret, derive(&Vault::new([8; 32]), &["ws_1", "token"], &prefix("tg"), "live"));
    }

    #[test]
    fn r86_what_is_sent_again_after_a_rotation_is_found_under_the_older_key() {
        let ring = Vault::with_previous([8; 32], [[7; 32]]);
        let each = derive_each(&ring, &["ws_1", "token"], &prefix("tg"), "live");
        let alone = |key: u8| derive(&Vault::new([key; 32]), &["ws_1", "token"], &prefix("tg"), "live");
        assert_eq!(each, [alone(8), alone(7)]);
        assert_eq!(derive(&ring, &["ws_1", "token"], &prefix("tg"), "live"), alone(8));
    }

    #[test]
    fn every_single_typing_mistake_is_caught() {
        let secret = mint(&Rng::seeded(1), &prefix("tg"), "live");
        for at in 0..secret.len() {
            for wrong in [b'0', b'z', b'_', b' ', b'A'] {
                let mut bytes = secret.clone().into_bytes();
                if bytes[at] != wrong {
                    bytes[at] = wrong;
                    assert!(!is_well_formed(std::str::from_utf8(&bytes).expect("ascii")), "{at} {wrong}");
                }
            }
        }
    }

    #[test]
    fn each_character_of_the_body_is_a_letter_or_a_digit() {
        let secret = mint(&Rng::seeded(1), &prefix("tg"), "live");
        let (head, body) = secret.as_bytes().split_last_chunk::<BODY>().expect("it is longer");
        for at in 0..BODY {
            for byte in 0..=u8::MAX {
                let mut other = *body;
                other[at] = byte;
                assert_eq!(is_alphanumeric(&other), byte.is_ascii_alphanumeric(), "{at} {byte}");
                // With the checksum that belongs to it, so that nothing else is wrong.
                if at < RANDOM && byte.is_ascii() {
                    let covered = [head, &other[..RANDOM]].concat();
                    let whole = finished(String::from_utf8(covered).expect("ascii"));
                    assert_eq!(is_well_formed(&whole), byte.is_ascii_alphanumeric(), "{at} {byte}");
                }
            }
        }
    }

    #[test]
    fn what_stands_before_the_body_is_a_prefix_and_an_environment() {
        for text in ["", "t", "tg", "t0", "0t", "a23456789012", "a234567890123"] {
            for at in 0..text.len() {
                for byte in 0..=u8::MAX {
                    let mut other = text.as_bytes().to_vec();
                    other[at] = byte;
                    let is_one = std::str::from_utf8(&other).is_ok_and(|text| text.parse::<KeyPrefix>().is_ok());
                    assert_eq!(is_prefix(&other), is_one, "{text} {at} {byte}");
                }
            }
            assert_eq!(is_prefix(text.as_bytes()), text.parse::<KeyPrefix>().is_ok(), "{text}");
        }
        let random = Rng::seeded(1).base62(RANDOM);
        let is_one = |head: &str| is_well_formed(&finished(format!("{head}{random}")));
        assert!(is_one("tg_live_") && is_one("tg_test_"));
        for head in ["tg_life_", "tg_Live_", "tg_live", "tg-live-", "tglive_", "_live_", "live_", "t_test_", "tg__live_", "tg_live_live_", ""] {
            assert!(!is_one(head), "{head}");
        }
    }

    #[test]
    fn other_strings_are_turned_away() {
        let secret = mint(&Rng::seeded(1), &prefix("tg"), "live");
        let (head, body) = secret.split_at(3);
        for text in [
            "",
            "_",
            "__",
            "tg_live_",
            "Bearer x",
            "tg_live_ÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄ",
            &secret[1..],
            &secret[..secret.len() - 1],
            &format!("{head}x{body}"),
            &format!("{secret} "),
        ] {
            assert!(!is_well_formed(text), "{text}");
        }
        assert!(!is_well_formed(&format!("{secret}{secret}")));
    }

    #[test]
    fn the_start_of_anything_is_safe_to_ask_for() {
        assert_eq!(start(""), "");
        for text in ["ää", &"ä".repeat(40), &format!("{}x", "€".repeat(40))] {
            assert!(text.starts_with(start(text)), "{text}");
        }
    }
}
