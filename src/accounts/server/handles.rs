//! What a handle may be: the name in the address of a public profile, `/u/{handle}`.

use time::Duration;

/// How long a handle stays before it may be changed again: an address that people know should not wander.
pub const HANDLE_STAYS: Duration = Duration::days(30);

/// How long one that was given up is kept from others: what people know under it should not become somebody else.
pub const HANDLE_HELD: Duration = Duration::days(90);

/// Words that would pass for the site itself.
const RESERVED: [&str; 40] = [
    "about",
    "abuse",
    "account",
    "admin",
    "administrator",
    "api",
    "billing",
    "blog",
    "contact",
    "docs",
    "edit",
    "help",
    "home",
    "info",
    "legal",
    "login",
    "logout",
    "mail",
    "me",
    "moderator",
    "new",
    "news",
    "noreply",
    "null",
    "official",
    "operator",
    "postmaster",
    "privacy",
    "root",
    "security",
    "settings",
    "sign-in",
    "sign-up",
    "staff",
    "status",
    "support",
    "system",
    "team",
    "tollgate",
    "webmaster",
];

/// A handle as it is kept: 3 to 30 lower-case letters, digits and hyphens, with no hyphen at either end. None: there is none.
pub fn checked(text: &str) -> Result<Option<String>, String> {
    let handle = text.trim().to_ascii_lowercase();
    let is_plain = handle.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    match handle.len() {
        0 => Ok(None),
        3..=30 if is_plain && !handle.starts_with('-') && !handle.ends_with('-') => {
            if RESERVED.contains(&handle.as_str()) {
                Err("This word is reserved for the site. Choose another handle.".to_owned())
            } else {
                Ok(Some(handle))
            }
        }
        _ => Err("Use 3 to 30 letters, digits or hyphens. Begin and end with a letter or digit.".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s5_s6_handles_are_plain_and_not_the_sites_own() {
        assert_eq!(checked(" Mara-L "), Ok(Some("mara-l".to_owned())));
        assert_eq!(checked(""), Ok(None));
        assert_eq!(checked(&"a".repeat(30)).map(|h| h.map(|h| h.len())), Ok(Some(30)));
        for bad in ["ab", "-mara", "mara-", "mara_l", "mära", "m ara", "mara/../x", &"a".repeat(31), "admin", "Tollgate", "sign-in", "m\u{0430}ra"] {
            assert!(checked(bad).is_err(), "{bad}");
        }
        assert!(RESERVED.is_sorted(), "easy to look through");
    }
}
