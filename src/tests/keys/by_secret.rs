//! Who still sends which secret: counted while a key has several, told on its page and over REST, to nobody else.

use super::{
    old_secrets::{rotated, secrets},
    pages::{hidden, id_of, make, words},
    *,
};
use crate::support::{T0, browser::location, until};
use serde_json::json;
use time::Duration;
use tollgate::keys::{
    api::{HideSecret, RotateKey},
    server::gate::{Gate, Question},
};

/// A service that asks the gate.
struct Service(String);

impl Service {
    async fn new(app: &TestApp, mara: &Person) -> Self {
        let body = json!({ "name": "gateway", "api": "tollgate", "permissions": ["keys:verify"] });
        let (status, made) = super::json(mara.post(app, "/api/v1/keys", body).await).await;
        assert_eq!(status, 201, "{made}");
        Self(text(&made, "secret"))
    }

    /// The code for a call with this secret.
    async fn ask(&self, app: &TestApp, secret: &str, ip: Option<&str>, permission: Option<&str>) -> String {
        let question = json!({ "key": secret, "route": "GET /orders/7", "ip": ip, "permission": permission });
        let answer = app.http.post(app.url("/api/v1/keys/verify")).bearer_auth(&self.0).json(&question).send().await.unwrap();
        text(&answer.json::<Value>().await.unwrap(), "code")
    }
}

/// What REST tells of the secrets of a key, the newest first.
async fn usage(app: &TestApp, mara: &Person, id: &str) -> Vec<Value> {
    let mut told = Vec::new();
    for secret in secrets(app, mara, id).await {
        let path = format!("/api/v1/keys/{id}/secrets/{}/usage", text(&secret, "id"));
        let (status, body) = super::json(mara.get(app, &path).await).await;
        assert_eq!(status, 200, "{body}");
        told.push(body);
    }
    told
}

fn day(usage: &Value) -> u64 {
    usage["hours"].as_array().unwrap().iter().map(|hour| hour["calls"]["total"].as_u64().unwrap()).sum()
}

async fn counted(db: &PgPool) -> i64 {
    sqlx::query_scalar("select coalesce(sum(passed + limited + refused), 0)::bigint from usage_secrets").fetch_one(db).await.unwrap()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn calls_are_counted_by_secret_while_there_are_several(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "operator").await;
    let service = Service::new(&app, &mara).await;
    let (alone, only) = mara.new_key(&app, "alone").await;
    assert_eq!(service.ask(&app, &only, Some("203.0.113.7"), None).await, "VALID");
    let (id, old, new) = rotated(&app, &mara, json!({ "grace": 86_400 })).await;
    app.ctx.clock.set(T0 + Duration::minutes(20));
    for _ in 0..3 {
        assert_eq!(service.ask(&app, &old, Some("203.0.113.7"), None).await, "VALID");
    }
    assert_eq!(service.ask(&app, &old, Some("2001:db8:1:2:3::4"), Some("orders:destroy")).await, "FORBIDDEN", "who is refused has it too");
    assert_eq!(service.ask(&app, &old, None, None).await, "VALID");
    for _ in 0..2 {
        assert_eq!(service.ask(&app, &new, Some("203.0.113.8"), None).await, "VALID");
    }
    app.flush().await;
    until("the calls are written", || async { counted(&db).await == 7 }).await;

    let [newest, oldest] = usage(&app, &mara, &id).await.try_into().unwrap();
    assert_eq!((text(&oldest, "since"), day(&oldest), day(&newest)), ("2026-11-20T12:00:00Z".to_owned(), 5, 2));
    let hours = oldest["hours"].as_array().unwrap();
    assert_eq!((hours.len(), &hours[23]["calls"]), (24, &json!({ "total": 5, "passed": 4, "limited": 0, "refused": 1 })));
    let users = oldest["users"].as_array().unwrap();
    let told: Vec<_> = users.iter().map(|user| (user["address"].as_str(), user["calls"]["total"].as_u64().unwrap())).collect();
    assert_eq!(told, [(Some("203.0.113.7"), 3), (None, 1), (Some("2001:db8:1:2::/64"), 1)]);
    assert_eq!((&users[0]["routes"], text(&users[0], "last_at")), (&json!(["GET /orders/{id}"]), "2026-11-20T12:20:00Z".to_owned()));
    assert!(users.iter().all(|user| user["is_rest"] == false));

    let [single] = usage(&app, &mara, &alone).await.try_into().unwrap();
    assert_eq!((&single["since"], &single["hours"], &single["users"]), (&Value::Null, &json!([]), &json!([])));
    // Once the old one has ended, calls are the key's again.
    app.ctx.clock.set(T0 + Duration::days(2));
    assert_eq!(service.ask(&app, &new, Some("203.0.113.8"), None).await, "VALID");
    app.flush().await;
    assert_eq!(counted(&db).await, 7, "none of keys with one secret");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn of_a_secret_that_came_from_everywhere_the_newest_rows_are_read(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "operator").await;
    let (id, ..) = rotated(&app, &mara, json!({ "grace": 2_592_000 })).await;
    sqlx::query(
        "insert into usage_secrets (secret_id, quarter, address, route, passed, limited, refused, last_at)
         select s.id, $1::timestamptz + q * interval '15 minutes', '192.0.2.' || a, 'GET /', 1, 0, 0, $1::timestamptz + q * interval '15 minutes'
         from key_secrets s, generate_series(0, 299) q, generate_series(1, 100) a",
    )
    .bind(T0)
    .execute(&db)
    .await
    .unwrap();
    app.ctx.clock.set(T0 + Duration::days(10));
    for told in usage(&app, &mara, &id).await {
        // 10,000 rows, and all others of the quarter of an hour in which the next one stands.
        assert_eq!((text(&told, "since"), text(&told, "users_since")), ("2026-11-20T12:00:00Z".to_owned(), "2026-11-22T13:45:00Z".to_owned()));
        let users = told["users"].as_array().unwrap();
        assert_eq!(users.iter().map(|user| user["calls"]["total"].as_u64().unwrap()).sum::<u64>(), 10_100);
        assert_eq!((users.len(), users[0]["is_rest"].as_bool()), (100, Some(false)));
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_several_servers_wrote_of_one_quarter_of_an_hour_is_summed_up_whole(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "operator").await;
    let (id, ..) = rotated(&app, &mara, json!({ "grace": 86_400 })).await;
    // Each of them writes up to 64 rows every two seconds.
    sqlx::query(
        "insert into usage_secrets (secret_id, quarter, address, route, passed, limited, refused, last_at)
         select s.id, $1::timestamptz, host('10.0.0.0'::inet + a), 'GET /', 1, 0, 0, $1::timestamptz from key_secrets s, generate_series(1, 45000) a
         where s.key_id in (select key_id from key_secrets group by 1 having count(*) > 1)",
    )
    .bind(T0)
    .execute(&db)
    .await
    .unwrap();
    for told in usage(&app, &mara, &id).await {
        let users = told["users"].as_array().unwrap();
        assert_eq!(users.iter().map(|user| user["calls"]["total"].as_u64().unwrap()).sum::<u64>(), 45_000);
        assert_eq!((users.len(), users[100]["is_rest"].as_bool()), (101, Some(true)));
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_secrets_of_a_service_that_only_asks_are_counted(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let olga = person(&app, &db, "olga@example.com", "operator").await;
    let body = json!({ "name": "gateway", "api": "tollgate", "permissions": ["keys:verify"] });
    let (_, made) = super::json(olga.post(&app, "/api/v1/keys", body).await).await;
    let id = text(&made, "id");
    olga.post(&app, &format!("/api/v1/keys/{id}/rotate"), json!({ "grace": 86_400 })).await;
    let service = Service(text(&made, "secret"));
    for _ in 0..4 {
        service.ask(&app, "x", None, None).await;
    }
    app.flush().await;
    let [newest, oldest] = usage(&app, &olga, &id).await.try_into().unwrap();
    assert_eq!((day(&newest), day(&oldest), &oldest["users"][0]["routes"]), (0, 4, &json!(["POST /api/v1/keys/verify"])));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_old_secret_is_safe_to_drop_after_three_quiet_hours(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "operator").await;
    let service = Service::new(&app, &mara).await;
    let (id, old, _) = rotated(&app, &mara, json!({ "grace": 864_000 })).await;
    let is_safe = async || {
        let told = usage(&app, &mara, &id).await;
        assert_eq!(told[0]["is_safe_to_drop"], false, "the newest stays");
        told[1]["is_safe_to_drop"].as_bool().unwrap()
    };
    app.ctx.clock.set(T0 + Duration::minutes(179));
    assert!(!is_safe().await, "a rotation just now proves nothing");
    app.ctx.clock.set(T0 + Duration::hours(3));
    assert!(is_safe().await);
    assert_eq!(service.ask(&app, &old, None, Some("orders:destroy")).await, "FORBIDDEN");
    app.flush().await;
    assert!(!is_safe().await, "a refused call tells that somebody still has it");
    app.ctx.clock.set(T0 + Duration::hours(6));
    assert!(is_safe().await);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn calls_by_secret_are_told_to_nobody_else(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let eve = person(&app, &db, "eve@example.com", "developer").await;
    let (id, _, _) = rotated(&app, &mara, json!({ "grace": 60 })).await;
    let [_, oldest] = secrets(&app, &mara, &id).await.try_into().unwrap();
    let (hers, _) = eve.new_key(&app, "hers").await;
    let path = |key: &str| format!("/api/v1/keys/{key}/secrets/{}/usage", text(&oldest, "id"));
    assert_eq!(mara.get(&app, &path(&id)).await.status(), 200);
    assert_eq!(eve.get(&app, &path(&id)).await.status(), 404);
    assert_eq!(eve.get(&app, &path(&hers)).await.status(), 404, "nor under a key of one's own");
    app.ctx.clock.set(T0 + Duration::seconds(61));
    assert_eq!(mara.get(&app, &path(&id)).await.status(), 404, "it has ended");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_secret_that_ended_and_is_still_sent_is_told_as_the_keys(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let vera = app.sign_in_as("developer").await;
    let (path, old) = make(&vera, "checkout").await;
    let id = id_of(&path);
    let dialog = vera.browser.page(&format!("{path}?dialog=rotate")).await;
    let fields = [("id", id.as_str()), ("grace", "0"), ("once", hidden(&dialog, "once"))];
    assert_eq!(location(&vera.browser.post::<RotateKey>(&format!("{path}?dialog=rotate"), &fields).await), path);
    assert!(!words(&vera.browser.page(&path).await).contains("still sent"));
    app.ctx.clock.set(T0 + Duration::minutes(5));
    assert_eq!(passes(&app, &old).await, 401);
    app.flush().await;
    let told = words(&vera.browser.page(&path).await);
    for wanted in ["1 ended secret is still sent, answered EXPIRED", "127.0.0.1"] {
        assert!(told.contains(wanted), "{wanted}: {told}");
    }
    let sampled: (String, String) =
        sqlx::query_as("select code, ground from refusal_samples where key_id = $1").bind(id.parse::<KeyId>().unwrap().uuid()).fetch_one(&db).await.unwrap();
    assert_eq!(sampled, ("EXPIRED".to_owned(), "secret".to_owned()), "it stands in the owner's Requests");
    let guesses: i64 = sqlx::query_scalar("select count(*) from unknown_attempts").fetch_one(&db).await.unwrap();
    assert_eq!(guesses, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_page_says_who_still_sends_the_old_secret(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let vera = app.sign_in_as("developer").await;
    let (path, old) = make(&vera, "checkout").await;
    let id = id_of(&path);
    assert!(!vera.browser.page(&path).await.contains("in 24 hours"), "with one secret they are the calls of the key");
    let dialog = vera.browser.page(&format!("{path}?dialog=rotate")).await;
    let fields = [("id", id.as_str()), ("grace", "86400"), ("once", hidden(&dialog, "once"))];
    let answer = vera.browser.post::<RotateKey>(&format!("{path}?dialog=rotate"), &fields).await;
    assert_eq!(location(&answer), path);
    let fresh = words(&vera.browser.page(&path).await);
    assert!(fresh.contains("No call since the rotation yet") && !fresh.contains("safe to drop") && !fresh.contains("Who sent"), "{fresh}");

    app.ctx.clock.set(T0 + Duration::minutes(5));
    for _ in 0..3 {
        assert_eq!(passes(&app, &old).await, 200);
    }
    app.flush().await;
    let told = words(&vera.browser.page(&path).await);
    for wanted in ["Still used", "3 calls in 24 hours, 3 in the last hour", "Who sent", "127.0.0.1", "0 calls in 24 hours"] {
        assert!(told.contains(wanted), "{wanted}: {told}");
    }
    // The use of a secret is told once a minute; who came last is told all the same.
    let send = |from: &str| {
        let question = Question { secret: &old, address: from.parse().ok(), route: "GET /orders", ..Question::default() };
        assert!(app.ctx.part::<Gate>().unwrap().verify(question).unwrap().passes());
    };
    send("203.0.113.7");
    app.ctx.clock.set(T0 + Duration::minutes(5) + Duration::seconds(10));
    send("203.0.113.8");
    app.flush().await;
    let told = words(&vera.browser.page(&path).await);
    assert!(told.contains("from 203.0.113.8 (GET /orders)"), "{told}");
    vera.browser.post::<HideSecret>(&path, &[("id", &id), ("stored", "true")]).await;
    let old_one = hidden(&vera.browser.page(&path).await, "secret").to_owned();
    let asks = words(&vera.browser.page(&format!("{path}?dialog=drop&secret={old_one}")).await);
    for wanted in ["5 calls came with it in the last 24 hours, 5 of them in the last hour.", "127.0.0.1 (3 calls)"] {
        assert!(asks.contains(wanted), "{wanted}: {asks}");
    }
    app.ctx.clock.set(T0 + Duration::hours(5) + Duration::minutes(5));
    let told = words(&vera.browser.page(&path).await);
    assert!(told.contains("No call for 5 hours: safe to drop") && told.contains("5 calls in 24 hours, 0 in the last hour"), "{told}");
}
