//! Policies as people write and read them: `8h`, `30d`, `never`.

use crate::{
    accounts::model::{Policy, PolicyForm, PolicyHolder},
    error::{AppError, Fields, wait_in_words},
    platform::config,
};
use std::{ops::RangeInclusive, time::Duration};

const DAY: u32 = 86_400;
/// What a session may be told, in seconds; 400 days is how long browsers keep a cookie.
const SESSION: RangeInclusive<u32> = 60..=400 * DAY;
const COUNT: RangeInclusive<u32> = 1..=200;
/// As long as any key may last.
const KEY: RangeInclusive<u32> = 3_600..=3_660 * DAY;

const SESSION_RULE: &str = "Enter 1 minute to 400 days, such as 30m, 8h or 30d, or never. Or leave it empty.";
const COUNT_RULE: &str = "Enter a whole number from 1 to 200, or leave it empty.";
const KEY_RULE: &str = "Enter 1 hour to 3660 days, such as 12h or 90d, or never. Or leave it empty.";
const IDLE_RULE: &str = "This can't be longer than the session lasts in total.";

/// `14 days`, `8 hours`: in days where it comes out even.
pub fn in_words(time: Duration) -> String {
    match time.as_secs() {
        s if s >= 172_800 && s.is_multiple_of(86_400) => format!("{} days", s / 86_400),
        s => wait_in_words(s),
    }
}

/// `14d`.
pub fn span(time: Duration) -> String {
    config::span_text(time)
}

/// What a role or a plan says, as its form shows it.
pub fn form(holder: &PolicyHolder, says: &Policy) -> PolicyForm {
    let time = |seconds: Option<u32>| match seconds {
        None => String::new(),
        Some(0) => "never".to_owned(),
        Some(seconds) => span(Duration::from_secs(seconds.into())),
    };
    PolicyForm {
        of: holder.to_string(),
        idle: time(says.idle_seconds),
        max: time(says.max_seconds),
        count: says.session_count.map(|n| n.to_string()).unwrap_or_default(),
        key_max: time(says.key_max_seconds),
    }
}

/// What somebody wrote into the form. Errors stand under the names of its inputs.
pub fn parsed(form: &PolicyForm) -> Result<(PolicyHolder, Policy), AppError> {
    let mut fields = Fields::default();
    let holder = fields.check("policy[of]", form.of.parse::<PolicyHolder>());
    let idle = fields.check("policy[idle]", time(&form.idle, SESSION).ok_or(SESSION_RULE)).flatten();
    let max = fields.check("policy[max]", time(&form.max, SESSION).ok_or(SESSION_RULE)).flatten();
    let count = match form.count.trim() {
        "" => None,
        text => fields.check("policy[count]", text.parse::<u32>().ok().filter(|n| COUNT.contains(n)).ok_or(COUNT_RULE)),
    };
    let key_max = fields.check("policy[key_max]", time(&form.key_max, KEY).ok_or(KEY_RULE)).flatten();
    if is_longer(idle, max) {
        fields.add("policy[idle]", IDLE_RULE);
    }
    fields.done()?;
    Ok((holder.ok_or(AppError::NotFound)?, Policy { idle_seconds: idle, max_seconds: max, session_count: count, key_max_seconds: key_max }))
}

/// The same rules for numbers that come over REST.
pub fn check(says: &Policy) -> Result<(), AppError> {
    let mut fields = Fields::default();
    let mut rule = |field: &str, value: Option<u32>, zero_too: bool, allowed: RangeInclusive<u32>, words: &str| {
        if value.is_some_and(|n| !(allowed.contains(&n) || zero_too && n == 0)) {
            fields.add(field, words);
        }
    };
    rule("idle_seconds", says.idle_seconds, true, SESSION, "60 to 34560000 seconds, or 0 for never.");
    rule("max_seconds", says.max_seconds, true, SESSION, "60 to 34560000 seconds, or 0 for never.");
    rule("session_count", says.session_count, false, COUNT, "1 to 200.");
    rule("key_max_seconds", says.key_max_seconds, true, KEY, "3600 to 316224000 seconds, or 0 for never.");
    if is_longer(says.idle_seconds, says.max_seconds) {
        fields.add("idle_seconds", IDLE_RULE);
    }
    fields.done()
}

/// Idle for ever is as good as the end in all; a number must not be beyond it.
fn is_longer(idle: Option<u32>, max: Option<u32>) -> bool {
    idle.zip(max).is_some_and(|(idle, max)| max > 0 && idle > max)
}

/// None: this is no time. Within: nothing is said, never, or so many seconds.
fn time(text: &str, allowed: RangeInclusive<u32>) -> Option<Option<u32>> {
    match text.trim() {
        "" => Some(None),
        "never" => Some(Some(0)),
        // A number alone would be seconds, and hardly anybody means these.
        text if text.bytes().all(|b| b.is_ascii_digit()) => None,
        text => config::span(text, (*allowed.start()).into()..=(*allowed.end()).into()).and_then(|time| u32::try_from(time.as_secs()).ok()).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let form = PolicyForm { of: "plan:pro".to_owned(), idle: "8h".to_owned(), max: "never".to_owned(), count: "3".to_owned(), key_max: String::new() };
        let (holder, says) = parsed(&form).unwrap();
        assert_eq!(holder, PolicyHolder::Plan("pro".to_owned()));
        assert_eq!(says, Policy { idle_seconds: Some(28_800), max_seconds: Some(0), session_count: Some(3), key_max_seconds: None });
        assert_eq!(super::form(&holder, &says), form);
    }

    #[test]
    fn what_is_no_time_or_too_long_is_told_beside_its_field() {
        let of = || "role:operator".to_owned();
        for (field, form) in [
            ("of", PolicyForm { of: "group:x".to_owned(), ..PolicyForm::default() }),
            ("idle", PolicyForm { of: of(), idle: "14".to_owned(), ..PolicyForm::default() }),
            ("idle", PolicyForm { of: of(), idle: "2d".to_owned(), max: "1d".to_owned(), ..PolicyForm::default() }),
            ("max", PolicyForm { of: of(), max: "401d".to_owned(), ..PolicyForm::default() }),
            ("count", PolicyForm { of: of(), count: "0".to_owned(), ..PolicyForm::default() }),
            ("key_max", PolicyForm { of: of(), key_max: "5m".to_owned(), ..PolicyForm::default() }),
        ] {
            assert!(parsed(&form).unwrap_err().field(&format!("policy[{field}]")).is_some(), "{form:?}");
        }
        assert!(check(&Policy { max_seconds: Some(59), ..Policy::default() }).unwrap_err().field("max_seconds").is_some());
        assert!(check(&Policy { idle_seconds: Some(0), max_seconds: Some(60), ..Policy::default() }).is_ok());
    }
}
