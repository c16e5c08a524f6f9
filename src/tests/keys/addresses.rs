//! From where a key may be used: set by page and REST, held by the gate, refused tries shown with their address.

use super::person;
use crate::support::TestApp;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

async fn behind_a_proxy(db: PgPool) -> TestApp {
    TestApp::start_with(db, |config| config.server.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()]).await
}

async fn from(app: &TestApp, address: &str, secret: &str) -> u16 {
    let request = app.http.get(app.url("/forward-auth/demo")).bearer_auth(secret).header("x-forwarded-for", address);
    request.send().await.unwrap().status().as_u16()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_key_passes_from_its_networks_only(db: PgPool) {
    let app = behind_a_proxy(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (id, secret) = mara.new_key(&app, "k").await;
    let path = format!("/api/v1/keys/{id}");
    assert_eq!(from(&app, "198.51.100.7", &secret).await, 200, "without a list, from everywhere");

    let edited = mara.call(&app, Method::PATCH, &path, Some(json!({ "addresses": ["2001:db8::7", "203.0.113.9/24"] }))).await;
    assert_eq!(edited.status(), 200);
    assert_eq!(edited.json::<Value>().await.unwrap()["addresses"], json!(["203.0.113.0/24", "2001:db8::7/128"]));
    for (address, status) in [("203.0.113.200", 200), ("::ffff:203.0.113.5", 200), ("2001:db8::7", 200), ("2001:db8::8", 403), ("198.51.100.7", 403)] {
        assert_eq!(from(&app, address, &secret).await, status, "{address}");
    }
    app.flush().await;
    let (address, detail): (String, String) =
        sqlx::query_as("select address, detail from refusal_samples where code = 'IP_DENIED' order by at, address desc limit 1").fetch_one(&db).await.unwrap();
    assert!(address == "2001:db8::8" && detail.contains("2001:db8::8"), "{address}: {detail}");
    let both: i64 = sqlx::query_scalar("select count(*) from refusal_samples where code = 'IP_DENIED' and ground = 'address'").fetch_one(&db).await.unwrap();
    assert_eq!(both, 2, "the second address of the minute is not hidden by the first");

    let wrong = mara.call(&app, Method::PATCH, &path, Some(json!({ "addresses": ["example.com"] }))).await;
    assert_eq!(wrong.status(), 422);
    assert_eq!(wrong.json::<Value>().await.unwrap()["errors"][0]["pointer"], "#/addresses/0");
    let history = mara.get(&app, &format!("{path}/history")).await.json::<Value>().await.unwrap();
    assert_eq!((&history["data"][0]["act"], &history["data"][0]["detail"]), (&json!("addressed"), &json!("203.0.113.0/24, 2001:db8::7/128")));
    mara.call(&app, Method::PATCH, &path, Some(json!({ "addresses": [] }))).await;
    assert_eq!(from(&app, "198.51.100.7", &secret).await, 200, "from everywhere again");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn networks_of_ipv4_written_as_ipv6_are_ipv4(db: PgPool) {
    let app = behind_a_proxy(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (id, secret) = mara.new_key(&app, "k").await;
    let edited = mara.call(&app, Method::PATCH, &format!("/api/v1/keys/{id}"), Some(json!({ "addresses": ["::ffff:203.0.113.0/120"] }))).await;
    assert_eq!(edited.json::<Value>().await.unwrap()["addresses"], json!(["203.0.113.0/24"]));
    for (address, status) in [("203.0.113.9", 200), ("::ffff:203.0.113.9", 200), ("203.0.114.9", 403)] {
        assert_eq!(from(&app, address, &secret).await, status, "{address}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_blank_entry_opens_no_key(db: PgPool) {
    let app = behind_a_proxy(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let list = json!({ "name": "k", "addresses": ["203.0.113.7"], "origins": ["https://app.example.com"], "routes": ["GET /orders"], "tags": ["a"] });
    let made = mara.call(&app, Method::POST, "/api/v1/keys", Some(list.clone())).await.json::<Value>().await.unwrap();
    let path = format!("/api/v1/keys/{}", made["id"].as_str().unwrap());
    for field in ["addresses", "origins", "routes", "tags"] {
        let words = [json!([""]), json!([list[field][0], " "])];
        for (place, blank) in words.into_iter().enumerate() {
            let refused = mara.call(&app, Method::PATCH, &path, Some(json!({ field: blank }))).await;
            assert_eq!(refused.status(), 422, "{field}");
            let errors = refused.json::<Value>().await.unwrap()["errors"].clone();
            assert_eq!((errors.as_array().unwrap().len(), &errors[0]["pointer"]), (1, &json!(format!("#/{field}/{place}"))), "{errors}");
            let refused = mara.call(&app, Method::POST, "/api/v1/keys", Some(json!({ "name": "k", field: blank }))).await;
            assert_eq!(
                (refused.status().as_u16(), &refused.json::<Value>().await.unwrap()["errors"][0]["pointer"]),
                (422, &json!(format!("#/{field}/{place}")))
            );
        }
    }
    let batch = json!({ "api": "demo", "keys": [{ "name": "k", "addresses": [""] }] });
    let refused = mara.call(&app, Method::POST, "/api/v1/keys/batch", Some(batch)).await;
    assert_eq!((refused.status().as_u16(), &refused.json::<Value>().await.unwrap()["errors"][0]["pointer"]), (422, &json!("#/keys/0/addresses")));

    let key = mara.get(&app, &path).await.json::<Value>().await.unwrap();
    assert_eq!(
        (&key["addresses"], &key["origins"], &key["routes"], &key["tags"]),
        (&json!(["203.0.113.7/32"]), &list["origins"], &list["routes"], &list["tags"])
    );
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_key_for_tollgate_itself_is_held_too(db: PgPool) {
    let app = behind_a_proxy(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let narrowed = mara.call(&app, Method::PATCH, &format!("/api/v1/keys/{}", mara.rest_key), Some(json!({ "addresses": ["203.0.113.7"] }))).await;
    assert_eq!(narrowed.status(), 200);
    let me = |address: &str| app.http.get(app.url("/api/v1/me")).bearer_auth(&mara.secret).header("x-forwarded-for", address.to_owned()).send();
    assert_eq!(me("203.0.113.7").await.unwrap().status(), 200);
    let refused = me("203.0.113.8").await.unwrap();
    assert_eq!(refused.status(), 403);
    assert!(refused.text().await.unwrap().contains("may not be used from this address"));
}
