//! That something changed about the second factors (R26). The English of each change stands beside its name, in `Told`.

use super::seen::{Seen, facts, when};
use crate::{
    accounts::server::factors::Told,
    platform::mail::{Letter, Mail, Reader},
};

pub struct FactorChanged {
    pub told: Told,
    /// Where to stop it, or to set a new password.
    pub link: String,
    pub seen: Option<Seen>,
}

impl Letter for FactorChanged {
    fn en(&self, to: &Reader) -> Mail {
        let mail = to.mail(self.told.subject()).text(self.told.text());
        let mail = match self.told {
            Told::ResetAsked => mail
                .facts(when(self.seen.as_ref(), to))
                .text("If you did not ask for it, stop it now. Nobody needs your password for that.")
                .link("Keep my second factors", &self.link),
            Told::TakenBack => mail
                .facts(facts(self.seen.as_ref(), to))
                .text("Set a new password first: the old one signs nobody in. Then look through your second factors and your keys. If you did not ask for it, somebody else reads your mail: change the password of your mailbox, too.")
                .link("Set a new password", &self.link),
            Told::ResetDone => mail
                .facts(when(self.seen.as_ref(), to))
                .text("If you did not ask for it, set a new password now and tell the operator of this site.")
                .link("Set a new password", &self.link),
            _ => mail
                .facts(facts(self.seen.as_ref(), to))
                .text("If it wasn't you, set a new password now: that ends every session. Then look through your second factors and your keys.")
                .link("Set a new password", &self.link),
        };
        mail.because("the second factors of your account changed")
    }

    fn de(&self, to: &Reader) -> Mail {
        let (subject, text) = german(self.told);
        let mail = to.mail(subject).text(text);
        let mail = match self.told {
            Told::ResetAsked => mail
                .facts(when(self.seen.as_ref(), to))
                .text("Wenn Sie nicht darum gebeten haben, halten Sie es jetzt auf. Ihr Passwort ist dafür nicht nötig.")
                .link("Zweite Faktoren behalten", &self.link),
            Told::TakenBack => mail
                .facts(facts(self.seen.as_ref(), to))
                .text("Setzen Sie zuerst ein neues Passwort: Mit dem alten meldet sich niemand mehr an. Sehen Sie danach Ihre zweiten Faktoren und Ihre Schlüssel durch. Wenn Sie nicht darum gebeten haben, liest jemand anderes Ihre Post: Ändern Sie auch das Passwort Ihres Postfachs.")
                .link("Neues Passwort setzen", &self.link),
            Told::ResetDone => mail
                .facts(when(self.seen.as_ref(), to))
                .text("Wenn Sie nicht darum gebeten haben, setzen Sie jetzt ein neues Passwort und benachrichtigen Sie den Betreiber dieser Seite.")
                .link("Neues Passwort setzen", &self.link),
            _ => mail
                .facts(facts(self.seen.as_ref(), to))
                .text("Wenn Sie das nicht waren, setzen Sie jetzt ein neues Passwort: Das beendet jede Sitzung. Sehen Sie danach Ihre zweiten Faktoren und Ihre Schlüssel durch.")
                .link("Neues Passwort setzen", &self.link),
        };
        mail.because("sich die zweiten Faktoren Ihres Kontos geändert haben")
    }
}

/// Subject and first paragraph.
const fn german(told: Told) -> (&'static str, &'static str) {
    match told {
        Told::TotpAdded => (
            "Die Anmeldung in zwei Schritten ist an",
            "Zu Ihrem Konto wurde eine Authenticator-App hinzugefügt. Ab jetzt braucht die Anmeldung zusätzlich einen Code aus ihr.",
        ),
        Told::TotpReplaced => (
            "Ihre Authenticator-App wurde ersetzt",
            "Die Authenticator-App Ihres Kontos wurde durch eine andere ersetzt. Codes aus der alten gelten nicht mehr.",
        ),
        Told::TotpRemoved => (
            "Die Anmeldung in zwei Schritten ist aus",
            "Die Authenticator-App Ihres Kontos wurde entfernt. War sie Ihr letzter zweiter Faktor, sind auch Ihre Wiederherstellungscodes weg, und zur Anmeldung genügt jetzt Ihr Passwort.",
        ),
        Told::CodesMade => {
            ("Sie haben neue Wiederherstellungscodes", "Für Ihr Konto wurden neue Wiederherstellungscodes erzeugt. Die alten gelten nicht mehr.")
        }
        Told::CodeUsed => ("Ein Wiederherstellungscode wurde benutzt", "Einer Ihrer Wiederherstellungscodes wurde benutzt. Er gilt kein zweites Mal."),
        Told::PasskeyAdded => (
            "Ein Passkey wurde hinzugefügt",
            "Zu Ihrem Konto wurde ein Passkey hinzugefügt. Mit ihm allein kann man sich anmelden; mit Ihrem Passwort wird ab jetzt auch ein zweiter Faktor verlangt.",
        ),
        Told::PasskeyRemoved => (
            "Ein Passkey wurde entfernt",
            "Ein Passkey Ihres Kontos wurde entfernt. Mit ihm kann sich niemand mehr anmelden. War er Ihr letzter zweiter Faktor, sind auch Ihre Wiederherstellungscodes weg, und zur Anmeldung genügt jetzt Ihr Passwort.",
        ),
        Told::PasskeyCopied => (
            "Ein Passkey wurde vielleicht kopiert",
            "Einer Ihrer Passkeys wurde mit einem Zähler benutzt, der zurückgegangen ist, als gäbe es eine Kopie von ihm. Er wurde abgewiesen. Entfernen Sie diesen Passkey, wenn Sie nicht wissen, woran es liegt.",
        ),
        Told::ResetAsked => (
            "Ihre zweiten Faktoren werden entfernt",
            "Ein Betreiber dieser Seite möchte Ihre Authenticator-App, Ihre Passkeys und Ihre Wiederherstellungscodes entfernen. Das geschieht in 24 Stunden. Wenn Sie darum gebeten haben, brauchen Sie nichts zu tun.",
        ),
        Told::ResetStopped => (
            "Ihre zweiten Faktoren bleiben",
            "Das Entfernen Ihrer Authenticator-App, Ihrer Passkeys und Ihrer Wiederherstellungscodes wurde aufgehalten. Nichts hat sich geändert.",
        ),
        Told::TakenBack => (
            "Was jemand anderes hinzugefügt hat, wurde entfernt",
            "Authenticator-Apps, Passkeys, Wiederherstellungscodes, Anmeldungen über andere Anbieter und Schlüssel für die API dieser Seite wurden entfernt, die zu Ihrem Konto hinzukamen, seit jemand anderes darin war. Was vorher da war, ist unverändert; was weggenommen wurde, richten Sie neu ein.",
        ),
        Told::ResetDone => (
            "Ihre zweiten Faktoren wurden entfernt",
            "Ein Betreiber dieser Seite hat Ihre Authenticator-App, Ihre Passkeys und Ihre Wiederherstellungscodes entfernt, und jede Sitzung wurde beendet. Zur Anmeldung genügt jetzt Ihr Passwort. Richten Sie bald einen zweiten Faktor ein.",
        ),
    }
}
