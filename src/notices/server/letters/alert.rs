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
    /// None: on all APIs.
    pub api: Option<String>,
    /// None: on all routes.
    pub route: Option<String>,
    /// Calls that did not pass.
    pub calls: u64,
    pub more_than: i64,
    pub percent: Option<i16>,
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

impl Alert {
    /// What the rule watches, each part behind its word: of a key, of an API, of a route.
    fn of(&self, [key, api, route]: [&str; 3]) -> String {
        let parts = [(key, &self.key), (api, &self.api), (route, &self.route)];
        parts.into_iter().filter_map(|(word, name)| Some(format!(" {word} {}", harmless(name.as_ref()?)))).collect()
    }
}

impl Letter for Alert {
    fn en(&self, to: &Reader) -> Mail {
        let of = self.of(["of", "of the API", "to"]);
        let rule = format!("{}{}", words::rule(self.more_than, &self.codes, self.minutes), words::share(self.percent));
        to.mail(format!("{}{of} did not pass in {}", count(self.calls, "call", "calls"), words::lasting(self.minutes)))
            .text(format!("Your rule: {rule}{of}. Counted until {}.", to.moment(self.at)))
            .facts(self.lines.iter().map(|line| (harmless(&line.key), format!("{}, {}", count(line.calls, "call", "calls"), line.code))))
            .link("See the errors", &self.errors)
            .text(format!("The rule is silent for {} now. Change or remove it at {}.", words::lasting(self.quiet_minutes), self.settings))
            .because("you set a rule on errors")
    }

    fn de(&self, to: &Reader) -> Mail {
        let (of, of_rule) = (self.of(["mit", "der API", "an"]), self.of(["für", "für die API", "für"]));
        let (calls, verb) = (to.count(self.calls, "Aufruf", "Aufrufe"), if self.calls == 1 { "kam" } else { "kamen" });
        let rule = format!("{}{}", german::rule(self.more_than, &self.codes, self.minutes), german::share(self.percent));
        to.mail(format!("{calls}{of} {verb} {} nicht durch", german::within(self.minutes)))
            .text(format!("Ihre Regel{of_rule}: {rule}. Gezählt bis {}.", to.moment(self.at)))
            .facts(self.lines.iter().map(|line| (harmless(&line.key), format!("{}, {}", to.count(line.calls, "Aufruf", "Aufrufe"), line.code))))
            .link("Fehler ansehen", &self.errors)
            .text(format!("Die Regel schweigt jetzt {}. Ändern oder entfernen Sie sie hier: {}.", german::lasting(self.quiet_minutes), self.settings))
            .because("Sie eine Regel für Fehler gesetzt haben")
    }
}
