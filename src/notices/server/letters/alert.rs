//! A rule on errors that fired.

use super::german;
use crate::{
    notices::server::words,
    platform::mail::{Letter, Mail, Reader, harmless},
    ui::number::count,
};
use time::OffsetDateTime;

pub struct Alert {
    /// None: a rule on all keys.
    pub key: Option<String>,
    /// Calls that did not pass.
    pub calls: u64,
    pub more_than: i64,
    /// Empty: any that means a call did not pass.
    pub codes: Vec<String>,
    pub minutes: i32,
    pub quiet_minutes: i32,
    /// Until then it was counted.
    pub at: OffsetDateTime,
    pub lines: Vec<AlertLine>,
    pub errors: String,
    pub settings: String,
}

/// What was counted of one key and one code.
pub struct AlertLine {
    pub key: String,
    pub code: String,
    pub calls: u64,
}

impl Letter for Alert {
    fn en(&self, to: &Reader) -> Mail {
        let of = self.key.as_ref().map(|name| format!(" of {}", harmless(name))).unwrap_or_default();
        let rule = words::rule(self.more_than, &self.codes, self.minutes);
        to.mail(format!("{}{of} did not pass in {}", count(self.calls, "call", "calls"), words::lasting(self.minutes)))
            .text(format!("Your rule: {rule}{of}. Counted until {}.", to.moment(self.at)))
            .facts(self.lines.iter().map(|line| (harmless(&line.key), format!("{}, {}", count(line.calls, "call", "calls"), line.code))))
            .link("See the errors", &self.errors)
            .text(format!("The rule is silent for {} now. Change or remove it at {}.", words::lasting(self.quiet_minutes), self.settings))
            .because("you set a rule on errors")
    }

    fn de(&self, to: &Reader) -> Mail {
        let of = self.key.as_ref().map(|name| format!(" mit {}", harmless(name))).unwrap_or_default();
        let of_rule = self.key.as_ref().map(|name| format!(" für {}", harmless(name))).unwrap_or_default();
        let (calls, verb) = (to.count(self.calls, "Aufruf", "Aufrufe"), if self.calls == 1 { "kam" } else { "kamen" });
        let rule = german::rule(self.more_than, &self.codes, self.minutes);
        to.mail(format!("{calls}{of} {verb} {} nicht durch", german::within(self.minutes)))
            .text(format!("Ihre Regel{of_rule}: {rule}. Gezählt bis {}.", to.moment(self.at)))
            .facts(self.lines.iter().map(|line| (harmless(&line.key), format!("{}, {}", to.count(line.calls, "Aufruf", "Aufrufe"), line.code))))
            .link("Fehler ansehen", &self.errors)
            .text(format!("Die Regel schweigt jetzt {}. Ändern oder entfernen Sie sie hier: {}.", german::lasting(self.quiet_minutes), self.settings))
            .because("Sie eine Regel für Fehler gesetzt haben")
    }
}
