//! Limits that are nearly used up.

use super::{beyond, german};
use crate::{
    keys::model::{KeyLimit, OverAction},
    notices::server::{store::limits::LimitNotice, words},
    platform::mail::{Letter, Mail, Reader, harmless},
    ui::number::count,
};
use time::OffsetDateTime;

/// From so many per cent on a limit is said to be nearly used up.
const NEAR: i128 = 80;

pub struct LimitsNearlyUsed {
    /// At least one.
    pub notices: Vec<LimitNotice>,
    /// When they were marked.
    pub at: OffsetDateTime,
    /// All of these limits have begun anew since.
    pub has_ended: bool,
    pub usage: String,
    pub settings: String,
}

impl LimitsNearlyUsed {
    /// What calls beyond these limits are answered, joined by a word for "or".
    fn codes(&self, or: &str) -> String {
        let quotas = self.notices.iter().filter(|n| n.window().is_quota()).count();
        match quotas {
            0 => "RATE_LIMITED".to_owned(),
            n if n == self.notices.len() => "QUOTA_EXCEEDED".to_owned(),
            _ => format!("RATE_LIMITED {or} QUOTA_EXCEEDED"),
        }
    }

    /// How many keys these notices are of.
    fn keys(&self) -> u64 {
        let mut ids: Vec<_> = self.notices.iter().map(|n| n.key_id).collect();
        ids.sort_unstable();
        ids.dedup();
        ids.len() as u64
    }

    fn has_shared(&self) -> bool {
        self.notices.iter().any(|n| n.key_id.is_none())
    }

    /// How long calls beyond these limits are refused: of fixed windows, of rolling ones and credits, of both; each as its language says it.
    fn until(&self, fixed: &'static str, bit_by_bit: &'static str, both: &'static str) -> &'static str {
        match self.notices.iter().filter(|n| n.window().is_rolling() || is_credits(n)).count() {
            0 => fixed,
            n if n == self.notices.len() => bit_by_bit,
            _ => both,
        }
    }

    /// All of these limits refuse what is beyond them. Where one does not, each says what becomes of it: of one the mail's first sentence, of several
    /// the line of each.
    fn refuse(&self) -> bool {
        self.notices.iter().all(|n| words::action(n, self.at) == OverAction::Refuse)
    }

    fn says_of_each(&self) -> bool {
        !self.has_ended && self.notices.len() > 1 && !self.refuse()
    }

    /// All of these are near their end. A mark may be a low one.
    fn is_near(&self) -> bool {
        self.notices.iter().all(is_near)
    }

    fn begins_over(&self) -> bool {
        self.notices.first().is_some_and(|first| is_over(first) || first.is_short())
    }
}

pub(super) fn is_over(notice: &LimitNotice) -> bool {
    notice.threshold >= 100 && !notice.is_short()
}

/// Four fifths are used, or less is left than calls cost.
fn is_near(notice: &LimitNotice) -> bool {
    notice.is_short() || i128::from(notice.used) * 100 >= i128::from(notice.allowed) * NEAR
}

/// Whose limit it is, with its name unless that is the usual one.
fn label(holder: String, notice: &LimitNotice) -> String {
    if notice.limit_name == KeyLimit::DEFAULT { holder } else { format!("{holder} ({})", harmless(&notice.limit_name)) }
}

fn numbers(notice: &LimitNotice) -> (u64, u64) {
    (u64::try_from(notice.used).unwrap_or(0), u64::try_from(notice.allowed).unwrap_or(0))
}

fn end(notice: &LimitNotice, to: &Reader) -> String {
    to.moment(words::end(notice.window_start, notice.window()))
}

pub(super) fn is_credits(notice: &LimitNotice) -> bool {
    notice.window().is_credits()
}

impl Letter for LimitsNearlyUsed {
    fn en(&self, to: &Reader) -> Mail {
        let subject = match &self.notices[..] {
            [one] => {
                let verb = if one.key_id.is_some() { "has" } else { "have" };
                format!("{} {verb} {}", harmless(&one.key_name), words::told(one.threshold, one.used, one.allowed, one.unit(), one.window()))
            }
            all if all.iter().all(is_over) => format!("{} limits are used up", all.len()),
            all if self.is_near() => format!("{} limits are nearly used up", all.len()),
            all => format!("{} limits have reached a mark", all.len()),
        };
        let code = self.codes("or");
        let until = self.until("until it resets", "until some of it comes back", "until it resets or some of it comes back");
        let until_one = self.until("until the limit resets", "until some of the limit comes back", until);
        let then = |where_it: &str| match self.refuse() {
            true => format!("{where_it} is used up, calls are answered {code} {until}."),
            false => "What becomes of calls beyond a limit stands with it.".to_owned(),
        };
        let lead = match &self.notices[..] {
            [one] if !self.refuse() => beyond::english(one, self.at, to, until_one),
            [one] if is_credits(one) => format!("When no credits are left, calls are answered {code} until some come back or are added."),
            [one] if one.is_short() => format!("Calls that cost more than is left are answered {code} {until_one}."),
            [one] if is_over(one) && one.key_id.is_none() => format!("Calls of every key that shares this limit are answered {code} {until}."),
            [one] if is_over(one) => format!("Calls of this key are answered {code} {until_one}."),
            [_] => format!("When a limit is used up, calls are answered {code} {until}."),
            all => {
                let which = match (self.is_near(), self.has_shared(), self.keys()) {
                    (true, true, _) => format!("{} limits are at or near their end, also what all your keys share.", all.len()),
                    (true, false, 1) => "One of your keys is at or near a limit.".to_owned(),
                    (true, false, keys) => format!("{keys} of your keys are at or near a limit."),
                    (false, true, _) => format!("{} limits have reached a mark that you set, also what all your keys share.", all.len()),
                    (false, false, _) => format!("{} limits have reached a mark that you set.", all.len()),
                };
                format!("{which} {}", then("Where one"))
            }
        };
        let lead = match (self.has_ended, self.notices.len()) {
            (false, _) => lead,
            (true, 1) => "This was reached before the limit reset. It counts from 0 again.".to_owned(),
            (true, _) => "These were reached before the limits reset. They count from 0 again.".to_owned(),
        };
        let advice = if self.begins_over() {
            "If the program is right to call this often, ask for a higher limit."
        } else {
            "If this is more than you expect, see which routes are called."
        };
        let fact = |n: &LimitNotice| {
            let (used, allowed) = numbers(n);
            let rest = match n.is_short() {
                true => ", less is left than calls cost on average".to_owned(),
                // Of one the subject says it.
                false if self.notices.len() > 1 => format!(" ({} % mark)", n.threshold),
                false => String::new(),
            };
            let name = label(harmless(&n.key_name), n);
            let then = if self.says_of_each() { beyond::english_of_each(n, self.at, to) } else { String::new() };
            if is_credits(n) {
                let left = to.language.thousands(allowed.saturating_sub(used));
                return (name, format!("{left} left of {}{rest}{then}", n.window().limit_words(allowed)));
            }
            let resets = match n.window().is_rolling() {
                true => "all of it back by",
                false if self.has_ended => "reset",
                false => "resets",
            };
            let of = if n.unit().is_calls() { count(allowed, "call", "calls") } else { count(allowed, "unit", "units") };
            (name, format!("{} of {of} used{rest}, {resets} {}{then}", to.language.thousands(used), end(n, to)))
        };
        to.mail(subject)
            .text(lead)
            .facts(self.notices.iter().map(fact))
            .link("See usage", &self.usage)
            .text(advice)
            .text(format!("Which of these mails you get is set at {}.", self.settings))
            .because("a limit of your keys reached a mark that you set")
    }

    fn de(&self, to: &Reader) -> Mail {
        let subject = match &self.notices[..] {
            [one] => {
                let verb = if one.key_id.is_some() { "hat" } else { "haben" };
                format!("{} {verb} {}", german::name(one), german::used_of(one))
            }
            all if all.iter().all(is_over) => format!("{} Limits sind aufgebraucht", all.len()),
            all if self.is_near() => format!("{} Limits sind fast aufgebraucht", all.len()),
            all => format!("{} Limits haben eine Marke erreicht", all.len()),
        };
        let code = self.codes("oder");
        let until = self.until("bis es von vorn beginnt", "bis etwas davon wieder frei ist", "bis es von vorn beginnt oder etwas davon wieder frei ist");
        let until_one = self.until("bis das Limit von vorn beginnt", "bis etwas vom Limit wieder frei ist", until);
        let then = |where_it: &str| match self.refuse() {
            true => format!("{where_it} aufgebraucht ist, werden Aufrufe mit {code} beantwortet, {until}."),
            false => "Was mit Aufrufen jenseits eines Limits geschieht, steht bei ihm.".to_owned(),
        };
        let lead = match &self.notices[..] {
            [one] if !self.refuse() => beyond::german(one, self.at, to, until_one),
            [one] if is_credits(one) => {
                format!("Wenn keine Credits mehr übrig sind, werden Aufrufe mit {code} beantwortet, bis welche zurückkommen oder hinzugefügt werden.")
            }
            [one] if one.is_short() => format!("Aufrufe, die mehr kosten als übrig ist, werden mit {code} beantwortet, {until_one}."),
            [one] if is_over(one) && one.key_id.is_none() => {
                format!("Aufrufe aller Schlüssel, die sich dieses Limit teilen, werden mit {code} beantwortet, {until}.")
            }
            [one] if is_over(one) => format!("Aufrufe dieses Schlüssels werden mit {code} beantwortet, {until_one}."),
            [_] => format!("Wenn ein Limit aufgebraucht ist, werden Aufrufe mit {code} beantwortet, {until}."),
            all => {
                let which = match (self.is_near(), self.has_shared(), self.keys()) {
                    (true, true, _) => format!("{} Limits sind am Ende oder kurz davor, auch solche, die sich alle Ihre Schlüssel teilen.", all.len()),
                    (true, false, 1) => "Einer Ihrer Schlüssel ist an einem Limit oder kurz davor.".to_owned(),
                    (true, false, keys) => format!("{keys} Ihrer Schlüssel sind an einem Limit oder kurz davor."),
                    (false, true, _) => {
                        format!("{} Limits haben eine Marke erreicht, die Sie gesetzt haben, auch solche, die sich alle Ihre Schlüssel teilen.", all.len())
                    }
                    (false, false, _) => format!("{} Limits haben eine Marke erreicht, die Sie gesetzt haben.", all.len()),
                };
                format!("{which} {}", then("Wo eines"))
            }
        };
        let lead = match (self.has_ended, self.notices.len()) {
            (false, _) => lead,
            (true, 1) => "Das war, bevor das Limit von vorn begann. Es zählt wieder von 0 an.".to_owned(),
            (true, _) => "Das war, bevor die Limits von vorn begannen. Sie zählen wieder von 0 an.".to_owned(),
        };
        let advice = if self.begins_over() {
            "Wenn das Programm zu Recht so oft aufruft, bitten Sie um ein höheres Limit."
        } else {
            "Wenn das mehr ist, als Sie erwarten, sehen Sie nach, welche Routen aufgerufen werden."
        };
        let fact = |n: &LimitNotice| {
            let (used, allowed) = numbers(n);
            let rest = match n.is_short() {
                true => ", weniger übrig als Aufrufe im Schnitt kosten".to_owned(),
                false if self.notices.len() > 1 => format!(" (Marke {} %)", n.threshold),
                false => String::new(),
            };
            let name = label(german::name(n), n);
            let then = if self.says_of_each() { beyond::german_of_each(n, self.at, to) } else { String::new() };
            if is_credits(n) {
                let left = to.language.thousands(allowed.saturating_sub(used));
                return (name, format!("noch {left} von {}{rest}{then}", german::credits(allowed, n.window())));
            }
            let (one, many) = german::dative(n.unit());
            let of = to.count(allowed, one, many);
            let resets = match n.window().is_rolling() {
                true => "alles wieder frei",
                false if self.has_ended => "begann von vorn",
                false => "beginnt von vorn",
            };
            (name, format!("{} von {of} verbraucht{rest}, {resets}: {}{then}", to.language.thousands(used), end(n, to)))
        };
        to.mail(subject)
            .text(lead)
            .facts(self.notices.iter().map(fact))
            .link("Nutzung ansehen", &self.usage)
            .text(advice)
            .text(format!("Welche dieser Mails Sie erhalten, stellen Sie hier ein: {}.", self.settings))
            .because("ein Limit Ihrer Schlüssel eine Marke erreicht hat, die Sie gesetzt haben")
    }
}
