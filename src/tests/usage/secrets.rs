//! Calls by secret: counted once, added up where they are rare, and forgotten after a month.

use crate::support::{T0, TestApp};
use sqlx::PgPool;
use std::{net::IpAddr, sync::Arc};
use time::Duration;
use tollgate::{
    keys::server::meter::{Batch, Meter, SecretCall, WithSecret, by_secret::Who},
    platform::jobs::Job,
    usage::server::{ForgetRareAddresses, forget_old_usage, make_partitions, write_batch},
    values::{Counts, Outcome, SecretId},
};

const QUARTER: i64 = T0.unix_timestamp() / 900;

/// So many calls of a secret from 192.0.2.`n`, or from others.
fn with(secret: SecretId, quarter: i64, n: Option<u8>, passed: u64) -> WithSecret {
    let who = n.map(|n| Who { address: Some(IpAddr::from([192, 0, 2, n])), route: Arc::from("GET /") });
    WithSecret { secret, quarter, who, calls: Counts { passed, ..Counts::default() }, last_micros: quarter * 900_000_000 + 60_000_000 }
}

/// Rows and calls of a secret in each quarter of an hour, in order.
async fn rows(db: &PgPool, secret: SecretId) -> Vec<(i64, i64)> {
    sqlx::query_as("select count(*), sum(passed + limited + refused)::bigint from usage_secrets where secret_id = $1 group by quarter order by quarter")
        .bind(secret.uuid())
        .fetch_all(db)
        .await
        .unwrap()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn calls_by_secret_add_up_over_batches_and_each_batch_counts_once(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (a, b): (SecretId, SecretId) = (app.ctx.new_id(), app.ctx.new_id());
    let secrets = vec![
        with(a, QUARTER, Some(1), 3),
        with(a, QUARTER, Some(1), 4),
        with(a, QUARTER, Some(2), 5),
        with(a, QUARTER, None, 6),
        with(a, QUARTER + 1, Some(1), 7),
        with(b, QUARTER, Some(1), 8),
        WithSecret { calls: Counts { limited: 1, refused: 2, ..Counts::default() }, ..with(b, QUARTER, Some(1), 0) },
        with(b, QUARTER, Some(9), 0),
    ];
    let (id, batch) = (app.ctx.new_id(), Batch { secrets, ..Batch::default() });
    assert!(write_batch(&app.ctx, id, &batch).await.unwrap());
    assert!(!write_batch(&app.ctx, id, &batch).await.unwrap(), "once");
    assert_eq!((rows(&db, a).await, rows(&db, b).await), (vec![(3, 18), (1, 7)], vec![(1, 11)]));
    assert!(write_batch(&app.ctx, app.ctx.new_id(), &batch).await.unwrap());
    assert_eq!((rows(&db, a).await, rows(&db, b).await), (vec![(3, 36), (1, 14)], vec![(1, 22)]));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_is_rare_of_a_secret_is_added_up_and_all_is_forgotten_after_a_month(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    make_partitions(&app.ctx).await.unwrap();
    let (a, b): (SecretId, SecretId) = (app.ctx.new_id(), app.ctx.new_id());
    let of = |quarter, n: u8| with(a, quarter, Some(n), u64::from(n) + 1);
    let secrets = (0..130).flat_map(|n| [of(QUARTER - 4, n), of(QUARTER, n)]).chain([with(a, QUARTER - 4, None, 9), with(b, QUARTER - 4, Some(1), 2)]);
    write_batch(&app.ctx, app.ctx.new_id(), &Batch { secrets: secrets.collect(), ..Batch::default() }).await.unwrap();
    let all: i64 = (1..=130).sum();
    for _ in 0..2 {
        ForgetRareAddresses {}.run(&app.ctx).await.unwrap();
        assert_eq!(rows(&db, a).await, [(101, all + 9), (130, all)], "no call is lost, and a quarter of an hour that is not over waits");
        assert_eq!(rows(&db, b).await, [(1, 2)]);
    }
    let rest: i64 = sqlx::query_scalar("select passed from usage_secrets where secret_id = $1 and route = ''").bind(a.uuid()).fetch_one(&db).await.unwrap();
    assert_eq!(rest, (1..=30).sum::<i64>() + 9, "the rarest");
    app.ctx.clock.advance(Duration::days(31));
    while forget_old_usage(&app.ctx).await.unwrap() {}
    assert_eq!((rows(&db, a).await.len(), rows(&db, b).await.len()), (0, 0));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_batch_with_nothing_but_calls_by_secret_is_written(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (meter, secret): (Meter, SecretId) = (Meter::default(), app.ctx.new_id());
    let (key, route) = (app.ctx.new_id(), Arc::from("POST /api/v1/keys/verify"));
    meter.count_secret(&SecretCall { key, secret, address: None, route, outcome: Outcome::Valid, at_micros: app.ctx.clock.now_micros() });
    let batch = meter.take(app.ctx.new_id());
    assert!(!batch.is_empty(), "who only asks has no counts of their own");
    assert!(write_batch(&app.ctx, app.ctx.new_id(), &batch).await.unwrap());
    assert_eq!(rows(&db, secret).await, [(1, 1)]);
    assert!(meter.take(app.ctx.new_id()).is_empty());
}
