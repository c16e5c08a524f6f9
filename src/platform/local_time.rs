//! Moments as a person reads them: in their time zone, relative to now. The words are made on the server, so that a page says the
//! same with and without JavaScript, and nothing in the browser needs a calendar.

use crate::values::Language;
use jiff::{
    Timestamp, ToSpan, Zoned,
    civil::{Date, DateTime},
    tz::TimeZone,
};
use time::OffsetDateTime;

/// A person's time zone and the present instant.
#[derive(Debug, Clone)]
pub struct LocalTime {
    zone: TimeZone,
    name: String,
    now: OffsetDateTime,
}

impl LocalTime {
    /// Of an IANA name; one that nobody knows means UTC.
    pub fn new(zone: &str, now: OffsetDateTime) -> Self {
        match TimeZone::get(zone) {
            Ok(known) => Self { zone: known, name: zone.to_owned(), now },
            Err(_) => Self { zone: TimeZone::UTC, name: "UTC".to_owned(), now },
        }
    }

    pub fn now(&self) -> OffsetDateTime {
        self.now
    }

    /// "Stockholm time", "UTC".
    pub fn zone(&self) -> String {
        match self.name.rsplit_once('/') {
            Some((area, place)) if area != "Etc" => format!("{} time", place.replace('_', " ")),
            _ => self.name.clone(),
        }
    }

    /// Where days begin as those of this time zone.
    pub fn is_of(&self, zone: &str) -> bool {
        self.name == zone
    }

    /// "18 Nov", with the year where it is not this one.
    pub fn day(&self, at: OffsetDateTime) -> String {
        let at = self.zoned(at);
        let same_year = at.year() == self.zoned(self.now).year();
        at.strftime(if same_year { "%-d %b" } else { "%-d %b %Y" }).to_string()
    }

    /// "1 Mar 2027": for dates that are far apart and stand below each other.
    pub fn full_day(&self, at: OffsetDateTime) -> String {
        self.zoned(at).strftime("%-d %b %Y").to_string()
    }

    /// "today, 09:12", "18 Nov, 09:12".
    pub fn moment(&self, at: OffsetDateTime) -> String {
        let clock = self.zoned(at).strftime("%H:%M").to_string();
        let is_today = self.zoned(at).date() == self.zoned(self.now).date();
        if is_today { format!("today, {clock}") } else { format!("{}, {clock}", self.day(at)) }
    }

    /// When something in the future happens: "in 41 s", "at 16:00", "on 1 Dec, 00:00".
    pub fn ahead(&self, at: OffsetDateTime) -> String {
        match (at - self.now).whole_seconds() {
            ..1 => "now".to_owned(),
            s @ 1..120 => format!("in {s} s"),
            _ if self.zoned(at).date() == self.zoned(self.now).date() => format!("at {}", self.zoned(at).strftime("%H:%M")),
            _ => format!("on {}", self.moment(at)),
        }
    }

    /// "just now", "8 s ago", "3 min ago", "13 h ago", "9 days ago", then the day.
    pub fn ago(&self, at: OffsetDateTime) -> String {
        match (self.now - at).whole_seconds() {
            ..1 => "just now".to_owned(),
            s @ 1..60 => format!("{s} s ago"),
            s @ 60..3_600 => format!("{} min ago", s / 60),
            s @ 3_600..86_400 => format!("{} h ago", s / 3_600),
            s @ 86_400..172_800 => format!("{} day ago", s / 86_400),
            s @ 172_800..2_592_000 => format!("{} days ago", s / 86_400),
            _ => self.day(at),
        }
    }

    /// "2026-11-18", as a date field wants it.
    pub fn date(&self, at: OffsetDateTime) -> String {
        self.zoned(at).date().to_string()
    }

    /// The first instant of a day given as `2026-11-18`.
    pub fn start_of(&self, date: &str) -> Option<OffsetDateTime> {
        let date: Date = date.parse().ok()?;
        instant(&date.to_zoned(self.zone.clone()).ok()?)
    }

    /// The instant of a moment on this clock, given as `2026-11-18T14:00`; of one that is there twice, the first.
    pub fn instant_of(&self, moment: &str) -> Option<OffsetDateTime> {
        let moment: DateTime = moment.parse().ok()?;
        instant(&moment.to_zoned(self.zone.clone()).ok()?)
    }

    /// Where the last `days` days begin, today included and last, and then where tomorrow begins: one edge more than days.
    pub fn day_edges(&self, days: i64) -> Vec<OffsetDateTime> {
        let today = self.zoned(self.now).date();
        let start = |ahead: i64| today.checked_add(ahead.days()).ok()?.to_zoned(self.zone.clone()).ok();
        (1 - days..=1).filter_map(|ahead| instant(&start(ahead)?)).collect()
    }

    fn zoned(&self, at: OffsetDateTime) -> Zoned {
        let micros = i64::try_from(at.unix_timestamp_nanos() / 1000).unwrap_or(0);
        Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(self.zone.clone())
    }
}

/// An instant in full, for mails and other places far from now: "20 Nov 2026, 13:00 CET", "20. November 2026, 13:00 MEZ". A zone that
/// nobody knows means UTC.
pub fn in_full(at: OffsetDateTime, zone: &str, language: Language) -> String {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let at = Timestamp::from_second(at.unix_timestamp()).unwrap_or_default().to_zoned(zone);
    match language {
        Language::En => at.strftime("%-d %b %Y, %H:%M %Z").to_string(),
        Language::De => {
            let month = usize::try_from(at.month() - 1).ok().and_then(|n| MONTHS_DE.get(n)).copied().unwrap_or_default();
            let zone = at.strftime("%Z").to_string();
            let zone = ZONES_DE.iter().find(|(name, _)| *name == zone).map_or(zone.as_str(), |(_, german)| *german);
            format!("{}. {month} {}, {} {zone}", at.day(), at.year(), at.strftime("%H:%M"))
        }
    }
}

const MONTHS_DE: [&str; 12] = ["Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"];
/// The abbreviations that have another name in German.
const ZONES_DE: [(&str, &str); 6] = [("CET", "MEZ"), ("CEST", "MESZ"), ("WET", "WEZ"), ("WEST", "WESZ"), ("EET", "OEZ"), ("EEST", "OESZ")];

fn instant(at: &Zoned) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(at.timestamp().as_second()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn stockholm() -> LocalTime {
        LocalTime::new("Europe/Stockholm", datetime!(2026-11-20 12:00 UTC))
    }

    #[test]
    fn moments_are_said_in_the_zone_of_the_person() {
        let local = stockholm();
        assert_eq!(local.zone(), "Stockholm time");
        assert_eq!(local.moment(datetime!(2026-11-20 08:12 UTC)), "today, 09:12");
        assert_eq!(local.moment(datetime!(2026-11-17 23:30 UTC)), "18 Nov, 00:30");
        assert_eq!(local.moment(datetime!(2025-06-12 08:05 UTC)), "12 Jun 2025, 10:05");
        assert_eq!(LocalTime::new("Nowhere/Else", datetime!(2026-11-20 12:00 UTC)).zone(), "UTC");
    }

    #[test]
    fn ago_counts_down_to_the_unit_that_matters() {
        let local = stockholm();
        let ago = |seconds| local.ago(local.now() - time::Duration::seconds(seconds));
        assert_eq!(
            [ago(-5), ago(8), ago(200), ago(46_800), ago(86_400), ago(800_000)],
            ["just now", "8 s ago", "3 min ago", "13 h ago", "1 day ago", "9 days ago"]
        );
        assert_eq!(ago(40 * 86_400), "11 Oct");
    }

    #[test]
    fn what_is_ahead_is_said_as_one_would() {
        let local = stockholm();
        let ahead = |seconds| local.ahead(local.now() + time::Duration::seconds(seconds));
        assert_eq!([ahead(0), ahead(41), ahead(7_200), ahead(86_400)], ["now", "in 41 s", "at 15:00", "on 21 Nov, 13:00"]);
    }

    #[test]
    fn an_instant_in_full_is_said_in_the_language_and_the_zone() {
        let (winter, summer) = (datetime!(2026-11-21 15:05 UTC), datetime!(2026-03-31 22:30 UTC));
        assert_eq!(in_full(winter, "Europe/Berlin", Language::En), "21 Nov 2026, 16:05 CET");
        assert_eq!(in_full(winter, "Europe/Berlin", Language::De), "21. November 2026, 16:05 MEZ");
        assert_eq!(in_full(summer, "Europe/Vienna", Language::De), "1. April 2026, 00:30 MESZ");
        assert_eq!(in_full(winter, "America/New_York", Language::De), "21. November 2026, 10:05 EST");
        assert_eq!(in_full(winter, "Nowhere/Else", Language::De), "21. November 2026, 15:05 UTC");
    }

    #[test]
    fn days_begin_at_local_midnight_even_when_clocks_change() {
        let local = LocalTime::new("Europe/Stockholm", datetime!(2026-10-26 12:00 UTC));
        assert_eq!(
            local.day_edges(2),
            [datetime!(2026-10-24 22:00 UTC), datetime!(2026-10-25 23:00 UTC), datetime!(2026-10-26 23:00 UTC)],
            "the 25th has 25 hours"
        );
        assert_eq!(local.start_of("2026-12-01"), Some(datetime!(2026-11-30 23:00 UTC)));
        assert_eq!(local.start_of("2026-13-01"), None);
        assert_eq!(local.instant_of("2026-12-01T14:30"), Some(datetime!(2026-12-01 13:30 UTC)));
        assert_eq!(local.instant_of("2026-12-01T25:30"), None);
        assert_eq!(local.date(datetime!(2026-11-30 23:00 UTC)), "2026-12-01");
    }
}
