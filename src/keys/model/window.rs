//! For how long a limit counts before it begins anew.

use super::Zone;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::{fmt, str::FromStr};

/// A fixed number of seconds, which begins at multiples of itself since 1970, or a calendar month, both in UTC; or a day or a month of the
/// calendar of a time zone, where a day may have 23 or 25 hours; or a rolling one, which begins nowhere: so many seconds up to every moment.
/// In JSON a number of seconds, `"month"`, `"day@Europe/Stockholm"`, `"month@Europe/Stockholm"` or `"rolling:3600"`; the words `second`,
/// `minute`, `hour` and `day` are read too, the last three and `month` (30 days) also behind `rolling:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Window {
    /// 1 to [`Window::MAX_SECONDS`].
    Seconds(u32),
    Month,
    /// In a time zone other than UTC.
    Local(Unit, Zone),
    /// Whole minutes up to [`Window::MAX_SECONDS`], in seconds.
    Rolling(u32),
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
    /// What forms offer.
    pub const USUAL: [Self; 5] = [Self::SECOND, Self::MINUTE, Self::HOUR, Self::DAY, Self::Month];
    /// The rolling ones that forms offer: a minute, an hour, a day, 30 days.
    pub const ROLLING: [Self; 4] = [Self::Rolling(60), Self::Rolling(3_600), Self::Rolling(86_400), Self::Rolling(2_592_000)];
    const RULE: &'static str = "A window is 1 to 2,678,400 seconds (31 days), or one of the words second, minute, hour, day and month; day@Europe/Stockholm and month@Europe/Stockholm begin there; rolling:hour or rolling:3600 rolls, whole minutes up to 31 days.";
    /// Of the zone alone.
    pub const ZONE: &'static str = "There is no such time zone. Write a name of the IANA database, such as Europe/Stockholm.";

    pub fn seconds(seconds: u32) -> Result<Self, &'static str> {
        if (1..=Self::MAX_SECONDS).contains(&seconds) { Ok(Self::Seconds(seconds)) } else { Err(Self::RULE) }
    }

    /// Seconds of a rolling window: whole minutes.
    pub fn rolling(seconds: u32) -> Result<Self, &'static str> {
        if (60..=Self::MAX_SECONDS).contains(&seconds) && seconds.is_multiple_of(60) { Ok(Self::Rolling(seconds)) } else { Err(Self::RULE) }
    }

    pub const fn is_rolling(self) -> bool {
        matches!(self, Self::Rolling(_))
    }

    /// A limit over a day or longer is a quota: exceeding it is answered QUOTA_EXCEEDED, a shorter one RATE_LIMITED.
    pub const fn is_quota(self) -> bool {
        matches!(self, Self::Seconds(86_400..) | Self::Rolling(86_400..) | Self::Month | Self::Local(..))
    }

    /// As a column holds it: seconds, 0 for a month, less than 0 for a rolling window of so many.
    pub fn stored(seconds: i32) -> Self {
        match (seconds, seconds.unsigned_abs()) {
            (0, _) => Self::Month,
            (1.., length) => Self::Seconds(length),
            (_, length) => Self::Rolling(length),
        }
    }

    pub fn to_stored(self) -> i32 {
        match self {
            Self::Seconds(seconds) => i32::try_from(seconds).unwrap_or(i32::MAX),
            Self::Local(Unit::Day, _) => 86_400,
            Self::Month | Self::Local(Unit::Month, _) => 0,
            Self::Rolling(seconds) => i32::try_from(seconds).map_or(i32::MIN, |seconds| -seconds),
        }
    }

    /// As two columns hold it; a zone other than UTC stands with days and months only.
    pub fn stored_in(seconds: i32, zone: &str) -> Self {
        match (Self::stored(seconds), Zone::new(zone).filter(|_| zone != Self::UTC)) {
            (Self::DAY, Some(zone)) => Self::Local(Unit::Day, zone),
            (Self::Month, Some(zone)) => Self::Local(Unit::Month, zone),
            (window, _) => window,
        }
    }

    const UTC: &'static str = "UTC";

    /// The time zone as a column holds it.
    pub fn stored_zone(self) -> String {
        self.zone().map_or_else(|| Self::UTC.to_owned(), |zone| zone.to_string())
    }

    /// None: UTC.
    pub const fn zone(self) -> Option<Zone> {
        if let Self::Local(_, zone) = self { Some(zone) } else { None }
    }

    /// The same window in UTC.
    pub fn in_utc(self) -> Self {
        Self::stored(self.to_stored())
    }

    /// What a form offers: the usual ones, days and months of a zone, rolling ones, and the present one if it is another.
    pub fn offered(present: Self, zone: Option<&str>) -> Vec<(String, String)> {
        let mut windows = Self::USUAL.to_vec();
        if let Some(zone) = zone.filter(|zone| *zone != Self::UTC).and_then(Zone::new) {
            windows.extend([Self::Local(Unit::Day, zone), Self::Local(Unit::Month, zone)]);
        }
        windows.extend(Self::ROLLING);
        if !windows.contains(&present) {
            windows.push(present);
            windows.sort_unstable();
        }
        windows.into_iter().map(|window| (window.to_string(), window.words())).collect()
    }

    /// "a minute", "an hour", "in 10 minutes", "a month", "in any hour": what stands behind a number of calls.
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
            return Zone::new(zone).map(|_| Self::stored_in(stored, zone)).ok_or(Self::ZONE);
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
        match text.trim() {
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
            Self::Month | Self::Local(..) | Self::Rolling(_) => to.collect_str(self),
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
        let said = Said::deserialize(from).map_err(|_| D::Error::custom(Self::RULE))?;
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
            assert_eq!(Window::stored_in(window.to_stored(), &window.stored_zone()), window);
        }
        for (text, seconds) in [("rolling:60", 60), ("rolling:3600", 3_600), ("rolling:2678400", Window::MAX_SECONDS)] {
            let window: Window = text.parse().expect("it is right");
            assert_eq!((window, window.to_string().as_str()), (Window::Rolling(seconds), text));
            assert_eq!(serde_json::to_string(&window).ok(), Some(format!("\"{text}\"")));
            assert_eq!(Window::stored_in(window.to_stored(), &window.stored_zone()), window);
        }
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
            "\"fortnight\"",
            "null",
            "1.5",
        ] {
            assert!(serde_json::from_str::<Window>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_day_and_longer_is_a_quota() {
        assert_eq!([Window::SECOND, Window::HOUR, Window::DAY, Window::Month].map(Window::is_quota), [false, false, true, true]);
        assert_eq!(Window::ROLLING.map(Window::is_quota), [false, false, true, true]);
    }
}
