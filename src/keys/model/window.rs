//! For how long a limit counts before it begins anew.

use super::{Refill, Zone};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::{fmt, str::FromStr};

/// A fixed number of seconds, which begins at multiples of itself since 1970, or a calendar month, both in UTC; or a day or a month of the
/// calendar of a time zone, where a day may have 23 or 25 hours; or a rolling one, which begins nowhere: so many seconds up to every moment.
/// Two kinds of limits have no window: credits, which come back so many every so often, and calls at the same time.
/// In JSON a number of seconds, `"month"`, `"day@Europe/Stockholm"`, `"month@Europe/Stockholm"`, `"rolling:3600"`, `"credits:100/3600"`,
/// `"credits"` (prepaid) or `"concurrent:60"`; the words `second`, `minute`, `hour` and `day` are read too, the last three and `month`
/// (30 days) also behind `rolling:`, all but `month` behind the slash of credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Window {
    /// 1 to [`Window::MAX_SECONDS`].
    Seconds(u32),
    Month,
    /// In a time zone other than UTC.
    Local(Unit, Zone),
    /// Whole minutes up to [`Window::MAX_SECONDS`], in seconds.
    Rolling(u32),
    Credits(Refill),
    /// Calls at the same time: one counts for so many seconds at most, unless it is said to have ended before.
    Concurrent(u32),
}

/// What a limit counts, as a column says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitKind {
    /// Units in windows that begin with the clock or the calendar.
    Fixed,
    /// Units in any stretch of a length.
    Rolling,
    /// Units that come back, or are added by an operator.
    Credits,
    /// Calls that go on at the same time.
    Concurrent,
}

impl LimitKind {
    pub const ALL: [Self; 4] = [Self::Fixed, Self::Rolling, Self::Credits, Self::Concurrent];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Rolling => "rolling",
            Self::Credits => "credits",
            Self::Concurrent => "concurrent",
        }
    }
}

/// What a calendar window is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unit {
    Day,
    Month,
}

impl Window {
    /// 31 days.
    pub const MAX_SECONDS: u32 = 2_678_400;
    pub const SECOND: Self = Self::Seconds(1);
    pub const MINUTE: Self = Self::Seconds(60);
    pub const HOUR: Self = Self::Seconds(3_600);
    pub const DAY: Self = Self::Seconds(86_400);
    /// The choice of a form that asks for a number of seconds, and the one whose window rolls.
    pub const TYPED: [(&'static str, &'static str); 2] = [("seconds", "units in so many seconds"), (Self::ROLLING_SECONDS, "units in any so many seconds")];
    pub const ROLLING_SECONDS: &'static str = "rolling";
    /// What forms offer.
    pub const USUAL: [Self; 5] = [Self::SECOND, Self::MINUTE, Self::HOUR, Self::DAY, Self::Month];
    /// What forms offer for calls at the same time: half a minute, five minutes, an hour for each.
    pub const HOLDS: [Self; 3] = [Self::CONCURRENT, Self::Concurrent(300), Self::Concurrent(Self::MAX_HOLD)];
    /// The rolling ones that forms offer: a minute, an hour, a day, 30 days.
    pub const ROLLING: [Self; 4] = [Self::Rolling(60), Self::Rolling(3_600), Self::Rolling(86_400), Self::Rolling(2_592_000)];
    const RULE: &'static str = "A window is 1 to 2,678,400 seconds (31 days), or one of the words second, minute, hour, day and month; day@Europe/Stockholm and month@Europe/Stockholm begin there; rolling:hour or rolling:3600 rolls, whole minutes up to 31 days. credits:100/hour adds 100 credits every hour, credits none; concurrent:60 is for calls at the same time, each counted for 60 seconds at most (an hour at the longest).";
    /// Of the zone alone.
    pub const ZONE: &'static str = "There is no such time zone. Write a name of the IANA database, such as Europe/Stockholm.";

    pub fn seconds(seconds: u32) -> Result<Self, &'static str> {
        if (1..=Self::MAX_SECONDS).contains(&seconds) { Ok(Self::Seconds(seconds)) } else { Err(Self::RULE) }
    }

    /// Seconds of a rolling window: whole minutes.
    pub fn rolling(seconds: u32) -> Result<Self, &'static str> {
        if (60..=Self::MAX_SECONDS).contains(&seconds) && seconds.is_multiple_of(60) { Ok(Self::Rolling(seconds)) } else { Err(Self::RULE) }
    }

    /// Credits of which so many come back every so many seconds.
    pub fn credits(units: u32, seconds: u32) -> Result<Self, &'static str> {
        let is_fine = units > 0 && (1..=Self::MAX_SECONDS).contains(&seconds);
        if is_fine || (units, seconds) == (0, 0) { Ok(Self::Credits(Refill { units, seconds })) } else { Err(Self::RULE) }
    }

    /// Calls at the same time, each counted for so many seconds at most.
    pub fn concurrent(seconds: u32) -> Result<Self, &'static str> {
        if (1..=Self::MAX_HOLD).contains(&seconds) { Ok(Self::Concurrent(seconds)) } else { Err(Self::RULE) }
    }

    /// The longest that a call counts which is not said to have ended: an hour.
    pub const MAX_HOLD: u32 = 3_600;
    /// What `concurrent` alone says: half a minute.
    pub const CONCURRENT: Self = Self::Concurrent(30);

    pub const fn kind(self) -> LimitKind {
        match self {
            Self::Seconds(_) | Self::Month | Self::Local(..) => LimitKind::Fixed,
            Self::Rolling(_) => LimitKind::Rolling,
            Self::Credits(_) => LimitKind::Credits,
            Self::Concurrent(_) => LimitKind::Concurrent,
        }
    }

    pub const fn is_rolling(self) -> bool {
        matches!(self, Self::Rolling(_))
    }

    pub const fn is_credits(self) -> bool {
        matches!(self, Self::Credits(_))
    }

    /// True of a window that usage by the minute does not know.
    pub const fn is_below_a_minute(self) -> bool {
        matches!(self, Self::Seconds(..60))
    }

    pub const fn is_concurrent(self) -> bool {
        matches!(self, Self::Concurrent(_))
    }

    /// Of calls at the same time for how many seconds each counts at most.
    pub const fn hold(self) -> Option<u32> {
        if let Self::Concurrent(seconds) = self { Some(seconds) } else { None }
    }

    /// What comes back of credits; none where there are none.
    pub const fn refill(self) -> Option<Refill> {
        if let Self::Credits(refill) = self { Some(refill) } else { None }
    }

    /// A limit over a day or longer is a quota: exceeding it is answered QUOTA_EXCEEDED, a shorter one RATE_LIMITED. So are credits that
    /// come back once a day or more seldom.
    pub const fn is_quota(self) -> bool {
        matches!(self, Self::Seconds(86_400..) | Self::Rolling(86_400..) | Self::Month | Self::Local(..) | Self::Credits(Refill { seconds: 0 | 86_400.., .. }))
    }

    /// As the columns `kind`, `window_seconds`, `zone` and `refill` hold it.
    pub fn stored(kind: &str, seconds: i32, zone: &str, refill: i64) -> Self {
        let length = u32::try_from(seconds).unwrap_or(0);
        match kind {
            "rolling" => Self::Rolling(length),
            "credits" => Self::Credits(Refill { units: u32::try_from(refill).unwrap_or(0), seconds: length }),
            "concurrent" => Self::Concurrent(length),
            _ => Self::fixed(seconds, zone),
        }
    }

    /// The column `window_seconds`: 0 for a month.
    pub fn stored_seconds(self) -> i32 {
        match self {
            Self::Seconds(seconds) | Self::Rolling(seconds) | Self::Concurrent(seconds) | Self::Credits(Refill { seconds, .. }) => {
                i32::try_from(seconds).unwrap_or(i32::MAX)
            }
            Self::Local(Unit::Day, _) => 86_400,
            Self::Month | Self::Local(Unit::Month, _) => 0,
        }
    }

    /// The column `refill`.
    pub fn stored_refill(self) -> i64 {
        self.refill().map_or(0, |refill| refill.units.into())
    }

    /// A window that begins with the clock or the calendar: 0 seconds is a month; a zone other than UTC stands with days and months only.
    pub fn fixed(seconds: i32, zone: &str) -> Self {
        match (u32::try_from(seconds).unwrap_or(0), Zone::new(zone).filter(|_| zone != Self::UTC)) {
            (86_400, Some(zone)) => Self::Local(Unit::Day, zone),
            (0, Some(zone)) => Self::Local(Unit::Month, zone),
            (0, None) => Self::Month,
            (length, _) => Self::Seconds(length),
        }
    }

    pub(super) const UTC: &'static str = "UTC";

    /// The time zone as a column holds it.
    pub fn stored_zone(self) -> String {
        self.zone().map_or_else(|| Self::UTC.to_owned(), |zone| zone.to_string())
    }

    /// None: UTC.
    pub const fn zone(self) -> Option<Zone> {
        if let Self::Local(_, zone) = self { Some(zone) } else { None }
    }

    /// The same window in UTC.
    pub const fn in_utc(self) -> Self {
        match self {
            Self::Local(Unit::Day, _) => Self::DAY,
            Self::Local(Unit::Month, _) => Self::Month,
            other => other,
        }
    }

    /// What a limit counts, behind so many of it: windows what calls cost, credits too, places the calls themselves.
    pub const fn counted(self, n: u64) -> &'static str {
        match (self.kind(), n) {
            (LimitKind::Credits, 1) => "credit",
            (LimitKind::Credits, _) => "credits",
            (LimitKind::Concurrent, 1) => "call",
            (LimitKind::Concurrent, _) => "calls",
            (LimitKind::Fixed | LimitKind::Rolling, 1) => "unit",
            (LimitKind::Fixed | LimitKind::Rolling, _) => "units",
        }
    }

    /// "units an hour", "credits, +100 every hour", "calls at the same time": what a limit is of.
    pub fn unit_words(self) -> String {
        self.of(2)
    }

    /// The same behind this number.
    fn of(self, n: u64) -> String {
        format!("{}{} {}", self.counted(n), if self.is_credits() { "," } else { "" }, self.words())
    }

    /// "100 units an hour", "1,000 credits, +100 every hour", "5 calls at the same time": so many of it.
    pub fn limit_words(self, limit: u64) -> String {
        format!("{} {}", super::limit::grouped(limit), self.of(limit))
    }

    /// "a minute", "an hour", "in 10 minutes", "a month", "in any hour", "at the same time": what stands behind a number of units or calls. Behind
    /// a number of credits: "+100 every hour", "prepaid".
    pub fn words(self) -> String {
        match self {
            Self::Month => "a month".to_owned(),
            Self::Local(Unit::Day, zone) => format!("a day ({zone})"),
            Self::Local(Unit::Month, zone) => format!("a month ({zone})"),
            Self::Seconds(1) => "a second".to_owned(),
            Self::Seconds(60) => "a minute".to_owned(),
            Self::Seconds(3_600) => "an hour".to_owned(),
            Self::Seconds(86_400) => "a day".to_owned(),
            Self::Seconds(604_800) => "a week".to_owned(),
            Self::Seconds(s) if s % 86_400 == 0 => format!("in {} days", s / 86_400),
            Self::Seconds(s) if s % 3_600 == 0 => format!("in {} hours", s / 3_600),
            Self::Seconds(s) if s % 60 == 0 => format!("in {} minutes", s / 60),
            Self::Seconds(s) => format!("in {s} seconds"),
            Self::Rolling(60) => "in any minute".to_owned(),
            Self::Rolling(3_600) => "in any hour".to_owned(),
            Self::Rolling(86_400) => "in any 24 hours".to_owned(),
            Self::Rolling(s) if s % 86_400 == 0 => format!("in any {} days", s / 86_400),
            Self::Rolling(s) if s % 3_600 == 0 => format!("in any {} hours", s / 3_600),
            Self::Rolling(s) => format!("in any {} minutes", s / 60),
            Self::Credits(refill) => refill.words(),
            Self::Concurrent(_) => "at the same time".to_owned(),
        }
    }
}

/// As it is read back: `3600`, `month`.
impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seconds(seconds) => write!(f, "{seconds}"),
            Self::Month => f.write_str("month"),
            Self::Local(Unit::Day, zone) => write!(f, "day@{zone}"),
            Self::Local(Unit::Month, zone) => write!(f, "month@{zone}"),
            Self::Rolling(seconds) => write!(f, "rolling:{seconds}"),
            Self::Credits(refill) if refill.is_prepaid() => f.write_str("credits"),
            Self::Credits(Refill { units, seconds }) => write!(f, "credits:{units}/{seconds}"),
            Self::Concurrent(seconds) => write!(f, "concurrent:{seconds}"),
        }
    }
}

impl FromStr for Window {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some((window, zone)) = text.trim().split_once('@') {
            let stored = match window {
                "day" => 86_400,
                "month" => 0,
                _ => return Err(Self::RULE),
            };
            return Zone::new(zone).map(|_| Self::fixed(stored, zone)).ok_or(Self::ZONE);
        }
        if let Some(length) = text.trim().strip_prefix("rolling:") {
            return match length {
                "minute" => Ok(Self::Rolling(60)),
                "hour" => Ok(Self::Rolling(3_600)),
                "day" => Ok(Self::Rolling(86_400)),
                "month" => Ok(Self::Rolling(2_592_000)),
                number => Self::rolling(number.parse().map_err(|_| Self::RULE)?),
            };
        }
        if let Some(refill) = text.trim().strip_prefix("credits:") {
            let (units, every) = refill.split_once('/').ok_or(Self::RULE)?;
            let seconds = match every {
                "second" => 1,
                "minute" => 60,
                "hour" => 3_600,
                "day" => 86_400,
                number => number.parse().map_err(|_| Self::RULE)?,
            };
            return Self::credits(units.parse().map_err(|_| Self::RULE)?, seconds);
        }
        if let Some(seconds) = text.trim().strip_prefix("concurrent:") {
            return Self::concurrent(seconds.parse().map_err(|_| Self::RULE)?);
        }
        match text.trim() {
            "credits" => Ok(Self::Credits(Refill::PREPAID)),
            "concurrent" => Ok(Self::CONCURRENT),
            "second" => Ok(Self::SECOND),
            "minute" => Ok(Self::MINUTE),
            "hour" => Ok(Self::HOUR),
            "day" => Ok(Self::DAY),
            "month" => Ok(Self::Month),
            number => Self::seconds(number.parse().map_err(|_| Self::RULE)?),
        }
    }
}

impl Serialize for Window {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Seconds(seconds) => to.serialize_u32(*seconds),
            Self::Month | Self::Local(..) | Self::Rolling(_) | Self::Credits(_) | Self::Concurrent(_) => to.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Window {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Said {
            Seconds(u32),
            Word(String),
        }
        // That there is none is said where it would stand.
        let is_missing = |error: &D::Error| error.to_string().starts_with("missing field");
        let said = Said::deserialize(from).map_err(|error| if is_missing(&error) { error } else { D::Error::custom(Self::RULE) })?;
        let window = match said {
            Said::Seconds(seconds) => Self::seconds(seconds),
            Said::Word(word) => word.parse(),
        };
        window.map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Through the columns.
    fn read_back(window: Window) -> Window {
        Window::stored(window.kind().as_str(), window.stored_seconds(), &window.stored_zone(), window.stored_refill())
    }

    #[test]
    fn a_window_reads_back_what_it_wrote() {
        for (window, json) in [(Window::HOUR, "3600"), (Window::Month, "\"month\""), (Window::Seconds(Window::MAX_SECONDS), "2678400")] {
            assert_eq!(serde_json::to_string(&window).ok().as_deref(), Some(json));
            assert_eq!(serde_json::from_str::<Window>(json).ok(), Some(window));
            assert_eq!(window.to_string().parse(), Ok(window));
        }
        assert_eq!(serde_json::from_str::<Window>("\"day\"").ok(), Some(Window::DAY));
        for text in ["day@Europe/Stockholm", "month@Asia/Kolkata"] {
            let window: Window = text.parse().expect("it is right");
            assert_eq!(serde_json::to_string(&window).ok(), Some(format!("\"{text}\"")));
            assert_eq!(window.to_string(), text);
            assert_eq!(read_back(window), window);
        }
        for (text, seconds) in [("rolling:60", 60), ("rolling:3600", 3_600), ("rolling:2678400", Window::MAX_SECONDS)] {
            let window: Window = text.parse().expect("it is right");
            assert_eq!((window, window.to_string().as_str()), (Window::Rolling(seconds), text));
            assert_eq!(serde_json::to_string(&window).ok(), Some(format!("\"{text}\"")));
            assert_eq!(read_back(window), window);
        }
        let credits = |units, seconds| Window::Credits(Refill { units, seconds });
        for (text, kind) in [
            ("credits:100/3600", credits(100, 3_600)),
            ("credits:4294967295/1", credits(u32::MAX, 1)),
            ("credits", credits(0, 0)),
            ("concurrent:30", Window::CONCURRENT),
            ("concurrent:3600", Window::Concurrent(Window::MAX_HOLD)),
        ] {
            assert_eq!((text.parse(), kind.to_string().as_str()), (Ok(kind), text));
            assert_eq!(serde_json::to_string(&kind).ok(), Some(format!("\"{text}\"")));
            assert_eq!(read_back(kind), kind);
        }
        assert_eq!(
            ["credits:5/second", "credits:5/hour", "concurrent"].map(str::parse::<Window>),
            [Ok(credits(5, 1)), Ok(credits(5, 3_600)), Ok(Window::CONCURRENT)]
        );
        let words = ["minute", "hour", "day", "month"].map(|word| format!("rolling:{word}").parse());
        assert_eq!(words, Window::ROLLING.map(Ok));
        assert_eq!(["day@UTC", "month@UTC"].map(str::parse::<Window>), [Ok(Window::DAY), Ok(Window::Month)]);
        for wrong in [
            "\"hour@Europe/Stockholm\"",
            "\"day@\"",
            "\"day@Mid dle/Earth\"",
            "0",
            "2678401",
            "-1",
            "\"rolling:59\"",
            "\"rolling:90\"",
            "\"rolling:2678460\"",
            "\"rolling:second\"",
            "\"rolling:\"",
            "\"credits:\"",
            "\"credits:5\"",
            "\"credits:0/3600\"",
            "\"credits:5/0\"",
            "\"credits:5/month\"",
            "\"credits:4294967296/60\"",
            "\"concurrent:0\"",
            "\"concurrent:3601\"",
            "\"concurrent:\"",
            "\"fortnight\"",
            "null",
            "1.5",
        ] {
            assert!(serde_json::from_str::<Window>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn kinds_are_said_in_words() {
        let words = |limit, text: &str| text.parse::<Window>().expect("it is right").limit_words(limit);
        assert_eq!(words(1_000, "credits:100/hour"), "1,000 credits, +100 every hour");
        assert_eq!(words(1, "credits:1/600"), "1 credit, +1 every 10 minutes");
        assert_eq!(words(5_000, "credits"), "5,000 credits, prepaid");
        assert_eq!(words(5, "concurrent"), "5 calls at the same time");
        assert_eq!(words(1, "hour"), "1 unit an hour");
        assert_eq!(words(2, "rolling:hour"), "2 units in any hour");
        assert_eq!(words(1, "concurrent"), "1 call at the same time");
    }

    #[test]
    fn a_day_and_longer_is_a_quota() {
        assert_eq!([Window::SECOND, Window::HOUR, Window::DAY, Window::Month].map(Window::is_quota), [false, false, true, true]);
        assert_eq!(Window::ROLLING.map(Window::is_quota), [false, false, true, true]);
        let credits = [(5, 3_600), (5, 86_400), (0, 0)].map(|(units, seconds)| Window::Credits(Refill { units, seconds }));
        assert_eq!(credits.map(Window::is_quota), [false, true, true]);
        assert!(!Window::CONCURRENT.is_quota());
    }
}
