//! Reports: buckets on the person's calendar, sums that equal the counters, and nobody else's usage.

use super::{DEMO, Dice, developer, key, operator, tally, write};
use crate::support::{T0, TestApp};
use jiff::{Timestamp, Zoned, civil, tz::TimeZone};
use sqlx::PgPool;
use std::collections::{BTreeMap, HashSet};
use time::macros::datetime;
use tollgate::{
    error::AppError,
    keys::server::meter::Tally,
    usage::{
        model::UsageQuery,
        server::{calls_today, export_usage, list_series, report_usage},
    },
    values::{Counts, KeyId, Outcome, permission_names as may},
};

fn asked(pairs: &[(&str, &str)]) -> UsageQuery {
    UsageQuery::read(|name| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
}

/// Where the bucket of `at` begins, found the slow way: back from `at`, quarter by quarter, while the wall clock shows the same
/// hour, day, week or month.
fn slow_floor(at: Timestamp, zone: &TimeZone, bucket: &str) -> Timestamp {
    let name = |at: Timestamp| {
        let local: Zoned = at.to_zoned(zone.clone());
        let date = match bucket {
            "week" => local.date().checked_sub(jiff::Span::new().days(i64::from(local.weekday().to_monday_zero_offset()))).unwrap(),
            "month" => local.date().first_of_month(),
            _ => local.date(),
        };
        let hour = if bucket == "hour" { (local.hour(), local.offset().seconds()) } else { (0, 0) };
        (date, hour)
    };
    let mut start = Timestamp::from_second(at.as_second().div_euclid(900) * 900).unwrap();
    loop {
        let before = Timestamp::from_second(start.as_second() - 900).unwrap();
        if name(before) != name(start) {
            return start;
        }
        start = before;
    }
}

/// Random calls around both changes of the clocks, four zones, every bucket: what the report says is what was counted.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn sums_equal_the_counters_in_every_zone(db: PgPool) {
    let app = TestApp::start(db).await;
    for (zone, moves) in [
        ("Europe/Stockholm", [datetime!(2026-03-29 1:00 UTC), datetime!(2026-10-25 1:00 UTC)]),
        ("America/New_York", [datetime!(2026-03-08 7:00 UTC), datetime!(2026-11-01 6:00 UTC)]),
        ("Asia/Kolkata", [datetime!(2026-03-29 1:00 UTC), datetime!(2026-10-25 1:00 UTC)]),
        ("Australia/Lord_Howe", [datetime!(2026-04-04 15:00 UTC), datetime!(2026-10-03 15:30 UTC)]),
    ] {
        let owner = developer(&app.ctx, &zone.replace('/', "-"), zone).await;
        let keys = [key(&app.ctx, &owner, "a").await, key(&app.ctx, &owner, "b").await];
        let tz = TimeZone::get(zone).unwrap();
        let mut dice = Dice(42);
        for move_at in moves {
            app.ctx.clock.set(move_at + time::Duration::days(3));
            let middle = move_at.unix_timestamp() / 60;
            let counts: Vec<Tally> = (0..150)
                .map(|_| {
                    let minute = middle - 3 * 1440 + i64::try_from(dice.roll(5 * 1440)).unwrap();
                    let outcome = [Outcome::Valid, Outcome::Valid, Outcome::RateLimited, Outcome::Forbidden][usize::try_from(dice.roll(4)).unwrap()];
                    let route = ["GET /orders", "POST /orders"][usize::try_from(dice.roll(2)).unwrap()];
                    tally(&owner, keys[usize::try_from(dice.roll(2)).unwrap()], route, outcome, minute, 1 + dice.roll(50))
                })
                .collect();
            for part in counts.chunks(97) {
                write(&app, part.to_vec()).await;
            }
            let from = (move_at - time::Duration::days(3)).format(&time::format_description::well_known::Rfc3339).unwrap();
            for bucket in ["hour", "day", "week", "month"] {
                let query = asked(&[("from", from.as_str()), ("bucket", bucket)]);
                let report = report_usage(&app.ctx, &owner, query).await.unwrap();
                let mut wanted = BTreeMap::<String, Counts>::new();
                for tally in &counts {
                    let at = slow_floor(Timestamp::from_second(tally.minute * 60).unwrap(), &tz, bucket);
                    wanted.entry(at.to_string()).or_default().add(tally.outcome, tally.count);
                }
                let got: BTreeMap<String, Counts> = report.buckets.iter().filter(|b| b.counts.total() > 0).map(|b| (b.at.clone(), b.counts)).collect();
                assert_eq!(got, wanted, "{zone} {bucket}");
                let starts: HashSet<&str> = report.buckets.iter().map(|b| b.at.as_str()).collect();
                assert_eq!(starts.len(), report.buckets.len(), "no bucket twice");
                let sum: u64 = counts.iter().map(|t| t.count).sum();
                assert_eq!(report.totals.total(), sum);
                assert_eq!(report.codes.iter().map(|(_, n)| n).sum::<u64>(), sum);
                assert_eq!(report.keys.iter().map(|k| k.counts.total()).sum::<u64>(), sum);
                assert_eq!(report.keys.iter().flat_map(|k| &k.spark).map(|c| c.total()).sum::<u64>(), sum);
                assert_eq!(report.routes.iter().map(|r| r.calls).sum::<u64>(), sum);
            }
        }
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn days_without_calls_are_shown_as_zero(db: PgPool) {
    let app = TestApp::start(db).await;
    let owner = developer(&app.ctx, "mara", "Europe/Stockholm").await;
    let report = report_usage(&app.ctx, &owner, UsageQuery::default()).await.unwrap();
    assert_eq!((report.buckets.len(), report.totals, report.keys.len()), (30, Counts::default(), 0));
    assert_eq!(report.period, "22 Oct to 20 Nov, Stockholm time; today is not over");
    assert_eq!((report.buckets[0].label.as_str(), report.buckets[29].full.as_str()), ("22 Oct", "Friday, 20 Nov"));

    // One call, one bar, in the day it was made: 23:30 UTC is the next day in Stockholm.
    let k = key(&app.ctx, &owner, "only").await;
    write(&app, vec![tally(&owner, k, "GET /", Outcome::Valid, T0.unix_timestamp() / 60 - 750, 1)]).await;
    let report = report_usage(&app.ctx, &owner, UsageQuery::default()).await.unwrap();
    let bars: Vec<_> = report.buckets.iter().filter(|b| b.counts.total() > 0).map(|b| b.label.as_str()).collect();
    assert_eq!(bars, ["20 Nov"]);
    let report = report_usage(&app.ctx, &owner, asked(&[("range", "24h")])).await.unwrap();
    assert_eq!((report.buckets.len(), report.totals.passed), (24, 1));
    assert_eq!(report.period, "Since Thu 19 Nov, 14:00, Stockholm time; this hour is not over");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn filters_leave_what_they_name_and_the_export_is_the_same(db: PgPool) {
    let app = TestApp::start(db).await;
    let owner = developer(&app.ctx, "mara", "America/New_York").await;
    let (a, b) = (key(&app.ctx, &owner, "a").await, key(&app.ctx, &owner, "=b").await);
    let m = T0.unix_timestamp() / 60 - 3 * 1440;
    write(
        &app,
        vec![
            tally(&owner, a, "GET /orders", Outcome::Valid, m, 5),
            tally(&owner, a, "POST /orders", Outcome::Forbidden, m, 3),
            tally(&owner, b, "GET /orders", Outcome::RateLimited, m + 60, 2),
        ],
    )
    .await;
    for (pairs, total) in [
        (vec![], 10),
        (vec![("key", a.to_string())], 8),
        (vec![("route", "GET /orders".to_owned())], 7),
        (vec![("key", a.to_string()), ("route", "GET /orders".to_owned()), ("api", "demo".to_owned())], 5),
        (vec![("api", "tollgate".to_owned())], 0),
        (vec![("route", "' or 1=1 --".to_owned())], 0),
        (vec![("range", "24h".to_owned())], 0),
        (vec![("range", "year".to_owned())], 10),
    ] {
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let report = report_usage(&app.ctx, &owner, asked(&pairs)).await.unwrap();
        assert_eq!(report.totals.total(), total, "{pairs:?}");
        assert_eq!(report.keys.iter().map(|k| k.counts.total()).sum::<u64>(), total, "{pairs:?}");
        assert_eq!(report.routes.iter().map(|r| r.calls).sum::<u64>(), total, "{pairs:?}");
        let lines = export_usage(&app.ctx, &owner, &asked(&pairs)).await.unwrap().unwrap();
        assert_eq!(lines.iter().map(|l| l.calls).sum::<u64>(), total, "{pairs:?}");
    }
    let report = report_usage(&app.ctx, &owner, asked(&[("route", "POST /orders")])).await.unwrap();
    assert_eq!(report.route_choices, ["GET /orders", "POST /orders"], "a chosen route does not hide the others");
    assert_eq!(report.key_choices.len(), 2);
    let lines = export_usage(&app.ctx, &owner, &asked(&[("key", &b.to_string())])).await.unwrap().unwrap();
    assert_eq!(
        (lines[0].key.as_str(), lines[0].api.as_str(), lines[0].code.as_str(), lines[0].local.as_str()),
        ("=b", "demo", "RATE_LIMITED", "2026-11-17 00:00")
    );
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn nobody_sees_the_usage_of_others(db: PgPool) {
    let app = TestApp::start(db).await;
    let (mara, tom) = (developer(&app.ctx, "mara", "UTC").await, developer(&app.ctx, "tom", "UTC").await);
    let k = key(&app.ctx, &mara, "hers").await;
    write(
        &app,
        vec![tally(&mara, k, "GET /", Outcome::Valid, T0.unix_timestamp() / 60, 4), tally(&mara, k, "GET /", Outcome::Banned, T0.unix_timestamp() / 60, 1)],
    )
    .await;
    let of_key = asked(&[("key", &k.to_string())]);
    assert_eq!(report_usage(&app.ctx, &tom, UsageQuery::default()).await.unwrap().totals.total(), 0);
    assert_eq!(report_usage(&app.ctx, &tom, of_key.clone()).await.unwrap_err(), AppError::NotFound);
    assert_eq!(export_usage(&app.ctx, &tom, &of_key).await.unwrap_err(), AppError::NotFound);
    assert_eq!(list_series(&app.ctx, &tom, &of_key).await.unwrap_err(), AppError::NotFound);
    assert!(matches!(calls_today(&app.ctx, &tom).await, Err(AppError::Forbidden { .. })));
    let mut blind = mara.clone();
    blind.permissions.clear();
    assert!(matches!(report_usage(&app.ctx, &blind, UsageQuery::default()).await, Err(AppError::Forbidden { .. })));
    assert!(matches!(export_usage(&app.ctx, &blind, &UsageQuery::default()).await, Err(AppError::Forbidden { .. })));

    let operator = operator(&app.ctx).await;
    assert_eq!(report_usage(&app.ctx, &operator, of_key).await.unwrap().totals.total(), 5, "operators may look at any key");
    assert_eq!(report_usage(&app.ctx, &operator, UsageQuery::default()).await.unwrap().totals.total(), 0, "their own workspace has none");
    assert_eq!(calls_today(&app.ctx, &operator).await.unwrap(), Counts { passed: 4, limited: 0, refused: 1 });
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_usage_of_a_key_without_calls_is_read_by_who_may_not_open_the_key(db: PgPool) {
    let app = TestApp::start(db).await;
    let (mut mara, mut reader) = (developer(&app.ctx, "mara", "UTC").await, operator(&app.ctx).await);
    let k = key(&app.ctx, &mara, "quiet").await;
    // A key of an operator that may read everything and manage nothing.
    reader.permissions.push(may::KEYS_READ);
    let report = report_usage(&app.ctx, &reader, asked(&[("key", &k.to_string())])).await.unwrap();
    assert_eq!((report.has_history, report.example.as_str()), (false, ""));
    assert_eq!(report_usage(&app.ctx, &mara, UsageQuery::default()).await.unwrap().example, "", "nor is it shown to who may not read keys");
    mara.permissions.push(may::KEYS_READ);
    assert!(report_usage(&app.ctx, &mara, UsageQuery::default()).await.unwrap().example.contains("/forward-auth/demo"));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn wrong_queries_name_their_parameter(db: PgPool) {
    let app = TestApp::start(db).await;
    let owner = developer(&app.ctx, "mara", "UTC").await;
    let unknown: KeyId = app.ctx.new_id();
    assert_eq!(report_usage(&app.ctx, &owner, asked(&[("key", &unknown.to_string())])).await.unwrap_err(), AppError::NotFound);
    for (name, value) in
        [("range", "9d"), ("bucket", "minute"), ("from", "yesterday"), ("key", "key_x"), ("api", "DROP TABLE"), ("api", "none"), ("route", "a\0b")]
    {
        let error = report_usage(&app.ctx, &owner, asked(&[(name, value)])).await.expect_err(value);
        assert!(error.field(name).is_some(), "{name}={value}: {error:?}");
    }
    for (name, value) in [("bucket", "week"), ("from", "2026-11-21"), ("to", "x"), ("from", "2020-01-01")] {
        let error = list_series(&app.ctx, &owner, &asked(&[(name, value)])).await.expect_err(value);
        assert!(error.field(name).is_some(), "{name}={value}: {error:?}");
    }
    let error = list_series(&app.ctx, &owner, &asked(&[("bucket", "minute"), ("from", "2026-11-01")])).await.unwrap_err();
    assert!(error.field("bucket").is_some());
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn series_by_minute_hour_and_day_have_the_same_sum(db: PgPool) {
    let app = TestApp::start(db).await;
    let owner = developer(&app.ctx, "mara", "Asia/Kolkata").await;
    let k = key(&app.ctx, &owner, "k").await;
    let mut dice = Dice(7);
    let now = T0.unix_timestamp() / 60;
    let counts: Vec<Tally> = (0..200)
        .map(|_| {
            tally(&owner, k, "GET /", Outcome::ALL[usize::try_from(dice.roll(12)).unwrap()], now - i64::try_from(dice.roll(1439)).unwrap(), 1 + dice.roll(9))
        })
        .collect();
    write(&app, counts.clone()).await;
    let sum: u64 = counts.iter().map(|t| t.count).sum();
    for (bucket, points) in [("minute", 1440), ("hour", 24), ("day", 2)] {
        let series = list_series(&app.ctx, &owner, &asked(&[("bucket", bucket), ("to", "2026-11-20T12:01:00Z"), ("from", "2026-11-19T12:01:00Z")]))
            .await
            .unwrap()
            .points;
        assert_eq!(series.iter().map(|p| p.total).sum::<u64>(), sum, "{bucket}");
        assert_eq!(series.iter().flat_map(|p| p.by_code.values()).sum::<u64>(), sum, "{bucket}");
        assert!(series.len() == points || series.len() == points + 1, "{bucket}: {}", series.len());
    }
}

/// A year of one call a quarter, through the week view: no bar lost, none twice.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_year_of_data_is_whole(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let owner = developer(&app.ctx, "mara", "America/New_York").await;
    let k = key(&app.ctx, &owner, "k").await;
    sqlx::query(
        "insert into usage_quarters (key_id, quarter, route, outcome, workspace_id, api_id, count) select $1, q, 'GET /', 'VALID', $2, $3, 1
         from generate_series('2025-11-01'::timestamptz, '2026-11-20 12:00Z', interval '15 minutes') q",
    )
    .bind(k.uuid())
    .bind(owner.workspace.uuid())
    .bind(DEMO)
    .execute(&db)
    .await
    .unwrap();
    let report = report_usage(&app.ctx, &owner, asked(&[("range", "year")])).await.unwrap();
    assert_eq!(report.buckets.len(), 53);
    let lengths: Vec<u64> = report.buckets.iter().map(|b| b.counts.total()).collect();
    let zone = TimeZone::get("America/New_York").unwrap();
    let monday = civil::date(2025, 11, 17).to_zoned(zone).unwrap();
    assert_eq!(report.buckets[0].at, monday.timestamp().to_string());
    assert_eq!(lengths.iter().filter(|n| **n == 672).count(), 50, "weeks of 168 hours");
    assert_eq!(lengths.iter().filter(|n| **n == 668).count(), 1, "the week of 167 hours, in March");
    assert_eq!(lengths.iter().filter(|n| **n == 676).count(), 1, "the week of 169 hours, in November");
    let first = monday.timestamp().as_second() / 900;
    assert_eq!(report.totals.total(), u64::try_from(T0.unix_timestamp() / 900 - first + 1).unwrap());
}
