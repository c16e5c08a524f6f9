//! Partitions: there before their first row, dropped when their time is over; a row without one is counted all the same.

use super::{developer, key, tally, write};
use crate::support::{T0, TestApp};
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgPool};
use std::collections::BTreeSet;
use time::Duration;
use tollgate::{
    usage::server::{forget_old_usage, make_partitions},
    values::Outcome,
};

/// Partitions of a table, the default one not among them.
async fn partitions(db: &PgPool, table: &str) -> Vec<String> {
    sqlx::query_scalar("select p.partition::text from usage_partitions($1) p where p.ends is not null order by p.begins")
        .bind(table)
        .fetch_all(db)
        .await
        .unwrap()
}

/// Calls by the partition in which they stand.
async fn places(db: &PgPool, table: &str) -> Vec<(String, i64)> {
    let sums = AssertSqlSafe(format!("select tableoid::regclass::text, sum(count)::bigint from {table} group by 1 order by 1"));
    sqlx::query_as(sums).fetch_all(db).await.unwrap()
}

fn at(minutes: i64) -> i64 {
    T0.unix_timestamp() / 60 + minutes
}

const WEEK: i64 = 7 * 1440;

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn partitions_are_made_ahead_and_once(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    assert_eq!(partitions(&db, "usage_minutes").await, Vec::<String>::new());
    let made = make_partitions(&app.ctx).await.unwrap();
    assert_eq!(partitions(&db, "usage_minutes").await, ["usage_minutes_20261116", "usage_minutes_20261123", "usage_minutes_20261130"]);
    for table in ["usage_quarters", "usage_hours", "latency_quarters"] {
        assert_eq!(partitions(&db, table).await, ["20261101", "20261201", "20270101"].map(|day| format!("{table}_{day}")));
    }
    for table in ["usage_addresses", "usage_permissions", "usage_secrets", "refusal_samples", "passed_samples", "unknown_attempts"] {
        assert_eq!(partitions(&db, table).await, ["20261116", "20261123", "20261130"].map(|day| format!("{table}_{day}")));
    }
    assert_eq!(made, 10 * 3);
    assert_eq!(make_partitions(&app.ctx).await.unwrap(), 0, "once");
    app.ctx.clock.advance(Duration::days(7));
    let (one, other) = tokio::join!(make_partitions(&app.ctx), make_partitions(&app.ctx));
    assert_eq!(one.unwrap() + other.unwrap(), 7, "of two nodes at once one makes each");

    let owner = developer(&app.ctx, "mara", "UTC").await;
    let k = key(&app.ctx, &owner, "k").await;
    write(&app, vec![tally(&owner, k, "GET /", Outcome::Valid, at(0), 3), tally(&owner, k, "GET /", Outcome::Valid, at(WEEK), 4)]).await;
    assert_eq!(places(&db, "usage_minutes").await, [("usage_minutes_20261116".to_owned(), 3), ("usage_minutes_20261123".to_owned(), 4)]);
    sqlx::query("select from usage_roll_up('2026-12-01')").execute(&db).await.unwrap();
    assert_eq!(places(&db, "usage_hours").await, [("usage_hours_20261101".to_owned(), 7)], "rollups, too");
    let rooms = "select count(*) filter (where c.relname like 'usage%') from pg_class c where c.relkind = 'r' and 'fillfactor=50' = any (c.reloptions)
        and c.oid in (select inhrelid from pg_inherits)";
    let rooms: i64 = sqlx::query_scalar(rooms).fetch_one(&db).await.unwrap();
    assert_eq!(rooms, 6 * (1 + 3) + 4, "what is added to has room for it, in the default partitions and in those that were made");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_row_of_a_day_without_a_partition_is_counted_and_moves_into_it(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let owner = developer(&app.ctx, "mara", "UTC").await;
    let k = key(&app.ctx, &owner, "k").await;
    let calls = |minute, n| tally(&owner, k, "GET /", Outcome::Valid, minute, n);
    write(&app, vec![calls(at(0), 5), calls(at(-3 * WEEK), 2)]).await;
    assert_eq!(places(&db, "usage_minutes").await, [("usage_minutes_default".to_owned(), 7)]);
    make_partitions(&app.ctx).await.unwrap();
    write(&app, vec![calls(at(0), 10), calls(at(-3 * WEEK), 1)]).await;
    assert_eq!(places(&db, "usage_minutes").await, [("usage_minutes_20261116".to_owned(), 15), ("usage_minutes_default".to_owned(), 3)]);
    let rows: (i64, i64) =
        sqlx::query_as("select (select count(*) from usage_minutes), (select sum(count)::bigint from usage_by_day('-infinity', 'infinity'))")
            .fetch_one(&db)
            .await
            .unwrap();
    assert_eq!(rows, (2, 18), "moving is not counting");
}

/// A dump, say, holds every table that it reads until it ends.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_table_that_is_read_for_long_keeps_no_other_back(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mut reads = db.begin().await.unwrap();
    sqlx::query("lock table usage_minutes_default in access share mode").execute(&mut *reads).await.unwrap();
    assert!(make_partitions(&app.ctx).await.is_err(), "a job tries again");
    assert_eq!((partitions(&db, "usage_minutes").await.len(), partitions(&db, "unknown_attempts").await.len()), (0, 3));
    reads.rollback().await.unwrap();
    assert_eq!(make_partitions(&app.ctx).await.unwrap(), 3);

    let mut reads = db.begin().await.unwrap();
    sqlx::query("lock table usage_minutes_20261116 in access share mode").execute(&mut *reads).await.unwrap();
    app.ctx.clock.advance(Duration::days(365));
    forget_old_usage(&app.ctx).await.unwrap();
    assert_eq!((partitions(&db, "usage_minutes").await.len(), partitions(&db, "unknown_attempts").await.len()), (3, 0));
    reads.rollback().await.unwrap();
    forget_old_usage(&app.ctx).await.unwrap();
    assert_eq!(partitions(&db, "usage_minutes").await.len(), 0);
}

/// Calls are written while partitions are made: a batch waits for the change, or comes before it.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn making_partitions_while_calls_are_written_loses_and_doubles_none(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let owner = developer(&app.ctx, "mara", "UTC").await;
    let k = key(&app.ctx, &owner, "k").await;
    let writing = async {
        for n in 0..40 {
            let counts = (0..50).map(|m| tally(&owner, k, "GET /", Outcome::Valid, at((n * 50 + m) % 900), 1)).collect();
            write(&app, counts).await;
        }
    };
    let (made, ()) = tokio::join!(make_partitions(&app.ctx), writing);
    assert!(made.unwrap() > 0);
    let sums: (i64, i64, i64) = sqlx::query_as(
        "select (select sum(count)::bigint from usage_minutes), (select sum(count)::bigint from usage_quarters), (select sum(count)::bigint from usage_by_hour('-infinity', 'infinity'))",
    )
    .fetch_one(&db)
    .await
    .unwrap();
    assert_eq!(sums, (2_000, 2_000, 2_000));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn retention_drops_whole_partitions_by_the_days_of_the_configuration(db: PgPool) {
    let app = TestApp::start_with(db.clone(), |config| config.retention.minutes = std::time::Duration::from_secs(10 * 86_400)).await;
    let owner = developer(&app.ctx, "mara", "UTC").await;
    let k = key(&app.ctx, &owner, "k").await;
    make_partitions(&app.ctx).await.unwrap();
    let minutes = [0, WEEK, 2 * WEEK];
    write(&app, minutes.map(|m| tally(&owner, k, "GET /", Outcome::Valid, at(m), 1)).to_vec()).await;
    // On 2 December the week that ended on 23 November is not ten days over, on the 3rd it is.
    app.ctx.clock.advance(Duration::days(12));
    forget_old_usage(&app.ctx).await.unwrap();
    assert_eq!(partitions(&db, "usage_minutes").await.len(), 3, "not yet");
    app.ctx.clock.advance(Duration::days(1));
    forget_old_usage(&app.ctx).await.unwrap();
    assert_eq!(partitions(&db, "usage_minutes").await, ["usage_minutes_20261123", "usage_minutes_20261130"]);
    assert_eq!(places(&db, "usage_minutes").await.iter().map(|(_, n)| n).sum::<i64>(), 2);
    assert_eq!(places(&db, "usage_quarters").await.iter().map(|(_, n)| n).sum::<i64>(), 3, "kept for two years");
    assert_eq!(partitions(&db, "unknown_attempts").await.len(), 3, "kept for 30 days");

    // Whoever holds addresses of people forgets to the day: on 27 December a part of the week that began on 23 November.
    sqlx::query("insert into unknown_attempts (minute, reason, address, count) values ('2026-11-24', 'UNKNOWN', '192.0.2.1', 1), ('2026-11-28', 'UNKNOWN', '192.0.2.2', 1)")
        .execute(&db)
        .await
        .unwrap();
    app.ctx.clock.advance(Duration::days(24));
    forget_old_usage(&app.ctx).await.unwrap();
    let left: Vec<String> = sqlx::query_scalar("select address from unknown_attempts").fetch_all(&db).await.unwrap();
    assert_eq!(left, ["192.0.2.2"]);
    assert_eq!(partitions(&db, "unknown_attempts").await, ["unknown_attempts_20261123", "unknown_attempts_20261130"]);
}

/// The tables that a plan reads.
fn read(plan: &Value, found: &mut BTreeSet<String>) {
    found.extend(plan["Relation Name"].as_str().map(str::to_owned));
    plan["Plans"].as_array().into_iter().flatten().for_each(|below| read(below, found));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_range_is_planned_for_its_own_partitions(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    for _ in 0..6 {
        make_partitions(&app.ctx).await.unwrap();
        app.ctx.clock.advance(Duration::days(28));
    }
    assert!(partitions(&db, "usage_quarters").await.len() >= 7);
    let reads = async |sql: String| {
        let plan: Value = sqlx::query_scalar(AssertSqlSafe(format!("explain (format json) {sql}"))).fetch_one(&db).await.unwrap();
        let mut found = BTreeSet::new();
        read(&plan[0]["Plan"], &mut found);
        found.into_iter().collect::<Vec<_>>()
    };
    let minutes = reads("select sum(count) from usage_minutes where minute >= '2026-12-01 00:00Z' and minute < '2026-12-02 00:00Z'".into()).await;
    assert_eq!(minutes, ["usage_minutes_20261130"]);
    // As the chart asks: whole hours from their partitions, no quarter of an hour at all outside of them, and where hours end.
    let edges = "array['2026-12-10 00:00Z', '2026-12-20 00:00Z', '2027-01-10 00:00Z']::timestamptz[]";
    let chart = reads(format!("select sum(count) from usage_cells({edges}, null, md5('k')::uuid, null, null, null)")).await;
    let wanted = ["usage_hours_20261201", "usage_hours_20270101", "usage_quarters_20261201", "usage_quarters_20270101", "usage_rollups"];
    assert_eq!(chart, wanted);
}
