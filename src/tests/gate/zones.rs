//! Limits of the days and months of a time zone.

use super::{Given, Scene};
use crate::support::TestApp;
use serde_json::json;
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::Caller,
    keys::{
        model::{KeyEdit, KeyLimit},
        server::{edit_key, gate::Gate},
    },
};

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_day_begins_at_midnight_there_and_a_restart_knows_it(db: PgPool) {
    let scene = Scene::with(db.clone(), Given::default()).await;
    let limits = [("day@Europe/Stockholm", 2), ("month@Asia/Kolkata", 100)];
    let limits = limits.map(|(window, limit)| KeyLimit::new(window.split('@').next().unwrap(), limit, window.parse().unwrap()));
    edit_key(&scene.app.ctx, &Caller::cli(), scene.key, KeyEdit { limits: Some(limits.to_vec()), ..KeyEdit::default() }).await.unwrap();
    let ask = async || scene.ask(json!({ "key": scene.secret, "api": "demo" })).await.1;

    // It is 13:00 in Stockholm, the 20th of November.
    let body = ask().await;
    assert_eq!((&body["limits"][0]["remaining"], &body["limits"][0]["reset_after"]), (&json!(1), &json!(11 * 3_600)));
    assert_eq!(body["limits"][1]["reset_after"], (10 * 24 + 6) * 3_600 + 1_800, "until December begins in India");
    assert_eq!(ask().await["code"], "VALID");
    let body = ask().await;
    assert_eq!((&body["code"], &body["retry_after"]), (&json!("QUOTA_EXCEEDED"), &json!(11 * 3_600)));
    scene.app.ctx.clock.advance(Duration::hours(11));
    assert_eq!(ask().await["code"], "VALID");

    let (key, now) = (scene.key, scene.app.ctx.clock.now());
    let app = scene.app.restart().await;
    assert_eq!(app.ctx.clock.now(), now, "the clock goes on");
    let used: Vec<u64> = app.ctx.part::<Gate>().unwrap().limit_state(key, app.ctx.clock.now_micros()).iter().map(|l| l.used).collect();
    assert_eq!(used, [1, 3]);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn several_nodes_share_a_day_of_a_time_zone(db: PgPool) {
    let secret = super::leases::secret(&db, 20).await;
    sqlx::query("update key_limits set zone = 'Europe/Stockholm' where max_calls = 20").execute(&db).await.unwrap();
    let nodes = [TestApp::start(db.clone()).await, TestApp::start(db.clone()).await];
    assert_eq!(super::leases::exhaust(&[&nodes[0], &nodes[1]], &secret).await, 20);
    let rows: Vec<(String, i64)> = sqlx::query_as("select name, granted from limit_leases").fetch_all(&db).await.unwrap();
    assert_eq!(rows, [("default@Europe/Stockholm".to_owned(), 20)]);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_zone_that_the_gate_or_postgres_does_not_know_is_refused_when_it_is_saved(db: PgPool) {
    let scene = Scene::with(db, Given::default()).await;
    let ctx = &scene.app.ctx;
    let save = async |window: &str| {
        let limits = vec![KeyLimit::new("day", 5, window.parse().unwrap())];
        edit_key(ctx, &Caller::cli(), scene.key, KeyEdit { limits: Some(limits), ..KeyEdit::default() }).await
    };
    // The gate's library has a zone of this name, which is nowhere; Postgres has not.
    for nowhere in ["day@Etc/Unknown", "day@etc/unknown", "day@Middle/Earth"] {
        let refused = save(nowhere).await.map(|_| ()).unwrap_err();
        assert!(refused.field("limits.0.window").is_some_and(|words| words.contains("no such time zone")), "{nowhere}: {refused:?}");
    }
    for there in ["day@Europe/Stockholm", "month@europe/stockholm", "day@Etc/GMT+5"] {
        save(there).await.unwrap_or_else(|error| panic!("{there}: {error}"));
    }
    let new = tollgate::plans::model::NewPlan {
        slug: "nowhere".to_owned(),
        name: "Nowhere".to_owned(),
        limits: vec![KeyLimit::new("day", 5, "day@Etc/Unknown".parse().unwrap())],
        ..tollgate::plans::model::NewPlan::default()
    };
    assert!(tollgate::plans::server::create_plan(ctx, &Caller::cli(), new).await.is_err_and(|error| error.field("limits.0.window").is_some()));
}
