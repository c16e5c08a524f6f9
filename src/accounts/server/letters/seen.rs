//! What is known of what caused a mail: when, in which browser, from which address.

use crate::{
    accounts::server::visitor::device_in_words,
    platform::mail::{Reader, harmless},
    values::Language,
};
use time::OffsetDateTime;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub at: OffsetDateTime,
    /// The User-Agent.
    pub agent: String,
    pub address: String,
    /// Of the address, if it is known.
    pub place: Option<String>,
}

/// The names of the facts.
struct Names {
    time: &'static str,
    device: &'static str,
    address: &'static str,
    near: &'static str,
}

const fn names(language: Language) -> Names {
    match language {
        Language::En => Names { time: "Time", device: "Device", address: "Address", near: "near" },
        Language::De => Names { time: "Zeit", device: "Gerät", address: "Adresse", near: "nahe" },
    }
}

/// Time, device and address with its place, as far as they are known.
pub fn facts(seen: Option<&Seen>, to: &Reader) -> Vec<(&'static str, String)> {
    let Some(seen) = seen else { return Vec::new() };
    let names = names(to.language);
    let mut facts = vec![(names.time, to.moment(seen.at)), (names.device, device(&seen.agent, to.language))];
    if !seen.address.is_empty() {
        let near = seen.place.as_ref().map(|place| format!(", {} {place}", names.near)).unwrap_or_default();
        facts.push((names.address, format!("{}{near}", seen.address)));
    }
    facts
}

/// The time alone: where an operator sat is nobody's business.
pub fn when(seen: Option<&Seen>, to: &Reader) -> Option<(&'static str, String)> {
    seen.map(|seen| (names(to.language).time, to.moment(seen.at)))
}

/// "Firefox on macOS", "Firefox unter macOS". What a User-Agent says of itself is no link.
fn device(agent: &str, language: Language) -> String {
    let words = harmless(&device_in_words(agent));
    match language {
        Language::En => words,
        Language::De => match words.as_str() {
            "Unknown device" => "Unbekanntes Gerät".to_owned(),
            "Command line" => "Kommandozeile".to_owned(),
            words => match words.split_once(" on ") {
                Some((browser, system @ ("iPhone" | "iPad"))) => format!("{browser} auf dem {system}"),
                Some((browser, system)) => format!("{browser} unter {system}"),
                None => words.to_owned(),
            },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_named_in_both_languages() {
        let iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1";
        for (agent, en, de) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux", "Firefox unter Linux"),
            (iphone, "Safari on iPhone", "Safari auf dem iPhone"),
            ("curl/8.5.0", "curl", "curl"),
            ("command line", "Command line", "Kommandozeile"),
            ("", "Unknown device", "Unbekanntes Gerät"),
            ("evil.example/1.0", "evil[.]example", "evil[.]example"),
        ] {
            assert_eq!((device(agent, Language::En).as_str(), device(agent, Language::De).as_str()), (en, de), "{agent}");
        }
    }

    #[test]
    fn the_place_follows_the_address_if_it_is_known() {
        for (language, place, words) in [
            ("en", None, "203.0.113.9"),
            ("en", Some("Lisbon, Portugal"), "203.0.113.9, near Lisbon, Portugal"),
            ("de", Some("Lisbon, Portugal"), "203.0.113.9, nahe Lisbon, Portugal"),
        ] {
            let to = Reader::new("mara@example.com", "Mara", language, "UTC").unwrap();
            let place = place.map(str::to_owned);
            let seen = Seen { at: OffsetDateTime::UNIX_EPOCH, agent: String::new(), address: "203.0.113.9".to_owned(), place };
            assert_eq!(facts(Some(&seen), &to)[2].1, words);
        }
    }
}
