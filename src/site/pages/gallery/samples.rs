//! Made-up data for the gallery: one shop's day and month.

use crate::{
    error::{AppError, FieldError},
    ui::{
        FormOutcome,
        chart::{Bucket, Limit, Line, Lines, Series},
    },
};
use time::{OffsetDateTime, macros::datetime};

/// The moment at which all of it is looked at.
pub const NOW: OffsetDateTime = datetime!(2026-11-20 15:41:07 +1);

/// A form that was just refused for each of its choices.
pub fn refused_choices() -> FormOutcome {
    let wrong = |field: &str, message: &str| FieldError { field: field.into(), message: message.into() };
    FormOutcome {
        action: "/fn/gallery-choice".into(),
        form: Some("gallery-choice".into()),
        error: Some(AppError::Invalid {
            fields: vec![
                wrong("plan", "This plan is gone. Choose another one."),
                wrong("stored", "Store it first, then tick this."),
                wrong("permission", "Choose one at least."),
                wrong("until", "Choose how long."),
                wrong("picture", "This is not a PNG."),
            ],
        }),
        values: vec![("plan".into(), "Team".into())],
    }
}

/// A form that was just refused for two fields.
pub fn refused() -> FormOutcome {
    let wrong = |field: &str, message: &str| FieldError { field: field.into(), message: message.into() };
    let sent = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    FormOutcome {
        action: "/fn/gallery".into(),
        form: Some("gallery-error".into()),
        error: Some(AppError::Invalid {
            fields: vec![
                wrong("email", "There is no dot after the @. Did you mean mara@nordlicht.example?"),
                wrong("password", "9 characters are too few: at least 15."),
            ],
        }),
        values: vec![sent("email", "mara@nordlicht"), sent("reason", "<b>second</b> time"), sent("others", "true")],
    }
}

/// A form of something that somebody changed while it was open.
pub fn late() -> FormOutcome {
    let sent = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    FormOutcome {
        action: "/fn/gallery".into(),
        form: Some("gallery-late".into()),
        error: Some(AppError::Changed { what: "This key".into() }),
        values: vec![sent("tags", "prod"), sent("networks", "203.0.113.0/24"), sent("plan", "Team"), sent("permission", "orders:write")],
    }
}

/// Calls that passed, were limited and were refused, by hour from 16:00 to 15:00.
const HOURS: [(u64, u64, u64); 24] = [
    (1_530, 0, 0),
    (1_803, 0, 0),
    (1_933, 0, 0),
    (2_400, 92, 0),
    (2_220, 0, 0),
    (1_753, 0, 0),
    (1_073, 0, 0),
    (610, 0, 0),
    (297, 0, 0),
    (225, 0, 0),
    (196, 0, 0),
    (195, 0, 0),
    (232, 0, 0),
    (341, 0, 0),
    (598, 0, 0),
    (1_016, 0, 0),
    (1_407, 0, 0),
    (1_543, 0, 6),
    (1_797, 0, 0),
    (1_847, 0, 0),
    (2_400, 386, 0),
    (2_400, 741, 4),
    (1_587, 0, 0),
    (1_158, 0, 0),
];

pub fn day_of_calls() -> Series {
    let bucket = |(i, (passed, limited, refused)): (usize, (u64, u64, u64))| {
        let hour = (16 + i) % 24;
        let (day, word) = if i < 8 { (19, "Yesterday") } else { (20, "Today") };
        Bucket {
            label: format!("{hour:02}:00"),
            long_label: format!("{word}, {hour:02}:00 to {:02}:00", (hour + 1) % 24),
            iso: format!("2026-11-{day}T{hour:02}:00:00+01:00"),
            passed,
            limited,
            refused,
            href: None,
        }
    };
    Series {
        id: "day".into(),
        title: "Last 24 hours".into(),
        note: "By hour, Stockholm time".into(),
        unit: "Hour".into(),
        buckets: HOURS.into_iter().enumerate().map(bucket).collect(),
        end: "2026-11-20T16:00:00+01:00".into(),
        limit: Some(Limit { value: 2_400, label: "2,400 an hour".into() }),
        ..Series::default()
    }
}

/// Thousands of calls by day from 22 October to 20 November.
const DAYS: [u64; 30] = [58, 56, 52, 49, 55, 55, 55, 56, 54, 47, 46, 54, 53, 53, 52, 54, 47, 47, 64, 71, 61, 54, 56, 50, 47, 54, 60, 80, 58, 38];

pub fn month_of_calls() -> Series {
    let bucket = |(i, thousands): (usize, u64)| {
        let (day, month, number) = if i < 10 { (22 + i, "Oct", 10) } else { (i - 9, "Nov", 11) };
        Bucket {
            label: format!("{day} {month}"),
            long_label: format!("{day} {month} 2026"),
            iso: format!("2026-{number}-{day:02}T00:00:00+01:00"),
            passed: thousands * 1_000,
            limited: match i {
                19 => 2_350,
                27 => 4_095,
                29 => 1_295,
                _ => 0,
            },
            refused: if i % 4 == 3 { 388 } else { 0 },
            href: Some(format!("/dev/ui?day={day}")),
        }
    };
    Series {
        id: "month".into(),
        title: "Calls by day".into(),
        note: "22 Oct to 20 Nov, Stockholm time; today is not over".into(),
        unit: "Day".into(),
        buckets: DAYS.into_iter().enumerate().map(bucket).collect(),
        end: "2026-11-21T00:00:00+01:00".into(),
        limit: Some(Limit { value: 80_000, label: "80,000 a day".into() }),
        before: DAYS.iter().rev().map(|thousands| thousands * 900).collect(),
        ..Series::default()
    }
}

/// A day without a call.
pub fn quiet_day() -> Series {
    let mut day = day_of_calls();
    for bucket in &mut day.buckets {
        (bucket.passed, bucket.limited, bucket.refused) = (0, 0, 0);
    }
    Series { id: "quiet".into(), title: "A day without calls".into(), limit: None, ..day }
}

/// Percentiles by hour, in microseconds, with a gap.
pub fn latencies() -> Lines {
    let values = |of: u64| (0..12).map(|hour: u64| (hour != 5 && hour != 6).then(|| of * (100 + (hour * 7) % 30))).collect();
    let line = |name: &str, of: u64| Line { name: name.into(), values: values(of) };
    Lines {
        id: "latency".into(),
        title: "How long calls took by hour, in microseconds".into(),
        note: "Today, Stockholm time".into(),
        unit: "Hour".into(),
        labels: (0..12).map(|hour| format!("{hour:02}:00")).collect(),
        long_labels: (0..12).map(|hour| format!("Today, {hour:02}:00 to {:02}:00", hour + 1)).collect(),
        isos: (0..12).map(|hour| format!("2026-11-20T{hour:02}:00:00+01:00")).collect(),
        end: "2026-11-20T12:00:00+01:00".into(),
        lines: vec![line("p50", 90), line("p95", 240), line("p99", 410)],
    }
}

/// Thirty days of one key: 1 busy and sometimes limited, 2 idle but for three days, 3 weekdays with refusals of late.
pub fn spark(kind: u64) -> Vec<(u64, u64, u64)> {
    let day = |i: u64| match kind {
        1 => (DAYS[i as usize] * 450, if i > 26 { 900 * (i - 26) } else { 0 }, u64::from(i.is_multiple_of(3)) * 40),
        2 => (if (18..21).contains(&i) { 9_000 + 2_000 * (i % 2) } else { 0 }, u64::from(i == 19) * 2_000, 0),
        _ => (if i % 7 < 2 { 190 } else { 1_200 }, 0, if i > 25 { 380 } else { 0 }),
    };
    (0..30).map(day).collect()
}
