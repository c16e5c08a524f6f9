//! What a token looks like: `tga_` for access, `tgr_` for refresh, 43 random characters of `0-9A-Za-z` (256 bits, R41), and six that are
//! the CRC-32 of all before them: as keys have, so that scanners tell a leaked one from noise.

use crate::platform::crypto::{Rng, checksum};

pub const ACCESS: &str = "tga_";
pub const REFRESH: &str = "tgr_";
const RANDOM: usize = 43;
const CHECKSUM: usize = 6;

/// Makes a token; only its hash is kept.
pub fn mint(rng: &Rng, prefix: &str) -> String {
    let mut token = format!("{prefix}{}", rng.base62(RANDOM));
    let sum = checksum(token.as_bytes());
    token.extend(sum.map(char::from));
    token
}

/// Whether this can be an access token: its shape and its checksum are right. A key never is one, whatever its prefix: it has two
/// underscores.
pub fn is_access_token(text: &str) -> bool {
    let Some(body) = text.strip_prefix(ACCESS) else { return false };
    if body.len() != RANDOM + CHECKSUM || !body.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return false;
    }
    let (covered, given) = text.as_bytes().split_at(text.len() - CHECKSUM);
    checksum(covered) == given
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r41_a_token_has_256_bits_and_a_checksum() {
        let rng = Rng::seeded(1);
        let (access, refresh) = (mint(&rng, ACCESS), mint(&rng, REFRESH));
        assert!(access.len() == 53 && access.starts_with("tga_") && refresh.starts_with("tgr_"));
        assert!(is_access_token(&access) && !is_access_token(&refresh));
        let mut typo = access.clone();
        typo.replace_range(10..11, if &access[10..11] == "a" { "b" } else { "a" });
        for wrong in [typo.as_str(), "", "tga_", &access[..52], "tga_live_000000000000000000000000000000abcdef"] {
            assert!(!is_access_token(wrong), "{wrong}");
        }
    }
}
