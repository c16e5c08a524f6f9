//! About leaving: one's data, the last confirmation, what it did, and the way back.

use super::seen::{Seen, facts};
use crate::platform::mail::{Letter, Mail, Reader};
use time::OffsetDateTime;

pub struct ExportReady {
    pub until: OffsetDateTime,
    /// The page, not the file: fetching it takes a sign-in.
    pub link: String,
    pub forgot: String,
    pub seen: Option<Seen>,
}

impl Letter for ExportReady {
    fn en(&self, to: &Reader) -> Mail {
        to.mail("Your data is ready")
            .text(format!("The export of your account can be fetched until {}.", to.moment(self.until)))
            .link("Fetch it", &self.link)
            .facts(facts(self.seen.as_ref(), to))
            .text("If it wasn't you, somebody knows your password: set a new password now.")
            .link("Set a new password", &self.forgot)
            .because("you asked for an export of your account")
    }

    fn de(&self, to: &Reader) -> Mail {
        to.mail("Ihre Daten liegen bereit")
            .text(format!("Der Export Ihres Kontos kann bis {} abgeholt werden.", to.moment(self.until)))
            .link("Abholen", &self.link)
            .facts(facts(self.seen.as_ref(), to))
            .text("Wenn Sie das nicht waren, kennt jemand Ihr Passwort: Setzen Sie jetzt ein neues.")
            .link("Neues Passwort setzen", &self.forgot)
            .because("Sie um einen Export Ihres Kontos gebeten haben")
    }
}

pub struct DeleteAccount {
    pub link: String,
    pub forgot: String,
    pub seen: Option<Seen>,
}

impl Letter for DeleteAccount {
    fn en(&self, to: &Reader) -> Mail {
        to.mail("Delete your account?")
            .text("You asked to delete your account with everything in it. The link below does it. It works once, for 60 minutes.")
            .link("Delete my account", &self.link)
            .text(
                "All devices are then signed out and your keys stop passing. For 30 days you can bring everything back by signing in; after that it is erased.",
            )
            .facts(facts(self.seen.as_ref(), to))
            .text("If it wasn't you, somebody knows your password: do not open the link above, and set a new password now.")
            .link("Set a new password", &self.forgot)
            .because("somebody asked to delete your account")
    }

    fn de(&self, to: &Reader) -> Mail {
        to.mail("Möchten Sie Ihr Konto löschen?")
            .text("Sie möchten Ihr Konto mit allem löschen, was darin ist. Der Link unten tut es. Er gilt einmal, 60 Minuten lang.")
            .link("Mein Konto löschen", &self.link)
            .text("Danach sind alle Geräte abgemeldet, und Ihre Schlüssel gelten nicht mehr. 30 Tage lang können Sie alles zurückholen, indem Sie sich anmelden; dann wird es endgültig gelöscht.")
            .facts(facts(self.seen.as_ref(), to))
            .text("Wenn Sie das nicht waren, kennt jemand Ihr Passwort: Öffnen Sie den Link oben nicht, und setzen Sie jetzt ein neues Passwort.")
            .link("Neues Passwort setzen", &self.forgot)
            .because("jemand Ihr Konto löschen möchte")
    }
}

/// Deactivated, or deleted with days to come back.
pub struct AccountLeft {
    /// None: nothing is erased.
    pub erased: Option<OffsetDateTime>,
    pub link: String,
    pub seen: Option<Seen>,
}

impl Letter for AccountLeft {
    fn en(&self, to: &Reader) -> Mail {
        let mail = match self.erased {
            None => to
                .mail("Your account is deactivated")
                .text("All devices are signed out and your keys stop passing. Nothing is erased.")
                .text("To bring it back, sign in; or use this link within 30 days."),
            Some(at) => to
                .mail("Your account will be erased")
                .text(format!("All devices are signed out and your keys stop passing. On {} everything is erased for good.", to.moment(at)))
                .text("Until then you can bring it back: sign in, or use this link."),
        };
        mail.link("Bring it back", &self.link)
            .facts(facts(self.seen.as_ref(), to))
            .text("If it wasn't you, bring it back and set a new password.")
            .because("your account was left")
    }

    fn de(&self, to: &Reader) -> Mail {
        let mail = match self.erased {
            None => to
                .mail("Ihr Konto ist stillgelegt")
                .text("Alle Geräte sind abgemeldet, und Ihre Schlüssel gelten nicht mehr. Gelöscht wird nichts.")
                .text("Um es zurückzuholen, melden Sie sich an, oder öffnen Sie innerhalb von 30 Tagen diesen Link."),
            Some(at) => to
                .mail("Ihr Konto wird gelöscht")
                .text(format!("Alle Geräte sind abgemeldet, und Ihre Schlüssel gelten nicht mehr. Am {} wird alles endgültig gelöscht.", to.moment(at)))
                .text("Bis dahin können Sie es zurückholen: Melden Sie sich an, oder öffnen Sie diesen Link."),
        };
        mail.link("Konto zurückholen", &self.link)
            .facts(facts(self.seen.as_ref(), to))
            .text("Wenn Sie das nicht waren, holen Sie es zurück und setzen Sie ein neues Passwort.")
            .because("Ihr Konto verlassen wurde")
    }
}

pub struct AccountReturned {
    pub sign_in: String,
    pub forgot: String,
    pub seen: Option<Seen>,
}

impl Letter for AccountReturned {
    fn en(&self, to: &Reader) -> Mail {
        to.mail("Your account is back")
            .text("Your account was brought back. Its keys pass as before; sign in to use it.")
            .link("Sign in", &self.sign_in)
            .facts(facts(self.seen.as_ref(), to))
            .text("If it wasn't you, set a new password now: that ends every session.")
            .link("Set a new password", &self.forgot)
            .because("your account was brought back")
    }

    fn de(&self, to: &Reader) -> Mail {
        to.mail("Ihr Konto ist zurück")
            .text("Ihr Konto wurde zurückgeholt. Seine Schlüssel gelten wie zuvor; melden Sie sich an, um es zu benutzen.")
            .link("Anmelden", &self.sign_in)
            .facts(facts(self.seen.as_ref(), to))
            .text("Wenn Sie das nicht waren, setzen Sie jetzt ein neues Passwort: Das beendet jede Sitzung.")
            .link("Neues Passwort setzen", &self.forgot)
            .because("Ihr Konto zurückgeholt wurde")
    }
}
