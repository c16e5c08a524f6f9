//! Writing batches: exactly once, whatever the database does meanwhile.

use super::{DEMO, developer, key, tally};
use crate::support::{T0, TestApp, folder::Folder, until};
use sqlx::PgPool;
use std::{sync::Arc, time::Duration};
use tollgate::{
    keys::{
        model::Ground,
        server::meter::{Attempt, Batch, Meter, Refusal, Spool, left_over},
    },
    usage::server::{Flusher, forget_old_usage, write_batch},
    values::{ApiId, Outcome},
};
use uuid::Uuid;

const FAST: Duration = Duration::from_millis(20);

fn minute() -> i64 {
    T0.unix_timestamp() / 60
}

async fn sum(db: &PgPool, table: &str) -> i64 {
    let query = format!("select coalesce(sum(count), 0)::bigint from {table}");
    sqlx::query_scalar(sqlx::AssertSqlSafe(query)).fetch_one(db).await.unwrap()
}

async fn reaches(db: &PgPool, table: &str, wanted: i64) {
    until(&format!("{wanted} in {table}"), async || sum(db, table).await == wanted).await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_batch_becomes_minutes_quarters_and_last_use(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let owner = developer(&app.ctx, "mara", "UTC").await;
    let (used, held) = (key(&app.ctx, &owner, "used").await, key(&app.ctx, &owner, "held").await);
    let m = minute() + 14;
    let batch = Batch {
        counts: vec![
            tally(&owner, used, "GET /orders", Outcome::Valid, m, 3),
            tally(&owner, used, "GET /orders", Outcome::Valid, m + 1, 4),
            tally(&owner, used, "GET /orders", Outcome::Valid, m, 2),
            tally(&owner, held, "GET /orders", Outcome::RateLimited, m - 14, 5),
        ],
        ..Batch::default()
    };
    assert!(write_batch(&app.ctx, app.ctx.new_id(), &batch).await.unwrap());
    let minutes: Vec<(i64, i64)> = sqlx::query_as("select extract(epoch from minute)::bigint / 60, count from usage_minutes where key_id = $1 order by 1")
        .bind(used.uuid())
        .fetch_all(&db)
        .await
        .unwrap();
    assert_eq!(minutes, [(m, 5), (m + 1, 4)]);
    let quarters: Vec<(i64, i64)> = sqlx::query_as("select extract(epoch from quarter)::bigint / 60, count from usage_quarters where key_id = $1 order by 1")
        .bind(used.uuid())
        .fetch_all(&db)
        .await
        .unwrap();
    assert_eq!(quarters, [(minute(), 5), (minute() + 15, 4)]);
    let last: Vec<i64> =
        sqlx::query_scalar("select extract(epoch from last_used_at)::bigint / 60 from key_activity order by last_used_at desc").fetch_all(&db).await.unwrap();
    assert_eq!(last, [m + 1, m - 14], "a refused call is a use, too");

    // An older batch that arrives late (another node's) does not move the last use back.
    let late = Batch { counts: vec![tally(&owner, used, "GET /orders", Outcome::Valid, m - 60, 1)], ..Batch::default() };
    write_batch(&app.ctx, app.ctx.new_id(), &late).await.unwrap();
    let last: i64 = sqlx::query_scalar("select extract(epoch from last_used_at)::bigint / 60 from key_activity where key_id = $1")
        .bind(used.uuid())
        .fetch_one(&db)
        .await
        .unwrap();
    assert_eq!(last, m + 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_batch_whose_answer_was_lost_is_not_counted_twice(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let owner = developer(&app.ctx, "mara", "UTC").await;
    let key = key(&app.ctx, &owner, "k").await;
    let batch = Batch {
        counts: vec![tally(&owner, key, "GET /", Outcome::Valid, minute(), 7)],
        unknown: vec![Attempt { minute: minute(), reason: Outcome::Unknown, address: "192.0.2.7".into(), count: 2 }],
        ..Batch::default()
    };
    let id: Uuid = app.ctx.new_id();
    assert!(write_batch(&app.ctx, id, &batch).await.unwrap());
    assert!(!write_batch(&app.ctx, id, &batch).await.unwrap(), "it was written before");
    assert_eq!((sum(&db, "usage_minutes").await, sum(&db, "usage_quarters").await, sum(&db, "unknown_attempts").await), (7, 7, 2));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_is_counted_while_the_database_refuses_is_written_once_it_is_back(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let owner = developer(&app.ctx, "mara", "UTC").await;
    let key = key(&app.ctx, &owner, "k").await;
    let meter = Arc::new(Meter::default());
    let flusher = Flusher::start_every(app.ctx.clone(), FAST, {
        let (meter, ctx) = (Arc::clone(&meter), app.ctx.clone());
        move || meter.take(ctx.new_id())
    });
    let count = |n| meter.count(tally(&owner, key, "GET /", Outcome::Valid, minute(), n));

    count(1);
    reaches(&db, "usage_minutes", 1).await;
    // A later table of the transaction takes nothing: what was written before it must be undone, each time. A sequence is not undone.
    let fault = "create sequence tries;
         create function fail() returns trigger language plpgsql as $$ begin perform nextval('tries'); raise exception 'a fault'; end $$;
         create trigger fail before insert on usage_quarters for each statement execute function fail()";
    sqlx::raw_sql(fault).execute(&db).await.unwrap();
    let tries = async || sqlx::query_scalar::<_, i64>("select case when is_called then last_value else 0 end from tries").fetch_one(&db).await.unwrap();
    for failed in 1..=3 {
        count(10);
        until("another try has failed", async || tries().await >= failed).await;
    }
    assert_eq!(sum(&db, "usage_minutes").await, 1, "half a batch is no batch");
    sqlx::raw_sql("drop trigger fail on usage_quarters").execute(&db).await.unwrap();
    count(100);
    reaches(&db, "usage_minutes", 131).await;
    flusher.stop().await;
    assert_eq!((sum(&db, "usage_minutes").await, sum(&db, "usage_quarters").await), (131, 131));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn stopping_writes_what_is_left(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let owner = developer(&app.ctx, "mara", "UTC").await;
    let key = key(&app.ctx, &owner, "k").await;
    let meter = Arc::new(Meter::default());
    let flusher = Flusher::start_every(app.ctx.clone(), Duration::from_secs(3600), {
        let (meter, ctx) = (Arc::clone(&meter), app.ctx.clone());
        move || meter.take(ctx.new_id())
    });
    meter.count(tally(&owner, key, "GET /", Outcome::Valid, minute(), 9));
    flusher.stop().await;
    assert_eq!(sum(&db, "usage_minutes").await, 9);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn two_nodes_write_the_same_keys_without_a_deadlock(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let owner = developer(&app.ctx, "mara", "UTC").await;
    let mut keys = Vec::new();
    for n in 0..20 {
        keys.push(key(&app.ctx, &owner, &format!("k{n}")).await);
    }
    let batch = |reversed: bool| {
        let mut counts: Vec<_> = keys.iter().flat_map(|k| (0..30).map(|m| tally(&owner, *k, "GET /", Outcome::Valid, minute() + m, 1))).collect();
        if reversed {
            counts.reverse();
        }
        Batch { counts, ..Batch::default() }
    };
    for _ in 0..10 {
        let (a, b) = (batch(false), batch(true));
        let (a, b) = tokio::join!(write_batch(&app.ctx, app.ctx.new_id(), &a), write_batch(&app.ctx, app.ctx.new_id(), &b));
        assert!(a.unwrap() && b.unwrap());
    }
    assert_eq!(sum(&db, "usage_minutes").await, 20 * 20 * 30);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn many_rows_go_in_chunks_and_odd_text_stops_nothing(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let owner = developer(&app.ctx, "mara", "UTC").await;
    let key = key(&app.ctx, &owner, "k").await;
    let mut counts: Vec<_> = (0..12_001).map(|m| tally(&owner, key, "GET /", Outcome::Valid, minute() - m, 1)).collect();
    counts.push(tally(&owner, key, &format!("GET /\0{}", "ü".repeat(5_000)), Outcome::Valid, minute(), 1));
    counts.push(tally(&owner, key, &format!("GET /{}", "ü".repeat(6_000)), Outcome::Valid, minute(), 1));
    let refusal = |detail: &str| Refusal {
        at_micros: minute() * 60_000_000,
        key: Some(key),
        workspace: Some(owner.workspace),
        api: Some(ApiId::new(DEMO)),
        code: Outcome::Forbidden,
        ground: Ground::Permission,
        limit: "\0".into(),
        permission: "\0".into(),
        route: Arc::from("GET /\0"),
        address: "2001:db8::/64".into(),
        request_id: "r".into(),
        detail: detail.into(),
    };
    let batch = Batch { counts, samples: vec![refusal("\0"), refusal(&"x".repeat(10_000))], ..Batch::default() };
    assert!(write_batch(&app.ctx, app.ctx.new_id(), &batch).await.unwrap());
    assert_eq!((sum(&db, "usage_minutes").await, sum(&db, "usage_quarters").await), (12_003, 12_003));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn old_usage_is_forgotten_and_the_rest_is_not(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let owner = developer(&app.ctx, "mara", "UTC").await;
    let key = key(&app.ctx, &owner, "k").await;
    let days = |n: i64| minute() - n * 1440;
    let counts = [0, 44, 46, 700, 733].map(|n| tally(&owner, key, "GET /", Outcome::Valid, days(n), 1)).to_vec();
    write_batch(&app.ctx, app.ctx.new_id(), &Batch { counts, ..Batch::default() }).await.unwrap();
    assert!(!forget_old_usage(&app.ctx).await.unwrap(), "one call was enough");
    assert_eq!((sum(&db, "usage_minutes").await, sum(&db, "usage_quarters").await), (2, 4));
    app.ctx.clock.advance(time::Duration::days(733));
    forget_old_usage(&app.ctx).await.unwrap();
    assert_eq!(batches(&db).await, 0);
}

async fn batches(db: &PgPool) -> i64 {
    sqlx::query_scalar("select count(*) from usage_batches").fetch_one(db).await.unwrap()
}

/// A process that wrote its batch and was killed before the file went; its data folder starts again months later.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_batch_that_comes_again_after_months_is_not_counted_twice(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let owner = developer(&app.ctx, "mara", "UTC").await;
    let key = key(&app.ctx, &owner, "k").await;
    let folder = Folder::new();
    let meter = Meter::new(app.ctx.new_id(), Some(Spool::open(folder.path(), app.ctx.new_id()).unwrap()));
    meter.count(tally(&owner, key, "GET /", Outcome::Valid, minute(), 7));
    let batch = meter.take(app.ctx.new_id());
    assert!(write_batch(&app.ctx, batch.id, &batch).await.unwrap());
    drop(meter);
    app.ctx.clock.advance(time::Duration::days(100));
    forget_old_usage(&app.ctx).await.unwrap();
    let mut left = left_over(folder.path()).unwrap();
    assert_eq!((left.len(), left[0].batches[0].id), (1, batch.id), "its file is still there");
    assert!(!write_batch(&app.ctx, batch.id, &left[0].batches[0]).await.unwrap(), "it was written before");
    assert_eq!(sum(&db, "usage_minutes").await + sum(&db, "usage_quarters").await, 7, "minutes of that time are gone, quarters are counted once");
    assert_eq!(left.remove(0).done().unwrap(), [batch.id]);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_no_file_holds_any_more_is_forgotten_after_two_days(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let owner = developer(&app.ctx, "mara", "UTC").await;
    let key = key(&app.ctx, &owner, "k").await;
    let folder = Folder::new();
    let meter = Arc::new(Meter::new(app.ctx.new_id(), Some(Spool::open(folder.path(), app.ctx.new_id()).unwrap())));
    let flusher = Flusher::start_every(app.ctx.clone(), FAST, {
        let (meter, ctx) = (Arc::clone(&meter), app.ctx.clone());
        move || meter.take(ctx.new_id())
    });
    for written in 1..=3 {
        meter.count(tally(&owner, key, "GET /", Outcome::Valid, minute(), 1));
        reaches(&db, "usage_minutes", written).await;
    }
    flusher.stop().await;
    assert_eq!(batches(&db).await, 3);
    app.ctx.clock.advance(time::Duration::days(3));
    forget_old_usage(&app.ctx).await.unwrap();
    assert_eq!(batches(&db).await, 0, "an orderly end closes the last one, too");
}
