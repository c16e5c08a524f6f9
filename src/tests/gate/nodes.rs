//! Several nodes on one database, and a restart.

use super::{Given, Scene};
use crate::support::{TestApp, until};
use serde_json::json;
use sqlx::PgPool;
use tollgate::{
    keys::server::{
        gate::{Gate, Question},
        nodes::Nodes,
    },
    platform::clock::steady_millis,
};

fn outcome(app: &TestApp, secret: &str) -> String {
    let gate = app.ctx.part::<Gate>().unwrap();
    let question = Question { secret, route: "GET /orders", cost: Some(0), ..Question::default() };
    gate.verify(question).unwrap().outcome.to_string()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
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

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_change_whose_notification_was_lost_is_found_by_the_poll(db: PgPool) {
    let scene = Scene::new(db).await;
    // A session that replays changes does not fire triggers: nothing is notified, as when the listener's connection was away.
    let mut tx = scene.app.ctx.db.begin().await.unwrap();
    sqlx::query("set local session_replication_role = replica").execute(&mut *tx).await.unwrap();
    sqlx::query("update keys set state = 'revoked', changed_in = pg_current_xact_id() where id = $1").bind(scene.key.uuid()).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    until("REVOKED", || async { scene.code().await == "REVOKED" }).await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_restart_resumes_the_window(db: PgPool) {
    let scene = Scene::new(db.clone()).await;
    sqlx::query("insert into usage_quarters (key_id, quarter, route, outcome, workspace_id, api_id, count) select id, '2026-11-20 12:00Z', '-', 'VALID', workspace_id, api_id, 60 from keys where id = $1")
        .bind(scene.key.uuid()).execute(&db).await.unwrap();
    let after = TestApp::start(db).await;
    let state = after.ctx.part::<Gate>().unwrap().limit_state(scene.key, after.ctx.clock.now_micros());
    assert_eq!((state[0].used, state[0].remaining), (60, 40), "a row of an earlier version, without its cost");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_restart_goes_on_with_windows_of_seconds(db: PgPool) {
    let scene = Scene::with(db, Given { limit: Some((5, 10)), ..Given::default() }).await;
    assert_eq!(scene.ask(json!({ "key": scene.secret, "cost": 3 })).await.1["code"], "VALID");
    let Scene { app, owner, service, key, secret } = scene;
    let scene = Scene { app: app.restart().await, owner, service, key, secret };
    let code = async |cost: u32| scene.ask(json!({ "key": scene.secret, "cost": cost })).await.1["code"].clone();
    assert_eq!([code(2).await, code(1).await], ["VALID", "RATE_LIMITED"]);
    scene.app.ctx.clock.advance(time::Duration::seconds(10));
    assert_eq!([code(5).await, code(1).await], ["VALID", "RATE_LIMITED"]);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_restart_neither_forgets_nor_doubles_what_calls_cost(db: PgPool) {
    let mut scene = Scene::with(db.clone(), Given { limit: Some((100, 86_400)), ..Given::default() }).await;
    for cost in [7, 20, 0, 100] {
        scene.ask(json!({ "key": scene.secret, "cost": cost })).await;
    }
    for _ in 0..2 {
        let Scene { app, owner, service, key, secret } = scene;
        app.stop().await;
        let app = TestApp::start(db.clone()).await;
        scene = Scene { app, owner, service, key, secret };
        let state = scene.app.ctx.part::<Gate>().unwrap().limit_state(key, scene.app.ctx.clock.now_micros());
        assert_eq!((state[0].used, state[0].remaining), (27, 73), "27 units passed; the 100 that did not are not charged");
    }
    assert_eq!(scene.ask(json!({ "key": scene.secret, "cost": 73 })).await.1["code"], "VALID");
    let over = scene.ask(json!({ "key": scene.secret, "cost": 1 })).await.1;
    assert_eq!((over["code"].as_str(), over["retry_after"].as_u64()), (Some("QUOTA_EXCEEDED"), Some(43_200)), "a day ends at midnight UTC");
    scene.app.stop().await;
    let stored: Vec<(String, i64, i64)> =
        sqlx::query_as("select outcome, sum(count)::bigint, sum(cost)::bigint from usage_quarters where key_id = $1 group by 1 order by 1 desc")
            .bind(scene.key.uuid())
            .fetch_all(&db)
            .await
            .unwrap();
    assert_eq!(stored[0], ("VALID".to_owned(), 4, 100));
    assert_eq!((stored[1].1, stored[1].2), (2, 101), "refused calls keep what they asked for");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn nodes_know_each_other_from_the_first_answer_to_the_last(db: PgPool) {
    let first = TestApp::start(db.clone()).await;
    let nodes = first.ctx.part::<Nodes>().unwrap();
    assert!(nodes.is_alone());
    let mut membership = nodes.membership();
    assert_eq!(*membership.borrow_and_update(), [nodes.id()]);

    let second = TestApp::start(db).await;
    let other = second.ctx.part::<Nodes>().unwrap();
    assert!(!nodes.is_alone() && !other.is_alone(), "at once: the new one waited until it was known");
    assert_eq!(membership.borrow_and_update().len(), 2);
    let members = nodes.members();
    let known = members.list.iter().find(|m| m.id == other.id()).unwrap();
    assert_eq!((&*known.name, known.stops_after), (other.name(), 900));
    assert!(known.name.ends_with(&second.base.rsplit(':').next().map(|port| format!(":{port}")).unwrap()), "{}", known.name);

    second.stop().await;
    until("it is forgotten", async || *membership.borrow() == [nodes.id()]).await;
    assert!(nodes.is_alone());
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_node_whose_row_is_gone_becomes_one_again(db: PgPool) {
    let first = TestApp::start(db.clone()).await;
    let second = TestApp::start(db.clone()).await;
    let (nodes, other) = (first.ctx.part::<Nodes>().unwrap(), second.ctx.part::<Nodes>().unwrap());
    sqlx::query("delete from nodes where id = $1").bind(other.id().uuid()).execute(&db).await.unwrap();
    until("it is back", async || sqlx::query_scalar::<_, i64>("select count(*) from nodes").fetch_one(&db).await.unwrap() == 2).await;
    // The first may not have seen that it was gone.
    let back = steady_millis();
    until("the other has looked since", async || nodes.members().read_at > back).await;
    assert_eq!(nodes.members().list.len(), 2);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_removed_key_is_found_by_who_did_not_hear_of_it(db: PgPool) {
    let scene = Scene::new(db).await;
    let mut tx = scene.app.ctx.db.begin().await.unwrap();
    sqlx::query("set local session_replication_role = replica").execute(&mut *tx).await.unwrap();
    sqlx::query("delete from keys where id = $1").bind(scene.key.uuid()).execute(&mut *tx).await.unwrap();
    sqlx::query("insert into removed_keys (key_id) values ($1)").bind(scene.key.uuid()).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    until("UNKNOWN", || async { scene.code().await == "UNKNOWN" }).await;
}
