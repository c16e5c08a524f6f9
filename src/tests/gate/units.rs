//! What a limit counts: calls or cost units, beside each other, through restarts, changes and several nodes.

use super::{
    Scene,
    leases::{call, exhaust, secret},
};
use crate::{
    keys::{json, person},
    support::{TestApp, until},
};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;
use tollgate::{
    accounts::Caller,
    keys::{
        model::{KeyEdit, KeyLimit, LimitUnit, TryCall, Window},
        server::{edit_key, gate::Gate, try_call},
    },
    plans::server::set_workspace_limits,
    values::KeyId,
};

fn calls(name: &str, limit: u64, window: &str) -> KeyLimit {
    KeyLimit { unit: LimitUnit::Calls, ..units(name, limit, window) }
}

fn units(name: &str, limit: u64, window: &str) -> KeyLimit {
    KeyLimit::new(name, limit, window.parse::<Window>().unwrap())
}

async fn set(app: &TestApp, key: KeyId, limits: Vec<KeyLimit>) {
    edit_key(&app.ctx, &Caller::cli(), key, KeyEdit { limits: Some(limits), ..KeyEdit::default() }).await.unwrap();
}

/// A scene whose key has these limits.
async fn scene(db: PgPool, limits: Vec<KeyLimit>) -> Scene {
    let scene = Scene::new(db).await;
    set(&scene.app, scene.key, limits).await;
    scene
}

async fn ask(scene: &Scene, route: &str, cost: u32) -> Value {
    scene.ask(json!({ "key": scene.secret, "api": "demo", "route": route, "cost": cost })).await.1
}

/// What is used of each limit, by name.
fn used(app: &TestApp, key: KeyId) -> Vec<u64> {
    app.ctx.part::<Gate>().unwrap().limit_state(key, app.ctx.clock.now_micros()).iter().map(|limit| limit.used).collect()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn exactly_so_many_calls_pass_whatever_they_cost(db: PgPool) {
    let scene = scene(db, vec![calls("calls", 40, "hour"), units("units", 1_000, "hour")]).await;
    let answers = futures_util::future::join_all((0..120).map(|_| ask(&scene, "GET /orders", 3))).await;
    let (passed, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|body| body["valid"] == true);
    assert_eq!((passed.len(), refused.len()), (40, 80));
    assert!(refused.iter().all(|body| body["code"] == "RATE_LIMITED" && body["violated"] == json!(["calls"])), "{refused:?}");
    assert_eq!(used(&scene.app, scene.key), [40, 120], "forty calls of three units");
    assert_eq!(ask(&scene, "GET /orders", 0).await["valid"], true, "asking takes nothing of either");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_call_that_one_of_them_refuses_takes_nothing_of_the_other(db: PgPool) {
    let scene = scene(db, vec![calls("calls", 4, "hour"), units("units", 9, "hour")]).await;
    let told = async |cost: u32| {
        let body = ask(&scene, "GET /orders", cost).await;
        (body["code"].as_str().unwrap().to_owned(), body["violated"].clone(), used(&scene.app, scene.key))
    };
    let passes = |used: [u64; 2]| ("VALID".to_owned(), Value::Null, used.to_vec());
    let refused = |by: &[&str], used: [u64; 2]| ("RATE_LIMITED".to_owned(), json!(by), used.to_vec());
    assert_eq!(told(5).await, passes([1, 5]));
    assert_eq!(told(5).await, refused(&["units"], [1, 5]));
    assert_eq!(told(1).await, passes([2, 6]));
    assert_eq!(told(1).await, passes([3, 7]));
    assert_eq!(told(1).await, passes([4, 8]));
    assert_eq!(told(1).await, refused(&["calls"], [4, 8]));
    assert_eq!(told(2).await, refused(&["calls", "units"], [4, 8]), "both are named");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_restart_and_a_change_of_the_unit_know_what_was_used_in_each(db: PgPool) {
    let of_each = ["hour", "rolling:hour", "rolling:day", "day@Europe/Stockholm", "day", "600"];
    let limits: Vec<KeyLimit> = of_each.into_iter().enumerate().map(|(n, window)| calls(&format!("c{n}"), 50, window)).collect();
    let scene = scene(db, [limits.clone(), vec![units("units", 100, "hour")]].concat()).await;
    for (route, cost) in [("GET /a", 5), ("POST /a", 3), ("GET /b", 1), ("GET /b", 0), ("GET /b", 0)] {
        assert_eq!(ask(&scene, route, cost).await["valid"], true);
    }
    let (key, expected) = (scene.key, [3, 3, 3, 3, 3, 3, 9]);
    assert_eq!(used(&scene.app, key), expected);
    let app = scene.app.restart().await;
    assert_eq!(used(&app, key), expected, "what only asked is neither");

    let changed = [vec![units("c0", 50, "hour")], limits[1..].to_vec(), vec![calls("units", 100, "hour")]].concat();
    set(&app, key, changed).await;
    until("each begins from what was counted in its unit", || async { used(&app, key) == [9, 3, 3, 3, 3, 3, 3] }).await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn keys_of_a_workspace_share_a_limit_of_calls(db: PgPool) {
    let scene = Scene::new(db).await;
    let both = vec![calls("calls", 3, "day"), units("units", 100, "day")];
    set_workspace_limits(&scene.app.ctx, &Caller::cli(), scene.owner.workspace, both).await.unwrap();
    until("the workspace holds the key", || async { used(&scene.app, scene.key).len() == 2 }).await;
    for n in 1..=3 {
        assert_eq!(ask(&scene, "GET /orders", 7).await["valid"], true);
        assert_eq!(used(&scene.app, scene.key), [n, 7 * n]);
    }
    assert_eq!(ask(&scene, "GET /orders", 7).await["violated"], json!(["calls"]));
    let app = scene.app.restart().await;
    assert_eq!(used(&app, scene.key), [3, 21]);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn nodes_lease_calls_where_calls_are_counted(db: PgPool) {
    let secret = secret(&db, 20).await;
    sqlx::query("update key_limits set unit = 'calls' where max_calls = 20").execute(&db).await.unwrap();
    let a = TestApp::start(db.clone()).await;
    for _ in 0..7 {
        assert!(call(&a, &secret, 30).await);
    }
    let b = TestApp::start(db.clone()).await;
    assert!(call(&b, &secret, 50).await);
    assert_eq!(exhaust(&[&a, &b], &secret).await, 12);
    let granted: Vec<(String, i64)> = sqlx::query_as("select name, granted from limit_leases").fetch_all(&db).await.unwrap();
    assert_eq!(granted, [("default#".to_owned(), 20)], "apart from what units would be leased by");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_unit_is_set_over_rest_and_told(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "operator").await;
    let (id, secret) = mara.new_key(&app, "counted").await;
    let path = format!("/api/v1/keys/{id}");
    let set = async |limit: Value| json(mara.call(&app, Method::PATCH, &path, Some(json!({ "limits": [limit] }))).await).await;
    for wrong in
        [json!({ "name": "a", "limit": 5, "window": "credits", "unit": "calls" }), json!({ "name": "a", "limit": 5, "window": "concurrent", "unit": "calls" })]
    {
        let (status, problem) = set(wrong.clone()).await;
        assert_eq!((status, problem["errors"][0]["pointer"].as_str()), (422, Some("#/limits/0/unit")), "{wrong} → {problem}");
    }
    assert_eq!(set(json!({ "name": "a", "limit": 5, "window": 60, "unit": "bytes" })).await.0, 422);
    let (status, body) = set(json!({ "name": "a", "limit": 5, "window": "hour", "unit": "units" })).await;
    assert_eq!((status, body["limits"][0].get("unit")), (200, None), "left out where it is the usual one: {body}");
    let (status, body) = set(json!({ "name": "a", "limit": 5, "window": "hour", "unit": "calls" })).await;
    assert_eq!((status, &body["limits"][0]["unit"]), (200, &json!("calls")), "{body}");

    let answer = app.http.get(app.url("/forward-auth/demo")).bearer_auth(&secret).send().await.unwrap();
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!((header("ratelimit-policy"), header("ratelimit")), (r#""a";q=5;w=3600;qu="requests""#.to_owned(), r#""a";r=4;t=3600"#.to_owned()));
    let trial = TryCall { method: "GET".into(), path: "/orders".into(), cost: Some(70), ..TryCall::default() };
    let trial = try_call(&app.ctx, &Caller::cli(), id.parse().unwrap(), trial).await.unwrap();
    assert_eq!(trial.steps.last().map(|step| step.detail.as_str()), Some("a: 4 of 5 calls left, the call is one, whatever it costs."));
}
