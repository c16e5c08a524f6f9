//! Where windows begin and end. Fixed ones at multiples of their length since 1970, months on the first; all in UTC, so that every
//! node and every restart agrees. Days and months of a time zone begin with its calendar (`local`). A rolling window begins nowhere; it is
//! counted by parts (`rolling`), and it is these that have numbers.

use super::{local, rolling};
use crate::keys::model::{Refill, Window};
use time::{Date, Month, OffsetDateTime};

const SECOND: i64 = 1_000_000;

/// The number of the window that `now` lies in: it grows by one from window to window. Of credits that of their last refill.
pub fn number(window: Window, now_micros: i64) -> u32 {
    let seconds = now_micros.div_euclid(SECOND);
    match window {
        Window::Seconds(length) => u32::try_from(seconds.div_euclid(i64::from(length.max(1)))).unwrap_or(0),
        Window::Month => month_number(seconds),
        Window::Local(unit, zone) => local::span(unit, zone, seconds).number,
        Window::Rolling(length) => u32::try_from(seconds.div_euclid(rolling::part(length))).unwrap_or(0),
        Window::Credits(Refill { seconds: length, .. }) if length > 0 => u32::try_from(seconds.div_euclid(i64::from(length))).unwrap_or(0),
        Window::Credits(_) | Window::Concurrent(_) => 0,
    }
}

/// Where the window of this number begins, in seconds since 1970.
pub fn start(window: Window, number: u32) -> i64 {
    match window {
        Window::Seconds(length) => i64::from(number) * i64::from(length),
        Window::Month => month_start(number),
        Window::Local(unit, zone) => local::start(unit, zone, number),
        Window::Rolling(length) => i64::from(number) * rolling::part(length),
        Window::Credits(refill) => i64::from(number) * i64::from(refill.seconds),
        Window::Concurrent(_) => 0,
    }
}

/// From when on nothing that was charged to this number counts any more, in seconds since 1970.
pub fn end(window: Window, number: u32) -> i64 {
    let lasts = if window.is_rolling() { rolling::KEPT } else { 1 };
    start(window, number.saturating_add(lasts))
}

/// Whole seconds from now until this moment (in seconds since 1970), at least 1.
pub fn until(seconds: i64, now_micros: i64) -> u64 {
    u64::try_from(seconds.saturating_mul(SECOND).saturating_sub(now_micros)).unwrap_or(0).div_ceil(1_000_000).max(1)
}

/// Whole seconds until the window ends, at least 1; of a rolling one its length, after which all of it has come back; of credits until
/// the next refill, 0 where there is none.
pub fn reset_after(window: Window, now_micros: i64) -> u64 {
    let left = match window {
        Window::Seconds(length) => {
            let length = i64::from(length.max(1)) * SECOND;
            length - now_micros.rem_euclid(length)
        }
        Window::Month => month_start(month_number(now_micros.div_euclid(SECOND)) + 1) * SECOND - now_micros,
        Window::Local(unit, zone) => local::span(unit, zone, now_micros.div_euclid(SECOND)).end * SECOND - now_micros,
        Window::Rolling(length) => i64::from(length) * SECOND,
        Window::Credits(Refill { seconds: length, .. }) if length > 0 => {
            let length = i64::from(length) * SECOND;
            length - now_micros.rem_euclid(length)
        }
        Window::Credits(_) | Window::Concurrent(_) => return 0,
    };
    u64::try_from(left).unwrap_or(0).div_ceil(1_000_000).max(1)
}

/// How long the window is that `now` lies in, in seconds: a month has 28 to 31 days, a day of a time zone 23 to 25 hours. 0: there is none.
pub fn length(window: Window, now_micros: i64) -> u32 {
    match window {
        Window::Seconds(length) | Window::Rolling(length) => length,
        Window::Credits(_) | Window::Concurrent(_) => 0,
        Window::Month => {
            let month = month_number(now_micros.div_euclid(SECOND));
            u32::try_from(month_start(month + 1) - month_start(month)).unwrap_or(Window::MAX_SECONDS)
        }
        Window::Local(unit, zone) => {
            let span = local::span(unit, zone, now_micros.div_euclid(SECOND));
            u32::try_from(span.end - span.start).unwrap_or(Window::MAX_SECONDS)
        }
    }
}

/// Months since January 1970.
fn month_number(seconds: i64) -> u32 {
    let at = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    u32::try_from((at.year() - 1970) * 12 + i32::from(u8::from(at.month())) - 1).unwrap_or(0)
}

/// Where a month begins, in seconds since 1970.
fn month_start(number: u32) -> i64 {
    let year = 1970 + i32::try_from(number / 12).unwrap_or(0);
    let month = Month::January.nth_next(u8::try_from(number % 12).unwrap_or(0));
    Date::from_calendar_date(year, month, 1).map_or(0, |first| first.midnight().assume_utc().unix_timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn micros(at: OffsetDateTime) -> i64 {
        at.unix_timestamp() * SECOND
    }

    #[test]
    fn a_month_is_that_of_the_calendar() {
        let (february, march) = (micros(datetime!(2028-02-29 23:59:59 UTC)), micros(datetime!(2028-03-01 0:00 UTC)));
        assert_eq!(number(Window::Month, february) + 1, number(Window::Month, march));
        assert_eq!(reset_after(Window::Month, february), 1);
        assert_eq!(reset_after(Window::Month, march), 31 * 86_400);
        assert_eq!(length(Window::Month, february), 29 * 86_400);
        let december = micros(datetime!(2026-12-31 12:00 UTC));
        assert_eq!((reset_after(Window::Month, december), length(Window::Month, december)), (43_200, 31 * 86_400));
        assert_eq!(number(Window::Month, 0), 0);
        assert_eq!(start(Window::Month, number(Window::Month, february)) * SECOND, micros(datetime!(2028-02-01 0:00 UTC)));
    }

    #[test]
    fn a_part_counts_for_the_length_of_its_window_at_least() {
        let (hour, now) = (Window::Rolling(3_600), micros(datetime!(2026-11-20 12:00:30 UTC)));
        let number = number(hour, now);
        assert_eq!(start(hour, number) * SECOND, micros(datetime!(2026-11-20 12:00 UTC)));
        assert_eq!(end(hour, number) * SECOND, micros(datetime!(2026-11-20 13:01 UTC)), "a call of 12:00:59.9 counts until 13:00:59.9");
        assert_eq!((until(end(hour, number), now), reset_after(hour, now), length(hour, now)), (3_630, 3_600, 3_600));
    }

    #[test]
    fn refills_come_with_the_clock() {
        let (hourly, now) = (Window::Credits(Refill { units: 5, seconds: 3_600 }), micros(datetime!(2026-11-20 12:20 UTC)));
        assert_eq!(start(hourly, number(hourly, now)) * SECOND, micros(datetime!(2026-11-20 12:00 UTC)));
        assert_eq!(reset_after(hourly, now), 2_400);
        let prepaid = Window::Credits(Refill::PREPAID);
        assert_eq!((number(prepaid, now), reset_after(prepaid, now), start(prepaid, 0)), (0, 0, 0));
    }

    #[test]
    fn a_day_begins_at_midnight_utc() {
        let noon = micros(datetime!(2026-11-20 12:00 UTC));
        assert_eq!(reset_after(Window::DAY, noon), 43_200);
        assert_eq!(number(Window::DAY, noon + 43_200 * SECOND), number(Window::DAY, noon) + 1);
    }
}
