//! Limits that are nearly used up.

use super::german;
use crate::{
    notices::server::{store::limits::LimitNotice, words},
    platform::mail::{Letter, Mail, Reader, harmless},
    ui::number::count,
};

pub struct LimitsNearlyUsed {
    /// At least one.
    pub notices: Vec<LimitNotice>,
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

    fn begins_over(&self) -> bool {
        self.notices.first().is_some_and(is_over)
    }
}

fn is_over(notice: &LimitNotice) -> bool {
    notice.threshold >= 100
}

/// Something is left, and no call costs so little.
fn has_rest(notice: &LimitNotice) -> bool {
    is_over(notice) && notice.used < notice.allowed
}

fn numbers(notice: &LimitNotice) -> (u64, u64) {
    (u64::try_from(notice.used).unwrap_or(0), u64::try_from(notice.allowed).unwrap_or(0))
}

fn end(notice: &LimitNotice, to: &Reader) -> String {
    to.moment(words::end(notice.window_start, notice.window()))
}

fn is_credits(notice: &LimitNotice) -> bool {
    notice.window().is_credits()
}

impl Letter for LimitsNearlyUsed {
    fn en(&self, to: &Reader) -> Mail {
        let subject = match &self.notices[..] {
            [one] => {
                let verb = if one.key_id.is_some() { "has" } else { "have" };
                format!("{} {verb} {}", harmless(&one.key_name), words::used(one.threshold, one.allowed, one.window()))
            }
            all if all.iter().all(is_over) => format!("{} limits are used up", all.len()),
            all => format!("{} limits are nearly used up", all.len()),
        };
        let code = self.codes("or");
        let until = self.until("until it resets", "until some of it comes back", "until it resets or some of it comes back");
        let until_one = self.until("until the limit resets", "until some of the limit comes back", until);
        let lead = match &self.notices[..] {
            [one] if is_credits(one) => format!("When no credits are left, calls are answered {code} until some come back or are added."),
            [one] if is_over(one) && one.key_id.is_none() => format!("Calls of every key that shares this limit are answered {code} {until}."),
            [one] if is_over(one) => format!("Calls of this key are answered {code} {until_one}."),
            [_] => format!("When a limit is used up, calls are answered {code} {until}."),
            all if self.has_shared() => format!(
                "{} limits are at or near their end, also what all your keys share. Where one is used up, calls are answered {code} {until}.",
                all.len()
            ),
            _ => format!("{} of your keys are at or near a limit. Where it is used up, calls are answered {code} {until}.", self.keys()),
        };
        let advice = if self.begins_over() {
            "If the program is right to call this often, ask for a higher limit."
        } else {
            "If this is more than you expect, see which routes are called."
        };
        let fact = |n: &LimitNotice| {
            let (used, allowed) = numbers(n);
            let rest = if has_rest(n) { ", too little is left for another call" } else { "" };
            if is_credits(n) {
                let left = to.language.thousands(allowed.saturating_sub(used));
                return (harmless(&n.key_name), format!("{left} left of {}{rest}", n.window().limit_words(allowed)));
            }
            let resets = if n.window().is_rolling() { "all of it back by" } else { "resets" };
            (harmless(&n.key_name), format!("{} of {} used{rest}, {resets} {}", to.language.thousands(used), count(allowed, "unit", "units"), end(n, to)))
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
                format!("{} {verb} {}", german::name(one), german::used(one.threshold, one.allowed, one.window()))
            }
            all if all.iter().all(is_over) => format!("{} Limits sind aufgebraucht", all.len()),
            all => format!("{} Limits sind fast aufgebraucht", all.len()),
        };
        let code = self.codes("oder");
        let until = self.until("bis es von vorn beginnt", "bis etwas davon wieder frei ist", "bis es von vorn beginnt oder etwas davon wieder frei ist");
        let until_one = self.until("bis das Limit von vorn beginnt", "bis etwas vom Limit wieder frei ist", until);
        let lead = match &self.notices[..] {
            [one] if is_credits(one) => {
                format!("Wenn keine Credits mehr übrig sind, werden Aufrufe mit {code} beantwortet, bis welche zurückkommen oder hinzugefügt werden.")
            }
            [one] if is_over(one) && one.key_id.is_none() => {
                format!("Aufrufe aller Schlüssel, die sich dieses Limit teilen, werden mit {code} beantwortet, {until}.")
            }
            [one] if is_over(one) => format!("Aufrufe dieses Schlüssels werden mit {code} beantwortet, {until_one}."),
            [_] => format!("Wenn ein Limit aufgebraucht ist, werden Aufrufe mit {code} beantwortet, {until}."),
            all if self.has_shared() => format!(
                "{} Limits sind am Ende oder kurz davor, auch solche, die sich alle Ihre Schlüssel teilen. Wo eines aufgebraucht ist, werden Aufrufe mit {code} beantwortet, {until}.",
                all.len()
            ),
            _ => {
                let keys = match self.keys() {
                    1 => "Einer Ihrer Schlüssel ist".to_owned(),
                    n => format!("{n} Ihrer Schlüssel sind"),
                };
                format!("{keys} an einem Limit oder kurz davor. Wo es aufgebraucht ist, werden Aufrufe mit {code} beantwortet, {until}.")
            }
        };
        let advice = if self.begins_over() {
            "Wenn das Programm zu Recht so oft aufruft, bitten Sie um ein höheres Limit."
        } else {
            "Wenn das mehr ist, als Sie erwarten, sehen Sie nach, welche Routen aufgerufen werden."
        };
        let fact = |n: &LimitNotice| {
            let (used, allowed) = numbers(n);
            let rest = if has_rest(n) { ", für einen weiteren Aufruf zu wenig" } else { "" };
            if is_credits(n) {
                let left = to.language.thousands(allowed.saturating_sub(used));
                return (german::name(n), format!("noch {left} von {}{rest}", german::credits(allowed, n.window())));
            }
            let of = to.count(allowed, "Einheit", "Einheiten");
            let resets = if n.window().is_rolling() { "alles wieder frei" } else { "beginnt von vorn" };
            (german::name(n), format!("{} von {of} verbraucht{rest}, {resets}: {}", to.language.thousands(used), end(n, to)))
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
