//! About the password: the link and the code to set one, and that it is another one now (R26).

use super::seen::{Seen, facts};
use crate::platform::mail::{Letter, Mail, Reader};

pub struct SetPassword {
    pub link: String,
    /// For who asked for the mail.
    pub code: Option<String>,
    pub seen: Option<Seen>,
}

impl Letter for SetPassword {
    fn en(&self, to: &Reader) -> Mail {
        let mail = to
            .mail("Set a new password")
            .text("Somebody asked to set a new password for your account. The link works once, for 60 minutes.")
            .link("Set a new password", &self.link);
        let mail = match &self.code {
            Some(code) => {
                mail.text("Or type this code on the page where you asked. It works for 10 minutes. Give it to nobody: we never ask for it.").code(code)
            }
            None => mail,
        };
        mail.facts(facts(self.seen.as_ref(), to))
            .text("If it wasn't you, do nothing: your password stays as it is.")
            .because("somebody asked for a new password for your account")
    }

    fn de(&self, to: &Reader) -> Mail {
        let mail = to
            .mail("Setzen Sie ein neues Passwort")
            .text("Jemand möchte für Ihr Konto ein neues Passwort setzen. Der Link gilt einmal, 60 Minuten lang.")
            .link("Neues Passwort setzen", &self.link);
        let mail = match &self.code {
            Some(code) => mail
                .text("Oder geben Sie diesen Code auf der Seite ein, auf der Sie darum gebeten haben. Er gilt 10 Minuten lang. Geben Sie ihn niemandem: Wir fragen nie danach.")
                .code(code),
            None => mail,
        };
        mail.facts(facts(self.seen.as_ref(), to))
            .text("Wenn Sie das nicht waren, brauchen Sie nichts zu tun: Ihr Passwort bleibt, wie es ist.")
            .because("jemand für Ihr Konto ein neues Passwort angefordert hat")
    }
}

pub struct PasswordChanged {
    pub forgot: String,
    pub seen: Option<Seen>,
}

impl Letter for PasswordChanged {
    fn en(&self, to: &Reader) -> Mail {
        to.mail("Your password was changed")
            .text("The password of your account was changed. All other devices were signed out.")
            .facts(facts(self.seen.as_ref(), to))
            .text("If it wasn't you, set a new password now: that ends every session. Then look through your keys.")
            .link("Set a new password", &self.forgot)
            .because("the password of your account was changed")
    }

    fn de(&self, to: &Reader) -> Mail {
        to.mail("Ihr Passwort wurde geändert")
            .text("Das Passwort Ihres Kontos wurde geändert. Alle anderen Geräte wurden abgemeldet.")
            .facts(facts(self.seen.as_ref(), to))
            .text("Wenn Sie das nicht waren, setzen Sie jetzt ein neues Passwort: Das beendet jede Sitzung. Sehen Sie danach Ihre Schlüssel durch.")
            .link("Neues Passwort setzen", &self.forgot)
            .because("das Passwort Ihres Kontos geändert wurde")
    }
}
