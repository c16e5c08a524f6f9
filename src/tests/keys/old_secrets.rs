//! Old secrets beside a new one: who still uses them, when they end, and that the key's charts and limits stay one.

use super::*;
use crate::support::T0;
use serde_json::json;
use time::Duration;
use tollgate::{
    keys::server::{
        gate::{Gate, Question},
        jobs::ForgetSecrets,
    },
    platform::jobs::Job,
    values::Outcome,
};

/// A key that was rotated: its id, the old secret and the new one.
pub(super) async fn rotated(app: &TestApp, mara: &Person, how: Value) -> (String, String, String) {
    let (id, old) = mara.new_key(app, "checkout").await;
    let (status, body) = json(mara.post(app, &format!("/api/v1/keys/{id}/rotate"), how).await).await;
    assert_eq!(status, 200, "{body}");
    (id, old, text(&body, "secret"))
}

pub(super) async fn secrets(app: &TestApp, mara: &Person, id: &str) -> Vec<Value> {
    let (status, body) = json(mara.get(app, &format!("/api/v1/keys/{id}")).await).await;
    assert_eq!(status, 200, "{body}");
    body["secrets"].as_array().unwrap().clone()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_first_use_of_the_new_secret_ends_the_old_one(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let other = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (id, old, new) = rotated(&app, &mara, json!({ "until": "first_use" })).await;
    known(&other, id.parse().unwrap()).await;

    assert_eq!(passes(&app, &old).await, 200);
    app.flush().await;
    assert_eq!((app.run_jobs().await, passes(&app, &old).await), (0, 200), "only the new one's use counts");
    mara.post(&app, &format!("/api/v1/keys/{id}/disable"), json!({})).await;
    assert_eq!(passes(&app, &new).await, 401);
    app.flush().await;
    assert_eq!(app.run_jobs().await, 0, "and only one that passes");
    mara.post(&app, &format!("/api/v1/keys/{id}/enable"), json!({})).await;

    // Both nodes see a first use at once.
    crate::support::until("the other node knows the new secret", || async { passes(&other, &new).await == 200 }).await;
    assert_eq!(passes(&app, &new).await, 200);
    app.flush().await;
    other.flush().await;
    assert_eq!(app.run_jobs().await, 2);
    assert_eq!((passes(&app, &old).await, passes(&app, &new).await), (401, 200));
    crate::support::until("the other node refuses the old one", || async { passes(&other, &old).await == 401 }).await;
    assert_eq!(acts(&app, &mara, &id).await[0], ("dropped".to_owned(), "the new one is in use".to_owned()));
    assert_eq!(events(&db, "key.dropped").await, 1, "the second end is without effect");

    assert_eq!(passes(&app, &new).await, 200);
    app.ctx.clock.advance(Duration::minutes(2));
    assert_eq!(passes(&app, &new).await, 200);
    app.flush().await;
    assert_eq!(app.run_jobs().await, 0, "it is told once");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_node_of_the_first_use_refuses_the_old_secret_from_that_call_on(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let other = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (id, old, new) = rotated(&app, &mara, json!({ "until": "first_use" })).await;
    let of_old = || other.ctx.part::<Gate>().unwrap().verify(Question { secret: &old, cost: Some(0), ..Question::default() }).unwrap();
    crate::support::until("the other node knows of the rotation", || async { of_old().facts().is_some_and(|facts| facts.awaits_first_use) }).await;
    assert_eq!((passes(&app, &old).await, passes(&app, &new).await, passes(&app, &old).await), (200, 200, 401), "nothing was told yet");
    assert_eq!(passes(&other, &old).await, 200, "another node learns of it");

    // The key is read again, from a database that does not know.
    let named = json!({ "name": "checkout two" });
    assert_eq!(mara.call(&app, Method::PATCH, &format!("/api/v1/keys/{id}"), Some(named)).await.status(), 200);
    assert_eq!((passes(&app, &old).await, passes(&app, &new).await), (401, 200));
    assert_eq!(secrets(&app, &mara, &id).await.len(), 2);

    app.flush().await;
    assert_eq!((app.run_jobs().await, secrets(&app, &mara, &id).await.len()), (1, 1));
    crate::support::until("the other node refuses the old one", || async { passes(&other, &old).await == 401 }).await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_old_secret_that_gets_a_date_after_the_first_use_lives_until_then(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (id, old, new) = rotated(&app, &mara, json!({ "until": "first_use" })).await;
    assert_eq!((passes(&app, &new).await, passes(&app, &old).await), (200, 401));
    let oldest = text(&secrets(&app, &mara, &id).await[1], "id");
    let path = format!("/api/v1/keys/{id}/secrets/{oldest}");
    assert_eq!(mara.call(&app, Method::PATCH, &path, Some(json!({ "grace": 3_600 }))).await.status(), 200);
    assert_eq!(passes(&app, &old).await, 200);
    app.flush().await;
    app.run_jobs().await;
    assert_eq!(passes(&app, &old).await, 200, "what was told of the first use is of no effect");
    app.ctx.clock.advance(Duration::hours(1));
    assert_eq!(passes(&app, &old).await, 401);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_first_use_that_was_not_told_is_told_by_the_next_process(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (_, old, new) = rotated(&app, &mara, json!({ "until": "first_use" })).await;
    assert_eq!(passes(&app, &new).await, 200);
    drop(app); // without a flush
    let app = TestApp::start(db.clone()).await;
    assert_eq!((passes(&app, &old).await, passes(&app, &new).await), (200, 200));
    app.flush().await;
    assert_eq!((app.run_jobs().await, passes(&app, &old).await), (1, 401));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn rotated_again_the_first_use_of_the_middle_one_ends_what_waited_for_it(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (id, first, second) = rotated(&app, &mara, json!({ "until": "first_use" })).await;
    assert_eq!(passes(&app, &second).await, 200);
    app.flush().await;
    let (_, body) = json(mara.post(&app, &format!("/api/v1/keys/{id}/rotate"), json!({ "until": "first_use" })).await).await;
    assert_eq!((passes(&app, &first).await, passes(&app, &second).await), (401, 200), "what was refused once is not accepted again");
    app.run_jobs().await;
    assert_eq!(secrets(&app, &mara, &id).await.len(), 2, "and is gone");
    assert_eq!((passes(&app, &first).await, passes(&app, &second).await), (401, 200), "the middle one waits for the newest");
    assert_eq!(passes(&app, &text(&body, "secret")).await, 200);
    app.flush().await;
    app.run_jobs().await;
    assert_eq!((passes(&app, &first).await, passes(&app, &second).await), (401, 401));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_use_of_an_asking_service_s_own_key_counts_too(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let olga = person(&app, &db, "olga@example.com", "operator").await;
    let body = json!({ "name": "gateway", "api": "tollgate", "permissions": ["keys:verify"] });
    let (_, made) = json(olga.post(&app, "/api/v1/keys", body).await).await;
    let (_, rotated) = json(olga.post(&app, &format!("/api/v1/keys/{}/rotate", text(&made, "id")), json!({ "until": "first_use" })).await).await;
    let ask = |secret: String| app.http.post(app.url("/api/v1/keys/verify")).bearer_auth(secret).json(&json!({ "key": "x" })).send();
    assert_eq!(ask(text(&rotated, "secret")).await.unwrap().status(), 200);
    app.flush().await;
    assert_eq!(app.run_jobs().await, 1);
    assert_eq!(ask(text(&made, "secret")).await.unwrap().status(), 401);
    let used = secrets(&app, &olga, &text(&made, "id")).await;
    assert_eq!((used.len(), text(&used[0], "last_used_route").as_str()), (1, "POST /api/v1/keys/verify"));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn who_uses_which_secret_is_told_to_the_minute(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "operator").await;
    let (_, service) = json(mara.post(&app, "/api/v1/keys", json!({ "name": "gateway", "api": "tollgate", "permissions": ["keys:verify"] })).await).await;
    let (id, old, new) = rotated(&app, &mara, json!({ "grace": 86_400 })).await;
    let ask = async |secret: &str, ip: &str| {
        let question = json!({ "key": secret, "route": "GET /orders/7", "ip": ip });
        let answer = app.http.post(app.url("/api/v1/keys/verify")).bearer_auth(text(&service, "secret")).json(&question).send().await.unwrap();
        assert_eq!(answer.json::<Value>().await.unwrap()["code"], "VALID");
    };
    ask(&old, "203.0.113.7").await;
    app.ctx.clock.advance(Duration::seconds(30));
    ask(&old, "203.0.113.8").await;
    ask(&new, "2001:db8::7").await;
    app.flush().await;
    let listed = secrets(&app, &mara, &id).await;
    assert_eq!(listed.len(), 2);
    assert!(listed[0]["expires_at"].is_null() && new.starts_with(&text(&listed[0], "start")), "the newest first: {listed:?}");
    assert_eq!((text(&listed[0], "last_used_from"), text(&listed[0], "last_used_route")), ("2001:db8::7".to_owned(), "GET /orders/{id}".to_owned()));
    assert_eq!((text(&listed[1], "last_used_from"), text(&listed[1], "last_used_at")), ("203.0.113.7".to_owned(), "2026-11-20T12:00:00Z".to_owned()));
    let whole = mara.get(&app, &format!("/api/v1/keys/{id}")).await.text().await.unwrap();
    assert!(!whole.contains(&old) && !whole.contains(&new) && !whole.contains("hash"));

    // A change of the key begins a new minute for its secrets: a use after a rotation is always told.
    mara.post(&app, &format!("/api/v1/keys/{id}/rotate"), json!({ "grace": 86_400 })).await;
    ask(&old, "203.0.113.9").await;
    app.flush().await;
    let listed = secrets(&app, &mara, &id).await;
    assert!(listed.iter().any(|s| s["last_used_from"] == "203.0.113.9"), "{listed:?}");

    let (limit, calls): (i64, i64) = sqlx::query_as("select count(distinct key_id), sum(count)::bigint from usage_minutes where key_id = $1")
        .bind(id.parse::<KeyId>().unwrap().uuid())
        .fetch_one(&db)
        .await
        .unwrap();
    assert_eq!((limit, calls), (1, 4), "the calls of all secrets are the key's");
    let state = app.ctx.part::<Gate>().unwrap().limit_state(id.parse().unwrap(), app.ctx.clock.now_micros());
    assert_eq!(state[0].used, 4, "and so is the limit");
}

/// What the gate answers to a secret.
async fn says(app: &TestApp, secret: &str, code: Outcome) {
    let ask = || app.ctx.part::<Gate>().unwrap().verify(Question { secret, cost: Some(0), ..Question::default() }).unwrap().outcome;
    crate::support::until(&format!("{code} instead of {}", ask()), || async { ask() == code }).await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_secret_that_ended_is_known_for_thirty_days(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (id, dropped, _) = rotated(&app, &mara, json!({ "grace": 86_400 })).await;
    let oldest = text(&secrets(&app, &mara, &id).await[1], "id");
    assert_eq!(mara.call(&app, Method::DELETE, &format!("/api/v1/keys/{id}/secrets/{oldest}"), None).await.status(), 200);
    let (_, replaced, new) = rotated(&app, &mara, json!({ "until": "first_use" })).await;
    assert_eq!(passes(&app, &new).await, 200);
    app.flush().await;
    app.run_jobs().await;
    let later = TestApp::start(db.clone()).await;
    for secret in [&dropped, &replaced] {
        says(&app, secret, Outcome::Expired).await;
        says(&later, secret, Outcome::Expired).await;
    }
    app.ctx.clock.set(T0 + Duration::days(30));
    ForgetSecrets::default().run(&app.ctx).await.unwrap();
    says(&app, &dropped, Outcome::Expired).await;
    app.ctx.clock.advance(Duration::seconds(1));
    ForgetSecrets::default().run(&app.ctx).await.unwrap();
    for secret in [&dropped, &replaced] {
        says(&app, secret, Outcome::Unknown).await;
        says(&later, secret, Outcome::Unknown).await;
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn of_a_key_the_last_ten_secrets_that_ended_are_known(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (id, first) = mara.new_key(&app, "checkout").await;
    let mut ended = vec![first];
    for _ in 0..12 {
        app.ctx.clock.advance(Duration::seconds(1));
        let (_, body) = json(mara.post(&app, &format!("/api/v1/keys/{id}/rotate"), json!({ "grace": 0 })).await).await;
        ended.push(text(&body, "secret"));
    }
    let newest = ended.pop().unwrap();
    for (n, secret) in ended.iter().enumerate() {
        says(&app, secret, if n < 2 { Outcome::Unknown } else { Outcome::Expired }).await;
    }
    says(&app, &newest, Outcome::Valid).await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_old_secret_is_extended_or_dropped(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (id, old, new) = rotated(&app, &mara, json!({ "grace": 60 })).await;
    let [newest, oldest] = secrets(&app, &mara, &id).await.try_into().unwrap();
    let path = |secret: &Value| format!("/api/v1/keys/{id}/secrets/{}", text(secret, "id"));
    let patch = async |secret: &Value, body: Value| json(mara.call(&app, Method::PATCH, &path(secret), Some(body)).await).await;

    let (status, body) = patch(&oldest, json!({ "expires_at": "2026-12-24T18:00:00Z" })).await;
    assert_eq!((status, text(&body["secrets"][1], "expires_at")), (200, "2026-12-24T18:00:00Z".to_owned()), "{body}");
    assert_eq!(acts(&app, &mara, &id).await[0].0, "extended");
    assert_eq!((&body["spread"]["nodes"], &body["spread"]["confirmed"]), (&json!(1), &json!(1)), "{body}");
    let (_, body) = patch(&oldest, json!({ "until": "first_use" })).await;
    assert_eq!(text(&body["secrets"][1], "until"), "first_use");
    let (_, body) = patch(&oldest, json!({ "grace": 120 })).await;
    assert!(body["secrets"][1]["until"].is_null());
    app.ctx.clock.set(T0 + Duration::seconds(119));
    assert_eq!(passes(&app, &old).await, 200, "later than it was");

    for (secret, body, expected) in [
        (&oldest, json!({}), 422),
        (&oldest, json!({ "grace": 0 }), 422),
        (&oldest, json!({ "grace": 60, "until": "first_use" }), 422),
        (&oldest, json!({ "until": "doomsday" }), 422),
        (&oldest, json!({ "expires_at": "2026-11-20T12:00:00Z" }), 422),
        (&oldest, json!({ "expires_at": "2028-01-01T00:00:00Z" }), 422),
        (&newest, json!({ "grace": 60 }), 404),
    ] {
        assert_eq!(patch(secret, body.clone()).await.0, expected, "{body}");
    }
    assert_eq!(mara.call(&app, Method::DELETE, &path(&newest), None).await.status(), 409, "the newest can't be dropped");
    for _ in 0..2 {
        let (status, body) = json(mara.call(&app, Method::DELETE, &path(&oldest), None).await).await;
        assert_eq!((status, &body["spread"]["nodes"], &body["spread"]["confirmed"]), (200, &json!(1), &json!(1)), "safe to send twice: {body}");
    }
    assert_eq!((passes(&app, &old).await, passes(&app, &new).await), (401, 200));
    assert_eq!(patch(&oldest, json!({ "grace": 60 })).await.0, 404, "gone is gone");

    let eve = person(&app, &db, "eve@example.com", "developer").await;
    assert_eq!(eve.call(&app, Method::DELETE, &path(&newest), None).await.status(), 404);
    assert_eq!(mara.get(&app, "/api/v1/keys/key_x").await.status(), 404);
    assert_eq!(mara.call(&app, Method::DELETE, &format!("/api/v1/keys/{id}/secrets/x"), None).await.status(), 404);
}
