//! The words of `words`, in German.

use crate::{
    keys::model::{LimitUnit, Unit, Window},
    notices::server::store::limits::LimitNotice,
    platform::mail::harmless,
    values::Language,
};
use time::Duration;

fn number(n: u64) -> String {
    Language::De.thousands(n)
}

fn count(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(n), if n == 1 { one } else { many })
}

/// Whose limit it is.
pub fn name(notice: &LimitNotice) -> String {
    if notice.key_id.is_some() { harmless(&notice.key_name) } else { "Alle Schlüssel zusammen".to_owned() }
}

/// "80 % von 1.000 Einheiten pro Tag verbraucht", "5 Einheiten pro Tag aufgebraucht".
pub fn used(threshold: i16, allowed: i64, unit: LimitUnit, window: Window) -> String {
    if threshold >= 100 {
        return format!("{} aufgebraucht", limit(allowed, nominative(unit), window));
    }
    if window.is_credits() {
        return format!("noch {} % von {}", 100 - threshold, limit(allowed, dative(unit), window));
    }
    format!("{threshold} % von {} verbraucht", limit(allowed, dative(unit), window))
}

/// The same of what was told: "100 Einheiten pro Stunde fast aufgebraucht" where calls cost more than is left.
pub fn used_of(notice: &LimitNotice) -> String {
    match notice.is_short() {
        true => format!("{} fast aufgebraucht", limit(notice.allowed, nominative(notice.unit()), notice.window())),
        false => used(notice.threshold, notice.allowed, notice.unit(), notice.window()),
    }
}

/// "1.000 Einheiten pro Tag", "1.000 Credits (+100 je Stunde)".
fn limit(allowed: i64, (one, many): (&str, &str), window: Window) -> String {
    let allowed = u64::try_from(allowed).unwrap_or(0);
    if window.is_credits() { credits(allowed, window) } else { format!("{} {}", count(allowed, one, many), per(window)) }
}

/// What a window counts: one of it, and several.
const fn nominative(unit: LimitUnit) -> (&'static str, &'static str) {
    match unit {
        LimitUnit::Units => ("Einheit", "Einheiten"),
        LimitUnit::Calls => ("Aufruf", "Aufrufe"),
    }
}

/// The same behind "von".
pub const fn dative(unit: LimitUnit) -> (&'static str, &'static str) {
    match unit {
        LimitUnit::Units => ("Einheit", "Einheiten"),
        LimitUnit::Calls => ("Aufruf", "Aufrufen"),
    }
}

/// "1.000 Credits (+100 je Stunde)", "5 Credits (im Voraus bezahlt)".
pub fn credits(allowed: u64, window: Window) -> String {
    format!("{} ({})", count(allowed, "Credit", "Credits"), per(window))
}

/// "pro Stunde", "in 10 Minuten".
fn per(window: Window) -> String {
    match window {
        Window::Month => "pro Monat".to_owned(),
        Window::Local(Unit::Month, zone) => format!("pro Monat ({zone})"),
        Window::Local(Unit::Day, zone) => format!("pro Tag ({zone})"),
        Window::Seconds(1) => "pro Sekunde".to_owned(),
        Window::Seconds(60) => "pro Minute".to_owned(),
        Window::Seconds(3_600) => "pro Stunde".to_owned(),
        Window::Seconds(86_400) => "pro Tag".to_owned(),
        Window::Seconds(604_800) => "pro Woche".to_owned(),
        Window::Seconds(s) if s % 86_400 == 0 => format!("in {} Tagen", s / 86_400),
        Window::Seconds(s) if s % 3_600 == 0 => format!("in {} Stunden", s / 3_600),
        Window::Seconds(s) if s % 60 == 0 => format!("in {} Minuten", s / 60),
        Window::Seconds(s) => format!("in {s} Sekunden"),
        Window::Rolling(s) if s % 86_400 == 0 => format!("in jeweils {} Tagen", s / 86_400),
        Window::Rolling(s) => format!("in jeweils {} Minuten", s / 60),
        Window::Credits(refill) if refill.is_prepaid() => "im Voraus bezahlt".to_owned(),
        Window::Credits(refill) => format!("+{} {}", number(refill.units.into()), every(refill.seconds)),
        Window::Concurrent(_) => "gleichzeitig".to_owned(),
    }
}

/// "je Stunde", "alle 10 Minuten".
fn every(seconds: u32) -> String {
    match seconds {
        1 => "je Sekunde".to_owned(),
        60 => "je Minute".to_owned(),
        3_600 => "je Stunde".to_owned(),
        86_400 => "je Tag".to_owned(),
        604_800 => "je Woche".to_owned(),
        s if s % 86_400 == 0 => format!("alle {} Tage", s / 86_400),
        s if s % 3_600 == 0 => format!("alle {} Stunden", s / 3_600),
        s if s % 60 == 0 => format!("alle {} Minuten", s / 60),
        s => format!("alle {s} Sekunden"),
    }
}

/// "in 30 Tagen", "in 1 Tag"; begun days count whole.
pub fn in_days(until: Duration) -> String {
    let days = u64::try_from(until.whole_seconds()).unwrap_or(0).div_ceil(86_400).max(1);
    format!("in {}", count(days, "Tag", "Tagen"))
}

/// "Mehr als 10 Aufrufe mit der Antwort FORBIDDEN oder EXPIRED in 15 Minuten", "Mehr als 10 Aufrufe, die nicht durchkamen, in 1 Stunde".
pub fn rule(more_than: i64, codes: &[String], minutes: i32) -> String {
    let calls = count(u64::try_from(more_than).unwrap_or(0), "Aufruf", "Aufrufe");
    let (joined, within) = (codes.join(" oder "), within(minutes));
    match (codes, more_than) {
        ([], 1) => format!("Mehr als {calls}, der nicht durchkam, {within}"),
        ([], _) => format!("Mehr als {calls}, die nicht durchkamen, {within}"),
        _ => format!("Mehr als {calls} mit der Antwort {joined} {within}"),
    }
}

/// ", und mehr als 5 % von allen".
pub fn share(percent: Option<i16>) -> String {
    percent.map(|percent| format!(", und mehr als {percent} % von allen")).unwrap_or_default()
}

/// "in 15 Minuten", "in 1 Stunde", "in 2 Tagen".
pub fn within(minutes: i32) -> String {
    format!("in {}", span(minutes, "Tagen"))
}

/// "15 Minuten", "1 Stunde", "2 Tage".
pub fn lasting(minutes: i32) -> String {
    span(minutes, "Tage")
}

fn span(minutes: i32, days: &str) -> String {
    match u64::try_from(minutes).unwrap_or(0) {
        m if m > 0 && m.is_multiple_of(1_440) => count(m / 1_440, "Tag", days),
        m if m > 0 && m.is_multiple_of(60) => count(m / 60, "Stunde", "Stunden"),
        m => count(m, "Minute", "Minuten"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_are_said_in_german() {
        assert_eq!(used(80, 1_000, LimitUnit::Calls, Window::HOUR), "80 % von 1.000 Aufrufen pro Stunde verbraucht");
        assert_eq!(used(100, 5, LimitUnit::Calls, Window::DAY), "5 Aufrufe pro Tag aufgebraucht");
        let used = |threshold, allowed, window| used(threshold, allowed, LimitUnit::Units, window);
        assert_eq!(used(80, 1_000, Window::HOUR), "80 % von 1.000 Einheiten pro Stunde verbraucht");
        assert_eq!(used(100, 5, Window::DAY), "5 Einheiten pro Tag aufgebraucht");
        assert_eq!(used(100, 1, Window::Month), "1 Einheit pro Monat aufgebraucht");
        assert_eq!(used(80, 5_000, Window::Seconds(600)), "80 % von 5.000 Einheiten in 10 Minuten verbraucht");
        let credits: Window = "credits:100/600".parse().expect("it is right");
        assert_eq!(used(80, 1_000, credits), "noch 20 % von 1.000 Credits (+100 alle 10 Minuten)");
        assert_eq!(used(100, 1, "credits".parse().expect("it is right")), "1 Credit (im Voraus bezahlt) aufgebraucht");
        assert_eq!((in_days(Duration::days(30)), in_days(Duration::hours(3))), ("in 30 Tagen".to_owned(), "in 1 Tag".to_owned()));
        assert_eq!((within(2_880), lasting(2_880), lasting(60)), ("in 2 Tagen".to_owned(), "2 Tage".to_owned(), "1 Stunde".to_owned()));
        let codes = ["FORBIDDEN".to_owned(), "EXPIRED".to_owned()];
        assert_eq!(rule(10, &codes, 15), "Mehr als 10 Aufrufe mit der Antwort FORBIDDEN oder EXPIRED in 15 Minuten");
        assert_eq!(rule(1_000, &[], 60), "Mehr als 1.000 Aufrufe, die nicht durchkamen, in 1 Stunde");
    }
}
