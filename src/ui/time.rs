//! Instants in words. Everything is a pure function of the times it is given: `now` comes from the server's clock, and what
//! is shown as a date must already be in the person's time zone, so the same page is made on both sides.

use leptos::prelude::*;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// "8 s ago", "12 min ago", "13 h ago", "9 days ago"; after two weeks the day.
pub fn ago(now: OffsetDateTime, then: OffsetDateTime) -> String {
    let seconds = (now - then).whole_seconds();
    match seconds {
        ..1 => "now".to_owned(),
        1..MINUTE => format!("{seconds} s ago"),
        MINUTE..HOUR => format!("{} min ago", seconds / MINUTE),
        HOUR..DAY => format!("{} h ago", seconds / HOUR),
        _ if seconds < 14 * DAY => days(seconds / DAY, "", " ago"),
        _ => day_near(now, then),
    }
}

/// "in 41 s", "in 6 days"; further away the day. The past is "now".
pub fn until(now: OffsetDateTime, then: OffsetDateTime) -> String {
    let seconds = (then - now).whole_seconds();
    match seconds {
        ..1 => "now".to_owned(),
        1..MINUTE => format!("in {seconds} s"),
        MINUTE..HOUR => format!("in {} min", seconds / MINUTE),
        HOUR..DAY => format!("in {} h", seconds / HOUR),
        _ if seconds < 31 * DAY => days(seconds / DAY, "in ", ""),
        _ => format!("on {}", day_near(now, then)),
    }
}

/// "today, 12:38", "yesterday, 22:10", "18 Nov, 09:12", "4 Feb 2025, 11:20". Both must be in the person's time zone.
pub fn moment(now: OffsetDateTime, then: OffsetDateTime) -> String {
    let date = then.date();
    let day = if date == now.date() {
        "today".to_owned()
    } else if Some(date) == now.date().previous_day() {
        "yesterday".to_owned()
    } else {
        day_near(now, then)
    };
    format!("{day}, {}", clock(then))
}

/// "4 Feb 2026".
pub fn date(t: OffsetDateTime) -> String {
    format!("{} {}", day(t), t.year())
}

/// "4 Feb 2026, 14:47".
pub fn date_time(t: OffsetDateTime) -> String {
    format!("{}, {}", date(t), clock(t))
}

/// "4 Feb".
pub fn day(t: OffsetDateTime) -> String {
    format!("{} {}", t.day(), MONTHS[usize::from(u8::from(t.month())) - 1])
}

/// "14:47".
pub fn clock(t: OffsetDateTime) -> String {
    format!("{:02}:{:02}", t.hour(), t.minute())
}

/// For `datetime` attributes and URLs.
pub fn rfc3339(t: OffsetDateTime) -> String {
    t.format(&Rfc3339).unwrap_or_default()
}

/// The day, with its year if it is another one.
fn day_near(now: OffsetDateTime, then: OffsetDateTime) -> String {
    if now.year() == then.year() { day(then) } else { date(then) }
}

fn days(n: i64, before: &str, after: &str) -> String {
    format!("{before}{n} {}{after}", if n == 1 { "day" } else { "days" })
}

/// How long ago, with the full time on hover.
#[component]
pub fn Ago(now: OffsetDateTime, at: OffsetDateTime) -> impl IntoView {
    view! { <time class="nowrap" datetime=rfc3339(at) title=date_time(at)>{ago(now, at)}</time> }
}

/// How long ago, or "never".
#[component]
pub fn AgoOrNever(now: OffsetDateTime, at: Option<OffsetDateTime>) -> impl IntoView {
    match at {
        Some(at) => view! { <Ago now at/> }.into_any(),
        None => view! { <span class="faint">"never"</span> }.into_any(),
    }
}

/// A point in time in the person's words.
#[component]
pub fn Moment(now: OffsetDateTime, at: OffsetDateTime) -> impl IntoView {
    view! { <time class="nowrap" datetime=rfc3339(at) title=date_time(at)>{moment(now, at)}</time> }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::{Duration, macros::datetime};

    const NOW: OffsetDateTime = datetime!(2026-11-20 15:41:07 +1);

    #[test]
    fn the_past_is_said_in_the_largest_unit() {
        let ago_of = |d: Duration| ago(NOW, NOW - d);
        assert_eq!(ago_of(Duration::ZERO), "now");
        assert_eq!(ago_of(Duration::seconds(-5)), "now");
        assert_eq!(ago_of(Duration::seconds(8)), "8 s ago");
        assert_eq!(ago_of(Duration::seconds(119)), "1 min ago");
        assert_eq!(ago_of(Duration::hours(13)), "13 h ago");
        assert_eq!(ago_of(Duration::hours(47)), "1 day ago");
        assert_eq!(ago_of(Duration::days(9)), "9 days ago");
        assert_eq!(ago_of(Duration::days(39)), "12 Oct");
        assert_eq!(ago_of(Duration::days(400)), "16 Oct 2025");
    }

    #[test]
    fn the_future_is_said_in_the_largest_unit() {
        assert_eq!(until(NOW, NOW + Duration::seconds(41)), "in 41 s");
        assert_eq!(until(NOW, NOW + Duration::days(6)), "in 6 days");
        assert_eq!(until(NOW, NOW + Duration::days(101)), "on 1 Mar 2027");
        assert_eq!(until(NOW, NOW - Duration::days(1)), "now");
    }

    #[test]
    fn moments_name_today_and_yesterday() {
        assert_eq!(moment(NOW, datetime!(2026-11-20 12:38 +1)), "today, 12:38");
        assert_eq!(moment(NOW, datetime!(2026-11-19 22:10 +1)), "yesterday, 22:10");
        assert_eq!(moment(NOW, datetime!(2026-11-18 09:12 +1)), "18 Nov, 09:12");
        assert_eq!(moment(NOW, datetime!(2025-02-04 11:20 +1)), "4 Feb 2025, 11:20");
        assert_eq!(date_time(datetime!(2026-02-04 14:07 +1)), "4 Feb 2026, 14:07");
    }
}
