//! What the mail of a leaked key says, in every language: where its secret was found, what still passes, and the two ways to end it.

use crate::{
    platform::mail::{Kind, Letter, Mail, Reader, harmless},
    values::actor_words,
};
use time::OffsetDateTime;

pub const KINDS: &[Kind] = &[Kind {
    name: "keys.leaked",
    about: "When the secret of a key was found where others can read it.",
    sample: |s| {
        Box::new(KeyLeaked {
            key: s.typed("checkout service"),
            start: "tg_live_9f2K".to_owned(),
            places: vec!["https://github.com/example/shop/blob/main/.env".to_owned()],
            reported_by: s.typed("secret scanning"),
            at: s.at,
            is_disabled: false,
            page: s.link("/keys/key_sample"),
            choice: s.link("/settings/notifications"),
        })
    },
}];

pub struct KeyLeaked {
    pub key: String,
    /// How its secret begins.
    pub start: String,
    /// Where it was found, the newest first.
    pub places: Vec<String>,
    pub reported_by: String,
    pub at: OffsetDateTime,
    pub is_disabled: bool,
    /// Of the key.
    pub page: String,
    /// Where the workspace chooses what becomes of a leaked key.
    pub choice: String,
}

impl KeyLeaked {
    /// The facts under these names, in this order; who reported it, in the words of the language.
    fn facts(&self, [key, secret, found, reported, time]: [&str; 5], by: &str, to: &Reader) -> Vec<(String, String)> {
        let fact = |name: &str, value: String| (name.to_owned(), value);
        let mut facts = vec![fact(key, harmless(&self.key)), fact(secret, format!("{}…", self.start))];
        facts.extend(self.places.iter().filter(|place| !place.is_empty()).map(|place| fact(found, place.clone())));
        facts.extend([fact(reported, harmless(by)), fact(time, to.moment(self.at))]);
        facts
    }
}

impl Letter for KeyLeaked {
    fn en(&self, to: &Reader) -> Mail {
        let key = harmless(&self.key);
        let stands = if self.is_disabled {
            "It is disabled: its calls are answered DISABLED. Enable it once its programs have a new secret.".to_owned()
        } else {
            format!("It still passes. To stop it at once, disable it on its page: {}", self.page)
        };
        to.mail(format!("{key} has leaked: rotate it"))
            .text(format!("The secret of {key} was found where others can read it. Whoever has it can call in your name."))
            .facts(self.facts(["Key", "Secret", "Found at", "Reported by", "Time"], actor_words(&self.reported_by), to))
            .link("Rotate the key", format!("{}?dialog=rotate", self.page))
            .text(stands)
            .text("Then take the secret out of that place. Removing it there alone is not enough: somebody may have copied it.")
            .text(format!("Whether a leaked key is disabled at once is set at {}.", self.choice))
            .because("a key of your workspace was reported as leaked")
    }

    fn de(&self, to: &Reader) -> Mail {
        let key = harmless(&self.key);
        let stands = if self.is_disabled {
            "Er ist ausgeschaltet: Seine Aufrufe werden mit DISABLED beantwortet. Schalten Sie ihn wieder ein, sobald seine Programme ein neues Geheimnis haben.".to_owned()
        } else {
            format!("Der Schlüssel gilt noch. Um ihn sofort anzuhalten, schalten Sie ihn auf seiner Seite aus: {}", self.page)
        };
        let by = match self.reported_by.as_str() {
            "cli" => "einem Betreiber auf der Kommandozeile",
            "secret scanning" => "der Suche nach Geheimnissen",
            name => name,
        };
        to.mail(format!("Das Geheimnis von {key} ist bekannt geworden: Erneuern Sie es"))
            .text(format!("Das Geheimnis von {key} wurde dort gefunden, wo andere es lesen können. Wer es hat, kann in Ihrem Namen aufrufen."))
            .facts(self.facts(["Schlüssel", "Geheimnis", "Gefunden bei", "Gemeldet von", "Zeit"], by, to))
            .link("Geheimnis erneuern", format!("{}?dialog=rotate", self.page))
            .text(stands)
            .text("Nehmen Sie das Geheimnis danach von dort weg. Das allein genügt nicht: Jemand kann es kopiert haben.")
            .text(format!("Ob ein solcher Schlüssel sofort ausgeschaltet wird, stellen Sie hier ein: {}.", self.choice))
            .because("das Geheimnis eines Schlüssels Ihres Arbeitsbereichs als bekannt gemeldet wurde")
    }
}
