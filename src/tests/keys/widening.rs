//! Letting a key for Tollgate itself do more: who may, and with what proof.

use super::*;
use crate::support::browser::Person as Visitor;
use serde_json::json;
use time::Duration;

/// Each lets the key do more than it did after `narrowed`.
fn wider() -> Vec<(&'static str, Value)> {
    vec![
        ("permissions", json!(["account:read", "keys:read", "keys:write"])),
        ("addresses", json!([])),
        ("addresses", json!(["192.0.2.0/24", "198.51.100.7"])),
        ("origins", json!([])),
        ("routes", json!([])),
        ("routes", json!(["* /api/v1/keys/{id}"])),
        ("expires_at", json!(null)),
        ("expires_at", json!("2027-06-01T00:00:00Z")),
    ]
}

fn narrowed() -> Value {
    json!({
        "permissions": ["account:read", "keys:read"],
        "addresses": ["192.0.2.0/24"],
        "origins": ["https://app.example.com"],
        "routes": ["GET /api/v1/keys/{id}"],
        "expires_at": "2027-01-01T00:00:00Z",
    })
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_key_with_few_permissions_widens_no_other(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person_with(&app, &db, "mara@example.com", "developer", &["keys:read", "keys:write"]).await;
    let given = Given { api: "tollgate", permissions: &["account:read", "keys:read", "keys:write"], limit: None };
    let (wide, secret) = key(&db, &app, &mara.owner, given).await;
    known(&app, wide).await;
    let (path, other) = (format!("/api/v1/keys/{wide}"), Person { owner: Owner { ..mara.owner }, rest_key: wide, secret });

    let (status, body) = json(mara.call(&app, Method::PATCH, &path, Some(narrowed())).await).await;
    assert_eq!(status, 200, "it may take away what it does not have itself: {body}");
    for (field, value) in wider() {
        let (status, problem) = json(mara.call(&app, Method::PATCH, &path, Some(json!({ field: value }))).await).await;
        assert_eq!(status, 403, "{field} {value}: {problem}");
    }
    assert_eq!(mara.post(&app, &format!("{path}/disable"), json!({})).await.status(), 200);
    assert_eq!(mara.post(&app, &format!("{path}/enable"), json!({})).await.status(), 403, "nor does it bring back what was off");
    let bulk = |act: &str| json!({ "act": act, "ids": [wide], "expires_at": "2027-06-01T00:00:00Z" });
    assert_eq!(mara.post(&app, "/api/v1/keys/bulk", bulk("extend")).await.status(), 403);
    assert_eq!(mara.post(&app, "/api/v1/keys/bulk", json!({ "act": "enable", "ids": [wide] })).await.status(), 403);
    assert_eq!(events(&db, "key.enabled").await, 0);

    // What it may whole it widens; so does a key that may as much.
    let few = json!({ "permissions": ["keys:read"], "addresses": [], "expires_at": null });
    assert_eq!(mara.call(&app, Method::PATCH, &path, Some(few)).await.status(), 200);
    assert_eq!(mara.post(&app, &format!("{path}/enable"), json!({})).await.status(), 200);
    assert_eq!(other.get(&app, &path).await.status(), 200);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn in_a_browser_each_takes_a_recent_proof_and_taking_away_takes_none(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let vera: Visitor = app.sign_in_as("developer").await;
    let send = async |method: Method, path: &str, body: Value| {
        let request = vera.browser.http.request(method, app.url(path)).header("sec-fetch-site", "same-origin").json(&body);
        request.send().await.unwrap()
    };
    let new = json!({ "name": "robot", "api": "tollgate", "permissions": ["account:read", "keys:read"] });
    let (status, body) = json(send(Method::POST, "/api/v1/keys", new).await).await;
    assert_eq!(status, 201, "{body}");
    let path = format!("/api/v1/keys/{}", text(&body, "id"));
    let (_, demo) = json(send(Method::POST, "/api/v1/keys", json!({ "name": "shop" })).await).await;
    app.ctx.clock.advance(Duration::minutes(11));

    let answer = send(Method::PATCH, &path, narrowed()).await;
    assert_eq!(answer.status(), 200, "taking away takes none: {}", answer.text().await.unwrap());
    for (field, value) in wider() {
        assert_eq!(send(Method::PATCH, &path, json!({ field: value })).await.status(), 401, "{field} {value}");
    }
    assert_eq!(send(Method::POST, &format!("{path}/disable"), json!({})).await.status(), 200);
    assert_eq!(send(Method::POST, &format!("{path}/enable"), json!({})).await.status(), 401);
    assert_eq!(send(Method::PATCH, &path, json!({ "name": "robot 2", "tags": ["old"] })).await.status(), 200, "names are only names");
    let of_demo = format!("/api/v1/keys/{}", text(&demo, "id"));
    assert_eq!(send(Method::PATCH, &of_demo, json!({ "permissions": ["orders:read", "orders:write"] })).await.status(), 200, "nobody gets in here by it");

    vera.browser.post::<tollgate::accounts::api::StepUp>("/step-up", &[("password", crate::support::browser::PASSWORD)]).await;
    for (field, value) in wider() {
        assert_eq!(send(Method::PATCH, &path, narrowed()).await.status(), 200);
        assert_eq!(send(Method::PATCH, &path, json!({ field: value })).await.status(), 200, "{field} {value}");
    }
    assert_eq!(send(Method::POST, &format!("{path}/enable"), json!({})).await.status(), 200);
}
