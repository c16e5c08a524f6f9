//! About a change of address: to the new one, to the owner of one that is taken, to the old one.

use super::seen::{Seen, facts};
use crate::platform::mail::{Letter, Mail, Reader};
use time::OffsetDateTime;

pub struct AddressWanted {
    pub seen: Option<Seen>,
}

impl Letter for AddressWanted {
    fn en(&self, to: &Reader) -> Mail {
        to.mail("Somebody wants to use your address")
            .text("Somebody asked to use this address for another account. It belongs to yours, so nothing was changed.")
            .facts(facts(self.seen.as_ref(), to))
            .text("If it wasn't you, do nothing: whoever it was saw only that a mail was sent.")
            .because("it is the address of your account, and somebody wanted to use it for another one")
    }

    fn de(&self, to: &Reader) -> Mail {
        to.mail("Jemand möchte Ihre Adresse verwenden")
            .text("Jemand möchte diese Adresse für ein anderes Konto verwenden. Sie gehört zu Ihrem, deshalb wurde nichts geändert.")
            .facts(facts(self.seen.as_ref(), to))
            .text("Wenn Sie das nicht waren, brauchen Sie nichts zu tun: Zu sehen war nur, dass eine Mail verschickt wurde.")
            .because("dies die Adresse Ihres Kontos ist und jemand sie für ein anderes verwenden wollte")
    }
}

pub struct ConfirmNewEmail {
    pub link: String,
    pub code: String,
    pub seen: Option<Seen>,
}

impl Letter for ConfirmNewEmail {
    fn en(&self, to: &Reader) -> Mail {
        to.mail("Confirm your new email")
            .text("Confirm that this is your address, and you sign in with it from then on. The link works once, for 60 minutes.")
            .link("Confirm new email", &self.link)
            .text("Or type this code in your settings. It works for 10 minutes.")
            .code(&self.code)
            .facts(facts(self.seen.as_ref(), to))
            .text("If it wasn't you, do nothing: without the link no account uses this address.")
            .because("somebody asked to use this address for an account")
    }

    fn de(&self, to: &Reader) -> Mail {
        to.mail("Bestätigen Sie Ihre neue E-Mail-Adresse")
            .text("Bestätigen Sie, dass dies Ihre Adresse ist; von da an melden Sie sich mit ihr an. Der Link gilt einmal, 60 Minuten lang.")
            .link("Neue Adresse bestätigen", &self.link)
            .text("Oder geben Sie diesen Code in Ihren Einstellungen ein. Er gilt 10 Minuten lang.")
            .code(&self.code)
            .facts(facts(self.seen.as_ref(), to))
            .text("Wenn Sie das nicht waren, brauchen Sie nichts zu tun: Ohne den Link verwendet kein Konto diese Adresse.")
            .because("jemand diese Adresse für ein Konto verwenden möchte")
    }
}

pub struct EmailChanged {
    pub new: String,
    /// How long the change can be taken back.
    pub until: OffsetDateTime,
    pub link: String,
    pub seen: Option<Seen>,
}

impl Letter for EmailChanged {
    fn en(&self, to: &Reader) -> Mail {
        let until = to.moment(self.until);
        to.mail("Your email was changed")
            .text(format!("Your account now uses {}. This address can't sign in any more.", self.new))
            .facts(facts(self.seen.as_ref(), to))
            .text(format!(
                "If it wasn't you, take the change back: this address returns, every device is signed out, and you set a new password by mail. This works until {until}."
            ))
            .link("Take the change back", &self.link)
            .because("the email of your account was changed")
    }

    fn de(&self, to: &Reader) -> Mail {
        let until = to.moment(self.until);
        to.mail("Ihre E-Mail-Adresse wurde geändert")
            .text(format!("Ihr Konto verwendet jetzt {}. Mit dieser Adresse hier ist keine Anmeldung mehr möglich.", self.new))
            .facts(facts(self.seen.as_ref(), to))
            .text(format!(
                "Wenn Sie das nicht waren, nehmen Sie die Änderung zurück: Diese Adresse gilt dann wieder, jedes Gerät wird abgemeldet, und Sie setzen per Mail ein neues Passwort. Das geht bis {until}."
            ))
            .link("Änderung zurücknehmen", &self.link)
            .because("die E-Mail-Adresse Ihres Kontos geändert wurde")
    }
}
