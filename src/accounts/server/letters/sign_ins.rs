//! About sign-ins elsewhere: linked, unlinked (R26), or shown by somebody with the address of an account.

use super::seen::{Seen, facts};
use crate::{
    accounts::server::openid::Told,
    platform::mail::{Letter, Mail, Reader, harmless},
};

pub struct SignInElsewhere {
    pub told: Told,
    /// As the provider is called on buttons.
    pub provider: String,
    /// Where to confirm it, or to set a new password.
    pub link: String,
    pub seen: Option<Seen>,
}

impl Letter for SignInElsewhere {
    fn en(&self, to: &Reader) -> Mail {
        let name = harmless(&self.provider);
        match self.told {
            Told::Linked => to
                .mail(format!("You can sign in with {name} now"))
                .text(format!("A sign-in at {name} was linked to your account. Whoever signs in with it there comes in here."))
                .facts(facts(self.seen.as_ref(), to))
                .text("If it wasn't you, set a new password now: that ends every session. Then unlink it on Security.")
                .link("Set a new password", &self.link)
                .because("a sign-in was linked to your account"),
            Told::Unlinked => to
                .mail(format!("{name} no longer signs you in"))
                .text(format!("The sign-in at {name} was unlinked from your account. It does not let anybody in any more."))
                .facts(facts(self.seen.as_ref(), to))
                .text("If it wasn't you, set a new password now: that ends every session.")
                .link("Set a new password", &self.link)
                .because("a sign-in was unlinked from your account"),
            Told::Offered => to
                .mail("You already have an account")
                .text(format!("Somebody came from {name} with this address. It has an account already, so nothing was created or changed."))
                .text(format!("If it was you, sign in as usual in the same browser within the hour, and confirm that {name} may sign you in."))
                .link("Sign in and confirm", &self.link)
                .facts(facts(self.seen.as_ref(), to))
                .text("If it wasn't you, do nothing: whoever it was saw only that a mail was sent.")
                .because("somebody came with the address of your account"),
        }
    }

    fn de(&self, to: &Reader) -> Mail {
        let name = harmless(&self.provider);
        match self.told {
            Told::Linked => to
                .mail(format!("Sie können sich jetzt mit {name} anmelden"))
                .text(format!("Eine Anmeldung bei {name} wurde mit Ihrem Konto verknüpft. Wer sich dort mit ihr anmeldet, kommt hier hinein."))
                .facts(facts(self.seen.as_ref(), to))
                .text("Wenn Sie das nicht waren, setzen Sie jetzt ein neues Passwort: Das beendet jede Sitzung. Lösen Sie danach die Verknüpfung auf der Seite Sicherheit.")
                .link("Neues Passwort setzen", &self.link)
                .because("eine Anmeldung mit Ihrem Konto verknüpft wurde"),
            Told::Unlinked => to
                .mail(format!("{name} meldet Sie nicht mehr an"))
                .text(format!("Die Anmeldung bei {name} wurde von Ihrem Konto gelöst. Mit ihr kommt niemand mehr hinein."))
                .facts(facts(self.seen.as_ref(), to))
                .text("Wenn Sie das nicht waren, setzen Sie jetzt ein neues Passwort: Das beendet jede Sitzung.")
                .link("Neues Passwort setzen", &self.link)
                .because("eine Anmeldung von Ihrem Konto gelöst wurde"),
            Told::Offered => to
                .mail("Sie haben schon ein Konto")
                .text(format!("Jemand kam von {name} mit dieser Adresse. Zu ihr gibt es schon ein Konto, darum wurde nichts angelegt oder geändert."))
                .text(format!("Wenn Sie das waren, melden Sie sich innerhalb einer Stunde im selben Browser wie gewohnt an und bestätigen Sie, dass {name} Sie anmelden darf."))
                .link("Anmelden und bestätigen", &self.link)
                .facts(facts(self.seen.as_ref(), to))
                .text("Wenn Sie das nicht waren, brauchen Sie nichts zu tun: Wer immer es war, sah nur, dass eine Mail verschickt wurde.")
                .because("jemand mit der Adresse Ihres Kontos kam"),
        }
    }
}
