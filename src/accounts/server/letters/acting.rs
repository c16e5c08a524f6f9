//! To whose account an operator went into: why, when, for how long, and what they can't do there.

use crate::platform::mail::{Letter, Mail, Reader, harmless};
use time::OffsetDateTime;

pub struct ActedAs {
    pub reason: String,
    pub began: OffsetDateTime,
    pub minutes: u64,
    /// Where every such time is listed.
    pub sessions: String,
    /// Whom to ask; empty: the operator of this site.
    pub contact: String,
}

impl Letter for ActedAs {
    fn en(&self, to: &Reader) -> Mail {
        let whom = match self.contact.as_str() {
            "" => "If you think this is wrong, ask the operator of this site.".to_owned(),
            contact => format!("If you think this is wrong, write to {contact}."),
        };
        to.mail("An operator is looking at your account")
            .text("An operator of this site sees the pages of your account as you see them.")
            .facts([("Reason", harmless(&self.reason)), ("Since", to.moment(self.began)), ("At most", to.count(self.minutes, "minute", "minutes"))])
            .text("They can look, and change the words of your profile. They can't see or change your password, second factors or secrets of keys, make or end keys or sessions, change your address, or delete anything. What they change is recorded as theirs.")
            .text("Signing out everywhere ends it at once. Sessions lists every time that an operator was in your account.")
            .link("Open Sessions", &self.sessions)
            .text(whom)
            .because("an operator acts as your account")
    }

    fn de(&self, to: &Reader) -> Mail {
        let whom = match self.contact.as_str() {
            "" => "Wenn Sie das für falsch halten, fragen Sie den Betreiber dieser Seite.".to_owned(),
            contact => format!("Wenn Sie das für falsch halten, schreiben Sie an {contact}."),
        };
        to.mail("Ein Betreiber sieht sich Ihr Konto an")
            .text("Ein Betreiber dieser Seite sieht die Seiten Ihres Kontos so, wie Sie sie sehen.")
            .facts([("Grund", harmless(&self.reason)), ("Seit", to.moment(self.began)), ("Höchstens", to.count(self.minutes, "Minute", "Minuten"))])
            .text("Er kann sich umsehen und die Angaben in Ihrem Profil ändern. Ihr Passwort, Ihre zweiten Faktoren und die Geheimnisse Ihrer Schlüssel kann er weder sehen noch ändern; er kann keine Schlüssel anlegen oder beenden, keine Sitzungen beenden, Ihre Adresse nicht ändern und nichts löschen. Was er ändert, wird als seine Änderung festgehalten.")
            .text("Wenn Sie sich überall abmelden, endet es sofort. Die Seite „Sitzungen“ nennt jedes Mal, bei dem ein Betreiber in Ihrem Konto war.")
            .link("Sitzungen öffnen", &self.sessions)
            .text(whom)
            .because("ein Betreiber in Ihrem Konto handelt")
    }
}
