//! Moments and durations in words.

use crate::{
    accounts::Caller,
    keys::model::Said,
    platform::{Ctx, LocalTime},
};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

/// The present in the caller's time zone.
pub fn local(ctx: &Ctx, caller: &Caller) -> LocalTime {
    LocalTime::new(&caller.time_zone, ctx.clock.now())
}

/// "today, 09:12", with its instant.
pub fn moment(local: &LocalTime, at: OffsetDateTime) -> Said {
    said(at, local.moment(at))
}

/// "3 min ago", with its instant.
pub fn ago(local: &LocalTime, at: OffsetDateTime) -> Said {
    said(at, local.ago(at))
}

/// "18 Nov", with its instant.
pub fn day(local: &LocalTime, at: OffsetDateTime) -> Said {
    said(at, local.day(at))
}

/// "41 days", "6 hours", "12 minutes", "8 seconds".
pub fn lasting(time: Duration) -> String {
    let (n, unit) = match time.whole_seconds().max(0) {
        s @ ..120 => (s, "second"),
        s @ 120..7_200 => (s / 60, "minute"),
        s @ 7_200..172_800 => (s / 3_600, "hour"),
        s => (s / 86_400, "day"),
    };
    if n == 1 { format!("1 {unit}") } else { format!("{n} {unit}s") }
}

fn said(at: OffsetDateTime, words: String) -> Said {
    Said { at: at.format(&Rfc3339).unwrap_or_default(), words }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_said_in_the_unit_that_matters() {
        let of = |seconds| lasting(Duration::seconds(seconds));
        assert_eq!([of(-3), of(1), of(119), of(120), of(7_300), of(172_800)], ["0 seconds", "1 second", "119 seconds", "2 minutes", "2 hours", "2 days"]);
    }
}
