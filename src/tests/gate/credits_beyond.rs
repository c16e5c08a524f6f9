//! What passes where credits are used up: marked or slowed down, it takes nothing of the bucket, on one node, on two, and over a restart.

use super::{
    Given, Scene,
    leases::{secret, until_none_takes},
};
use crate::support::TestApp;
use serde_json::{Value, json};
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::Caller,
    keys::{
        model::{KeyEdit, KeyLimit, Over, OverAction},
        server::{
            NewCredits, add_credits, edit_key,
            gate::{Gate, LimitState, Question},
        },
    },
    values::{KeyId, Outcome},
};

async fn limit(app: &TestApp, key: KeyId, limit: u64, kind: &str, over: Over) {
    let limits = vec![KeyLimit { over, ..KeyLimit::new("calls", limit, kind.parse().unwrap()) }];
    edit_key(&app.ctx, &Caller::cli(), key, KeyEdit { limits: Some(limits), ..KeyEdit::default() }).await.unwrap();
}

async fn scene(db: PgPool, credits: u64, kind: &str, over: Over) -> Scene {
    let scene = Scene::with(db, Given::default()).await;
    limit(&scene.app, scene.key, credits, kind, over).await;
    scene
}

/// The answer to one call.
async fn ask(scene: &Scene, cost: u32) -> Value {
    scene.ask(json!({ "key": scene.secret, "api": "demo", "cost": cost })).await.1
}

/// Whether a call passed beyond the limit, and what is left.
async fn passed(scene: &Scene, cost: u32) -> (bool, u64) {
    let body = ask(scene, cost).await;
    assert_eq!(body["valid"], true, "{body}");
    let is_beyond = body.get("over").is_some();
    assert!(!is_beyond || body["over"] == json!(["calls"]), "{body}");
    (is_beyond, body["limits"][0]["remaining"].as_u64().unwrap())
}

fn state(app: &TestApp, key: KeyId) -> LimitState {
    app.ctx.part::<Gate>().unwrap().limit_state(key, app.ctx.clock.now_micros()).remove(0)
}

/// What the table says that is given out of the only bucket.
async fn given_out(db: &PgPool) -> i64 {
    sqlx::query_scalar("select used from credit_buckets").fetch_one(db).await.unwrap()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn marked_calls_take_nothing_and_some_come_back_as_always(db: PgPool) {
    let scene = scene(db, 3, "credits:1/hour", Over::MARK).await;
    assert_eq!(passed(&scene, 2).await, (false, 1));
    assert_eq!(passed(&scene, 2).await, (true, 1), "one that costs more than is left");
    assert_eq!(passed(&scene, 1).await, (false, 0), "and a cheaper one takes that");
    for _ in 0..5 {
        assert_eq!(passed(&scene, 1).await, (true, 0));
    }
    let proxied = scene.app.http.get(scene.app.url("/forward-auth/demo")).bearer_auth(&scene.secret).send().await.unwrap();
    let header = |name: &str| proxied.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(proxied.status(), 200);
    assert_eq!([header("x-over-limit"), header("ratelimit")], [r#""calls""#, r#""calls";r=0;t=3600"#]);
    assert_eq!((state(&scene.app, scene.key).used, state(&scene.app, scene.key).remaining), (3 + 2 + 6, 0), "marked ones are told");

    scene.app.ctx.clock.advance(Duration::HOUR);
    assert_eq!((state(&scene.app, scene.key).used, state(&scene.app, scene.key).remaining), (2, 1), "since then nothing passed without any");
    assert_eq!(passed(&scene, 1).await, (false, 0), "the eight that were marked are not owed");
    assert_eq!(passed(&scene, 1).await, (true, 0));
    assert_eq!(state(&scene.app, scene.key).used, 4);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_restart_finds_the_bucket_empty_and_not_below(db: PgPool) {
    let scene = scene(db.clone(), 3, "credits", Over::MARK).await;
    for n in 0..10 {
        assert_eq!(passed(&scene, 1).await.0, n >= 3, "call {n}");
    }
    let Scene { app, owner, service, key, secret } = scene;
    let scene = Scene { app: app.restart().await, owner, service, key, secret };
    assert_eq!(given_out(&db).await, 3);
    let at = state(&scene.app, key);
    assert_eq!((at.used, at.remaining, at.over), (3, 0, OverAction::Mark));
    assert_eq!(passed(&scene, 1).await, (true, 0));

    let more = NewCredits { limit: "calls".to_owned(), units: 2, once: None, ..NewCredits::default() };
    let done = add_credits(&scene.app.ctx, &Caller::cli(), key, more).await.unwrap();
    assert_eq!((done.left, state(&scene.app, key).used), (2, 1), "all that is added may be used");
    assert_eq!([passed(&scene, 1).await, passed(&scene, 1).await, passed(&scene, 1).await], [(false, 1), (false, 0), (true, 0)]);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_mark_with_an_end_refuses_from_then_on(db: PgPool) {
    let scene = Scene::with(db, Given::default()).await;
    let until = Some(scene.app.ctx.clock.now() + Duration::MINUTE);
    limit(&scene.app, scene.key, 1, "credits:1/hour", Over { until, ..Over::MARK }).await;
    assert_eq!([passed(&scene, 1).await.0, passed(&scene, 1).await.0], [false, true]);
    scene.app.ctx.clock.advance(Duration::MINUTE);
    let body = ask(&scene, 1).await;
    assert_eq!((&body["code"], &body["violated"], &body["retry_after"]), (&json!("RATE_LIMITED"), &json!(["calls"]), &json!(3_540)));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn beyond_prepaid_ones_so_many_pass_in_each_second(db: PgPool) {
    let scene = scene(db.clone(), 2, "credits", Over::throttle(3).unwrap()).await;
    assert_eq!([passed(&scene, 1).await, passed(&scene, 1).await], [(false, 1), (false, 0)]);
    for second in 0..2 {
        let answers = futures_util::future::join_all((0..20).map(|_| ask(&scene, 5))).await;
        let (passed, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|body| body["valid"] == true);
        assert_eq!((passed.len(), refused.len()), (3, 17), "in second {second}");
        assert!(passed.iter().all(|body| body["over"] == json!(["calls"])), "{passed:?}");
        let is_slowed = |body: &Value| body["code"] == "RATE_LIMITED" && body["violated"] == json!(["calls"]) && body["retry_after"] == 1;
        assert!(refused.iter().all(is_slowed), "{refused:?}");
        scene.app.ctx.clock.advance(Duration::SECOND);
    }
    scene.app.stop().await;
    assert_eq!(given_out(&db).await, 2);
}

/// Calls these in turn until each marks every call; how many were not marked. All pass.
async fn charged(nodes: &[&TestApp], secret: &str) -> u32 {
    let is_charged = async |app: &TestApp| {
        let gate = app.ctx.part::<Gate>().unwrap();
        let answer = loop {
            if let Ok(answer) = gate.ask(Question { secret, route: "GET /orders", cost: Some(1), ..Question::default() }).await {
                break answer;
            }
        };
        assert_eq!(answer.outcome, Outcome::Valid);
        answer.over().next().is_none()
    };
    until_none_takes(nodes, is_charged).await
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn two_nodes_charge_exactly_what_there_is_before_they_mark(db: PgPool) {
    let secret = secret(&db, 20).await;
    sqlx::query("update key_limits set kind = 'credits', window_seconds = 3600, refill = 5, over = 'mark' where max_calls = 20").execute(&db).await.unwrap();
    let nodes = [TestApp::start(db.clone()).await, TestApp::start(db.clone()).await];
    let both = [&nodes[0], &nodes[1]];
    assert_eq!(charged(&both, &secret).await, 20);
    assert_eq!(given_out(&db).await, 20, "not one more");
    for app in both {
        app.ctx.clock.advance(Duration::HOUR);
    }
    assert_eq!(charged(&both, &secret).await, 5, "what came back");
    assert_eq!(given_out(&db).await, 20);
}
