//! Several nodes on one database, and a restart.

use super::Scene;
use crate::support::{TestApp, until};
use sqlx::PgPool;
use tollgate::keys::server::gate::{Gate, Question};

fn outcome(app: &TestApp, secret: &str) -> String {
    let gate = app.ctx.part::<Gate>().unwrap();
    let question = Question { secret, api: None, permission: None, route: "GET /orders", cost: 0, address: None, request_id: "" };
    gate.verify(question).outcome.to_string()
}

#[sqlx::test]
async fn another_node_hears_of_every_change(db: PgPool) {
    let scene = Scene::new(db.clone()).await;
    let other = TestApp::start(db).await;
    assert_eq!(outcome(&other, &scene.secret), "VALID", "loaded at start");
    for (sql, expected) in [
        ("update keys set state = 'disabled' where id = $1", "DISABLED"),
        ("update keys set state = 'active' where id = $1", "VALID"),
        ("update key_secrets set expires_at = '2020-01-01' where key_id = $1", "EXPIRED"),
        ("delete from keys where id = $1", "UNKNOWN"),
    ] {
        scene.execute(sql).await;
        until(expected, || async { outcome(&other, &scene.secret) == expected }).await;
        until(expected, || async { outcome(&scene.app, &scene.secret) == expected }).await;
    }
}

#[sqlx::test]
async fn a_change_whose_notification_was_lost_is_found_by_the_poll(db: PgPool) {
    let scene = Scene::new(db).await;
    // A session that replays changes does not fire triggers: nothing is notified, as when the listener's connection was away.
    let mut tx = scene.app.ctx.db.begin().await.unwrap();
    sqlx::query("set local session_replication_role = replica").execute(&mut *tx).await.unwrap();
    sqlx::query("update keys set state = 'revoked', changed_in = pg_current_xact_id() where id = $1").bind(scene.key.uuid()).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    until("REVOKED", || async { scene.code().await == "REVOKED" }).await;
}

#[sqlx::test]
async fn a_restart_resumes_the_window(db: PgPool) {
    let scene = Scene::new(db.clone()).await;
    sqlx::query("insert into usage_minutes (key_id, minute, route, outcome, workspace_id, api_id, count) select id, '2026-11-20 12:00Z', '-', 'VALID', workspace_id, api_id, 60 from keys where id = $1")
        .bind(scene.key.uuid()).execute(&db).await.unwrap();
    let after = TestApp::start(db).await;
    let state = after.ctx.part::<Gate>().unwrap().limit_state(scene.key, after.ctx.clock.now_micros());
    assert_eq!((state[0].used, state[0].remaining), (60, 40));
}
