//! Signed requests set by REST and page: who may, what is told of it, and that a secret is shown once.

use super::*;
use crate::support::browser::location;
use serde_json::json;
use tollgate::keys::{
    api::{CreateKey, HideSecret, HideSigningSecret, SignCall, TurnOffSigning, TurnOnSigning},
    server::signing::build_signed_call,
};

const PUBLIC_KEY: &str = "JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=";

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn signing_is_set_by_rest_and_told_without_its_secret(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (id, secret) = mara.new_key(&app, "k").await;
    let (path, signing) = (format!("/api/v1/keys/{id}"), format!("/api/v1/keys/{id}/signing"));
    assert_eq!(json(mara.get(&app, &path).await).await.1["signing"], Value::Null);

    let put = async |body: Value| json(mara.call(&app, Method::PUT, &signing, Some(body)).await).await;
    let (status, on) = put(json!({ "algorithm": "ed25519", "public_key": PUBLIC_KEY })).await;
    assert_eq!(status, 200, "{on}");
    assert_eq!((&on["algorithm"], &on["secret"], &on["spread"]["confirmed"]), (&json!("ed25519"), &Value::Null, &json!(1)));
    assert_eq!(passes(&app, &secret).await, 403);
    assert_eq!(put(json!({ "algorithm": "ed25519", "public_key": PUBLIC_KEY })).await.0, 200, "sent twice");
    assert_eq!(json(mara.get(&app, &path).await).await.1["signing"]["fingerprint"], on["fingerprint"]);

    let (_, by_secret) = put(json!({ "algorithm": "hmac-sha256" })).await;
    let shown = text(&by_secret, "secret");
    assert!(shown.starts_with("demo_sig_"), "{shown}");
    let known = mara.get(&app, &path).await.text().await.unwrap();
    assert!(known.contains("hmac-sha256") && !known.contains(&shown));
    let sealed: Vec<u8> = sqlx::query_scalar("select sealed_secret from key_signings").fetch_one(&db).await.unwrap();
    assert!(!sealed.windows(8).any(|part| part == &shown.as_bytes()[9..17]), "it is not stored in clear");
    let told: i64 = sqlx::query_scalar("select count(*) from events where data::text like '%' || $1 || '%'").bind(&shown).fetch_one(&db).await.unwrap();
    assert_eq!((told, events(&db, "key.signed").await), (0, 2));

    for (body, pointer) in [
        (json!({ "algorithm": "ed25519" }), "#/public_key"),
        (json!({ "algorithm": "ed25519", "public_key": "-----BEGIN PRIVATE KEY-----" }), "#/public_key"),
        (json!({ "algorithm": "hmac-sha256", "public_key": PUBLIC_KEY }), "#/public_key"),
        (json!({ "algorithm": "rsa" }), "#/algorithm"),
    ] {
        let (status, problem) = put(body).await;
        assert_eq!((status, problem["errors"][0]["pointer"].as_str()), (422, Some(pointer)), "{problem}");
    }
    assert_eq!(mara.call(&app, Method::DELETE, &signing, None).await.status(), 200);
    assert_eq!(mara.call(&app, Method::DELETE, &signing, None).await.status(), 200, "sent twice");
    assert_eq!(passes(&app, &secret).await, 200);
    let (_, history) = json(mara.get(&app, &format!("{path}/history")).await).await;
    let lines: Vec<&str> = history["data"].as_array().unwrap().iter().filter(|e| e["act"] == "signed").map(|e| e["detail"].as_str().unwrap()).collect();
    assert!(lines.len() == 3 && lines[0] == "off" && lines[1].starts_with("hmac-sha256, ") && lines[2].starts_with("ed25519, "), "{lines:?}");

    assert_eq!(mara.post(&app, &format!("{path}/revoke"), json!({})).await.status(), 200);
    assert_eq!(put(json!({ "algorithm": "hmac-sha256" })).await.0, 409, "a revoked key changes no more");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn who_may_only_read_keys_turns_nothing_on(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person_with(&app, &db, "mara@example.com", "developer", &["keys:read"]).await;
    let (id, _) = key(&db, &app, &mara.owner, Given::default()).await;
    for method in [Method::PUT, Method::DELETE] {
        let body = (method == Method::PUT).then(|| json!({ "algorithm": "hmac-sha256" }));
        assert_eq!(mara.call(&app, method, &format!("/api/v1/keys/{id}/signing"), body).await.status(), 403);
    }
}

fn secret_in(page: &str) -> Option<&str> {
    page.split_once("data-testid=\"secret\">")?.1.split('<').next()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_page_shows_a_secret_once_and_signs_a_call_that_passes(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let vera = app.sign_in_as("developer").await;
    let path = location(&vera.browser.post::<CreateKey>("/keys", &[("name", "till")]).await).to_owned();
    let id = path.rsplit('/').next().unwrap().to_owned();
    let secret = secret_in(&vera.browser.page(&path).await).unwrap().to_owned();
    vera.browser.post::<HideSecret>(&path, &[("id", &id), ("stored", "true")]).await;

    let wrong = vera.browser.post::<TurnOnSigning>(&path, &[("_form", "ed25519"), ("id", &id), ("algorithm", "ed25519"), ("public_key", "abc")]).await;
    assert_eq!(wrong.status(), 422);
    assert!(wrong.text().await.unwrap().contains("abc"), "what was typed is still there");

    let once = "a".repeat(30);
    let fields = [("id", id.as_str()), ("algorithm", "hmac-sha256"), ("once", &once)];
    let answer = vera.browser.post::<TurnOnSigning>(&path, &fields).await;
    assert_eq!(location(&answer), format!("{path}#signing"));
    let shown = secret_in(&vera.browser.page(&path).await).unwrap().to_owned();
    vera.browser.post::<TurnOnSigning>(&path, &fields).await;
    assert_eq!(secret_in(&vera.browser.page(&path).await), Some(shown.as_str()), "sent twice, one secret");
    let unasked = vera.browser.post::<HideSigningSecret>(&path, &[("id", &id)]).await;
    assert_eq!(unasked.status(), 422);
    assert_eq!(secret_in(&vera.browser.page(&path).await), Some(shown.as_str()), "a stray click does not lose it");
    vera.browser.post::<HideSigningSecret>(&path, &[("id", &id), ("stored", "true")]).await;
    let page = vera.browser.page(&path).await;
    assert!(secret_in(&page).is_none() && page.contains("HMAC-SHA-256, with a secret"));

    // A form sends CR LF; the command sends what is signed.
    let two_lines = [("id", id.as_str()), ("method", "POST"), ("url", "https://api.example.com/orders"), ("body", "{\r\n}")];
    let page = vera.browser.post::<SignCall>(&format!("{path}/sign"), &two_lines).await.text().await.unwrap();
    // The SHA-256 of `{`, LF, `}`.
    assert!(page.contains("sha-256=:jrlby8FUUwkx4V/EGMix/pkQlWcUCVUgmeoapZaZnt4=:"), "{page}");

    // The command of the page, read as a shell would.
    let sign = async |url: &str| {
        let answer = vera.browser.post::<SignCall>(&format!("{path}/sign"), &[("id", &id), ("method", "POST"), ("url", url), ("body", "it's")]).await;
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let (status, page) = sign("https://api.example.com/orders?page=2").await;
    assert!(status == 200 && page.contains("Signature-Input") && page.contains("--data-binary") && !page.contains(&shown), "{page}");
    assert!(page.contains("value=\"https://api.example.com/orders?page=2\""), "what was typed is still there: {page}");
    let (status, page) = sign("/orders").await;
    assert!(status == 422 && page.contains("href=\"#url\"") && page.contains("id=\"url-error\"") && page.contains("value=\"/orders\""), "{page}");
    let caller = tollgate::accounts::server::caller_of_account(&app.ctx, vera.account, tollgate::accounts::Via::Cli).await.unwrap().unwrap();
    let call = tollgate::keys::model::SignCall { method: "get".into(), url: "https://api.example.com/orders?page=2".into(), body: String::new() };
    let signed = build_signed_call(&app.ctx, &caller, id.parse().unwrap(), call.clone()).await.unwrap();
    let mut asked = app.http.get(app.url("/forward-auth/demo")).bearer_auth(&secret);
    asked = asked.header("x-forwarded-method", "GET").header("x-forwarded-uri", "/orders?page=2").header("x-forwarded-host", "api.example.com");
    for line in signed.curl.lines().filter_map(|line| line.trim().strip_prefix("-H '")) {
        let (name, value) = line.split_once(": ").unwrap();
        asked = asked.header(name, value.split('\'').next().unwrap());
    }
    assert_eq!(asked.send().await.unwrap().status(), 200, "{}", signed.curl);

    // Nobody else signs with it, not even an operator.
    let olga = app.sign_in_as("operator").await;
    let caller = tollgate::accounts::server::caller_of_account(&app.ctx, olga.account, tollgate::accounts::Via::Cli).await.unwrap().unwrap();
    assert_eq!(build_signed_call(&app.ctx, &caller, id.parse().unwrap(), call).await.unwrap_err().status(), 403);

    vera.browser.post::<TurnOffSigning>(&path, &[("id", &id)]).await;
    let page = vera.browser.page(&format!("{path}/sign")).await;
    assert!(page.contains("Turn on signed requests first.") && !page.contains("name=\"url\"") && page.contains(&format!("href=\"{path}#signing\"")), "{page}");
    assert!(vera.browser.page(&path).await.contains("Off: the key alone is enough."));
    assert_eq!(passes(&app, &secret).await, 200);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r86_a_signing_secret_is_sealed_anew_after_a_rotation_of_the_master_key(db: PgPool) {
    use tollgate::{
        keys::server::{reseal_secrets, signing::signer},
        platform::crypto::Vault,
        values::KeyId,
    };
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (id, _) = mara.new_key(&app, "k").await;
    let signing = format!("/api/v1/keys/{id}/signing");
    let (status, _) = json(mara.call(&app, Method::PUT, &signing, Some(json!({ "algorithm": "hmac-sha256" }))).await).await;
    assert_eq!(status, 200);

    let app = app.restart_with(Vault::with_previous([8; 32], [[7; 32]])).await;
    let opens = async || {
        let (key, sealed): (sqlx::types::Uuid, Vec<u8>) = sqlx::query_as("select key_id, sealed_secret from key_signings").fetch_one(&db).await.unwrap();
        [[7; 32], [8; 32]].map(|only| !signer(&Vault::new(only), KeyId::new(key), None, Some(&sealed), &[0; 32]).is_sealed())
    };
    assert_eq!(opens().await, [true, false]);
    for _ in 0..2 {
        reseal_secrets(&app.ctx).await.unwrap();
        assert_eq!(opens().await, [false, true]);
    }
}
