//! A call that costs more than a limit allows at all is told so, and no time: it would wait for nothing. And whose limit it was, of others.

use super::Scene;
use crate::{
    keys::{json, person},
    support::TestApp,
};
use serde_json::{Value, json};
use sqlx::PgPool;
use tollgate::{
    accounts::Caller,
    keys::{
        model::{KeyEdit, KeyLimit, TryCall},
        server::{edit_key, try_call},
    },
    plans::server::set_workspace_limits,
    values::KeyId,
};

fn limit(max: u64, kind: &str) -> KeyLimit {
    KeyLimit::new("l", max, kind.parse().unwrap())
}

async fn set(app: &TestApp, key: KeyId, limits: Vec<KeyLimit>) {
    edit_key(&app.ctx, &Caller::cli(), key, KeyEdit { limits: Some(limits), ..KeyEdit::default() }).await.unwrap();
}

/// At `/forward-auth`: its status, `Retry-After` and the problem.
async fn proxied(scene: &Scene, query: &str) -> (u16, Option<String>, Value) {
    let answer = scene.app.http.get(scene.app.url(&format!("/forward-auth/demo{query}"))).bearer_auth(&scene.secret).send().await.unwrap();
    let wait = answer.headers().get("retry-after").map(|seconds| seconds.to_str().unwrap().to_owned());
    (answer.status().as_u16(), wait, answer.json().await.unwrap_or_default())
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_call_that_never_fits_is_told_so_and_no_time(db: PgPool) {
    let scene = Scene::new(db).await;
    for (max, cost, kind, code) in [
        (5, 9, "hour", "RATE_LIMITED"),
        (5, 9, "month", "QUOTA_EXCEEDED"),
        (5, 9, "rolling:hour", "RATE_LIMITED"),
        (5, 9, "credits:2/hour", "RATE_LIMITED"),
        (5, 9, "credits", "QUOTA_EXCEEDED"),
        (0, 1, "hour", "RATE_LIMITED"),
        (0, 1, "rolling:hour", "RATE_LIMITED"),
        (0, 1, "concurrent:30", "RATE_LIMITED"),
    ] {
        let case = format!("{max}, {kind}");
        set(&scene.app, scene.key, vec![limit(max, kind)]).await;
        let words = format!("This call costs {cost}, more than the limit l allows ({max}). Waiting does not help: ask an operator for more.");
        let (_, body) = scene.ask(json!({ "key": scene.secret, "api": "demo", "cost": cost })).await;
        assert_eq!((&body["code"], &body["detail"], &body["violated"], body.get("retry_after")), (&json!(code), &json!(words), &json!(["l"]), None), "{case}");
        let (status, wait, problem) = proxied(&scene, &format!("?cost={cost}")).await;
        assert_eq!((status, wait, &problem["detail"], &problem["violated-policies"]), (429, None, &json!(words), &json!(["l"])), "{case}");
        let nginx = scene.app.http.get(scene.app.url(&format!("/forward-auth/demo/nginx?cost={cost}"))).bearer_auth(&scene.secret).send().await.unwrap();
        assert_eq!((nginx.status().as_u16(), nginx.headers().contains_key("retry-after")), (403, false), "{case}");
        assert_eq!(nginx.headers()["x-auth-detail"], words, "{case}");
        let call = TryCall { method: "GET".into(), path: "/orders".into(), cost: Some(cost), ..TryCall::default() };
        let tried = try_call(&scene.app.ctx, &Caller::cli(), scene.key, call).await.unwrap();
        let said = &tried.steps.last().unwrap().detail;
        assert!(
            said.ends_with(if kind == "concurrent:30" { "It lets no call pass." } else { "It never fits: the limit is too small for it." }),
            "{case}: {said}"
        );
    }
    // Beside one that would have room again, too.
    set(&scene.app, scene.key, vec![limit(5, "hour"), KeyLimit::new("month", 20, "month".parse().unwrap())]).await;
    assert_eq!(proxied(&scene, "?cost=5").await.0, 200);
    assert_eq!(proxied(&scene, "?cost=6").await.1, None);
    assert_eq!(proxied(&scene, "?cost=5").await.1.as_deref(), Some("3600"), "a smaller one only waits");
    // What slows down lets it pass.
    set(&scene.app, scene.key, vec![KeyLimit { over: "throttle:1".parse().unwrap(), ..limit(0, "day") }]).await;
    assert_eq!(proxied(&scene, "?cost=9").await.0, 200);
    assert_eq!(proxied(&scene, "?cost=9").await.1.as_deref(), Some("1"));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn tollgates_own_api_says_so_as_well(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    set(&app, mara.rest_key, vec![limit(0, "hour")]).await;
    let answer = mara.get(&app, "/api/v1/keys").await;
    assert_eq!((answer.status().as_u16(), answer.headers().contains_key("retry-after")), (429, false));
    let (_, problem) = json(answer).await;
    assert_eq!(problem["detail"], "This call costs 1, more than the limit l allows (0). Waiting does not help: ask an operator for more.");
    assert_eq!(problem["violated-policies"], json!(["l"]));
    assert!(problem["type"].as_str().unwrap().ends_with("#quota-exceeded"), "{problem}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_client_reads_whose_limit_it_was_and_what_helps(db: PgPool) {
    let scene = Scene::new(db).await;
    let says = async || {
        let (status, _, problem) = proxied(&scene, "").await;
        assert_eq!(status, 429, "{problem}");
        problem["detail"].as_str().unwrap().to_owned()
    };
    let (ctx, cli) = (&scene.app.ctx, Caller::cli());
    set_workspace_limits(ctx, &cli, scene.owner.workspace, vec![limit(1, "day")]).await.unwrap();
    assert_eq!(proxied(&scene, "").await.0, 200);
    assert_eq!(says().await, "The keys of this workspace together have used up their quota. Wait until it renews, or ask an operator for more.");
    set_workspace_limits(ctx, &cli, scene.owner.workspace, vec![limit(1, "credits")]).await.unwrap();
    assert_eq!(proxied(&scene, "").await.0, 200);
    assert_eq!(says().await, "The keys of this workspace together have used up their prepaid credits. Ask an operator for more.");
    set(&scene.app, scene.key, vec![KeyLimit::new("own", 1, "credits".parse().unwrap())]).await;
    assert_eq!(proxied(&scene, "").await.0, 200);
    assert_eq!(says().await, "This key has used up its prepaid credits. Ask an operator for more.");
    set(&scene.app, scene.key, vec![KeyLimit::new("hour", 1, "hour".parse().unwrap())]).await;
    scene.app.ctx.clock.advance(time::Duration::HOUR);
    assert_eq!(proxied(&scene, "").await.0, 200);
    assert_eq!(says().await, "This key has used up its limit. Wait until it resets.");
}
