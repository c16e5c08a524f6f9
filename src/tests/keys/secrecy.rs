//! What a key is and where its secret may be: shown once, kept as a hash, sent in a header, worth no more than its owner and dead at once.

use super::*;
use crate::support::T0;
use serde_json::json;
use tollgate::platform::crypto::sha256;

/// 30 random characters of 62 are 178 bits: the length that the contract names and that scanners of secrets know, in the place of 256.
const RANDOM: usize = 30;

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r69_a_secret_is_shown_once_kept_as_a_hash_and_read_from_headers_only(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (id, secret) = mara.new_key(&app, "checkout").await;
    let (head, body) = secret.rsplit_once('_').unwrap();
    assert!(head.ends_with("_live") && body.len() == RANDOM + 6 && body.bytes().all(|b| b.is_ascii_alphanumeric()), "{secret}");
    assert_ne!(mara.new_key(&app, "warehouse").await.1[..head.len() + RANDOM], secret[..head.len() + RANDOM]);

    // The hash, and nowhere in the database more of it than people recognise it by.
    let hash: Vec<u8> = sqlx::query_scalar("select hash from key_secrets where start = $1").bind(&secret[..head.len() + 5]).fetch_one(&db).await.unwrap();
    assert_eq!(hash, sha256(&secret));
    let tables = ["keys", "key_secrets", "key_state_changes", "events", "jobs", "key_limits"];
    for table in tables {
        let found = format!("select count(*) from {table} t where strpos(t::text, $1) > 0");
        let found: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(found)).bind(&body[5..]).fetch_one(&db).await.unwrap();
        assert_eq!(found, 0, "{table}");
    }
    for path in [format!("/api/v1/keys/{id}"), "/api/v1/keys".to_owned(), format!("/api/v1/keys/{id}/history")] {
        assert!(!mara.get(&app, &path).await.text().await.unwrap().contains(body), "{path}");
    }

    // Never in an address.
    let nobody = reqwest::Client::new();
    for name in ["key", "api_key", "access_token", "token", "X-API-Key", "Authorization"] {
        // What asks the gate has a query of its own, and an unknown word in it is refused as such.
        for (path, secret, status) in [("/api/v1/me", &mara.secret, 401), ("/forward-auth/demo", &secret, 422)] {
            let answer = nobody.get(app.url(&format!("{path}?{name}={secret}"))).send().await.unwrap();
            assert_eq!(answer.status(), status, "{path}?{name}=");
        }
    }
    for (name, value) in [("authorization", format!("Bearer {}", mara.secret)), ("x-api-key", mara.secret.clone())] {
        assert_eq!(nobody.get(app.url("/api/v1/me")).header(name, value).send().await.unwrap().status(), 200, "{name}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r69_a_key_is_worth_no_more_than_its_owner_ends_by_itself_and_is_revoked_at_once(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let more = json!({ "name": "more", "api": "tollgate", "permissions": ["keys:read", "keys:manage"] });
    let (status, body) = json(mara.post(&app, "/api/v1/keys", more).await).await;
    assert!((400..500).contains(&status), "its owner may not: {status} {body}");

    let ends = json!({ "name": "ends", "expires_at": "2026-11-20T13:00:00Z" });
    let (_, ends) = json(mara.post(&app, "/api/v1/keys", ends).await).await;
    assert_eq!(passes(&app, &text(&ends, "secret")).await, 200);
    app.ctx.clock.set(T0 + time::Duration::hours(1));
    assert_eq!(passes(&app, &text(&ends, "secret")).await, 401, "after its end");

    let (id, secret) = mara.new_key(&app, "checkout").await;
    let path = format!("/api/v1/keys/{id}");
    assert_eq!(json(mara.get(&app, &path).await).await.1["last_used_at"], Value::Null);
    assert_eq!(passes(&app, &secret).await, 200);
    crate::support::until("its use is written", async || json(mara.get(&app, &path).await).await.1["last_used_at"].is_string()).await;
    assert_eq!(mara.post(&app, &format!("{path}/revoke"), json!({ "reason": "leaked" })).await.status(), 200);
    assert_eq!(passes(&app, &secret).await, 401, "with the answer");
    // What the owner loses, the key loses.
    sqlx::query("insert into account_disablements (account_id, at) values ($1, $2)").bind(mara.owner.account.uuid()).bind(T0).execute(&db).await.unwrap();
    assert_eq!(mara.get(&app, "/api/v1/me").await.status(), 401);
}
