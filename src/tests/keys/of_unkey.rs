//! Keys as Unkey's table holds them and as its API takes them: what limits them comes along, what was deleted stays deleted, and
//! permissions that the API does not have are named or left out.

use super::*;
use crate::support::browser::location;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;
use sha2::{Digest, Sha256};
use tollgate::keys::api::{CheckImport, RunImport};

const IMPORT: &str = "/api/v1/keys/import";
const PAGE: &str = "/keys/import";

/// As Unkey stores it.
fn hash(secret: &str) -> String {
    STANDARD.encode(Sha256::digest(secret))
}

/// A row of the table `keys`.
fn row(name: &str, more: Value) -> Value {
    let mut row = json!({
        "pk": 7, "id": format!("key_{name}"), "key_auth_id": "ks_1", "hash": hash(name), "start": "sk_3x", "workspace_id": "ws_1", "for_workspace_id": null,
        "name": name, "owner_id": null, "identity_id": null, "meta": null, "expires": null, "created_at_m": 1_700_000_000_000_u64, "updated_at_m": null,
        "deleted_at_m": null, "refill_day": null, "refill_amount": null, "last_refill_at": null, "enabled": 1, "remaining_requests": null,
        "ratelimit_async": null, "ratelimit_limit": null, "ratelimit_duration": null, "environment": null,
    });
    row.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    row
}

async fn import(app: &TestApp, person: &Person, keys: Value, more: Value) -> Vec<Value> {
    let mut body = json!({ "api": "demo", "keys": keys });
    body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    let (status, body) = json(person.post(app, IMPORT, body).await).await;
    assert_eq!(status, 200, "{body}");
    body["data"].as_array().unwrap().clone()
}

fn outcomes(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["outcome"].as_str().unwrap()).collect()
}

async fn key(app: &TestApp, person: &Person, line: &Value) -> Value {
    json(person.get(app, &format!("/api/v1/keys/{}", text(line, "id"))).await).await.1
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn rows_of_the_table_come_with_their_limits_and_deleted_ones_not_at_all(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let olga = person(&app, &db, "olga@example.com", "operator").await;
    let rows = json!([
        row("daily", json!({ "remaining_requests": 40, "refill_amount": 100, "owner_id": "user_42", "identity_id": "id_1" })),
        row("monthly", json!({ "remaining_requests": 100, "refill_amount": 100, "refill_day": 15, "identity_id": "id_2" })),
        row("rated", json!({ "ratelimit_limit": 10, "ratelimit_duration": 60_000, "ratelimit_async": 1, "meta": "{\"plan\":\"gold\"}" })),
        row("odd", json!({ "ratelimit_limit": 5, "ratelimit_duration": 1_500 })),
        row("gone", json!({ "deleted_at_m": 1_701_000_000_000_u64 })),
        row("off", json!({ "enabled": false })),
    ]);
    let lines = import(&app, &olga, rows.clone(), json!({ "dry_run": true })).await;
    assert_eq!(outcomes(&lines), ["created", "created", "created", "created", "skipped", "created"]);
    let lines = import(&app, &olga, rows, json!({})).await;
    assert_eq!(outcomes(&lines), ["created", "created", "created", "created", "skipped", "created"]);
    assert_eq!(text(&lines[4], "detail"), "It was deleted where it comes from on 2023-11-26.");
    assert_eq!((passes(&app, "gone").await, passes(&app, "off").await, passes(&app, "rated").await), (401, 401, 200));
    let details: Vec<String> = lines[..4].iter().map(|line| text(line, "detail")).collect();
    let odd = "Not imported: ratelimit (5 in 1500 ms: a window is whole seconds, at most 31 days).";
    assert_eq!(details, ["", "Not imported: refillDay (a month begins with its first day).", "", odd]);

    let limits = |key: &Value| {
        let limits = key["limits"].as_array().unwrap().iter();
        limits.map(|limit| (text(limit, "name"), limit["limit"].as_u64().unwrap())).collect::<Vec<_>>()
    };
    let daily = key(&app, &olga, &lines[0]).await;
    assert_eq!((limits(&daily), &daily["external_id"]), (vec![("credits".to_owned(), 100)], &json!("user_42")));
    let monthly = key(&app, &olga, &lines[1]).await;
    assert_eq!((limits(&monthly), &monthly["external_id"]), (vec![("credits".to_owned(), 100)], &json!("id_2")));
    let rated = key(&app, &olga, &lines[2]).await;
    assert_eq!((limits(&rated), &rated["meta"]), (vec![("default".to_owned(), 10)], &json!({ "plan": "gold" })));
    assert!(limits(&key(&app, &olga, &lines[3]).await).is_empty());
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_migrate_keys_takes_is_read(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let olga = person(&app, &db, "olga@example.com", "operator").await;
    let keys = json!([{
        "hash": hash("migrated"), "name": "Payment service", "externalId": "user_1", "meta": { "plan": "pro" }, "roles": ["admin"], "permissions": ["orders.read"],
        "expires": 1_800_000_000_000_u64, "enabled": true, "credits": { "remaining": 3, "refill": { "interval": "daily", "amount": 3 } },
        "ratelimits": [{ "name": "requests", "limit": 100, "duration": 3_600_000, "autoApply": true }],
    }]);
    let lines = import(&app, &olga, keys, json!({})).await;
    assert_eq!((outcomes(&lines), text(&lines[0], "detail")), (vec!["created"], "Not imported: roles.".to_owned()));
    let key = key(&app, &olga, &lines[0]).await;
    assert_eq!((&key["permissions"], &key["external_id"]), (&json!(["orders:read"]), &json!("user_1")));
    assert_eq!((key["limits"].as_array().map(Vec::len), passes(&app, "migrated").await), (Some(2), 200));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn permissions_that_the_api_does_not_have_are_named_or_left_out(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let keys = json!([
        { "hash": hash("a"), "permissions": ["orders.read", "orders:write"] },
        { "hash": hash("b"), "permissions": ["orders.read", "documents.*", "invoices.void", "documents.*"] },
        { "hash": hash("c"), "permissions": "documents.read" },
    ]);
    let lines = import(&app, &mara, keys.clone(), json!({})).await;
    assert_eq!(outcomes(&lines), ["created", "wrong", "wrong"]);
    assert_eq!(lines[1]["unknown_permissions"], json!(["documents.*", "invoices.void"]));
    assert!(text(&lines[1], "detail").starts_with("The API Demo does not have the permissions documents.*, invoices.void."), "{lines:?}");
    assert_eq!(text(&lines[2], "detail"), "The API Demo does not have the permission documents.read. Add it to the API, or import without it.");
    assert_eq!(key(&app, &mara, &lines[0]).await["permissions"], json!(["orders:read", "orders:write"]));

    let lines = import(&app, &mara, keys, json!({ "without_unknown_permissions": true })).await;
    assert_eq!(outcomes(&lines), ["known", "created", "created"]);
    assert_eq!(text(&lines[1], "detail"), "Not imported: permission documents.*, permission invoices.void.");
    assert_eq!(text(&lines[2], "detail"), "Not imported: permission documents.read. The key has no permission.");
    assert_eq!(key(&app, &mara, &lines[1]).await["permissions"], json!(["orders:read"]), "a wildcard gives nothing");
    assert_eq!(key(&app, &mara, &lines[2]).await["permissions"], json!([]), "not those that only read");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_page_shows_a_dump_line_by_line_and_offers_to_leave_permissions_out(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let vera = app.sign_in_as("developer").await;
    let list = format!(
        "id,key_auth_id,hash,start,name,expires,deleted_at_m,permissions\n\
         1,ks_1,{},sk_3x,shop,NULL,NULL,orders.read\n2,ks_1,{},sk_3x,till,NULL,NULL,documents.read\n3,ks_1,{},sk_3x,gone,NULL,1701000000000,NULL\n",
        hash("shop"),
        hash("till"),
        hash("gone")
    );
    let sent = vera.browser.post::<CheckImport>(PAGE, &[("api", "demo"), ("list", &list)]).await;
    let path = location(&sent).to_owned();
    let page = vera.browser.page(&path).await;
    let at = |words: &str| page.find(words).unwrap_or_else(|| panic!("no {words} in {page}"));
    assert!(at("Line 2") < at("Line 3: The API Demo does not have the permission documents.read.") && at("Line 3") < at("Line 4: It was deleted"), "{page}");
    for words in
        ["1 new key for Demo, 1 line deleted there, 1 line can", "Not imported", "Deleted there", "Demo does not have these permissions: documents.read."]
    {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("here already"), "no zeros: {page}");

    let without = format!("{path}&without=true");
    assert!(page.contains(&without.replace('&', "&amp;")) || page.contains(&without), "{page}");
    let page = vera.browser.page(&without).await;
    assert!(page.contains("Import 2 keys") && page.contains("Not imported: permission documents.read."), "{page}");
    let id = path.split_once('=').unwrap().1;
    let imported = vera.browser.post::<RunImport>(&without, &[("list", id), ("without_unknown_permissions", "true")]).await;
    assert_eq!(location(&imported), "/keys");
    assert_eq!((passes(&app, "shop").await, passes(&app, "gone").await, events(&db, "key.created").await), (200, 401, 2));

    let chosen = [("api", "demo"), ("list", &*list), ("without_unknown_permissions", "true")];
    assert!(location(&vera.browser.post::<CheckImport>(PAGE, &chosen).await).ends_with("&without=true"));
}
