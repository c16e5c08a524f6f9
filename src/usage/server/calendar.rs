//! The calendar of one person: where hours, days, weeks and months begin in their time zone, and how moments are written.
//!
//! Edges are computed here and handed to Postgres, which only sorts counts between them: so the rules of time zones come from one
//! place (jiff's IANA database, bundled), and days of 23, 24 and 25 hours need no care anywhere else.

use crate::{error::AppError, usage::model::BucketSize};
use jiff::{Timestamp, ToSpan, civil, tz::TimeZone};
use time::{Duration, OffsetDateTime};

/// What counts are kept by.
pub const QUARTER: Duration = Duration::minutes(15);

/// Where the quarter of an hour begins that this is in.
pub fn quarter_of(at: OffsetDateTime) -> OffsetDateTime {
    let into = at.unix_timestamp().rem_euclid(QUARTER.whole_seconds());
    at.replace_nanosecond(0).unwrap_or(at) - Duration::seconds(into)
}

/// A person's time zone.
#[derive(Debug, Clone)]
pub struct Calendar {
    zone: TimeZone,
    name: String,
}

impl Calendar {
    /// Of an IANA name; one that nobody knows means UTC.
    pub fn of(name: &str) -> Self {
        match TimeZone::get(name) {
            Ok(zone) => Self { zone, name: name.to_owned() },
            Err(_) => Self::utc(),
        }
    }

    /// Of the zone that a query names, or the usual one.
    pub fn asked(name: Option<&str>, usual: &str) -> Result<Self, AppError> {
        let Some(name) = name else { return Ok(Self::of(usual)) };
        let zone = TimeZone::get(name).map_err(|_| AppError::invalid("tz", "A time zone is an IANA name, such as Europe/Stockholm or UTC."))?;
        Ok(Self { zone, name: name.to_owned() })
    }

    pub fn utc() -> Self {
        Self { zone: TimeZone::UTC, name: "UTC".to_owned() }
    }

    /// "Stockholm time", "UTC".
    pub fn words(&self) -> String {
        match self.name.rsplit_once('/') {
            Some((area, place)) if area != "Etc" => format!("{} time", place.replace('_', " ")),
            _ => self.name.clone(),
        }
    }

    /// Where days and months begin as those of this time zone.
    pub fn is_of(&self, zone: &str) -> bool {
        self.name == zone
    }

    /// True if its pieces of so many seconds begin where those counted from 1970 do.
    pub fn is_even(&self, at: Timestamp, seconds: i32) -> bool {
        self.zone.to_offset(at).seconds() % seconds == 0
    }

    pub fn local(&self, at: Timestamp) -> civil::DateTime {
        self.zone.to_datetime(at)
    }

    /// The instant of a local time; of two the first, of none the one after the gap.
    pub fn instant(&self, local: civil::DateTime) -> Option<Timestamp> {
        self.zone.to_timestamp(local).ok()
    }

    /// Where the bucket begins that `at` lies in.
    pub fn floor(&self, at: Timestamp, size: BucketSize) -> Option<Timestamp> {
        let date = self.local(at).date();
        let first = match size {
            BucketSize::Minute => return Timestamp::from_second(at.as_second().div_euclid(60) * 60).ok(),
            BucketSize::FiveMinutes => return Timestamp::from_second(at.as_second().div_euclid(300) * 300).ok(),
            BucketSize::Hour => return self.hour(at),
            BucketSize::Day => date,
            BucketSize::Week => date.checked_sub(i64::from(date.weekday().to_monday_zero_offset()).days()).ok()?,
            BucketSize::Month => date.first_of_month(),
        };
        self.start(first)
    }

    /// Where the next bucket begins after the one that begins at `edge`.
    pub fn next(&self, edge: Timestamp, size: BucketSize) -> Option<Timestamp> {
        let date = self.local(edge).date();
        let first = match size {
            BucketSize::Minute => return edge.checked_add(60.seconds()).ok(),
            BucketSize::FiveMinutes => return edge.checked_add(300.seconds()).ok(),
            BucketSize::Hour => return self.next_hour(edge),
            BucketSize::Day => date.tomorrow().ok()?,
            BucketSize::Week => date.checked_add(1.week()).ok()?,
            BucketSize::Month => date.checked_add(1.month()).ok()?,
        };
        self.start(first)
    }

    /// Every edge from the one at or before `from` to the one at or after `to`, so one more than there are buckets; none if there
    /// would be more than `most` buckets.
    pub fn edges(&self, from: Timestamp, to: Timestamp, size: BucketSize, most: usize) -> Option<Vec<Timestamp>> {
        let mut edges = vec![self.floor(from, size)?];
        while let Some(&last) = edges.last() {
            if last >= to && edges.len() > 1 {
                break;
            }
            if edges.len() > most {
                return None;
            }
            edges.push(self.next(last, size)?);
        }
        Some(edges)
    }

    /// The first instant of a day: midnight, or what follows it where clocks jump over it.
    fn start(&self, date: civil::Date) -> Option<Timestamp> {
        date.to_zoned(self.zone.clone()).ok().map(|z| z.timestamp())
    }

    /// The full hour at or before `at`. Clocks that move by half an hour (Lord Howe) begin an hour there, too.
    fn hour(&self, at: Timestamp) -> Option<Timestamp> {
        let local = self.local(at);
        let past = i64::from(local.minute()) * 60 + i64::from(local.second());
        let full = Timestamp::from_second(at.as_second() - past).ok()?;
        let moved = self.zone.preceding(at.checked_add(1.nanosecond()).ok()?).next().map(|t| t.timestamp());
        Some(moved.filter(|moved| *moved > full).unwrap_or(full))
    }

    fn next_hour(&self, edge: Timestamp) -> Option<Timestamp> {
        let local = self.local(edge);
        let past = i64::from(local.minute()) * 60 + i64::from(local.second());
        let full = Timestamp::from_second(edge.as_second() + 3600 - past).ok()?;
        let moves = self.zone.following(edge).next().map(|t| t.timestamp());
        Some(moves.filter(|moves| *moves < full).unwrap_or(full))
    }

    fn write(&self, at: Timestamp, format: &str) -> String {
        at.to_zoned(self.zone.clone()).strftime(format).to_string()
    }

    /// Under a bar: "14:00" ("18 Nov, 14:00" where there are several days of hours), "18 Nov", "Nov 2026". An hour that comes twice says which it is.
    pub fn label(&self, edge: Timestamp, size: BucketSize, is_long: bool) -> String {
        match size {
            BucketSize::Minute | BucketSize::FiveMinutes | BucketSize::Hour => {
                let day = if is_long { "%-d %b, " } else { "" };
                let zone = if self.comes_twice(edge) { " %Z" } else { "" };
                self.write(edge, &format!("{day}%H:%M{zone}"))
            }
            BucketSize::Day | BucketSize::Week => self.write(edge, "%-d %b"),
            BucketSize::Month => self.write(edge, "%b %Y"),
        }
    }

    /// Beside a bar: "Wednesday, 18 Nov, 14:00", "Week of 16 Nov 2026". An hour that comes twice says which it is.
    pub fn full(&self, edge: Timestamp, size: BucketSize) -> String {
        match size {
            BucketSize::Minute | BucketSize::FiveMinutes | BucketSize::Hour if self.comes_twice(edge) => self.write(edge, "%A, %-d %b, %H:%M %Z"),
            BucketSize::Minute | BucketSize::FiveMinutes | BucketSize::Hour => self.write(edge, "%A, %-d %b, %H:%M"),
            BucketSize::Day => self.write(edge, "%A, %-d %b"),
            BucketSize::Week => self.write(edge, "Week of %-d %b %Y"),
            BucketSize::Month => self.write(edge, "%B %Y"),
        }
    }

    fn comes_twice(&self, at: Timestamp) -> bool {
        let ambiguous = self.zone.to_ambiguous_timestamp(self.local(at));
        matches!(ambiguous.offset(), jiff::tz::AmbiguousOffset::Fold { .. })
    }

    /// "22 Oct to 20 Nov", or one day; with years where one of them is not that of `now`.
    pub fn days(&self, first: Timestamp, last: Timestamp, now: Timestamp) -> String {
        let year = self.local(now).year();
        let is_plain = [first, last].iter().all(|at| self.local(*at).year() == year);
        let day = |at| self.write(at, if is_plain { "%-d %b" } else { "%-d %b %Y" });
        if day(first) == day(last) { day(first) } else { format!("{} to {}", day(first), day(last)) }
    }

    /// "Thu 19 Nov, 14:00 to 18:00", "Sun 15 Nov, 00:00 to Sat 21 Nov, 03:00".
    pub fn hours(&self, from: Timestamp, to: Timestamp) -> String {
        let is_same_day = self.local(from).date() == self.local(to).date();
        format!("{} to {}", self.write(from, "%a %-d %b, %H:%M"), self.write(to, if is_same_day { "%H:%M" } else { "%a %-d %b, %H:%M" }))
    }

    /// "15:00" today, "Mon 23 Nov, 01:00" on another day.
    pub fn moment(&self, at: Timestamp, now: Timestamp) -> String {
        let today = self.local(at).date() == self.local(now).date();
        self.write(at, if today { "%H:%M" } else { "%a %-d %b, %H:%M" })
    }

    /// To the millisecond: "20 Nov 2026, 13:59:58.412".
    pub fn exact(&self, at: Timestamp) -> String {
        self.write(at, "%-d %b %Y, %H:%M:%S%.3f")
    }

    /// To the second: "15:38:52" today, "18 Nov, 15:38:52" before.
    pub fn second(&self, at: Timestamp, now: Timestamp) -> String {
        let today = self.local(at).date() == self.local(now).date();
        self.write(at, if today { "%H:%M:%S" } else { "%-d %b, %H:%M:%S" })
    }
}

/// jiff's instant of the one that operations and Postgres use.
pub fn timestamp(at: OffsetDateTime) -> Timestamp {
    let micros = i64::try_from(at.unix_timestamp_nanos() / 1000).unwrap_or(0);
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// And back.
pub fn instant(at: Timestamp) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(at.as_nanosecond()).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }
    fn lengths(zone: &str, from: &str, to: &str, size: BucketSize) -> Vec<i64> {
        let edges = Calendar::of(zone).edges(at(from), at(to), size, 1000).expect("few enough");
        edges.windows(2).map(|w| (w[1].as_second() - w[0].as_second()) / 60).collect()
    }

    #[test]
    fn a_quarter_begins_at_a_multiple_of_fifteen_minutes() {
        for (at, quarter) in [
            (datetime!(2026-11-20 12:14:59.9 UTC), datetime!(2026-11-20 12:00 UTC)),
            (datetime!(2026-11-20 12:15 UTC), datetime!(2026-11-20 12:15 UTC)),
            (datetime!(1969-12-31 23:59:59 UTC), datetime!(1969-12-31 23:45 UTC)),
        ] {
            assert_eq!(quarter_of(at), quarter);
        }
    }

    #[test]
    fn days_have_23_and_25_hours_where_clocks_move() {
        assert_eq!(lengths("Europe/Stockholm", "2026-03-28T12:00Z", "2026-03-30T12:00Z", BucketSize::Day), [1440, 1380, 1440]);
        assert_eq!(lengths("America/New_York", "2026-10-31T12:00Z", "2026-11-02T12:00Z", BucketSize::Day), [1440, 1500, 1440]);
        assert_eq!(lengths("Australia/Lord_Howe", "2026-04-03T20:00Z", "2026-04-05T20:00Z", BucketSize::Day), [1440, 1470, 1440]);
        assert_eq!(lengths("Asia/Kolkata", "2026-03-28T12:00Z", "2026-03-29T12:00Z", BucketSize::Day), [1440, 1440]);
    }

    #[test]
    fn hours_begin_where_clocks_say_so() {
        let kolkata = Calendar::of("Asia/Kolkata");
        assert_eq!(kolkata.floor(at("2026-11-20T12:00Z"), BucketSize::Hour), Some(at("2026-11-20T11:30Z")));
        // Sweden, last Sunday of October: 02:00 comes twice, both have 60 minutes.
        let stockholm = Calendar::of("Europe/Stockholm");
        let edges = stockholm.edges(at("2026-10-25T00:00Z"), at("2026-10-25T02:00Z"), BucketSize::Hour, 10).expect("few");
        let names: Vec<_> = edges.iter().map(|e| stockholm.full(*e, BucketSize::Hour)).collect();
        assert_eq!(names, ["Sunday, 25 Oct, 02:00 CEST", "Sunday, 25 Oct, 02:00 CET", "Sunday, 25 Oct, 03:00"]);
        // Lord Howe moves by half an hour: on 5 April 2026 at 02:00 back to 01:30 (15:00 UTC the day before).
        assert_eq!(lengths("Australia/Lord_Howe", "2026-04-04T14:00Z", "2026-04-04T17:30Z", BucketSize::Hour), [60, 30, 60, 60]);
        // On 4 October 2026 at 02:00 forward to 02:30 (15:30 UTC the day before).
        assert_eq!(lengths("Australia/Lord_Howe", "2026-10-03T14:30Z", "2026-10-03T17:00Z", BucketSize::Hour), [60, 30, 60]);
    }

    #[test]
    fn floor_and_edges_agree_in_every_hour_of_a_move() {
        for zone in ["Australia/Lord_Howe", "Europe/Stockholm", "America/St_Johns", "Asia/Kathmandu", "America/Havana"] {
            let calendar = Calendar::of(zone);
            for size in [BucketSize::Hour, BucketSize::Day, BucketSize::Week, BucketSize::Month] {
                let edges = calendar.edges(at("2026-01-01T00:00Z"), at("2027-01-01T00:00Z"), size, 10_000).expect("few enough");
                for pair in edges.windows(2) {
                    assert!(pair[0] < pair[1], "{zone}");
                    assert_eq!(calendar.floor(pair[0], size), Some(pair[0]), "{zone} {size:?}");
                    assert_eq!(calendar.floor(pair[1].checked_sub(1.second()).expect("in range"), size), Some(pair[0]), "{zone} {size:?}");
                    assert_eq!(pair[0].as_second() % 900, 0, "{zone}: a quarter of an hour fits");
                }
            }
        }
    }

    #[test]
    fn weeks_start_on_monday_and_months_on_the_first() {
        let calendar = Calendar::of("Europe/Stockholm");
        assert_eq!(calendar.floor(at("2026-11-20T12:00Z"), BucketSize::Week), Some(at("2026-11-15T23:00Z")));
        assert_eq!(calendar.floor(at("2026-11-20T12:00Z"), BucketSize::Month), Some(at("2026-10-31T23:00Z")));
        assert_eq!(lengths("UTC", "2026-01-31T00:00Z", "2026-03-31T00:00Z", BucketSize::Month), [31 * 1440, 28 * 1440, 31 * 1440]);
    }

    #[test]
    fn too_many_buckets_are_none() {
        assert_eq!(Calendar::utc().edges(at("2026-01-01T00:00Z"), at("2026-01-02T00:00Z"), BucketSize::Minute, 1439), None);
        assert!(Calendar::utc().edges(at("2026-01-01T00:00Z"), at("2026-01-02T00:00Z"), BucketSize::Minute, 1440).is_some());
    }

    #[test]
    fn an_hour_that_comes_twice_says_which_it_is() {
        let stockholm = Calendar::of("Europe/Stockholm");
        let label = |text: &str, is_long| stockholm.label(at(text), BucketSize::Hour, is_long);
        assert_eq!(
            ["2026-10-24T23:00Z", "2026-10-25T00:00Z", "2026-10-25T01:00Z", "2026-10-25T02:00Z"].map(|text| label(text, false)),
            ["01:00", "02:00 CEST", "02:00 CET", "03:00"]
        );
        assert_eq!(label("2026-10-25T01:00Z", true), "25 Oct, 02:00 CET");
    }

    #[test]
    fn zones_are_named_by_their_place() {
        assert_eq!(Calendar::of("America/New_York").words(), "New York time");
        assert_eq!(Calendar::of("UTC").words(), "UTC");
        assert_eq!(Calendar::of("Mars/Olympus").words(), "UTC");
    }
}
