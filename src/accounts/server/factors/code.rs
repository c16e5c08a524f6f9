//! The arithmetic of authenticator apps: TOTP (RFC 6238) with SHA-1, six digits and steps of 30 seconds, the one set of parameters that
//! every app knows. Written out over `hmac`, for it is ten lines, and the step that matched is needed to accept it only once.

use data_encoding::BASE32_NOPAD;
use fast_qr::{ECL, QRBuilder};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use subtle::ConstantTimeEq;
use time::OffsetDateTime;

use crate::accounts::model::QrCode;

/// 160 bits (R31), the length of the hash (RFC 4226 §4).
pub const SEED_BYTES: usize = 20;
const STEP_SECONDS: i64 = 30;
/// Steps before the present one that are still good: who types at the end of a step is late by the time it arrives (R30).
const LATE: i64 = 1;

/// The step of an instant.
pub fn step(at: OffsetDateTime) -> i64 {
    at.unix_timestamp().div_euclid(STEP_SECONDS)
}

/// Six digits, as people type them: spaces and hyphens left out.
pub fn digits(typed: &str) -> Option<String> {
    let digits: String = typed.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    (digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_digit())).then_some(digits)
}

/// The step, present or one before, whose code this is. It takes the same time whichever it is.
pub fn matching_step(seed: &[u8], digits: &str, now: OffsetDateTime) -> Option<i64> {
    let now = step(now);
    let is_code_of = |at: i64| bool::from(code(seed, at).as_bytes().ct_eq(digits.as_bytes()));
    let matches = (0..=LATE).map(|back| (now - back, is_code_of(now - back))).collect::<Vec<_>>();
    matches.into_iter().find(|(_, is)| *is).map(|(at, _)| at)
}

/// The code of a step: HOTP (RFC 4226 §5.3) of its number.
pub fn code(seed: &[u8], step: i64) -> String {
    // HMAC takes keys of any length, so this does not fail.
    let hash = Hmac::<Sha1>::new_from_slice(seed).map(|mac| mac.chain_update(step.to_be_bytes()).finalize().into_bytes()).unwrap_or_default();
    let at = usize::from(hash[19] & 15);
    let number = u32::from_be_bytes([hash[at] & 0x7f, hash[at + 1], hash[at + 2], hash[at + 3]]);
    format!("{:06}", number % 1_000_000)
}

/// A seed as one types it into an app: base32 in groups of four.
pub fn grouped(seed: &[u8]) -> String {
    let text = BASE32_NOPAD.encode(seed);
    text.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join(" ")
}

/// What the QR code says to an app: the key URI format that all of them read.
pub fn uri(seed: &[u8], site: &str, email: &str) -> String {
    let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20");
    let (site, email) = (encoded(site), encoded(email));
    format!("otpauth://totp/{site}:{email}?secret={}&issuer={site}&algorithm=SHA1&digits=6&period={STEP_SECONDS}", BASE32_NOPAD.encode(seed))
}

/// The dark squares as the path of an SVG; none for a text too long for a QR code.
pub fn qr(text: &str) -> Option<QrCode> {
    let code = QRBuilder::new(text).ecl(ECL::M).build().ok()?;
    let dark = (0..code.size).flat_map(|y| (0..code.size).map(move |x| (x, y))).filter(|(x, y)| code[*y][*x].value());
    let path = dark.map(|(x, y)| format!("M{x} {y}h1v1h-1z")).collect();
    Some(QrCode { size: u32::try_from(code.size).unwrap_or(0), path })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: &[u8] = b"12345678901234567890";

    #[test]
    fn the_codes_are_those_of_rfc_6238_appendix_b() {
        for (seconds, digits) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let at = OffsetDateTime::from_unix_timestamp(seconds).unwrap();
            assert_eq!(code(SEED, step(at)), digits, "{seconds}");
        }
    }

    #[test]
    fn r30_the_present_step_and_one_before_are_good() {
        let at = |seconds: i64| OffsetDateTime::from_unix_timestamp(seconds).unwrap();
        let digits = code(SEED, 100);
        for (now, good) in [(2999, false), (3000, true), (3029, true), (3030, true), (3059, true), (3060, false)] {
            assert_eq!(matching_step(SEED, &digits, at(now)), good.then_some(100), "{now}");
        }
    }

    #[test]
    fn codes_are_read_as_people_type_them() {
        for typed in ["123456", " 123 456 ", "123-456", "12\u{a0}34\u{2009}56"] {
            assert_eq!(digits(typed).as_deref(), Some("123456"), "{typed}");
        }
        for typed in ["", "12345", "1234567", "12345a", "１２３４５６"] {
            assert_eq!(digits(typed), None, "{typed}");
        }
    }

    #[test]
    fn apps_are_told_the_seed_the_site_and_the_account() {
        let uri = uri(SEED, "Tollgate", "mara+work@example.com");
        assert_eq!(
            uri,
            "otpauth://totp/Tollgate:mara%2Bwork%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Tollgate&algorithm=SHA1&digits=6&period=30"
        );
        assert_eq!(grouped(SEED), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
        let qr = qr(&uri).unwrap();
        assert!(qr.size >= 21 && qr.path.starts_with("M0 0h1v1h-1z"), "a corner is dark: {}", qr.path);
        assert_eq!(super::qr(&"x".repeat(5000)), None);
    }
}
