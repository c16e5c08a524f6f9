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

/// A limit that is used up now.
pub struct AtLimit {
    /// "100 units an hour".
    pub limit: String,
    /// When calls pass again: "at 16:00"; none: once credits are added.
    pub next: Option<String>,
}

impl AtLimit {
    fn label(&self) -> String {
        match self.next.as_deref().and_then(|next| next.strip_prefix("at ")) {
            Some(clock) => format!("Held until {clock}"),
            None => "Held at limit".to_owned(),
        }
    }

    fn why(&self, row: &Listed) -> String {
        let next = self.next.as_deref().unwrap_or("once credits are added");
        match row.limited {
            0 => format!("The limit of {} is used up. Calls pass again {next}.", self.limit),
            n => format!("Held {} of {} calls in the last 24 hours at {}. Calls pass again {next}.", thousands(n), thousands(row.calls), self.limit),
        }
    }
}

/// The badge of a key: what holds now, else what became of its last 24 hours, which are the same for everybody who looks. `limit` says its
/// limit, where it has one.
pub fn standing(row: &Listed, at_limit: Option<&AtLimit>, limit: Option<&str>, local: &LocalTime) -> Standing {
    if let Some(now) = at_limit {
        return Standing { kind: StandingKind::Held, is_at_limit: true, label: now.label(), why: now.why(row) };
    }
    let kind = row.kind;
    let (label, why) = match kind {
        StandingKind::Revoked => ("Revoked".to_owned(), ended(row, "Revoked", "Every call is answered REVOKED, for good.", local)),
        StandingKind::Disabled => ("Disabled".to_owned(), ended(row, "Disabled", "Every call is answered DISABLED until somebody enables it.", local)),
        StandingKind::Expired => ("Expired".to_owned(), expiry(row, "Since", "every call is answered EXPIRED. Move the date, or create a new key.", local)),
        StandingKind::Expiring => {
            (expires_in(row, local.now()), expiry(row, "From", "on every call is answered EXPIRED. Move the date in time, or create a new key.", local))
        }
        StandingKind::Held => {
            let at = limit.map_or_else(String::new, |limit| format!(" at {limit}"));
            let why = format!("Held {} of {} calls in the last 24 hours{at}. The next call passes.", thousands(row.limited), thousands(row.calls));
            (format!("{} limited in 24 h", thousands(row.limited)), why)
        }
        StandingKind::Refused => {
            let refusal = row.refusal.as_deref().and_then(|code| code.parse::<Outcome>().ok());
            let why = refusal.map_or_else(String::new, mostly);
            (format!("{} refused in 24 h", thousands(row.refused)), why)
        }
        StandingKind::New => ("New".to_owned(), "No call yet.".to_owned()),
        StandingKind::Idle => match row.key.last_used_at {
            Some(at) => (format!("Idle {}", days((local.now() - at).whole_days())), format!("The last call came {}.", local.moment(at))),
            None => ("Never used".to_owned(), format!("Made {}, and no call since.", local.ago(row.key.created_at))),
        },
        StandingKind::Passing => ("Passing".to_owned(), "Nothing was held or refused in the last 24 hours.".to_owned()),
    };
    Standing { kind, is_at_limit: false, label, why }
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
    in_words(left)
}

/// What most of the refused calls of a key were, which is neither disabled nor expired itself.
fn mostly(outcome: Outcome) -> String {
    match outcome {
        Outcome::Disabled => "Mostly DISABLED, before the key was enabled again.".to_owned(),
        Outcome::Expired => "Mostly EXPIRED: somebody still sends a secret that has ended.".to_owned(),
        outcome => format!("Mostly {outcome}. {}", outcome.sentence()),
    }
}

/// To the nearest hour or day: what lasts six days says so at once.
fn in_words(left: Duration) -> String {
    match (left.whole_minutes() + 30) / 60 {
        _ if left < Duration::HOUR => "Expires within the hour".to_owned(),
        1 => "Expires in 1 hour".to_owned(),
        h @ ..48 => format!("Expires in {h} hours"),
        h => format!("Expires in {}", days((h + 12) / 24)),
    }
}

fn days(n: i64) -> String {
    if n == 1 { "1 day".to_owned() } else { format!("{n} days") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_lives_is_not_said_to_have_expired() {
        assert_eq!(mostly(Outcome::Expired), "Mostly EXPIRED: somebody still sends a secret that has ended.");
        assert!(mostly(Outcome::Forbidden).starts_with("Mostly FORBIDDEN. "));
    }

    #[test]
    fn what_is_left_is_said_to_the_nearest() {
        for (minutes, said) in [
            (6 * 1_440 - 1, "Expires in 6 days"),
            (5 * 1_440 + 600, "Expires in 5 days"),
            (48 * 60 - 1, "Expires in 2 days"),
            (47 * 60, "Expires in 47 hours"),
            (12 * 60 - 1, "Expires in 12 hours"),
            (61, "Expires in 1 hour"),
            (59, "Expires within the hour"),
        ] {
            assert_eq!(in_words(Duration::minutes(minutes)), said, "{minutes}");
        }
    }
}
