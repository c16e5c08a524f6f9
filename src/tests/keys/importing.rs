//! Keys that were made elsewhere: imported by hash, they pass as before; what is not ours stays cheap and counted as it was.

use super::*;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use sha2::{Digest, Sha256, Sha512};
use tollgate::keys::api::{CheckImport, RunImport};

const IMPORT: &str = "/api/v1/keys/import";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sha256(secret: &str) -> String {
    hex(&Sha256::digest(secret))
}

async fn import(app: &TestApp, person: &Person, keys: Value, dry_run: bool) -> Vec<Value> {
    let (status, body) = json(person.post(app, IMPORT, json!({ "api": "demo", "keys": keys, "dry_run": dry_run })).await).await;
    assert_eq!(status, 200, "{body}");
    body["data"].as_array().unwrap().clone()
}

fn outcomes(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["outcome"].as_str().unwrap()).collect()
}

#[sqlx::test]
async fn imported_secrets_pass_as_before(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let other = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (old, long, off) = ("sk_live_4eC39HqLyjWDarjtT1zdp7dc", "an old secret with words", "switched-off");
    assert_eq!(passes(&app, old).await, 401);
    let keys = json!([
        { "name": "shop", "start": "sk_live", "hash": sha256(old), "permissions": ["orders:read"], "tags": ["legacy"] },
        { "name": "till", "hash": { "value": URL_SAFE_NO_PAD.encode(Sha512::digest(long)), "variant": "sha512_base64" } },
        { "name": "off", "key": URL_SAFE_NO_PAD.encode(Sha256::digest(off)), "enabled": false },
    ]);
    assert_eq!(outcomes(&import(&app, &mara, keys.clone(), true).await), ["created"; 3]);
    assert_eq!((passes(&app, old).await, events(&db, "key.created").await), (401, 0), "a dry run changes nothing");

    let lines = import(&app, &mara, keys.clone(), false).await;
    assert_eq!(outcomes(&lines), ["created"; 3]);
    assert_eq!((passes(&app, old).await, passes(&app, long).await, passes(&app, off).await), (200, 200, 401));
    crate::support::until("the other node knows them", || async { passes(&other, long).await == 200 }).await;
    assert_eq!(outcomes(&import(&app, &mara, keys, false).await), ["known"; 3], "sent twice");
    assert_eq!(events(&db, "key.created").await, 3);
    let (_, body) = json(mara.get(&app, &format!("/api/v1/keys/{}", text(&lines[0], "id"))).await).await;
    assert_eq!((text(&body, "name"), text(&body, "start"), &body["tags"]), ("shop".to_owned(), "sk_live".to_owned(), &json!(["legacy"])));

    // It lives as any other: rotated it gets a secret of ours, revoked it ends.
    let id = text(&lines[0], "id");
    let (_, body) = json(mara.post(&app, &format!("/api/v1/keys/{id}/rotate"), json!({ "grace": 0 })).await).await;
    assert_eq!((passes(&app, old).await, passes(&app, &text(&body, "secret")).await), (401, 200));
    let again = import(&app, &mara, json!([{ "hash": sha256(old) }]), false).await;
    assert_eq!(outcomes(&again), ["wrong"], "a secret that was ended does not come back with its list");
    mara.post(&app, &format!("/api/v1/keys/{}/revoke", text(&lines[1], "id")), json!({})).await;
    assert_eq!(passes(&app, long).await, 401);
}

#[sqlx::test]
async fn what_is_not_ours_stays_malformed(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let olga = person(&app, &db, "olga@example.com", "operator").await;
    let service = json!({ "name": "gateway", "api": "tollgate", "permissions": ["keys:verify"] });
    let (_, service) = json(olga.post(&app, "/api/v1/keys", service).await).await;
    let code = async |secret: &str| {
        let request = app.http.post(app.url("/api/v1/keys/verify")).bearer_auth(text(&service, "secret")).json(&json!({ "key": secret }));
        text(&request.send().await.unwrap().json().await.unwrap(), "code")
    };
    let (_, ours) = olga.new_key(&app, "ours").await;
    let unknown = tollgate::keys::server::secret::mint(&app.ctx.rng, &"demo".parse().unwrap(), "live");
    let mistyped = format!("{}x", &ours[..ours.len() - 1]);
    let huge = "x".repeat(600);
    for is_imported in [false, true] {
        if is_imported {
            let keys = json!([{ "hash": sha256("short") }, { "hash": hex(&Sha512::digest("other")) }, { "hash": sha256(&huge) }]);
            assert_eq!(outcomes(&import(&app, &olga, keys, false).await), ["created"; 3]);
            assert_eq!((code("short").await, code("other").await), ("VALID".to_owned(), "VALID".to_owned()));
        }
        for (secret, wanted) in
            [("", "MALFORMED"), ("garbage", "MALFORMED"), (&mistyped, "MALFORMED"), (&huge, "MALFORMED"), (&unknown, "UNKNOWN"), (&ours, "VALID")]
        {
            assert_eq!(code(secret).await, wanted, "{secret}, imported: {is_imported}");
        }
    }
}

#[sqlx::test]
async fn a_sha_512_can_t_take_the_place_of_another_s_secret(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let eve = person(&app, &db, "eve@example.com", "developer").await;
    let (_, secret) = mara.new_key(&app, "checkout").await;
    let forged = format!("{}{}", sha256(&secret), "00".repeat(32));
    assert_eq!(outcomes(&import(&app, &eve, json!([{ "hash": forged }]), false).await), ["created"]);
    assert_eq!(passes(&app, &secret).await, 200);
    let lines = import(&app, &eve, json!([{ "hash": sha256(&secret) }]), false).await;
    assert_eq!(outcomes(&lines), ["wrong"], "a hash of somebody else's key is not for the taking");
    assert!(lines[0]["id"].is_null());

    // Nor can a SHA-256 take the place of a SHA-512.
    let sha512 = Sha512::digest("of old");
    assert_eq!(outcomes(&import(&app, &mara, json!([{ "hash": hex(&sha512), "name": "old" }]), false).await), ["created"]);
    let forged = hex(&Sha256::digest([b"sha512 ".as_slice(), &sha512].concat()));
    assert_eq!(outcomes(&import(&app, &eve, json!([{ "hash": forged, "enabled": false }]), false).await), ["created"]);
    assert_eq!(passes(&app, "of old").await, 200);
}

#[sqlx::test]
async fn every_line_is_told_what_is_wrong_with_it(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let good = sha256("good");
    let lines = import(
        &app,
        &mara,
        json!([
            { "hash": "nonsense" },
            { "hash": "$2b$10$abcdefghijklmnopqrstuv" },
            { "hash": sha256("a"), "permissions": ["orders:burn"] },
            { "hash": sha256("b"), "expires_at": "2020-01-01T00:00:00Z" },
            { "hash": sha256("c"), "tags": ["no good!"] },
            "text",
            { "hash": good, "ratelimit": { "limit": 5 } },
            { "hash": good },
        ]),
        false,
    )
    .await;
    assert_eq!(outcomes(&lines), ["wrong", "wrong", "wrong", "wrong", "wrong", "wrong", "created", "wrong"]);
    assert!(text(&lines[1], "detail").contains("bcrypt") && text(&lines[6], "detail").contains("ratelimit"));
    let post = async |body: Value| mara.post(&app, IMPORT, body).await.status().as_u16();
    assert_eq!(post(json!({ "api": "tollgate", "keys": [{ "hash": good }] })).await, 422, "not for Tollgate itself");
    assert_eq!(post(json!({ "api": "nothing", "keys": [{ "hash": good }] })).await, 422);
    assert_eq!(post(json!({ "api": "demo", "keys": [] })).await, 422);
    let reader = person_with(&app, &db, "nia@example.com", "developer", &["keys:read"]).await;
    assert_eq!(reader.post(&app, IMPORT, json!({ "api": "demo", "keys": [{ "hash": good }] })).await.status(), 403);
}

#[sqlx::test]
async fn the_page_shows_a_list_before_it_imports_it(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (vera, eve) = (app.sign_in_as("developer").await, app.sign_in_as("developer").await);
    assert!(vera.browser.page("/keys/import").await.contains("name=\"list\""));
    let list = format!("name,hash\n\"<b>shop</b>\",{}\nbad,nonsense\n", sha256("old secret"));
    let sent = vera.browser.post::<CheckImport>("/keys/import", &[("api", "demo"), ("list", &list)]).await;
    let page = crate::support::browser::location(&sent).to_owned();
    let shown = vera.browser.page(&page).await;
    assert!(shown.contains("Import 1 key") && shown.contains("&lt;b&gt;shop") && shown.contains("1 line can"), "{shown}");
    assert_eq!((passes(&app, "old secret").await, eve.browser.get(&page).await.status().as_u16()), (401, 404));
    let id = page.split_once('=').unwrap().1;
    for _ in 0..2 {
        assert_eq!(vera.browser.post::<RunImport>(&page, &[("list", id)]).await.status(), 303);
    }
    assert_eq!(vera.browser.get(&page).await.status(), 404, "what is imported is kept no longer");
    assert_eq!((passes(&app, "old secret").await, events(&db, "key.created").await), (200, 1));
    for wrong in ["", "name\nx", "[1"] {
        assert_eq!(vera.browser.post::<CheckImport>("/keys/import", &[("api", "demo"), ("list", wrong)]).await.status(), 422, "{wrong}");
    }
    let sent = vera.browser.post::<CheckImport>("/keys/import", &[("api", "demo"), ("list", &list)]).await;
    let page = crate::support::browser::location(&sent).to_owned();
    assert_eq!(vera.browser.get(&page).await.status(), 200);
    app.ctx.clock.advance(time::Duration::days(2));
    tollgate::keys::server::forget_lists(&app.ctx).await.unwrap();
    assert_eq!(vera.browser.get(&page).await.status(), 404, "lists are forgotten");
}

#[sqlx::test]
async fn an_export_holds_what_is_known_and_no_secret(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (id, secret) = mara.new_key(&app, "=cmd()").await;
    mara.call(&app, Method::PATCH, &format!("/api/v1/keys/{id}"), Some(json!({ "tags": ["prod", "shop"] }))).await;
    let answer = mara.get(&app, "/api/v1/keys/export?api=demo").await;
    assert!(answer.headers()["content-disposition"].to_str().unwrap().contains("keys-2026-11-20.csv"));
    let file = answer.text().await.unwrap();
    assert_eq!(file.lines().count(), 2);
    assert!(file.contains(&id) && file.contains("prod shop") && file.contains("\"'=cmd()\""), "{file}");
    assert!(!file.contains(&secret) && !file.contains(&sha256(&secret)));
    let (_, body) = json(mara.get(&app, "/api/v1/keys/export?format=json&tag=shop").await).await;
    assert_eq!(body["data"][0]["id"], id);
    assert_eq!(mara.get(&app, "/api/v1/keys/export?format=xls").await.status(), 422);
}
