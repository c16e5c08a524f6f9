//! What a password must be, the same wherever one is set (R9): long enough, not on the list of those tried first, without your own
//! name in it, not leaked as far as this machine knows. Nothing about capitals, digits or age (R3).

use super::{common_passwords, leaked_passwords};
use crate::platform::Ctx;
use secrecy::{ExposeSecret, SecretString};
use unicode_normalization::UnicodeNormalization;

/// What the form says before anybody types.
pub fn advice(min: usize) -> String {
    format!("At least {min} characters. A few words in a row are easy to remember and hard to guess.")
}

/// The longest password that is read, in characters and bytes (R2).
const MAX_CHARS: usize = 256;
const MAX_BYTES: usize = 1024;
/// Shorter parts of a name or address say little.
const TELLING_CHARS: usize = 4;
const SITE: &str = "tollgate";

/// The reason why this password won't do as a new one, with the next step (R7).
pub async fn check_new(ctx: &Ctx, password: &SecretString, name: &str, email: &str) -> Result<(), String> {
    check(password, ctx.config.auth.password_min, name, email)?;
    if leaked_passwords::has_leaked(ctx, password).await {
        return Err("This password was leaked, and leaked passwords are tried first. Use one that you have used nowhere else.".to_owned());
    }
    Ok(())
}

/// What the password itself says.
fn check(password: &SecretString, min: usize, name: &str, email: &str) -> Result<(), String> {
    let given = password.expose_secret();
    let normal: String = given.nfkc().collect();
    let chars = normal.chars().count();
    if chars == 0 {
        return Err("Enter a password.".to_owned());
    }
    if given.len() > MAX_BYTES || chars > MAX_CHARS {
        return Err(format!("A password has at most {MAX_CHARS} characters. Use a shorter one."));
    }
    if chars < min {
        return Err(format!("Use at least {min} characters: this has {chars}. A few words in a row are easy to remember."));
    }
    if common_passwords::is_common(&normal) {
        return Err("This password is too common. Use a few words that nobody would put together.".to_owned());
    }
    if let Some(word) = telling_words(name, email).into_iter().find(|word| lower(&normal).contains(word)) {
        return Err(format!("Leave “{word}” out: names and addresses are tried first."));
    }
    Ok(())
}

/// The site's name, the person's names, the address and its parts (R6).
fn telling_words(name: &str, email: &str) -> Vec<String> {
    let (local, domain) = email.rsplit_once('@').unwrap_or((email, ""));
    let mut words: Vec<String> = [SITE, name, email, local, domain.split('.').next().unwrap_or_default()].map(lower).into();
    words.extend(name.split_whitespace().map(lower));
    words.extend(local.split(['.', '+', '-', '_']).map(lower));
    words.push(lower(&name.split_whitespace().collect::<String>()));
    words.retain(|word| word.chars().count() >= TELLING_CHARS);
    words
}

fn lower(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(password: &str) -> Result<(), String> {
        check(&SecretString::from(password), 15, "Mara Lindqvist", "m.lindqvist@nordlicht.example")
    }

    #[test]
    fn r2_length_is_counted_in_characters_and_capped() {
        assert!(checked("korallenriff w").unwrap_err().contains("this has 14"));
        assert!(checked("korallenriff wi").is_ok());
        assert!(checked("кораллы зимой я").is_ok(), "15 characters, 28 bytes");
        assert!(checked(&"wüste ".repeat(42)).is_ok());
        assert!(checked(&"korallen ".repeat(29)).unwrap_err().contains("at most 256"));
        assert!(checked(&"𝔨".repeat(257)).unwrap_err().contains("at most 256"));
        assert_eq!(checked("").unwrap_err(), "Enter a password.");
    }

    #[test]
    fn r3_there_is_no_rule_of_composition() {
        for password in ["nur kleine buchstaben hier", "NUR GROSSE BUCHSTABEN HIER", "840261957362840", "%&/()=?§$%&/()="] {
            assert_eq!(checked(password), Ok(()), "{password}");
        }
    }

    #[test]
    fn r6_names_and_addresses_are_refused_and_named() {
        for (password, word) in [
            ("my dear lindqvist and me", "lindqvist"),
            ("NORDLICHT over the harbour", "nordlicht"),
            ("through the tollgate we go", "tollgate"),
            ("hello from mara today", "mara"),
        ] {
            assert!(checked(password).unwrap_err().contains(word), "{password}");
        }
    }
}
