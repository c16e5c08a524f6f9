//! What a limit does with calls beyond it: refuse them, let some of them through, or let them through and say so.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use time::{OffsetDateTime, Time, UtcOffset, format_description::well_known::Rfc3339};

/// What happens to a call that a limit has no room for. In JSON `{"action": "throttle", "per_second": 5}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Over {
    #[serde(flatten)]
    pub action: OverAction,
    /// From then on it refuses; none: for good.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub until: Option<OffsetDateTime>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum OverAction {
    #[default]
    Refuse,
    /// So many calls pass in each second, whatever each costs: 1 to [`Over::MAX_PER_SECOND`].
    Throttle { per_second: u32 },
    /// All pass, and the answer names the limit.
    Mark,
}

impl Over {
    pub const MAX_PER_SECOND: u32 = 1_000_000;
    pub const RULE: &'static str = "Write refuse, mark, or throttle:5 for five calls a second (1 to 1,000,000); until when behind an @: mark@2027-01-31 (UTC).";
    /// Of the end alone.
    pub const END: &'static str = "Write a day as 2027-01-31: its beginning in UTC. Or a moment as 2027-01-31T09:30:00Z.";
    /// Of an end that has passed.
    pub const ENDED: &'static str = "This end has passed. Choose a later day or moment, or none.";
    /// Of the number alone.
    pub const NUMBER: &'static str = "Write how many calls pass in a second: 1 to 1,000,000.";

    /// Of the number where it stands beside an action, in JSON.
    pub const NUMBER_OF_THROTTLE: &'static str =
        "per_second goes with the action throttle alone: 1 to 1,000,000 calls that pass in a second. Leave it out with refuse and mark, or write throttle.";

    pub const REFUSE: Self = Self::of(OverAction::Refuse);
    pub const MARK: Self = Self::of(OverAction::Mark);

    pub const fn of(action: OverAction) -> Self {
        Self { action, until: None }
    }

    /// `None` unless 1 to [`Over::MAX_PER_SECOND`].
    pub fn throttle(per_second: u32) -> Option<Self> {
        (1..=Self::MAX_PER_SECOND).contains(&per_second).then_some(Self::of(OverAction::Throttle { per_second }))
    }

    pub fn is_refuse(&self) -> bool {
        self.action == OverAction::Refuse
    }

    /// Its end has passed: it refuses, as without it.
    pub fn has_ended(&self, now: OffsetDateTime) -> bool {
        !self.is_refuse() && self.until.is_some_and(|until| until <= now)
    }

    /// What holds at a time, in microseconds since 1970.
    pub fn at(&self, now_micros: i64) -> OverAction {
        match self.until {
            Some(until) if i128::from(now_micros) * 1_000 >= until.unix_timestamp_nanos() => OverAction::Refuse,
            _ => self.action,
        }
    }

    /// What stands behind "100 units an hour": ", then 5 calls a second", ", more are marked"; nothing where it refuses.
    pub fn words(&self) -> String {
        let words = match self.action {
            OverAction::Refuse => return String::new(),
            OverAction::Throttle { per_second: 1 } => ", then 1 call a second".to_owned(),
            OverAction::Throttle { per_second } => format!(", then {} calls a second", super::limit::grouped(per_second.into())),
            OverAction::Mark => ", more are marked".to_owned(),
        };
        match self.until {
            Some(until) => {
                let until = until.to_offset(UtcOffset::UTC);
                format!("{words} until {} {:02}:{:02} UTC", until.date(), until.hour(), until.minute())
            }
            None => words,
        }
    }

    /// A day (its beginning, UTC) or a moment of RFC 3339.
    pub fn end(text: &str) -> Result<OffsetDateTime, &'static str> {
        let day = OffsetDateTime::parse(&format!("{text}T00:00:00Z"), &Rfc3339);
        day.or_else(|_| OffsetDateTime::parse(text, &Rfc3339)).map_err(|_| Self::END)
    }

    /// The end as `end` reads it; empty: none.
    pub fn end_text(&self) -> String {
        let Some(until) = self.until.map(|until| until.to_offset(UtcOffset::UTC)) else { return String::new() };
        if until.time() == Time::MIDNIGHT { until.date().to_string() } else { until.format(&Rfc3339).unwrap_or_default() }
    }

    /// As a column holds it: what `Display` writes.
    pub fn stored(text: &str) -> Self {
        text.parse().unwrap_or_default()
    }
}

impl OverAction {
    /// `refuse`, `throttle`, `mark`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Throttle { .. } => "throttle",
            Self::Mark => "mark",
        }
    }

    /// What a form offers: value and words.
    pub fn offered() -> Vec<(String, String)> {
        let words = [("refuse", "Refuse"), ("throttle", "Slow down"), ("mark", "Let pass and mark")];
        words.map(|(value, words)| (value.to_owned(), words.to_owned())).into()
    }

    pub const fn per_second(self) -> Option<u32> {
        if let Self::Throttle { per_second } = self { Some(per_second) } else { None }
    }
}

/// `refuse`, `mark`, `throttle:5`; with an end `mark@2027-01-31T00:00:00Z`.
impl fmt::Display for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.action.as_str())?;
        if let Some(per_second) = self.action.per_second() {
            write!(f, ":{per_second}")?;
        }
        match self.until.and_then(|until| until.format(&Rfc3339).ok()) {
            Some(until) => write!(f, "@{until}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Over {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (what, until) = text.trim().split_once('@').map_or((text.trim(), None), |(what, until)| (what, Some(until)));
        let over = match what.split_once(':') {
            None if what == "refuse" => Self::REFUSE,
            None if what == "mark" => Self::MARK,
            Some(("throttle", n)) => n.parse().ok().and_then(Self::throttle).ok_or(Self::RULE)?,
            _ => return Err(Self::RULE),
        };
        let until = until.map(Self::end).transpose().map_err(|_| Self::RULE)?;
        Ok(Self { until, ..over })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn it_reads_back_what_it_wrote() {
        for text in ["refuse", "mark", "throttle:5", "throttle:1000000", "mark@2027-01-31T00:00:00Z", "throttle:2@2026-12-01T12:30:00+01:00"] {
            let over: Over = text.parse().expect("it is right");
            assert_eq!(over.to_string(), text);
            let json = serde_json::to_string(&over).expect("JSON");
            assert_eq!(serde_json::from_str::<Over>(&json).ok(), Some(over), "{json}");
        }
        for wrong in ["", "allow", "throttle", "throttle:0", "throttle:1000001", "throttle:-1", "mark:3", "mark@tomorrow", "refuse@"] {
            assert!(wrong.parse::<Over>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_end_is_a_day_or_a_moment() {
        let end = |text| Over::end(text).map(|until| Over { until: Some(until), ..Over::MARK }.end_text());
        assert_eq!(end("2027-01-31").as_deref(), Ok("2027-01-31"));
        assert_eq!(end("2027-01-31T00:00:00Z").as_deref(), Ok("2027-01-31"));
        assert_eq!(end("2027-01-31T09:30:00+01:00").as_deref(), Ok("2027-01-31T08:30:00Z"));
        assert_eq!("mark@2027-01-31".parse::<Over>().map(|over| over.to_string()).as_deref(), Ok("mark@2027-01-31T00:00:00Z"));
        for wrong in ["", "soon", "2027-02-30", "31.01.2027"] {
            assert_eq!(end(wrong), Err(Over::END), "{wrong}");
        }
    }

    #[test]
    fn it_refuses_from_its_end_on() {
        let until = datetime!(2027-01-31 0:00 UTC);
        let (over, micros) = (Over { until: Some(until), ..Over::MARK }, until.unix_timestamp() * 1_000_000);
        assert_eq!([over.at(micros - 1), over.at(micros), over.at(micros + 1)], [OverAction::Mark, OverAction::Refuse, OverAction::Refuse]);
        assert_eq!(Over::MARK.at(i64::MAX), OverAction::Mark);
    }

    #[test]
    fn it_is_said_in_words() {
        assert_eq!(Over::REFUSE.words(), "");
        assert_eq!(Over::throttle(2_000).unwrap_or_default().words(), ", then 2,000 calls a second");
        let until = Some(datetime!(2027-01-31 9:05 +1));
        assert_eq!(Over { until, ..Over::MARK }.words(), ", more are marked until 2027-01-31 08:05 UTC");
    }
}
