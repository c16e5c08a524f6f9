//! Presets of permissions, by REST and by form; and that a key never may more than its owner (K03).

use super::*;
use crate::support::browser::location;
use serde_json::json;
use tollgate::keys::api::{CreateKey, SaveKey};

fn permissions(body: &Value) -> Vec<String> {
    body["permissions"].as_array().unwrap_or_else(|| panic!("{body}")).iter().map(|p| p.as_str().unwrap().to_owned()).collect()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn k03_a_preset_never_gives_more_than_the_owner_has(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let olga = person(&app, &db, "olga@example.com", "operator").await;
    let new = |preset: &str| json!({ "name": "x", "api": "tollgate", "preset": preset });
    let (status, body) = json(mara.post(&app, "/api/v1/keys", new("admin")).await).await;
    assert_eq!(status, 201, "{body}");
    assert_eq!(permissions(&body), ["account:read", "account:write", "keys:read", "keys:write", "usage:read"], "all that a developer may");
    let id = text(&body, "id");
    let (_, operators) = json(olga.post(&app, "/api/v1/keys", new("admin")).await).await;
    assert!(permissions(&operators).contains(&"keys:manage".to_owned()));
    let (_, reads) = json(mara.post(&app, "/api/v1/keys", new("read-only")).await).await;
    assert_eq!(permissions(&reads), ["account:read", "keys:read", "usage:read"]);

    // An operator gives a developer's key no more than the developer has, by preset or by name.
    let path = format!("/api/v1/keys/{id}");
    let (_, body) = json(olga.call(&app, Method::PATCH, &path, Some(json!({ "preset": "admin" }))).await).await;
    assert_eq!(permissions(&body).len(), 5, "{body}");
    assert_eq!(olga.call(&app, Method::PATCH, &path, Some(json!({ "permissions": ["keys:manage"] }))).await.status(), 403);
    assert_eq!(mara.call(&app, Method::PATCH, &path, Some(json!({ "permissions": ["keys:verify"] }))).await.status(), 403);
    assert_eq!(mara.post(&app, "/api/v1/keys", json!({ "name": "x", "api": "tollgate", "permissions": ["keys:manage"] })).await.status(), 403);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn presets_are_sets_of_the_apis_permissions(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let made = async |preset: &str| permissions(&json(mara.post(&app, "/api/v1/keys", json!({ "name": "x", "preset": preset })).await).await.1);
    assert_eq!(made("basic").await, ["orders:read"], "none is marked: those that only read");
    assert_eq!(made("admin").await, ["orders:read", "orders:write"]);
    sqlx::query("update api_permissions set is_basic = true where permission = 'orders:write'").execute(&db).await.unwrap();
    assert_eq!(made("basic").await, ["orders:write"]);
    assert_eq!(made("read-only").await, ["orders:read"]);

    let (id, _) = mara.new_key(&app, "k").await;
    let patch = async |body: Value| json(mara.call(&app, Method::PATCH, &format!("/api/v1/keys/{id}"), Some(body)).await).await;
    assert_eq!(permissions(&patch(json!({ "preset": "admin" })).await.1), ["orders:read", "orders:write"]);
    assert_eq!(patch(json!({ "preset": "admin", "permissions": [] })).await.1["errors"][0]["pointer"], "#/preset");
    assert_eq!(patch(json!({ "preset": "root" })).await.1["errors"][0]["pointer"], "#/preset");
    let both = mara.post(&app, "/api/v1/keys", json!({ "name": "x", "preset": "admin", "permissions": [] })).await;
    assert_eq!((both.status().as_u16(), both.json::<Value>().await.unwrap()["errors"][0]["pointer"].clone()), (422, json!("#/preset")));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn forms_offer_presets(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let vera = app.sign_in_as("developer").await;
    let dialog = vera.browser.page("/keys?dialog=new").await;
    assert!(["value=\"basic\"", "value=\"read-only\"", "value=\"admin\"", "value=\"chosen\""].iter().all(|radio| dialog.contains(radio)));
    let held = async || sqlx::query_scalar::<_, Vec<String>>("select permissions from keys").fetch_one(&db).await.unwrap();

    // What is ticked does not count beside a preset: the ticks are hidden then, but sent.
    let fields = [("name", "shop"), ("chosen", "true"), ("api", "demo"), ("preset", "admin"), ("permissions[]", "demo/orders:read")];
    let path = location(&vera.browser.post::<CreateKey>("/keys", &fields).await).to_owned();
    assert_eq!(held().await, ["orders:read", "orders:write"]);
    let id = path.rsplit('/').next().unwrap();
    let save = async |more: &[(&str, &str)]| {
        let fields: Vec<_> = [("id", id), ("name", "shop"), ("chosen", "true")].iter().chain(more).copied().collect();
        vera.browser.post::<SaveKey>(&path, &fields).await.status().as_u16()
    };
    assert_eq!(save(&[("preset", "read-only"), ("permissions[]", "orders:write")]).await, 303);
    assert_eq!(held().await, ["orders:read"]);
    assert_eq!(save(&[("preset", "chosen"), ("permissions[]", "orders:write")]).await, 303);
    assert_eq!(held().await, ["orders:write"]);
    assert_eq!(save(&[("preset", "everything")]).await, 422);
}
