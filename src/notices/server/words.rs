//! The words that pages and mails have in common.

use super::store::{
    alerts::RuleRow,
    limits::{LimitNotice, is_short},
};
use crate::{
    keys::{
        model::{LimitUnit, OverAction, Window},
        server::gate::reset_after,
    },
    ui::number::{count, thousands},
};
use time::OffsetDateTime;

/// "used 80 % of 100 units an hour", "used up 100 units an hour", "20 % left of 1,000 credits, +100 every hour": stands behind "has".
pub fn used(threshold: i16, allowed: i64, unit: LimitUnit, window: Window) -> String {
    let limit = unit.limit_words(u64::try_from(allowed).unwrap_or(0), window);
    match threshold {
        100.. => format!("used up {limit}"),
        _ if window.is_credits() => format!("{} % left of {limit}", 100 - threshold),
        _ => format!("used {threshold} % of {limit}"),
    }
}

/// The same of what was told when so much was used: "nearly used up 100 units an hour" where less was left than calls cost.
pub fn told(threshold: i16, so_far: i64, allowed: i64, unit: LimitUnit, window: Window) -> String {
    match is_short(threshold, so_far, allowed) {
        true => format!("nearly {}", used(100, allowed, unit, window)),
        false => used(threshold, allowed, unit, window),
    }
}

/// "checkout service has used 80 % of 100 units an hour", "All keys together have used up 5,000 units a month".
pub fn said(notice: &LimitNotice) -> String {
    let verb = if notice.key_id.is_some() { "has" } else { "have" };
    format!("{} {verb} {}", notice.key_name, told(notice.threshold, notice.used, notice.allowed, notice.unit(), notice.window()))
}

/// When the window that began at `start` is over; of a rolling one when all has come back that was used then, which a sixtieth later it has.
pub fn end(start: OffsetDateTime, window: Window) -> OffsetDateTime {
    let micros = start.unix_timestamp().saturating_mul(1_000_000);
    let length = reset_after(window, micros);
    start + std::time::Duration::from_secs(if window.is_rolling() { length + length / 60 } else { length })
}

/// True if its limit had begun anew by then.
pub fn has_ended(notice: &LimitNotice, at: OffsetDateTime) -> bool {
    let window = notice.window();
    !window.is_rolling() && !window.is_credits() && end(notice.window_start, window) <= at
}

/// What becomes of calls beyond its limit at that moment.
pub fn action(notice: &LimitNotice, at: OffsetDateTime) -> OverAction {
    notice.over().at(i64::try_from(at.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX))
}

/// From when on a limit refuses that does not yet; none where it never will, or has begun anew by then.
pub fn refuses_from(notice: &LimitNotice, at: OffsetDateTime) -> Option<OffsetDateTime> {
    let window = notice.window();
    let goes_on = window.is_rolling() || window.is_credits();
    let until = notice.over().until.filter(|_| action(notice, at) != OverAction::Refuse)?;
    (goes_on || until < end(notice.window_start, window)).then_some(until)
}

/// " Calls beyond the limit pass and are marked."; nothing where they are refused.
pub fn beyond(action: OverAction) -> String {
    match action {
        OverAction::Refuse => String::new(),
        OverAction::Throttle { per_second } => format!(" Calls beyond the limit pass more slowly, {} a second.", thousands(per_second.into())),
        OverAction::Mark => " Calls beyond the limit pass and are marked.".to_owned(),
    }
}

/// "It resets at 16:00."
pub fn resets(window: Window, when: &str) -> String {
    if window.is_rolling() { format!("It comes back bit by bit, the last of it {when}.") } else { format!("It resets {when}.") }
}

/// How long it is until then, begun days counted whole: "in 30 days", "in 1 day".
pub fn in_days(until: time::Duration) -> String {
    let days = u64::try_from(until.whole_seconds()).unwrap_or(0).div_ceil(86_400).max(1);
    format!("in {}", count(days, "day", "days"))
}

/// "More than 10 calls answered FORBIDDEN or EXPIRED in 15 minutes", "… calls that did not pass …".
pub fn rule(more_than: i64, codes: &[String], minutes: i32) -> String {
    let more_than = u64::try_from(more_than).unwrap_or(0);
    let codes = match codes {
        [] => "that did not pass".to_owned(),
        codes => format!("answered {}", codes.join(" or ")),
    };
    let calls = if more_than == 1 { "call" } else { "calls" };
    format!("More than {} {calls} {codes} in {}", thousands(more_than), lasting(minutes))
}

/// ", and more than 5 % of all"; nothing where a rule asks for no share.
pub fn share(percent: Option<i16>) -> String {
    percent.map(|percent| format!(", and more than {percent} % of all")).unwrap_or_default()
}

/// The whole rule with what it watches: "More than 10 calls answered FORBIDDEN in 15 minutes, checkout service, GET /orders".
pub fn whole_rule(row: &RuleRow) -> String {
    let api = row.api_name.as_ref().map(|name| format!("API {name}"));
    let of: String = [row.key_name.clone(), api, row.route.clone()].into_iter().flatten().map(|name| format!(", {name}")).collect();
    format!("{}{}{of}", rule(row.more_than, &row.codes, row.minutes), share(row.percent))
}

/// "15 minutes", "1 hour", "2 days".
pub fn lasting(minutes: i32) -> String {
    let minutes = u64::try_from(minutes).unwrap_or(0);
    match minutes {
        m if m > 0 && m.is_multiple_of(1_440) => count(m / 1_440, "day", "days"),
        m if m > 0 && m.is_multiple_of(60) => count(m / 60, "hour", "hours"),
        m => count(m, "minute", "minutes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn windows_end_where_the_gate_says() {
        assert_eq!(end(datetime!(2026-11-20 12:00 UTC), Window::HOUR), datetime!(2026-11-20 13:00 UTC));
        assert_eq!(end(datetime!(2026-11-01 0:00 UTC), Window::Month), datetime!(2026-12-01 0:00 UTC));
        let day = Window::fixed(86_400, "Europe/Stockholm");
        assert_eq!(end(datetime!(2027-03-27 23:00 UTC), day), datetime!(2027-03-28 22:00 UTC), "a day of 23 hours");
        assert_eq!(end(datetime!(2026-11-20 12:34 UTC), Window::Rolling(3_600)), datetime!(2026-11-20 13:35 UTC), "of what was used at 12:34");
    }

    #[test]
    fn notices_are_said_in_words() {
        assert_eq!(used(80, 1_000, LimitUnit::Calls, Window::HOUR), "used 80 % of 1,000 calls an hour");
        let used = |threshold, allowed, window| used(threshold, allowed, LimitUnit::Units, window);
        let told = |threshold, units, allowed, window| told(threshold, units, allowed, LimitUnit::Units, window);
        assert_eq!(used(80, 1_000, Window::HOUR), "used 80 % of 1,000 units an hour");
        assert_eq!(used(100, 5, Window::DAY), "used up 5 units a day");
        assert_eq!(used(80, 5_000, Window::Month), "used 80 % of 5,000 units a month");
        assert_eq!([100, 90].map(|units| told(100, units, 100, Window::DAY)), ["used up 100 units a day", "nearly used up 100 units a day"]);
        assert_eq!([95, 60].map(|units| told(95, units, 100, Window::DAY)), ["used 95 % of 100 units a day", "nearly used up 100 units a day"]);
        assert_eq!(used(80, 100, Window::Rolling(3_600)), "used 80 % of 100 units in any hour");
        let credits: Window = "credits:100/hour".parse().expect("it is right");
        assert_eq!(
            [80, 100].map(|threshold| used(threshold, 1_000, credits)),
            ["20 % left of 1,000 credits, +100 every hour", "used up 1,000 credits, +100 every hour"]
        );
        assert_eq!(in_days(time::Duration::days(30)), "in 30 days");
        assert_eq!(in_days(time::Duration::days(4) + time::Duration::SECOND), "in 5 days");
        assert_eq!(in_days(time::Duration::hours(3)), "in 1 day");
        assert_eq!(rule(10, &["FORBIDDEN".to_owned(), "EXPIRED".to_owned()], 15), "More than 10 calls answered FORBIDDEN or EXPIRED in 15 minutes");
        assert_eq!(rule(0, &[], 60), "More than 0 calls that did not pass in 1 hour");
        assert_eq!((share(None), share(Some(5))), (String::new(), ", and more than 5 % of all".to_owned()));
    }
}
