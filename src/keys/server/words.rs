//! What pages say of a key, in words.

use super::store::listing::Listed;
use crate::{
    keys::model::{Said, Standing, StandingKind},
    platform::LocalTime,
    ui::number::thousands,
    values::Outcome,
};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

/// A moment with its words.
pub fn said(at: OffsetDateTime, words: String) -> Said {
    Said { at: at.format(&Rfc3339).unwrap_or_default(), words }
}

/// The badge of a key. `limit` says its limit: "100 units an hour"; `next`, when calls pass again.
pub fn standing(row: &Listed, limit: &str, next: &str, local: &LocalTime) -> Standing {
    let kind = row.kind;
    let (label, why) = match kind {
        StandingKind::Revoked => ("Revoked".to_owned(), ended(row, "Revoked", "Every call is answered REVOKED, for good.", local)),
        StandingKind::Disabled => ("Disabled".to_owned(), ended(row, "Disabled", "Every call is answered DISABLED until somebody enables it.", local)),
        StandingKind::Expired => ("Expired".to_owned(), expiry(row, "Since", "every call is answered EXPIRED. Move the date, or create a new key.", local)),
        StandingKind::Expiring => {
            (expires_in(row, local.now()), expiry(row, "From", "on every call is answered EXPIRED. Move the date in time, or create a new key.", local))
        }
        StandingKind::Held => {
            ("Held at limit".to_owned(), format!("Held {} of {} calls today at {limit}. {next}", thousands(row.limited), thousands(row.calls)))
        }
        StandingKind::Refused => {
            let refusal = row.refusal.as_deref().and_then(|code| code.parse::<Outcome>().ok());
            let why = refusal.map_or_else(String::new, mostly);
            (format!("{} refused today", row.refused), why)
        }
        StandingKind::New => ("New".to_owned(), "No call yet.".to_owned()),
        StandingKind::Idle => match row.key.last_used_at {
            Some(at) => (format!("Idle {}", days((local.now() - at).whole_days())), format!("The last call came {}.", local.moment(at))),
            None => ("Never used".to_owned(), format!("Made {}, and no call since.", local.ago(row.key.created_at))),
        },
        StandingKind::Passing => ("Passing".to_owned(), "Nothing was held or refused today.".to_owned()),
    };
    Standing { kind, label, why }
}

fn ended(row: &Listed, what: &str, effect: &str, local: &LocalTime) -> String {
    match &row.ended_by {
        Some((by, at, reason)) if reason.is_empty() => format!("{what} {}, {}. {effect}", by.by(), local.moment(*at)),
        Some((by, at, reason)) => format!("{what} {}, {}: “{reason}”. {effect}", by.by(), local.moment(*at)),
        None => effect.to_owned(),
    }
}

fn expiry(row: &Listed, from: &str, effect: &str, local: &LocalTime) -> String {
    row.key.expires_at.map_or_else(String::new, |at| format!("{from} {} {effect}", local.moment(at)))
}

fn expires_in(row: &Listed, now: OffsetDateTime) -> String {
    let left = row.key.expires_at.map_or(Duration::ZERO, |at| at - now);
    match left.whole_hours() {
        0 => "Expires within the hour".to_owned(),
        1 => "Expires in 1 hour".to_owned(),
        h @ 2..48 => format!("Expires in {h} hours"),
        h => format!("Expires in {}", days(h / 24)),
    }
}

/// What most of the refused calls of a key were that is not disabled.
fn mostly(outcome: Outcome) -> String {
    match outcome {
        Outcome::Disabled => "Mostly DISABLED, before the key was enabled again.".to_owned(),
        outcome => format!("Mostly {outcome}. {}", outcome.sentence()),
    }
}

fn days(n: i64) -> String {
    if n == 1 { "1 day".to_owned() } else { format!("{n} days") }
}
