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

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
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

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
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

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
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

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
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
            { "hash": sha256("b"), "expires_at": "2050-01-01T00:00:00Z" },
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

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
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

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
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

fn bcrypt(secret: &str) -> String {
    bcrypt::hash_with_salt(secret, 4, [7; 16]).unwrap().to_string()
}

fn argon2(secret: &str) -> String {
    use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(64, 1, 1, None).unwrap());
    argon.hash_password_with_salt(secret.as_bytes(), &[7; 16]).unwrap().to_string()
}

/// What `POST /api/v1/keys/verify` says, asked from an address.
async fn verified(app: &TestApp, service: &str, secret: &str, address: &str) -> (u16, Value) {
    let question = json!({ "key": secret, "ip": address });
    json(app.http.post(app.url("/api/v1/keys/verify")).bearer_auth(service).json(&question).send().await.unwrap()).await
}

/// Somebody with a service that may ask.
async fn asking(app: &TestApp, db: &PgPool) -> (Person, String) {
    let olga = person(app, db, "olga@example.com", "operator").await;
    let service = json!({ "name": "gateway", "api": "tollgate", "permissions": ["keys:verify"] });
    let (_, service) = json(olga.post(app, "/api/v1/keys", service).await).await;
    (olga, text(&service, "secret"))
}

const OLD: &str = "legacy_4eC39HqLyjWDarjtT1zdp7dc";
const FROM: &str = "203.0.113.7";

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn salted_hashes_are_replaced_at_the_first_use(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let other = TestApp::start(db.clone()).await;
    let (olga, service) = asking(&app, &db).await;
    let (first, second) = (OLD, "another_secret_of_old");
    let keys = json!([{ "name": "shop", "start": &first[..11], "hash": bcrypt(first) }, { "name": "till", "start": "another_", "hash": argon2(second) }]);
    assert_eq!(outcomes(&import(&app, &olga, keys.clone(), true).await), ["created"; 2]);
    let lines = import(&app, &olga, keys.clone(), false).await;
    assert_eq!(outcomes(&lines), ["created"; 2]);
    assert_eq!(outcomes(&import(&app, &olga, keys.clone(), false).await), ["known"; 2], "sent twice");

    let salted = async || sqlx::query_scalar::<_, i64>("select count(*) from key_secrets where phc is not null").fetch_one(&db).await.unwrap();
    let code = async |app: &TestApp, secret: &str| text(&verified(app, &service, secret, FROM).await.1, "code");
    assert_eq!(code(&app, &bcrypt(first)).await, "MALFORMED", "the hash is no secret");
    assert_eq!(code(&app, &format!("{first}x")).await, "UNKNOWN");
    assert_eq!(salted().await, 2);
    // Many calls at once: each passes, one replaces it.
    let all = futures_util::future::join_all((0..8).map(|_| verified(&app, &service, first, FROM))).await;
    assert!(all.iter().all(|(status, body)| *status == 200 && body["code"] == "VALID" && body["key_id"] == lines[0]["id"]), "{all:?}");
    assert_eq!((salted().await, events(&db, "key.upgraded").await), (1, 1));
    let hash: Vec<u8> = sqlx::query_scalar("select hash from key_secrets where start = $1").bind(&first[..11]).fetch_one(&db).await.unwrap();
    assert_eq!(hex(&hash), sha256(first));
    crate::support::until("the other node knows it", || async { code(&other, first).await == "VALID" }).await;
    assert_eq!((passes(&other, second).await, passes(&app, first).await, events(&db, "key.upgraded").await), (200, 200, 2), "a proxy's call is a use");
    assert_eq!(outcomes(&import(&app, &olga, keys, false).await), ["known"; 2], "sent again after their first use");

    // It lives as any other; and does not come back with its list.
    let id = text(&lines[0], "id");
    olga.post(&app, &format!("/api/v1/keys/{id}/rotate"), json!({ "grace": 0 })).await;
    assert_eq!(passes(&app, first).await, 401);
    let again = import(&app, &olga, json!([{ "start": &first[..11], "hash": bcrypt(first) }]), false).await;
    assert_eq!(outcomes(&again), ["wrong"]);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_salted_secret_that_ended_before_its_first_use_never_passes(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (olga, service) = asking(&app, &db).await;
    let lines = import(&app, &olga, json!([{ "name": "shop", "start": "legacy_4", "hash": bcrypt(OLD) }]), false).await;
    let id = text(&lines[0], "id");
    olga.post(&app, &format!("/api/v1/keys/{id}/rotate"), json!({ "grace": 60 })).await;
    app.ctx.clock.advance(time::Duration::minutes(1));
    assert_eq!(text(&verified(&app, &service, OLD, FROM).await.1, "code"), "UNKNOWN");
    let off = import(&app, &olga, json!([{ "start": "switched", "hash": bcrypt("switched-off"), "enabled": false }]), false).await;
    assert_eq!(outcomes(&off), ["created"]);
    assert_eq!(text(&verified(&app, &service, "switched-off", FROM).await.1, "code"), "DISABLED");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn who_guesses_salted_secrets_is_not_tried_any_more(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (olga, service) = asking(&app, &db).await;
    import(&app, &olga, json!([{ "name": "shop", "start": "legacy_4", "hash": bcrypt(OLD) }]), false).await;
    for n in 0..10 {
        for _ in 0..2 {
            assert_eq!(text(&verified(&app, &service, &format!("legacy_4{n}"), FROM).await.1, "code"), "UNKNOWN", "the second time from memory");
        }
    }
    let (status, told) = verified(&app, &service, OLD, FROM).await;
    assert_eq!((status, text(&told, "code").as_str()), (503, "OVERLOADED"), "ten wrong ones in a minute");
    assert_eq!(text(&verified(&app, &service, "something else", FROM).await.1, "code"), "MALFORMED", "others are not held");
    assert_eq!(verified(&app, &service, OLD, "198.51.100.7").await.1["code"], "VALID", "from elsewhere");
    assert_eq!(verified(&app, &service, OLD, FROM).await.1["code"], "VALID", "what was used once is an ordinary secret");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_salted_hash_needs_a_start_that_tells_it_apart(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (mara, eve) = (person(&app, &db, "mara@example.com", "developer").await, person(&app, &db, "eve@example.com", "developer").await);
    let wrong = json!([
        { "hash": bcrypt("a") },
        { "start": "short", "hash": bcrypt("b") },
        { "start": "with blanks", "hash": bcrypt("c") },
        { "start": "costly_x", "hash": bcrypt("d").replacen("$04$", "$20$", 1) },
    ]);
    let lines = import(&app, &mara, wrong, false).await;
    assert_eq!(outcomes(&lines), ["wrong"; 4]);
    assert!(text(&lines[0], "detail").contains("8 to 16 characters") && text(&lines[3], "detail").contains("cost"));
    let alike = |range: std::ops::Range<u8>| json!(range.map(|n| json!({ "start": "sk_live_", "hash": bcrypt(&format!("sk_live_{n}")) })).collect::<Vec<_>>());
    assert_eq!(outcomes(&import(&app, &mara, alike(0..6), false).await), ["created", "created", "created", "created", "wrong", "wrong"]);
    assert_eq!(outcomes(&import(&app, &eve, alike(6..7), false).await), ["wrong"], "whoever holds them");
    let taken = import(&app, &eve, alike(0..1), false).await;
    assert_eq!((outcomes(&taken), taken[0]["id"].is_null()), (vec!["wrong"], true), "a hash of somebody else's key is not for the taking");
    let longer = json!([{ "start": "sk_live_6", "hash": bcrypt("sk_live_6") }]);
    assert_eq!(outcomes(&import(&app, &eve, longer, false).await), ["created"]);
    assert_eq!(passes(&app, "sk_live_6").await, 200);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn limits_of_other_systems_hold_their_keys(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (olga, service) = asking(&app, &db).await;
    let keys = json!([
        { "name": "unkey", "hash": sha256("of unkey"), "remaining": 2, "refill": { "interval": "daily", "amount": 5 },
          "ratelimits": [{ "name": "burst", "limit": 100, "duration": 60_000 }] },
        { "name": "better", "key": sha256("of better auth"), "rateLimitEnabled": true, "rateLimitMax": 1, "rateLimitTimeWindow": 3_600_000, "remaining": null },
    ]);
    let lines = import(&app, &olga, keys, false).await;
    assert_eq!(outcomes(&lines), ["created"; 2]);
    assert!(lines.iter().all(|line| text(line, "detail").is_empty()), "{lines:?}");
    let (_, body) = json(olga.get(&app, &format!("/api/v1/keys/{}", text(&lines[0], "id"))).await).await;
    let names: Vec<String> = body["limits"].as_array().unwrap().iter().map(|limit| text(limit, "name")).collect();
    assert_eq!(names, ["burst", "credits"]);

    let codes = async |secret: &str, calls: usize| {
        let mut codes = Vec::new();
        for _ in 0..calls {
            codes.push(text(&verified(&app, &service, secret, FROM).await.1, "code"));
        }
        codes
    };
    assert_eq!(codes("of unkey", 3).await, ["VALID", "VALID", "QUOTA_EXCEEDED"], "what was left there is left here");
    assert_eq!(codes("of better auth", 2).await, ["VALID", "RATE_LIMITED"]);
    app.ctx.clock.advance(time::Duration::days(1));
    assert_eq!(codes("of unkey", 6).await, ["VALID", "VALID", "VALID", "VALID", "VALID", "QUOTA_EXCEEDED"], "and so much comes back as there");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn who_sets_no_limits_imports_none_but_addresses(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (olga, service) = asking(&app, &db).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let list = |secret: &str| {
        let ratelimits = json!([{ "name": "none", "limit": 0, "duration": 60_000 }]);
        json!([{ "hash": sha256(secret), "ratelimits": ratelimits, "addresses": ["203.0.113.0/24"] }])
    };
    let lines = import(&app, &mara, list("of mara"), false).await;
    assert_eq!(text(&lines[0], "detail"), "Not imported: its limits, which an operator sets.");
    let code = async |secret: &str, from: &str| text(&verified(&app, &service, secret, from).await.1, "code");
    assert_eq!((code("of mara", FROM).await, code("of mara", "198.51.100.7").await), ("VALID".to_owned(), "IP_DENIED".to_owned()));
    let lines = import(&app, &olga, list("of olga"), false).await;
    assert_eq!((text(&lines[0], "detail"), code("of olga", FROM).await), (String::new(), "RATE_LIMITED".to_owned()));
}
