//! Long lists of keys that were made elsewhere, as files and over REST, and what of a key such a list and an export hold.

use super::*;
use crate::support::browser::location;
use serde_json::json;
use sha2::{Digest, Sha256};
use tollgate::{
    keys::api::{CheckImport, RunImport},
    platform::http::uploads::LIST_BYTES,
};

const PAGE: &str = "/keys/import";

fn hash(secret: &str) -> String {
    Sha256::digest(secret).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As Unkey exports them.
fn of_unkey(keys: usize) -> Value {
    let key = |n: usize| {
        json!({
            "keyId": format!("key_{n}"), "apiId": "api_1234567890", "workspaceId": "ws_1234567890", "name": format!("customer {n}"), "start": "sk_live",
            "hash": hash(&format!("secret {n}")), "createdAt": 1_700_000_000_000_u64, "meta": { "plan": "gold", "team": "x".repeat(80) },
            "ratelimits": [], "roles": [], "permissions": ["orders:read"], "enabled": true,
        })
    };
    json!({ "keys": (0..keys).map(key).collect::<Vec<_>>() })
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_list_comes_as_a_file_where_nothing_is_pasted(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let vera = app.sign_in_as("developer").await;
    let page = vera.browser.page(PAGE).await;
    assert!(page.contains("type=\"file\"") && page.contains("multipart/form-data"), "{page}");
    let list = of_unkey(600).to_string();
    assert!(list.len() > 128 * 1024, "more than any form has: {}", list.len());
    let sent = vera.browser.post_file::<CheckImport>(PAGE, &[("api", "demo"), ("list", "")], list.as_bytes()).await;
    let preview = location(&sent).to_owned();
    assert!(vera.browser.page(&preview).await.contains("Import 600 keys"));
    let id = preview.split_once('=').unwrap().1;
    assert_eq!(location(&vera.browser.post::<RunImport>(&preview, &[("list", id)]).await), "/keys");
    assert_eq!((events(&db, "key.created").await, passes(&app, "secret 599").await), (600, 200));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_file_that_will_not_do_is_named_at_its_field_and_what_was_pasted_stays(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let vera = app.sign_in_as("developer").await;
    let pasted = format!("name,hash\nshop,{}\n", hash("old"));
    let utf16: Vec<u8> = "name,hash\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let long = vec![b'x'; LIST_BYTES + 1];
    for (file, words) in
        [(&b"\xff\xfe"[..], "no text in UTF-8"), (&utf16[..], "no text in UTF-8"), (&long[..], "at most 8 MB"), (&b"name\nx"[..], "one of them is hash")]
    {
        let answer = vera.browser.post_file::<CheckImport>(PAGE, &[("api", "demo"), ("list", "")], file).await;
        assert_eq!(answer.status(), 422, "{words}");
        let said = answer.text().await.unwrap();
        assert!(said.contains("id=\"file-error\"") && said.contains(words), "{words}: {said}");
    }
    let both = vera.browser.post_file::<CheckImport>(PAGE, &[("api", "demo"), ("list", &pasted)], pasted.as_bytes()).await;
    assert_eq!(both.status(), 422);
    let said = both.text().await.unwrap();
    assert!(said.contains("There are two lists") && said.contains(&hash("old")), "{said}");
    // An empty field of a file is none.
    let sent = vera.browser.post_file::<CheckImport>(PAGE, &[("api", "demo"), ("list", &pasted)], b"").await;
    assert!(location(&sent).starts_with("/keys/import?list="));
    for _ in 0..6 {
        app.ctx.clock.advance(time::Duration::SECOND);
        assert_eq!(vera.browser.post::<CheckImport>(PAGE, &[("api", "demo"), ("list", &pasted)]).await.status(), 303);
    }
    let waiting: i64 = sqlx::query_scalar("select count(*) from key_imports").fetch_one(&db).await.unwrap();
    assert_eq!((waiting, vera.browser.get(location(&sent)).await.status().as_u16()), (5, 404), "the oldest goes for the next one");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn rest_takes_a_long_list(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let mut list = of_unkey(4_000);
    list["api"] = json!("demo");
    list["dry_run"] = json!(true);
    assert!(list.to_string().len() > 1024 * 1024);
    let (status, body) = json(mara.post(&app, "/api/v1/keys/import", list.clone()).await).await;
    assert_eq!((status, &body["created"]), (200, &json!(4_000)));
    let sent = app.http.post(app.url("/api/v1/keys/import")).bearer_auth(&mara.secret).header("idempotency-key", "long").json(&list).send().await.unwrap();
    assert_eq!(sent.status(), 200, "also under a name");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn bundles_and_origins_come_with_a_key_and_stand_in_the_export(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let more = ["apis:manage", "plans:manage"];
    let permissions: Vec<&str> = OPERATOR.iter().copied().chain(more).collect();
    let olga = person_with(&app, &db, "olga@example.com", "operator", &permissions).await;
    let desk = json!({ "permissions": ["orders:write"] });
    assert!(olga.call(&app, Method::PUT, "/api/v1/apis/demo/bundles/order-desk", Some(desk)).await.status().is_success());
    let limits = json!([{ "name": "default", "limit": 7, "window": 60 }]);
    let origins = ["https://app.example.com"];
    let keys = json!([
        { "name": "till", "hash": hash("old"), "bundles": ["order-desk"], "origins": origins, "limits": limits },
        { "name": "none", "hash": hash("older"), "bundles": "night-desk" },
    ]);
    let (_, report) = json(olga.post(&app, "/api/v1/keys/import", json!({ "api": "demo", "keys": keys })).await).await;
    assert_eq!((&report["data"][0]["outcome"], &report["data"][1]["outcome"]), (&json!("created"), &json!("wrong")));
    assert!(text(&report["data"][1], "detail").contains("has no bundle night-desk"), "{report}");
    let (_, key) = json(olga.get(&app, &format!("/api/v1/keys/{}", text(&report["data"][0], "id"))).await).await;
    assert_eq!((&key["bundles"], &key["permissions"], &key["origins"]), (&json!(["order-desk"]), &json!([]), &json!(origins)));

    assert_eq!(olga.post(&app, "/api/v1/plans", json!({ "slug": "pro", "name": "Pro" })).await.status(), 201);
    let path = format!("/api/v1/keys/{}", text(&key, "id"));
    assert_eq!(olga.call(&app, Method::PATCH, &path, Some(json!({ "plan": "pro" }))).await.status(), 200);
    let file = olga.get(&app, "/api/v1/keys/export?q=till").await.text().await.unwrap();
    let line = file.lines().nth(1).unwrap();
    assert!(file.lines().next().unwrap().contains(",tags,bundles,limits,plan,expires_at,"), "{file}");
    assert!(line.contains(",order-desk,\"[{\"\"name\"\":\"\"default\"\",\"\"limit\"\":7,\"\"window\"\":60}]\",pro,"), "{line}");
}
