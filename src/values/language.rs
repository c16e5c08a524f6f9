//! The languages that mails are written in.

use serde::{Deserialize, Serialize};
use std::str::FromStr;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    #[default]
    En,
    De,
}

impl Language {
    pub const ALL: [Self; 2] = [Self::En, Self::De];

    /// The tag of RFC 5646, as a column and the attribute `lang` hold it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
        }
    }

    /// As it calls itself.
    pub const fn label(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::De => "Deutsch",
        }
    }

    /// The one of ours that an Accept-Language (RFC 9110 §12.5.4) likes best, the first of equals; none if it names none of ours.
    pub fn preferred(accepted: &str) -> Option<Self> {
        let mut best: Option<(f32, Self)> = None;
        for range in accepted.split(',').take(20) {
            let mut parts = range.split(';').map(str::trim);
            let tag = parts.next().unwrap_or_default().split('-').next().unwrap_or_default();
            let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(1.0, |q| q.parse::<f32>().unwrap_or(0.0));
            let Some(language) = Self::ALL.into_iter().find(|one| one.as_str().eq_ignore_ascii_case(tag)) else { continue };
            if weight > 0.0 && best.is_none_or(|(most, _)| weight > most) {
                best = Some((weight, language));
            }
        }
        best.map(|(_, language)| language)
    }

    /// 1097638 as "1,097,638" or "1.097.638".
    pub fn thousands(self, n: u64) -> String {
        let separator = match self {
            Self::En => ',',
            Self::De => '.',
        };
        let digits = n.to_string();
        let mut text = String::with_capacity(digits.len() + digits.len() / 3);
        for (i, digit) in digits.chars().enumerate() {
            if i > 0 && (digits.len() - i).is_multiple_of(3) {
                text.push(separator);
            }
            text.push(digit);
        }
        text
    }
}

impl FromStr for Language {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|one| one.as_str() == text).ok_or("Choose en or de.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_says_what_it_likes_best() {
        for (accepted, language) in [
            ("de-AT,de;q=0.9,en;q=0.8", Some(Language::De)),
            ("en-US,en;q=0.5,de;q=0.3", Some(Language::En)),
            ("fr-FR, fr;q=0.9, de;q=0.5, en;q=0.4", Some(Language::De)),
            ("DE", Some(Language::De)),
            ("de;q=0, en;q=0.1", Some(Language::En)),
            ("fr, *;q=0.5", None),
            ("", None),
            ("de;q=nonsense", None),
            ("deutsch", None),
        ] {
            assert_eq!(Language::preferred(accepted), language, "{accepted}");
        }
        assert_eq!(Language::preferred(&"x,".repeat(100_000)), None);
    }

    #[test]
    fn numbers_have_the_separators_of_the_language() {
        assert_eq!((Language::En.thousands(1_097_638), Language::De.thousands(1_097_638)), ("1,097,638".to_owned(), "1.097.638".to_owned()));
        assert_eq!((Language::De.thousands(999), Language::De.thousands(1_000)), ("999".to_owned(), "1.000".to_owned()));
    }
}
