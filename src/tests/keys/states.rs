//! Disable, enable, revoke: what the gate answers, and that sending twice changes nothing.

use super::*;
use serde_json::json;

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn disable_and_enable_are_known_to_the_gate_at_once(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (id, secret) = mara.new_key(&app, "checkout").await;
    for _ in 0..2 {
        let (status, body) = json(mara.post(&app, &format!("/api/v1/keys/{id}/disable"), json!({ "reason": "moved\nhouse" })).await).await;
        assert_eq!((status, text(&body, "state")), (200, "disabled".to_owned()), "twice is as good as once");
        assert_eq!(passes(&app, &secret).await, 401);
    }
    for _ in 0..2 {
        let answer = mara.call(&app, Method::POST, &format!("/api/v1/keys/{id}/enable"), None).await;
        assert_eq!(answer.status(), 200, "no body is needed");
        assert_eq!(passes(&app, &secret).await, 200);
    }
    let acts = acts(&app, &mara, &id).await;
    assert_eq!(acts, [("enabled", ""), ("disabled", "moved house"), ("created", "")].map(|(a, r)| (a.to_owned(), r.to_owned())));
    assert_eq!((events(&db, "key.disabled").await, events(&db, "key.enabled").await), (1, 1));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn revoke_is_final(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (id, secret) = mara.new_key(&app, "checkout").await;
    let path = format!("/api/v1/keys/{id}");
    assert_eq!(mara.post(&app, &format!("{path}/revoke"), json!({ "reason": "leaked" })).await.status(), 200);
    assert_eq!(passes(&app, &secret).await, 401);
    assert_eq!(mara.call(&app, Method::DELETE, &path, None).await.status(), 204, "deleting is revoking, and safe to send twice");
    for (method, path, body) in [
        (Method::POST, format!("{path}/enable"), json!({})),
        (Method::POST, format!("{path}/disable"), json!({})),
        (Method::POST, format!("{path}/rotate"), json!({})),
        (Method::PATCH, path.clone(), json!({ "name": "again" })),
    ] {
        let (status, problem) = json(mara.call(&app, method, &path, Some(body)).await).await;
        assert_eq!(status, 409, "{path}: {problem}");
    }
    let (_, body) = json(mara.get(&app, &path).await).await;
    assert_eq!(text(&body, "state"), "revoked", "it can still be read");
    assert_eq!(acts(&app, &mara, &id).await.len(), 2);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn many_at_once_leave_one_line(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (id, _) = mara.new_key(&app, "checkout").await;
    let path = format!("/api/v1/keys/{id}/disable");
    let answers = futures_util::future::join_all((0..8).map(|_| mara.post(&app, &path, json!({})))).await;
    assert!(answers.iter().all(|a| a.status() == 200));
    assert_eq!(acts(&app, &mara, &id).await.len(), 2);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_reason_is_one_short_line(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (id, _) = mara.new_key(&app, "checkout").await;
    let path = format!("/api/v1/keys/{id}/disable");
    for wrong in [json!({ "reason": "x".repeat(201) }), json!({ "reason": 7 }), json!({ "why": "x" }), json!([])] {
        assert_eq!(mara.post(&app, &path, wrong.clone()).await.status(), 422, "{wrong}");
    }
    let html = "<img src=x onerror=alert(1)> '; drop table keys; --";
    assert_eq!(mara.post(&app, &path, json!({ "reason": html })).await.status(), 200);
    assert_eq!(acts(&app, &mara, &id).await[0].1, html);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_used_up_quota_keeps_nobody_from_stopping_a_key(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let owner = owner(&app, "mara@example.com", "developer").await;
    let (rest_key, secret) = key(&db, &app, &owner, Given { api: "tollgate", permissions: DEVELOPER, limit: Some((3, 3_600)) }).await;
    known(&app, rest_key).await;
    let mara = Person { owner, rest_key, secret };
    let (id, old) = mara.new_key(&app, "checkout").await;
    let path = format!("/api/v1/keys/{id}");
    let rename = || mara.call(&app, Method::PATCH, &path, Some(json!({ "name": "till" })));
    assert_eq!([rename().await.status(), rename().await.status()], [200, 200]);
    assert_eq!(rename().await.status(), 429);

    let (status, body) = json(mara.post(&app, &format!("{path}/rotate"), json!({ "grace": 60 })).await).await;
    assert_eq!(status, 200, "{body}");
    let (_, body) = json(mara.post(&app, &format!("{path}/disable"), json!({})).await).await;
    assert_eq!(text(&body, "state"), "disabled");
    let oldest: uuid::Uuid = sqlx::query_scalar("select id from key_secrets where expires_at is not null").fetch_one(&db).await.unwrap();
    let oldest = tollgate::values::SecretId::new(oldest);
    assert_eq!(mara.call(&app, Method::DELETE, &format!("{path}/secrets/{oldest}"), None).await.status(), 200);
    assert_eq!(passes(&app, &old).await, 401);
    assert_eq!(mara.call(&app, Method::DELETE, &path, None).await.status(), 204);
    assert_eq!(rename().await.status(), 429, "nothing else is free");

    // Sixty a minute, of which four are done.
    for n in 4..60 {
        assert_ne!(mara.post(&app, &format!("{path}/revoke"), json!({})).await.status(), 429, "{n}");
    }
    assert_eq!(mara.post(&app, &format!("{path}/revoke"), json!({})).await.status(), 429, "then they are calls as others");
}
