//! What a limit does with calls beyond it: refuse, slow down, or let pass and mark.

use super::{
    Scene,
    leases::{exhaust, secret},
};
use crate::support::TestApp;
use serde_json::{Value, json};
use sqlx::PgPool;
use tollgate::{
    accounts::Caller,
    keys::{
        model::{KeyEdit, KeyLimit, Over, OverAction, Window},
        server::{edit_key, gate::Gate},
    },
};

/// A scene whose key has these limits.
async fn scene(db: PgPool, limits: &[(&str, u64, Window, &str)]) -> Scene {
    let scene = Scene::new(db).await;
    let limit = |(name, limit, window, over): &(&str, u64, Window, &str)| KeyLimit { over: over.parse().unwrap(), ..KeyLimit::new(*name, *limit, *window) };
    let edit = KeyEdit { limits: Some(limits.iter().map(limit).collect()), ..KeyEdit::default() };
    edit_key(&scene.app.ctx, &Caller::cli(), scene.key, edit).await.unwrap();
    scene
}

/// The answer to one call.
async fn ask(scene: &Scene, cost: u32) -> Value {
    scene.ask(json!({ "key": scene.secret, "api": "demo", "cost": cost })).await.1
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn beyond_a_throttle_so_many_pass_in_each_second(db: PgPool) {
    let scene = scene(db, &[("day", 2, Window::DAY, "throttle:3")]).await;
    for _ in 0..2 {
        let body = ask(&scene, 1).await;
        assert_eq!((&body["code"], body.get("over")), (&json!("VALID"), None), "within the limit");
    }
    for second in 0..3 {
        let answers = futures_util::future::join_all((0..20).map(|_| ask(&scene, 5))).await;
        let (passed, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|body| body["valid"] == true);
        assert_eq!((passed.len(), refused.len()), (3, 17), "in second {second}: calls count, whatever they cost");
        assert!(passed.iter().all(|body| body["over"] == json!(["day"]) && body["limits"][0]["remaining"] == 0));
        assert!(
            refused
                .iter()
                .all(|body| body["code"] == "RATE_LIMITED" && body["violated"] == json!(["day"]) && body["retry_after"] == 1 && body.get("over").is_none()),
            "{refused:?}"
        );
        assert!(passed.iter().chain(&refused).all(|body| body["limits"][0]["reset_after"] == 1), "as `t` says: {refused:?}");
        scene.app.ctx.clock.advance(time::Duration::SECOND);
    }
    assert_eq!(ask(&scene, 0).await["valid"], true, "asking costs nothing");
    let gate = scene.app.ctx.part::<Gate>().unwrap();
    let state = gate.limit_state(scene.key, scene.app.ctx.clock.now_micros()).remove(0);
    assert_eq!((state.used, state.remaining), (2 + 3 * 3 * 5, 0), "what passed beyond is told");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_mark_lets_pass_until_it_ends(db: PgPool) {
    let scene = scene(db.clone(), &[("day", 1, Window::DAY, "mark"), ("burst", 100, Window::MINUTE, "refuse")]).await;
    assert_eq!(ask(&scene, 1).await.get("over"), None);
    assert_eq!(ask(&scene, 1).await["over"], json!(["day"]));
    let proxied = async || scene.app.http.get(scene.app.url("/forward-auth/demo")).bearer_auth(&scene.secret).send().await.unwrap();
    let answer = proxied().await;
    assert_eq!((answer.status().as_u16(), answer.headers()["x-over-limit"].to_str().unwrap()), (200, "\"day\""));

    // With an end: from then on it refuses, until the window begins anew.
    let end = scene.app.ctx.clock.now() + time::Duration::MINUTE;
    let limits = vec![KeyLimit { over: Over { until: Some(end), ..Over::MARK }, ..KeyLimit::new("day", 1, Window::DAY) }];
    edit_key(&scene.app.ctx, &Caller::cli(), scene.key, KeyEdit { limits: Some(limits), ..KeyEdit::default() }).await.unwrap();
    assert_eq!(ask(&scene, 1).await["over"], json!(["day"]));
    scene.app.ctx.clock.advance(time::Duration::MINUTE);
    let body = ask(&scene, 1).await;
    assert_eq!((&body["code"], &body["violated"], body.get("over")), (&json!("QUOTA_EXCEEDED"), &json!(["day"]), None));
    assert!(body["retry_after"].as_u64().unwrap() > 3_600, "when the day ends");
    let answer = proxied().await;
    assert_eq!((answer.status().as_u16(), answer.headers().get("x-over-limit")), (429, None));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn one_limit_that_refuses_decides_and_no_other_is_charged(db: PgPool) {
    let scene = scene(db, &[("a", 1, Window::DAY, "mark"), ("b", 1, Window::HOUR, "throttle:1"), ("c", 3, Window::MINUTE, "refuse")]).await;
    let over: Vec<Value> = [ask(&scene, 1).await, ask(&scene, 1).await].into_iter().map(|body| body["over"].clone()).collect();
    assert_eq!(over, [Value::Null, json!(["a", "b"])]);
    let slowed = scene.app.http.get(scene.app.url("/forward-auth/demo")).bearer_auth(&scene.secret).send().await.unwrap();
    assert_eq!((slowed.status().as_u16(), slowed.headers()["retry-after"].to_str().unwrap()), (429, "1"));
    assert!(slowed.headers()["ratelimit"].to_str().unwrap().contains("\"b\";r=0;t=1"));
    let problem: Value = slowed.json().await.unwrap();
    assert_eq!(problem["violated-policies"], json!(["b"]));
    assert!(problem["detail"].as_str().unwrap().ends_with("Try again in a second."), "not when the hour is over: {problem}");
    scene.app.ctx.clock.advance(time::Duration::SECOND);
    assert_eq!(ask(&scene, 1).await["over"], json!(["a", "b"]));
    scene.app.ctx.clock.advance(time::Duration::SECOND);
    let body = ask(&scene, 1).await;
    assert_eq!((&body["code"], body["retry_after"].as_u64()), (&json!("RATE_LIMITED"), Some(58)), "the third refuses");
    let gate = scene.app.ctx.part::<Gate>().unwrap();
    let used: Vec<u64> = gate.limit_state(scene.key, scene.app.ctx.clock.now_micros()).iter().map(|l| l.used).collect();
    assert_eq!(used, [3, 3, 3]);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_restart_knows_what_passed_beyond(db: PgPool) {
    let scene = scene(db.clone(), &[("day", 2, Window::DAY, "mark")]).await;
    for _ in 0..5 {
        assert_eq!(ask(&scene, 1).await["valid"], true);
    }
    let key = scene.key;
    scene.app.stop().await;
    let app = TestApp::start(db).await;
    let state = app.ctx.part::<Gate>().unwrap().limit_state(key, app.ctx.clock.now_micros()).remove(0);
    assert_eq!((state.used, state.remaining, state.over), (5, 0, OverAction::Mark));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_throttle_is_exact_on_two_nodes(db: PgPool) {
    let secret = secret(&db, 10).await;
    sqlx::query("update key_limits set over = 'throttle:4' where max_calls = 10").execute(&db).await.unwrap();
    let nodes = [TestApp::start(db.clone()).await, TestApp::start(db.clone()).await];
    let both = [&nodes[0], &nodes[1]];
    // Their clocks stand still, so all of it happens in one second.
    assert_eq!(exhaust(&both, &secret).await, 14, "ten, and four in this second");
    for app in both {
        app.ctx.clock.advance(time::Duration::SECOND);
    }
    assert_eq!(exhaust(&both, &secret).await, 4, "the next second");
}
