//! Credits: never more than the limit, what came back and what was added, through time, restarts, kills and several nodes.

use super::{
    Given, Scene, key, known,
    leases::{call, exhaust, hammer, secret},
    process,
};
use crate::{
    keys::{json, person},
    support::{TestApp, folder::Folder},
};
use reqwest::Method;
use serde_json::json;
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::Caller,
    keys::{
        model::{KeyEdit, KeyLimit},
        server::{NewCredits, add_credits, edit_key, gate::Gate},
    },
    values::KeyId,
};

/// So many credits of this kind become the limit of a key.
async fn limit(app: &TestApp, key: KeyId, limit: u64, kind: &str) {
    let limits = vec![KeyLimit::new("calls", limit, kind.parse().unwrap())];
    edit_key(&app.ctx, &Caller::cli(), key, KeyEdit { limits: Some(limits), ..KeyEdit::default() }).await.unwrap();
}

async fn scene(db: PgPool, credits: u64, kind: &str) -> Scene {
    let scene = Scene::with(db, Given::default()).await;
    limit(&scene.app, scene.key, credits, kind).await;
    scene
}

fn units(units: u64, once: &str) -> NewCredits {
    NewCredits { limit: "calls".to_owned(), units, once: Some(once.to_owned()), ..NewCredits::default() }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn some_come_back_with_each_refill_and_a_restart_knows_what_is_left(db: PgPool) {
    let scene = scene(db, 3, "credits:1/hour").await;
    let ask = async |cost: u32| scene.ask(json!({ "key": scene.secret, "api": "demo", "cost": cost })).await.1;
    let clock = &scene.app.ctx.clock;

    // From 12:00 on.
    let body = ask(1).await;
    assert_eq!((&body["limits"][0]["remaining"], &body["limits"][0]["reset_after"]), (&json!(2), &json!(3_600)));
    clock.advance(Duration::minutes(30));
    assert_eq!(ask(2).await["limits"][0]["remaining"], 0);
    for (cost, retry_after) in [(1, Some(1_800)), (2, Some(5_400)), (3, Some(9_000)), (4, None)] {
        let body = ask(cost).await;
        assert_eq!((&body["code"], body.get("retry_after")), (&json!("RATE_LIMITED"), retry_after.map(|seconds| json!(seconds)).as_ref()), "cost {cost}");
    }
    let answer = scene.app.http.get(scene.app.url("/forward-auth/demo")).bearer_auth(&scene.secret).send().await.unwrap();
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!((header("ratelimit-policy"), header("ratelimit")), (r#""calls";q=3;w=10800"#.to_owned(), r#""calls";r=0;t=1800"#.to_owned()));
    assert_eq!(header("retry-after"), "1800");

    let app = scene.app.restart().await;
    let state = || app.ctx.part::<Gate>().unwrap().limit_state(scene.key, app.ctx.clock.now_micros()).remove(0);
    assert_eq!((state().used, state().remaining, state().reset_after), (3, 0, 1_800));
    app.ctx.clock.advance(Duration::seconds(1_799));
    assert!(!call(&app, &scene.secret, 1).await);
    app.ctx.clock.advance(Duration::SECOND);
    assert!(call(&app, &scene.secret, 1).await && !call(&app, &scene.secret, 1).await, "one came back");
    app.ctx.clock.advance(Duration::hours(50));
    assert_eq!((state().used, state().remaining), (0, 3), "never more than all");
    assert!(call(&app, &scene.secret, 3).await && !call(&app, &scene.secret, 1).await);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn prepaid_ones_last_until_an_operator_adds_some_and_each_request_adds_once(db: PgPool) {
    let scene = scene(db.clone(), 2, "credits").await;
    let ask = async || scene.ask(json!({ "key": scene.secret, "api": "demo" })).await.1;
    let ctx = &scene.app.ctx;
    assert!(ask().await["valid"] == true && ask().await["valid"] == true);
    ctx.clock.advance(Duration::days(400));
    let body = ask().await;
    assert_eq!((&body["code"], body.get("retry_after"), &body["limits"][0]["reset_after"]), (&json!("QUOTA_EXCEEDED"), None, &json!(0)));
    let answer = scene.app.http.get(scene.app.url("/forward-auth/demo")).bearer_auth(&scene.secret).send().await.unwrap();
    let field = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
    assert_eq!((answer.status().as_u16(), field("retry-after")), (429, None), "no time helps");
    assert_eq!((field("ratelimit-policy"), field("ratelimit")), (Some(r#""calls";q=2"#.to_owned()), Some(r#""calls";r=0"#.to_owned())));
    let problem: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(problem["violated-policies"], json!(["calls"]));

    let done = add_credits(ctx, &Caller::cli(), scene.key, units(5, "invoice 1")).await.unwrap();
    assert_eq!((done.units, done.left, done.was_done), (5, 5, false), "beyond the limit, too");
    let again = add_credits(ctx, &Caller::cli(), scene.key, units(5, "invoice 1")).await.unwrap();
    assert_eq!((again.left, again.was_done), (5, true));
    assert!(add_credits(ctx, &Caller::cli(), scene.key, units(6, "invoice 1")).await.is_err());
    assert!(add_credits(ctx, &Caller::cli(), scene.key, units(0, "invoice 2")).await.unwrap_err().field("units").is_some());
    let events: i64 = sqlx::query_scalar("select count(*) from events where kind = 'key.credited'").fetch_one(&db).await.unwrap();
    assert_eq!(events, 1);
    assert_eq!(ask().await["limits"][0]["remaining"], 4, "at once");

    let app = scene.app.restart().await;
    assert_eq!(exhaust(&[&app], &scene.secret).await, 4);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn tollgates_own_api_names_no_time_either_when_prepaid_ones_are_spent(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    limit(&app, mara.rest_key, 1, "credits").await;
    assert_eq!(mara.get(&app, "/api/v1/keys").await.status(), 200);
    let answer = mara.get(&app, "/api/v1/keys").await;
    assert_eq!((answer.status().as_u16(), answer.headers().get("retry-after")), (429, None));
    let (_, problem) = json(answer).await;
    assert_eq!(problem["violated-policies"], json!(["calls"]));
    assert!(problem["detail"].as_str().unwrap().ends_with("Waiting does not help: ask an operator for more."), "{problem}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn several_nodes_share_one_bucket(db: PgPool) {
    let secret = secret(&db, 20).await;
    sqlx::query("update key_limits set kind = 'credits', window_seconds = 3600, refill = 5 where max_calls = 20").execute(&db).await.unwrap();
    let (a, b) = (TestApp::start(db.clone()).await, TestApp::start(db.clone()).await);
    assert_eq!(exhaust(&[&a, &b], &secret).await, 20);
    for app in [&a, &b] {
        app.ctx.clock.advance(Duration::hours(1));
    }
    assert_eq!(exhaust(&[&a, &b], &secret).await, 5);
    a.ctx.clock.advance(Duration::hours(2));
    assert_eq!(exhaust(&[&a], &secret).await, 10);
    assert_eq!(exhaust(&[&b], &secret).await, 0, "a clock that is behind refills nothing twice");
    b.stop().await;
    a.ctx.clock.advance(Duration::hours(40));
    assert_eq!(exhaust(&[&a], &secret).await, 20, "never more than all");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_killed_node_takes_no_more_with_it_than_it_held(db: PgPool) {
    let secret = secret(&db, 400).await;
    sqlx::query("update key_limits set kind = 'credits', window_seconds = 0 where max_calls = 400").execute(&db).await.unwrap();
    let (folder, url) = (Folder::new(), process::url(&db));
    let mut node = process::start(&url, &folder, &[]).await;
    let before = hammer(&node, &secret, 50).await;
    assert_eq!(before, 50);
    node.process.kill().await.unwrap();
    node = process::start(&url, &folder, &[]).await;
    let passed = before + hammer(&node, &secret, usize::MAX).await;
    assert!((200..=400).contains(&passed), "a block is a quarter of what is left at most, and half of one may be left: {passed}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn another_number_keeps_what_was_used(db: PgPool) {
    let scene = scene(db, 10, "credits").await;
    assert!(call(&scene.app, &scene.secret, 6).await);
    limit(&scene.app, scene.key, 20, "credits").await;
    let state = scene.app.ctx.part::<Gate>().unwrap().limit_state(scene.key, scene.app.ctx.clock.now_micros()).remove(0);
    assert_eq!((state.limit, state.remaining), (20, 14));
    assert_eq!(exhaust(&[&scene.app], &scene.secret).await, 14);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn under_another_interval_they_come_back_from_then_on(db: PgPool) {
    let scene = scene(db, 20, "credits:1/day").await;
    let of = [&scene.app];
    assert_eq!(exhaust(&of, &scene.secret).await, 20, "so that nothing is held: that would be lost with the interval");
    // At noon: of the day twelve hours are gone.
    for kind in ["credits:1/hour", "credits:1/day", "credits:1/hour"] {
        limit(&scene.app, scene.key, 20, kind).await;
        assert_eq!(exhaust(&of, &scene.secret).await, 0, "{kind}");
    }
    scene.app.ctx.clock.advance(Duration::hours(1));
    assert_eq!(exhaust(&of, &scene.secret).await, 1);
    scene.app.ctx.clock.advance(Duration::hours(5));
    limit(&scene.app, scene.key, 20, "credits:1/minute").await;
    assert_eq!(exhaust(&of, &scene.secret).await, 20, "what had come back by the old one and was not looked at");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_keys_of_a_workspace_draw_from_one_bucket(db: PgPool) {
    let scene = Scene::with(db.clone(), Given::default()).await;
    let ctx = &scene.app.ctx;
    let limits = vec![KeyLimit::new("calls", 4, "credits".parse().unwrap())];
    tollgate::plans::server::set_workspace_limits(ctx, &Caller::cli(), scene.owner.workspace, limits).await.unwrap();
    let keys = [key(&db, &scene.app, &scene.owner, Given::default()).await, key(&db, &scene.app, &scene.owner, Given::default()).await];
    for (id, secret) in &keys {
        known(&scene.app, *id).await;
        assert!(call(&scene.app, secret, 2).await);
    }
    assert!(!call(&scene.app, &keys[0].1, 1).await);
    let done = add_credits(ctx, &Caller::cli(), keys[0].0, units(3, "for all")).await.unwrap();
    assert!(done.is_shared && done.left == 3);
    assert!(call(&scene.app, &keys[1].1, 2).await && call(&scene.app, &keys[0].1, 1).await && !call(&scene.app, &keys[1].1, 1).await);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn they_are_set_and_added_over_rest_by_operators(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let olga = person(&app, &db, "olga@example.com", "operator").await;
    let (id, _) = mara.new_key(&app, "credits").await;
    let path = format!("/api/v1/keys/{id}");
    let set = async |window: &str, over: &str| {
        let limits = json!({ "limits": [{ "name": "pack", "limit": 5, "window": window, "over": { "action": over } }] });
        json(olga.call(&app, Method::PATCH, &path, Some(limits)).await).await
    };
    for window in ["credits:", "credits:5", "credits:0/60", "credits:5/0", "credits:5/month", "credits:5/2678401"] {
        let (status, body) = set(window, "refuse").await;
        assert!((400..=422).contains(&status), "{window} {status} {body}");
    }
    let (status, body) = set("credits", "mark").await;
    assert_eq!((status, &body["limits"][0]["over"]), (200, &json!({ "action": "mark" })), "{body}");
    let (status, body) = set("credits", "throttle").await;
    assert_eq!((status, &body["errors"][0]["pointer"]), (422, &json!("#/limits/0/over/per_second")), "it needs its number: {body}");
    assert_eq!(set("credits:5/hour", "refuse").await.1["limits"][0]["window"], "credits:5/3600");
    assert_eq!(set("credits", "refuse").await.1["limits"][0]["window"], "credits");

    let add = json!({ "units": 7, "reason": "invoice 1" });
    let path = format!("/api/v1/keys/{id}/limits/pack/credits");
    assert_eq!(mara.post(&app, &path, add.clone()).await.status(), 403);
    let (status, body) = json(olga.post(&app, &path, add.clone()).await).await;
    assert_eq!((status, &body), (200, &json!({ "limit": "pack", "units": 7, "left": 12, "is_shared": false })));
    for (path, body) in [
        (format!("/api/v1/keys/{id}/limits/other/credits"), add),
        (path.clone(), json!({ "units": 0 })),
        (path, json!({ "units": 1, "reason": "x".repeat(201) })),
    ] {
        assert_eq!(olga.post(&app, &path, body).await.status(), 422, "{path}");
    }
    let (_, history) = json(mara.get(&app, &format!("/api/v1/keys/{id}/history")).await).await;
    assert_eq!((&history["data"][0]["act"], &history["data"][0]["reason"]), (&json!("credited"), &json!("invoice 1")));
}
