//! An address people type. Kept as typed (mail goes there, R59); compared by its key, which is the same for every way to write one mailbox.

use super::is_blank;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use unicode_normalization::UnicodeNormalization;

/// A mail address that can be written to: at most 254 bytes, one `@`, no spaces, control characters, quotes or angle brackets (R75). One that is
/// new here has no characters either that nobody sees (`anew`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

impl Email {
    /// One that an account is to have from now on: it is what it looks like (S73). Whoever has another one since before this was asked goes on
    /// signing in with it.
    pub fn anew(text: &str) -> Result<Self, &'static str> {
        if text.trim().chars().any(is_blank) {
            return Err("There is a character in this address that nobody sees. Type it anew instead of pasting it.");
        }
        text.parse()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is unique and searched. The domain is written as it is asked of DNS (IDNA, UTS 46): `EXÄMPLE.de` is `xn--exmple-cua.de`. Before the
    /// `@` an accent is the same however it is composed (NFC), and ASCII only is folded: `mıke@` and `mike@` stay two addresses (S73).
    pub fn key(&self) -> String {
        let (local, domain) = self.0.rsplit_once('@').unwrap_or((&self.0, ""));
        let local: String = local.nfc().collect();
        // What is no name of DNS at all is compared as it stands.
        let domain = idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.to_ascii_lowercase());
        format!("{}@{domain}", local.to_ascii_lowercase())
    }

    /// For pages that must not show an address to everybody: `m…@example.org`.
    pub fn masked(&self) -> String {
        match self.0.rsplit_once('@') {
            Some((local, domain)) => format!("{}…@{domain}", local.chars().next().unwrap_or('…')),
            None => "…".to_owned(),
        }
    }
}

impl FromStr for Email {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.is_empty() {
            return Err("Enter your email address.");
        }
        if text.len() > 254 {
            return Err("An address has at most 254 characters.");
        }
        let Some((local, domain)) = text.rsplit_once('@') else {
            return Err("There is no @ in this address. An address looks like name@example.com.");
        };
        let forbidden = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"' | ',' | ';' | ':' | '\\' | '(' | ')' | '[' | ']' | '@');
        if local.is_empty() || local.len() > 64 || local.chars().any(forbidden) || local.starts_with('.') || local.ends_with('.') || local.contains("..") {
            return Err("The part before the @ can't be right. An address looks like name@example.com.");
        }
        let label_is_fine =
            |l: &str| !l.is_empty() && l.len() <= 63 && !l.starts_with('-') && !l.ends_with('-') && l.chars().all(|c| c.is_alphanumeric() || c == '-');
        let labels_are_fine = domain.split('.').all(label_is_fine);
        if !labels_are_fine || !(domain.contains('.') || domain.eq_ignore_ascii_case("localhost")) {
            return Err("The part after the @ can't be right. An address looks like name@example.com.");
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for Email {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}
impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}
impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_people_have_are_accepted() {
        for text in ["mara@example.com", " Mara.L+x@sub.example.co.uk ", "jürgen@exämple.de", "root@localhost"] {
            assert!(text.parse::<Email>().is_ok(), "{text}");
        }
    }

    #[test]
    fn r59_every_way_to_write_a_mailbox_has_one_key_and_look_alikes_have_two() {
        let key = |text: &str| text.parse::<Email>().unwrap().key();
        for same in ["jürgen@exämple.de", "jürgen@EXÄMPLE.de", "ju\u{308}rgen@xn--exmple-cua.de", " Jürgen@XN--EXMPLE-CUA.DE "] {
            assert_eq!(key(same), "jürgen@xn--exmple-cua.de", "{same}");
        }
        assert_eq!(key("Mara@Ｅxample.com"), "mara@example.com", "wide letters are the same name of DNS");
        // A dotless i, a wide m, a Cyrillic a.
        for other in ["mıke@example.com", "ｍike@example.com", "mike@ex\u{430}mple.com"] {
            assert_ne!(key(other), key("mike@example.com"), "{other}");
        }
    }

    #[test]
    fn s73_an_address_holds_nothing_that_nobody_sees() {
        for unseen in ['\u{200b}', '\u{202e}', '\u{2066}', '\u{feff}', '\u{ad}', '\u{3164}', '\u{fe0f}'] {
            for text in [format!("mi{unseen}ke@example.com"), format!("mike@example.com{unseen}"), format!("mike@exam{unseen}ple.com")] {
                assert!(Email::anew(&text).is_err_and(|why| why.contains("nobody sees")), "{text:?}");
            }
            assert!(format!("mi{unseen}ke@example.com").parse::<Email>().is_ok(), "whoever has it is still known by it");
        }
    }

    #[test]
    fn r75_header_injection_and_brackets_are_refused() {
        for text in
            ["", "mara", "@example.com", "a@b", "a b@example.com", "a@example.com\r\nBcc: x@y.z", "<a@example.com>", "a@@example.com", "a@-x.com", "a@x..com"]
        {
            assert!(text.parse::<Email>().is_err(), "{text}");
        }
        assert!(format!("{}@example.com", "a".repeat(250)).parse::<Email>().is_err());
    }
}
