//! To an address that somebody signed up with: the proof, or that it has an account already.

use super::seen::{Seen, facts};
use crate::platform::mail::{Letter, Mail, Reader};

pub struct ConfirmEmail {
    pub link: String,
    pub code: String,
    pub seen: Option<Seen>,
}

impl Letter for ConfirmEmail {
    fn en(&self, to: &Reader) -> Mail {
        to.mail("Confirm your email")
            .text("Confirm that this is your address, and your account is ready. The link works once, for 60 minutes.")
            .link("Confirm email", &self.link)
            .text("Or type this code where you signed up. It works for 10 minutes.")
            .code(&self.code)
            .facts(facts(self.seen.as_ref(), to))
            .text("If it wasn't you, do nothing: without the link there is no account, and this address stays yours to sign up with.")
            .because("somebody signed up with this address")
    }

    fn de(&self, to: &Reader) -> Mail {
        to.mail("Bestätigen Sie Ihre E-Mail-Adresse")
            .text("Bestätigen Sie, dass dies Ihre Adresse ist, und Ihr Konto ist bereit. Der Link gilt einmal, 60 Minuten lang.")
            .link("Adresse bestätigen", &self.link)
            .text("Oder geben Sie diesen Code dort ein, wo Sie sich registriert haben. Er gilt 10 Minuten lang.")
            .code(&self.code)
            .facts(facts(self.seen.as_ref(), to))
            .text("Wenn Sie das nicht waren, brauchen Sie nichts zu tun: Ohne den Link entsteht kein Konto, und Sie können sich mit dieser Adresse weiterhin selbst registrieren.")
            .because("sich jemand mit dieser Adresse registriert hat")
    }
}

pub struct AlreadyRegistered {
    pub sign_in: String,
    pub forgot: String,
    pub seen: Option<Seen>,
}

impl Letter for AlreadyRegistered {
    fn en(&self, to: &Reader) -> Mail {
        to.mail("You already have an account")
            .text("Somebody signed up with this address. It has an account already, so nothing was created or changed.")
            .link("Sign in", &self.sign_in)
            .text(format!("If you forgot your password, set a new one at {}.", self.forgot))
            .facts(facts(self.seen.as_ref(), to))
            .text("If it wasn't you, do nothing: whoever it was saw only that a mail was sent.")
            .because("somebody signed up with the address of your account")
    }

    fn de(&self, to: &Reader) -> Mail {
        to.mail("Sie haben bereits ein Konto")
            .text("Jemand hat sich mit dieser Adresse registriert. Zu ihr gibt es schon ein Konto, deshalb wurde nichts angelegt und nichts geändert.")
            .link("Anmelden", &self.sign_in)
            .text(format!("Wenn Sie Ihr Passwort vergessen haben, setzen Sie hier ein neues: {}.", self.forgot))
            .facts(facts(self.seen.as_ref(), to))
            .text("Wenn Sie das nicht waren, brauchen Sie nichts zu tun: Zu sehen war nur, dass eine Mail verschickt wurde.")
            .because("sich jemand mit der Adresse Ihres Kontos registriert hat")
    }
}
