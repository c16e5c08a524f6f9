//! Plans over REST.

use super::held;
use crate::{
    keys::{json as answer, person_with, text},
    support::TestApp,
};
use reqwest::Method;
use serde_json::json;
use sqlx::PgPool;

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_operator_makes_assigns_and_deletes_a_plan(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let ops = person_with(&app, &db, "ops@example.com", "operator", &["keys:read", "keys:write", "keys:manage", "plans:manage"]).await;
    let (id, secret) = ops.new_key(&app, "shop").await;
    let pro = json!({
        "slug": "pro", "name": "Pro", "price": { "per_1000": "0.5", "currency": "EUR" }, "entitlements": ["Support"],
        "limits": [{ "name": "day", "limit": 10000, "window": "day" }, { "name": "month", "limit": 200000, "window": "month" }],
    });
    let made = ops.post(&app, "/api/v1/plans", pro).await;
    assert_eq!(made.headers()["location"], "/api/v1/plans/pro");
    let (status, body) = answer(made).await;
    assert_eq!(
        (status, &body["price"]["per_1000"], &body["limits"][0]["window"], &body["limits"][1]["window"]),
        (201, &json!("0.50"), &json!(86_400), &json!("month"))
    );

    let patch = async |path: &str, body| answer(ops.call(&app, Method::PATCH, path, Some(body)).await).await;
    let of_key = format!("/api/v1/keys/{id}");
    let (status, key) = patch(&of_key, json!({ "plan": "pro" })).await;
    assert_eq!((status, &key["plan"], &key["limits"]), (200, &json!("pro"), &json!([])));
    assert_eq!(held(&app.ctx, id.parse().unwrap())[0], ("day".to_owned(), 10_000));
    let passed = app.http.get(app.url("/forward-auth/demo")).bearer_auth(&secret).send().await.unwrap();
    assert_eq!(passed.headers()["x-key-plan"], "pro");
    assert_eq!(passed.headers()["x-key-entitlements"], "Support");
    let (status, _) = patch("/api/v1/plans/pro", json!({ "entitlements": ["seats=5", "Answers within a day", "exports"] })).await;
    let passed = app.http.get(app.url("/forward-auth/demo")).bearer_auth(&secret).send().await.unwrap();
    assert_eq!((status, passed.headers()["x-key-entitlements"].to_str().unwrap()), (200, "seats=5, exports"), "at once, without what is for people to read");
    let (status, wrong) = patch(&of_key, json!({ "plan": "gold" })).await;
    assert_eq!((status, &wrong["errors"][0]["pointer"]), (422, &json!("#/plan")));

    let (_, changed) = patch("/api/v1/plans/pro", json!({ "price": null, "description": "For shops" })).await;
    assert_eq!((&changed["price"], &changed["name"], &changed["keys"]), (&json!(null), &json!("Pro"), &json!(1)));
    assert_eq!((&changed["spread"]["nodes"], &changed["spread"]["confirmed"]), (&json!(1), &json!(1)), "{changed}");
    let (status, wrong) = patch("/api/v1/plans/pro", json!({ "limits": [{ "limit": 1, "window": "fortnight" }] })).await;
    assert_eq!((status, &wrong["errors"][0]["pointer"]), (422, &json!("#/limits/0/window")));
    let deleted = ops.call(&app, Method::DELETE, "/api/v1/plans/pro", None).await;
    assert_eq!(deleted.status(), 409, "a key has it");

    let workspace = format!("/api/v1/workspaces/{}/plan", ops.owner.workspace);
    let (status, hold) = answer(ops.call(&app, Method::PUT, &workspace, Some(json!({ "plan": "pro" }))).await).await;
    assert_eq!((status, text(&hold, "plan"), text(&hold, "name")), (200, "pro".to_owned(), "Mara".to_owned()));
    assert_eq!(hold["spread"]["missing"], json!([]), "{hold}");
    assert_eq!((hold["effective"].is_boolean(), hold.get("replaced")), (true, None), "{hold}");
    ops.post(&app, "/api/v1/plans", json!({ "slug": "bare", "name": "Bare" })).await;
    let (_, hold) = answer(ops.call(&app, Method::PUT, &workspace, Some(json!({ "plan": "bare" }))).await).await;
    let effect = json!("This plan has no limits, so it changes none.");
    assert_eq!((&hold["effective"], &hold["effect"], &hold["replaced"]), (&json!(false), &effect, &json!("pro")), "{hold}");
    let (_, read) = answer(ops.get(&app, &workspace).await).await;
    assert!(read.get("spread").is_none(), "nothing was changed: {read}");
    let limits = json!({ "limits": [{ "name": "hour", "limit": 7, "window": "hour" }] });
    let (status, of_api) = answer(ops.call(&app, Method::PUT, "/api/v1/apis/demo/limits", Some(limits)).await).await;
    assert_eq!((status, &of_api["limits"][0]["limit"], &of_api["spread"]["confirmed"]), (200, &json!(7), &json!(1)), "{of_api}");
    let missing = ops.call(&app, Method::PUT, &workspace, Some(json!({}))).await;
    assert_eq!(missing.status(), 422, "to take a plan away one says so");
    let (_, hold) = answer(ops.call(&app, Method::PUT, &workspace, Some(json!({ "plan": null }))).await).await;
    assert_eq!(hold["plan"], json!(null));
    patch(&of_key, json!({ "plan": null })).await;
    assert_eq!(ops.call(&app, Method::DELETE, "/api/v1/plans/pro", None).await.status(), 204);
    assert_eq!(ops.get(&app, "/api/v1/plans/pro").await.status(), 404);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_key_without_the_permission_sees_no_plan(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let dev = person_with(&app, &db, "dev@example.com", "developer", &["keys:read", "keys:write", "plans:manage"]).await;
    assert_eq!(dev.get(&app, "/api/v1/plans").await.status(), 403, "the owner has not what the key says");
    let (id, _) = dev.new_key(&app, "shop").await;
    let refused = dev.call(&app, Method::PATCH, &format!("/api/v1/keys/{id}"), Some(json!({ "plan": null }))).await;
    assert_eq!(refused.status(), 403);
}
