//! About programs: one signed in (R25), one was signed out because an old token of it came back (R71).

use super::seen::{Seen, facts};
use crate::{
    accounts::server::programs::Told,
    platform::mail::{Letter, Mail, Reader, harmless},
};

pub struct ProgramTold {
    pub told: Told,
    /// What the program calls itself.
    pub program: Option<String>,
    /// "This wasn't me."
    pub link: String,
    pub seen: Option<Seen>,
}

impl ProgramTold {
    fn facts(&self, to: &Reader, label: &'static str) -> Vec<(&'static str, String)> {
        self.program.iter().map(|name| (label, harmless(name))).chain(facts(self.seen.as_ref(), to)).collect()
    }
}

impl Letter for ProgramTold {
    fn en(&self, to: &Reader) -> Mail {
        let way = "open this link and press the button there. It signs out every device and program and takes the password away, and you set a new one. It works once, for 7 days, without signing in.";
        match self.told {
            Told::SignedIn => to
                .mail("A program signed in to your account")
                .text("A program signed in to your account. It may do what you may, until it signs out or you sign it out on the page Sessions.")
                .facts(self.facts(to, "Program"))
                .text("If it was you, do nothing.")
                .text(format!("If it wasn't you, {way}"))
                .link("This wasn't me", &self.link)
                .because("a program signed in to your account"),
            Told::Reused => to
                .mail("A program was signed out of your account")
                .text("A program showed a token that had been replaced long before. Either it lost an answer of ours, or somebody copied its tokens. It is signed out now, with all its tokens; whoever it was can do nothing with them any more.")
                .facts(self.facts(to, "Program"))
                .text("If you know the program, sign it in again.")
                .text(format!("If it wasn't you, or it happens again, {way}"))
                .link("This wasn't me", &self.link)
                .because("a program was signed out of your account"),
        }
    }

    fn de(&self, to: &Reader) -> Mail {
        let way = "öffnen Sie diesen Link und drücken Sie dort den Knopf. Das meldet jedes Gerät und jedes Programm ab und entfernt das Passwort, und Sie setzen ein neues. Der Link gilt einmal, 7 Tage lang, ohne Anmeldung.";
        match self.told {
            Told::SignedIn => to
                .mail("Ein Programm hat sich bei Ihrem Konto angemeldet")
                .text("Ein Programm hat sich bei Ihrem Konto angemeldet. Es darf, was Sie dürfen, bis es sich abmeldet oder Sie es auf der Seite Sitzungen abmelden.")
                .facts(self.facts(to, "Programm"))
                .text("Wenn Sie das waren, brauchen Sie nichts zu tun.")
                .text(format!("Wenn Sie das nicht waren, {way}"))
                .link("Das war ich nicht", &self.link)
                .because("sich ein Programm bei Ihrem Konto angemeldet hat"),
            Told::Reused => to
                .mail("Ein Programm wurde von Ihrem Konto abgemeldet")
                .text("Ein Programm hat ein Token gezeigt, das längst ersetzt war. Entweder ging ihm eine unserer Antworten verloren, oder jemand hat seine Tokens kopiert. Es ist jetzt abgemeldet, mit allen seinen Tokens; wer immer es war, kann mit ihnen nichts mehr tun.")
                .facts(self.facts(to, "Programm"))
                .text("Wenn Sie das Programm kennen, melden Sie es wieder an.")
                .text(format!("Wenn Sie das nicht waren oder es wieder geschieht, {way}"))
                .link("Das war ich nicht", &self.link)
                .because("ein Programm von Ihrem Konto abgemeldet wurde"),
        }
    }
}
