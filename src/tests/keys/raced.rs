//! A key that is used while its limit runs out, and while it is disabled: the limit holds, and no call that was under way brings it back.

use super::*;
use crate::support::locks::Held;
use serde_json::json;
use sqlx::postgres::PgPoolOptions;

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s94_a_limit_that_is_raced_lets_exactly_as_many_pass(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = owner(&app, "mara@example.com", "developer").await;
    let (id, secret) = key(&db, &app, &mara, Given { limit: Some((20, 3_600)), ..Given::default() }).await;
    known(&app, id).await;
    let statuses = futures_util::future::join_all((0..60).map(|_| passes(&app, &secret))).await;
    let count = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((count(200), count(429)), (20, 40), "{statuses:?}");
    app.ctx.clock.advance(time::Duration::seconds(3_600));
    let statuses = futures_util::future::join_all((0..30).map(|_| passes(&app, &secret))).await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 20, "the next window is as large: {statuses:?}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s94_a_key_that_is_disabled_while_it_is_used_stays_disabled(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (id, secret) = mara.new_key(&app, "checkout").await;
    assert_eq!(passes(&app, &secret).await, 200);
    let path = format!("/api/v1/keys/{id}/disable");
    let (during, disabled) =
        tokio::join!(futures_util::future::join_all((0..40).map(|_| passes(&app, &secret))), mara.post(&app, &path, json!({ "reason": "leaked" })),);
    assert_eq!(disabled.status(), 200);
    assert!(during.iter().all(|status| matches!(status, 200 | 401)), "{during:?}");
    assert_eq!(passes(&app, &secret).await, 401, "from the answer on");

    // What was counted meanwhile is written, and read again by another process: nothing of it makes the key active.
    let app = app.restart().await;
    let state: String = sqlx::query_scalar("select state from keys where name = 'checkout'").fetch_one(&db).await.unwrap();
    assert_eq!((state.as_str(), passes(&app, &secret).await), ("disabled", 401));
    let counted: i64 =
        sqlx::query_scalar("select coalesce(sum(count), 0)::bigint from usage_minutes where key_id = (select id from keys where name = 'checkout')")
            .fetch_one(&db)
            .await
            .unwrap();
    assert!(counted > 0, "the calls were written");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_key_that_a_paused_node_holds_is_revoked_once_postgres_ends_its_change(db: PgPool) {
    // As the product's connections with shorter times: one wait for a lock is over before what stands still is ended.
    let options = db.connect_options().as_ref().clone().options([("lock_timeout", "600ms")]);
    let pool = PgPoolOptions::new().max_connections(5).connect_with(options).await.unwrap();
    let app = TestApp::start(pool.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (id, secret) = mara.new_key(&app, "checkout").await;
    let paused = "set local idle_in_transaction_session_timeout = '900ms'; select id from keys where name = 'checkout' for update";
    let _paused = Held::by(&db, paused).await;
    let (status, revoked) = json(mara.post(&app, &format!("/api/v1/keys/{id}/revoke"), json!({ "reason": "leaked" })).await).await;
    assert_eq!((status, &revoked["state"]), (200, &json!("revoked")), "{revoked}");
    assert_eq!(passes(&app, &secret).await, 401);
    app.stop().await;
    pool.close().await;
}
