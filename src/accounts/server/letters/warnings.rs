//! The mails that warn: of a ban and its end, of guessing and what it ends in, of a new device.

use super::seen::{Seen, facts};
use crate::platform::mail::{Letter, Mail, Reader, harmless};
use time::OffsetDateTime;

pub struct Banned {
    pub reason: String,
    pub since: OffsetDateTime,
    /// None: until it is lifted.
    pub until: Option<OffsetDateTime>,
    /// Where to object; empty: the operator of this site.
    pub contact: String,
}

impl Letter for Banned {
    fn en(&self, to: &Reader) -> Mail {
        let until = self.until.map_or_else(|| "No end is set".to_owned(), |until| to.moment(until));
        let whom = match self.contact.as_str() {
            "" => "If you think this is wrong, ask the operator of this site.".to_owned(),
            contact => format!("If you think this is wrong, write to {contact}."),
        };
        to.mail("Your account is banned")
            .text("An operator banned your account. You are signed out everywhere and can't sign in, and your keys are refused.")
            .facts([("Reason", harmless(&self.reason)), ("Since", to.moment(self.since)), ("Until", until)])
            .text("Your keys and settings stay as they are. When the ban ends, you can sign in again and your keys pass as before.")
            .text(whom)
            .because("your account was banned")
    }

    fn de(&self, to: &Reader) -> Mail {
        let until = self.until.map_or_else(|| "Kein Ende festgelegt".to_owned(), |until| to.moment(until));
        let whom = match self.contact.as_str() {
            "" => "Wenn Sie das für falsch halten, fragen Sie den Betreiber dieser Seite.".to_owned(),
            contact => format!("Wenn Sie das für falsch halten, schreiben Sie an {contact}."),
        };
        to.mail("Ihr Konto ist gesperrt")
            .text("Ein Betreiber hat Ihr Konto gesperrt. Sie sind überall abgemeldet und können sich nicht anmelden, und Ihre Schlüssel werden abgewiesen.")
            .facts([("Grund", harmless(&self.reason)), ("Seit", to.moment(self.since)), ("Bis", until)])
            .text("Ihre Schlüssel und Einstellungen bleiben, wie sie sind. Wenn die Sperre endet, können Sie sich wieder anmelden, und Ihre Schlüssel gelten wie zuvor.")
            .text(whom)
            .because("Ihr Konto gesperrt wurde")
    }
}

pub struct Unbanned {
    /// By an operator; else its end had come.
    pub lifted: bool,
    pub since: Option<OffsetDateTime>,
    pub sign_in: String,
}

impl Letter for Unbanned {
    fn en(&self, to: &Reader) -> Mail {
        let what = if self.lifted { "The ban of your account was lifted." } else { "The ban of your account has ended." };
        to.mail("Your account is no longer banned")
            .text(format!("{what} You can sign in again, and your keys pass as before."))
            .link("Sign in", &self.sign_in)
            .facts(self.since.map(|at| ("Since", to.moment(at))))
            .because("the ban of your account ended")
    }

    fn de(&self, to: &Reader) -> Mail {
        let what = if self.lifted { "Die Sperre Ihres Kontos wurde aufgehoben." } else { "Die Sperre Ihres Kontos ist abgelaufen." };
        to.mail("Ihr Konto ist nicht mehr gesperrt")
            .text(format!("{what} Sie können sich wieder anmelden, und Ihre Schlüssel gelten wie zuvor."))
            .link("Anmelden", &self.sign_in)
            .facts(self.since.map(|at| ("Seit", to.moment(at))))
            .because("die Sperre Ihres Kontos endete")
    }
}

pub struct Locked {
    /// Wrong passwords in a row.
    pub failures: u64,
    pub link: String,
    pub seen: Option<Seen>,
}

impl Letter for Locked {
    fn en(&self, to: &Reader) -> Mail {
        let tried = match self.failures {
            1 => "1 wrong password was".to_owned(),
            n => format!("{} wrong passwords in a row were", to.language.thousands(n)),
        };
        to.mail("Somebody is guessing your password")
            .text(format!("{tried} tried for your account. Nobody came in. Each further try now has to wait, up to 15 minutes."))
            .text("In a browser where you signed in before you don't have to wait. In any other one, this link ends the wait. It works once, for 24 hours.")
            .link("End the wait", &self.link)
            .facts(facts(self.seen.as_ref(), to))
            .text("If it wasn't you, you need do nothing: waiting is what keeps guessers out. If your password is short or used elsewhere, set a new one.")
            .because("somebody tried wrong passwords for your account")
    }

    fn de(&self, to: &Reader) -> Mail {
        let tried = match self.failures {
            1 => "wurde 1 falsches Passwort".to_owned(),
            n => format!("wurden {} falsche Passwörter hintereinander", to.language.thousands(n)),
        };
        to.mail("Jemand versucht, Ihr Passwort zu erraten")
            .text(format!("Für Ihr Konto {tried} versucht. Niemand kam hinein. Jeder weitere Versuch muss jetzt warten, bis zu 15 Minuten."))
            .text("In einem Browser, in dem Sie schon angemeldet waren, müssen Sie nicht warten. In jedem anderen beendet dieser Link das Warten. Er gilt einmal, 24 Stunden lang.")
            .link("Warten beenden", &self.link)
            .facts(facts(self.seen.as_ref(), to))
            .text("Wenn Sie das nicht waren, brauchen Sie nichts zu tun: Das Warten hält Fremde fern. Wenn Ihr Passwort kurz ist oder auch anderswo gilt, setzen Sie ein neues.")
            .because("jemand für Ihr Konto falsche Passwörter versucht hat")
    }
}

pub struct PasswordStopped {
    /// Where a new one is asked for.
    pub forgot: String,
    pub seen: Option<Seen>,
}

impl Letter for PasswordStopped {
    fn en(&self, to: &Reader) -> Mail {
        to.mail("Your password has to be replaced")
            .text("100 wrong tries in a row were made for your account. Nobody came in. Your password is tried no more in browsers that you did not use before.")
            .text("Set a new one, and all is as it was. Until then a passkey signs you in, and so does the password in a browser where you signed in before. Your keys and open sessions go on.")
            .link("Set a new password", &self.forgot)
            .facts(facts(self.seen.as_ref(), to))
            .text("If it wasn't you, choose a password that is long and used nowhere else.")
            .because("somebody tried 100 times in a row to come into your account")
    }

    fn de(&self, to: &Reader) -> Mail {
        to.mail("Ihr Passwort muss ersetzt werden")
            .text("Für Ihr Konto gab es 100 falsche Versuche hintereinander. Niemand kam hinein. In Browsern, die Sie vorher nicht benutzt haben, gilt Ihr Passwort nicht mehr.")
            .text("Setzen Sie ein neues, dann ist alles wie zuvor. Bis dahin kommen Sie mit einem Passkey hinein, und mit dem Passwort in einem Browser, in dem Sie schon angemeldet waren. Ihre Schlüssel und offenen Sitzungen laufen weiter.")
            .link("Neues Passwort setzen", &self.forgot)
            .facts(facts(self.seen.as_ref(), to))
            .text("Wenn Sie das nicht waren, wählen Sie ein langes Passwort, das nirgends sonst gilt.")
            .because("jemand 100-mal hintereinander versucht hat, in Ihr Konto zu kommen")
    }
}

pub struct NewDevice {
    pub link: String,
    pub seen: Option<Seen>,
}

impl Letter for NewDevice {
    fn en(&self, to: &Reader) -> Mail {
        to.mail("New sign-in to your account")
            .text("Somebody signed in to your account in a browser where you had not signed in before.")
            .facts(facts(self.seen.as_ref(), to).into_iter().chain([("Place", "unknown".to_owned())]))
            .text("If it was you, do nothing.")
            .text("If it wasn't you, open this link and press the button there. It signs out every device and takes the password away, and you set a new one. It works once, for 7 days, without signing in.")
            .link("This wasn't me", &self.link)
            .because("your account was entered from a new device")
    }

    fn de(&self, to: &Reader) -> Mail {
        to.mail("Neue Anmeldung bei Ihrem Konto")
            .text("Bei Ihrem Konto hat sich jemand in einem Browser angemeldet, in dem Sie vorher nicht angemeldet waren.")
            .facts(facts(self.seen.as_ref(), to).into_iter().chain([("Ort", "unbekannt".to_owned())]))
            .text("Wenn Sie das waren, brauchen Sie nichts zu tun.")
            .text("Wenn Sie das nicht waren, öffnen Sie diesen Link und drücken Sie dort den Knopf. Das meldet jedes Gerät ab und entfernt das Passwort, und Sie setzen ein neues. Der Link gilt einmal, 7 Tage lang, ohne Anmeldung.")
            .link("Das war ich nicht", &self.link)
            .because("Ihr Konto von einem neuen Gerät aus betreten wurde")
    }
}
