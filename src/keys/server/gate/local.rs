//! Days and months of the calendar of a time zone. A window's number is that of its date, counted from January 1970: days since the
//! first, or months. Each thread remembers the spans that it asked for last, so that a call looks into no table of zones.

use crate::keys::model::{Unit, Zone};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use std::cell::RefCell;

/// One window, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub number: u32,
    pub start: i64,
    pub end: i64,
}

/// Spans that a thread remembers.
const MOST: usize = 16;

thread_local! {
    static KNOWN: RefCell<Vec<(Unit, Zone, Span)>> = const { RefCell::new(Vec::new()) };
}

/// True if this node's database of zones has it. Postgres has one of its own, and both count in it: `rules::zones`.
pub fn is_known(zone: Zone) -> bool {
    TimeZone::get(zone.as_str()).is_ok()
}

/// The window that this moment lies in.
pub fn span(unit: Unit, zone: Zone, seconds: i64) -> Span {
    KNOWN.with_borrow_mut(|known| {
        let holds = |(of, at, span): &&(Unit, Zone, Span)| *of == unit && *at == zone && (span.start..span.end).contains(&seconds);
        if let Some((.., span)) = known.iter().find(holds) {
            return *span;
        }
        if known.len() >= MOST {
            known.clear();
        }
        let span = computed(unit, zone, seconds);
        known.push((unit, zone, span));
        span
    })
}

fn computed(unit: Unit, zone: Zone, seconds: i64) -> Span {
    let moment = Timestamp::from_second(seconds).unwrap_or_default();
    let number = number(unit, moment.to_zoned(time_zone(zone)).date());
    Span { number, start: start(unit, zone, number), end: start(unit, zone, number.saturating_add(1)) }
}

/// Where the window of this number begins, in seconds since 1970: with midnight, or where a change of the clocks leaves it out, with what
/// follows it.
pub fn start(unit: Unit, zone: Zone, number: u32) -> i64 {
    let begins = first(unit, number).and_then(|date| date.to_zoned(time_zone(zone)).ok());
    begins.map_or(0, |begins| begins.timestamp().as_second())
}

/// A zone that is gone from the database counts as UTC.
fn time_zone(zone: Zone) -> TimeZone {
    TimeZone::get(zone.as_str()).unwrap_or(TimeZone::UTC)
}

const DAY: i64 = 86_400;

fn number(unit: Unit, date: Date) -> u32 {
    let number = match unit {
        Unit::Day => date.to_zoned(TimeZone::UTC).map_or(0, |midnight| midnight.timestamp().as_second() / DAY),
        Unit::Month => (i64::from(date.year()) - 1970) * 12 + i64::from(date.month()) - 1,
    };
    u32::try_from(number).unwrap_or(0)
}

/// The date that a window begins with.
fn first(unit: Unit, number: u32) -> Option<Date> {
    match unit {
        Unit::Day => Some(Timestamp::from_second(i64::from(number) * DAY).ok()?.to_zoned(TimeZone::UTC).date()),
        Unit::Month => Date::new(i16::try_from(1970 + number / 12).ok()?, i8::try_from(number % 12 + 1).ok()?, 1).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> i64 {
        text.parse::<Timestamp>().expect("an instant").as_second()
    }

    fn of(name: &str, unit: Unit, at: &str) -> Span {
        span(unit, Zone::new(name).expect("a name"), seconds(at))
    }

    #[test]
    fn a_day_of_a_change_of_clocks_has_23_or_25_hours() {
        for (at, hours, begins) in [
            ("2027-03-28T12:00:00Z", 23, "2027-03-27T23:00:00Z"),
            ("2027-10-31T12:00:00Z", 25, "2027-10-30T22:00:00Z"),
            ("2026-11-20T12:00:00Z", 24, "2026-11-19T23:00:00Z"),
        ] {
            let day = of("Europe/Stockholm", Unit::Day, at);
            assert_eq!((day.end - day.start, day.start), (hours * 3_600, seconds(begins)), "{at}");
        }
        // Midnight itself is left out: the day begins at one.
        let day = of("America/Asuncion", Unit::Day, "2023-10-01T12:00:00Z");
        assert_eq!((day.start, day.end - day.start), (seconds("2023-10-01T04:00:00Z"), 23 * 3_600));
    }

    #[test]
    fn windows_follow_each_other_without_a_gap() {
        for (name, unit) in [("Europe/Stockholm", Unit::Day), ("America/Havana", Unit::Day), ("Asia/Kolkata", Unit::Month), ("Pacific/Apia", Unit::Month)] {
            let mut at = seconds("2026-01-01T00:00:00Z");
            for _ in 0..400 {
                let zone = Zone::new(name).expect("a name");
                let (here, next) = (span(unit, zone, at), span(unit, zone, span(unit, zone, at).end));
                assert!(here.start <= at && at < here.end, "{name} {here:?}");
                assert_eq!((next.number, next.start), (here.number + 1, here.end), "{name}");
                assert_eq!(span(unit, zone, here.end - 1), here);
                at = here.end;
            }
        }
    }

    #[test]
    fn a_month_begins_on_its_first_there() {
        let month = of("America/New_York", Unit::Month, "2026-12-01T04:59:59Z");
        assert_eq!((month.start, month.end), (seconds("2026-11-01T04:00:00Z"), seconds("2026-12-01T05:00:00Z")), "an hour more than 30 days");
        assert_eq!(of("America/New_York", Unit::Month, "2026-12-01T05:00:00Z").number, month.number + 1);
    }

    #[test]
    fn zones_are_those_of_the_database() {
        let known = |name| is_known(Zone::new(name).expect("a name"));
        assert_eq!(["Europe/Stockholm", "Etc/GMT+5", "Middle/Earth"].map(known), [true, true, false]);
    }
}
