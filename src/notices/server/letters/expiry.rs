//! Keys that will expire.

use super::german;
use crate::{
    notices::server::{store::expiry::ExpiryNotice, words},
    platform::mail::{Letter, Mail, Reader, harmless},
};
use time::{Duration, OffsetDateTime};

pub struct KeysExpire {
    pub now: OffsetDateTime,
    /// At least one, the soonest first.
    pub notices: Vec<ExpiryNotice>,
    /// To the key, or to the list of them.
    pub link: String,
    pub settings: String,
}

impl KeysExpire {
    fn first_in(&self) -> Duration {
        self.notices.first().map_or(Duration::ZERO, |n| n.expires_at - self.now)
    }
}

impl Letter for KeysExpire {
    fn en(&self, to: &Reader) -> Mail {
        let when = words::in_days(self.first_in());
        let (subject, lead, label) = match &self.notices[..] {
            [one] => (format!("{} expires {when}", harmless(&one.key_name)), "From then on every call with this key is answered EXPIRED.", "Open the key"),
            all => (format!("{} keys expire soon, the first {when}", all.len()), "From then on every call with them is answered EXPIRED.", "See the keys"),
        };
        let fact = |n: &ExpiryNotice| {
            let used = n.last_used_at.map_or_else(|| "never used".to_owned(), |at| format!("last used {}", to.moment(at)));
            (harmless(&n.key_name), format!("expires {}, {used}", to.moment(n.expires_at)))
        };
        to.mail(subject)
            .text(lead)
            .facts(self.notices.iter().map(fact))
            .link(label, &self.link)
            .text("To go on with the same secret, set a later day there. If nothing needs the key any more, do nothing.")
            .text(format!("Which of these mails you get is set at {}.", self.settings))
            .because("a key of yours will expire")
    }

    fn de(&self, to: &Reader) -> Mail {
        let when = german::in_days(self.first_in());
        let (subject, lead, label) = match &self.notices[..] {
            [one] => (
                format!("{} läuft {when} ab", harmless(&one.key_name)),
                "Danach wird jeder Aufruf mit diesem Schlüssel mit EXPIRED beantwortet.",
                "Schlüssel öffnen",
            ),
            all => (
                format!("{} Schlüssel laufen bald ab, der erste {when}", all.len()),
                "Danach wird jeder Aufruf mit ihnen mit EXPIRED beantwortet.",
                "Schlüssel ansehen",
            ),
        };
        let fact = |n: &ExpiryNotice| {
            let used = n.last_used_at.map_or_else(|| "nie benutzt".to_owned(), |at| format!("zuletzt benutzt am {}", to.moment(at)));
            (harmless(&n.key_name), format!("läuft am {} ab, {used}", to.moment(n.expires_at)))
        };
        to.mail(subject)
            .text(lead)
            .facts(self.notices.iter().map(fact))
            .link(label, &self.link)
            .text("Um mit demselben Geheimnis weiterzumachen, setzen Sie dort einen späteren Tag. Wenn nichts den Schlüssel mehr braucht, ist nichts zu tun.")
            .text(format!("Welche dieser Mails Sie erhalten, stellen Sie hier ein: {}.", self.settings))
            .because("einer Ihrer Schlüssel abläuft")
    }
}
