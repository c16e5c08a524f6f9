//! What mails say of calls beyond a limit that lets them pass, all or some (`Over`). Of limits that refuse them all, `limits` says it.

use super::limits::{is_credits, is_over};
use crate::{
    keys::model::OverAction,
    notices::server::{store::limits::LimitNotice, words},
    platform::mail::Reader,
};
use time::OffsetDateTime;

/// What a call is answered that the limit refuses for good. One that passes too late in its second is always `RATE_LIMITED`.
fn code(notice: &LimitNotice) -> &'static str {
    if notice.window().is_quota() { "QUOTA_EXCEEDED" } else { "RATE_LIMITED" }
}

/// Of one that does not refuse: "Calls of this key pass and are marked." `until` says how long they are refused where it will refuse.
pub fn english(one: &LimitNotice, at: OffsetDateTime, to: &Reader, until: &str) -> String {
    let calls = match one.key_id {
        _ if is_credits(one) => "When no credits are left, calls",
        _ if one.is_short() => "Calls that cost more than is left",
        None if is_over(one) => "Calls of every key that shares this limit",
        Some(_) if is_over(one) => "Calls of this key",
        _ => "When the limit is used up, calls",
    };
    let pass = match words::action(one, at).per_second() {
        Some(n) => format!("pass more slowly, {} a second; others are answered RATE_LIMITED.", to.language.thousands(n.into())),
        None => "pass and are marked.".to_owned(),
    };
    let until = if is_credits(one) { "until some come back or are added" } else { until };
    let then = words::refuses_from(one, at).map(|from| format!(" From {} on they are answered {} {until}.", to.moment(from), code(one)));
    format!("{calls} {pass}{}", then.unwrap_or_default())
}

/// The same at the end of a line on one of several, which may refuse.
pub fn english_of_each(notice: &LimitNotice, at: OffsetDateTime, to: &Reader) -> String {
    let then = match words::action(notice, at) {
        OverAction::Refuse => return format!("; calls beyond it are answered {}", code(notice)),
        OverAction::Throttle { per_second } => format!("; calls beyond it pass more slowly, {} a second", to.language.thousands(per_second.into())),
        OverAction::Mark => "; calls beyond it pass and are marked".to_owned(),
    };
    match words::refuses_from(notice, at) {
        Some(from) => format!("{then}, from {} on they are answered {}", to.moment(from), code(notice)),
        None => then,
    }
}

pub fn german(one: &LimitNotice, at: OffsetDateTime, to: &Reader, until: &str) -> String {
    let calls = match one.key_id {
        _ if is_credits(one) => "Wenn keine Credits mehr übrig sind, kommen Aufrufe",
        _ if one.is_short() => "Aufrufe, die mehr kosten als übrig ist, kommen",
        None if is_over(one) => "Aufrufe aller Schlüssel, die sich dieses Limit teilen, kommen",
        Some(_) if is_over(one) => "Aufrufe dieses Schlüssels kommen",
        _ => "Wenn das Limit aufgebraucht ist, kommen Aufrufe",
    };
    let pass = match words::action(one, at).per_second() {
        Some(n) => format!("langsamer durch, {} pro Sekunde; andere werden mit RATE_LIMITED beantwortet.", to.language.thousands(n.into())),
        None => "durch und werden markiert.".to_owned(),
    };
    let until = if is_credits(one) { "bis welche zurückkommen oder hinzugefügt werden" } else { until };
    let then = words::refuses_from(one, at).map(|from| format!(" Ab {} werden sie mit {} beantwortet, {until}.", to.moment(from), code(one)));
    format!("{calls} {pass}{}", then.unwrap_or_default())
}

pub fn german_of_each(notice: &LimitNotice, at: OffsetDateTime, to: &Reader) -> String {
    let then = match words::action(notice, at) {
        OverAction::Refuse => return format!("; Aufrufe darüber hinaus werden mit {} beantwortet", code(notice)),
        OverAction::Throttle { per_second } => {
            format!("; Aufrufe darüber hinaus kommen langsamer durch, {} pro Sekunde", to.language.thousands(per_second.into()))
        }
        OverAction::Mark => "; Aufrufe darüber hinaus kommen durch und werden markiert".to_owned(),
    };
    match words::refuses_from(notice, at) {
        Some(from) => format!("{then}, ab {} werden sie mit {} beantwortet", to.moment(from), code(notice)),
        None => then,
    }
}
