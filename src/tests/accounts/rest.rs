//! The REST routes of accounts: the same operations, problems with pointers, the same answer for every address.

use super::{count, unproven};
use crate::support::{
    TestApp,
    browser::PASSWORD,
    mailbox::{code, link},
};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use sqlx::PgPool;

async fn call(app: &TestApp, method: Method, path: &str, body: &Value) -> Response {
    reqwest::Client::new().request(method, app.url(path)).json(body).send().await.unwrap()
}

async fn post(app: &TestApp, path: &str, body: Value) -> Response {
    call(app, Method::POST, path, &body).await
}

fn token<'a>(mail: &'a tollgate::platform::mail::SentMail, page: &str) -> &'a str {
    link(mail, page).split("token=").nth(1).unwrap()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_whole_path_over_rest(db: PgPool) {
    let app = TestApp::start(db).await;
    let registered =
        post(&app, "/api/v1/auth/register", json!({ "email": "mara@example.com", "name": "Mara", "password": PASSWORD, "time_zone": "Europe/Berlin" })).await;
    assert_eq!(registered.status(), 202);
    assert_eq!(registered.json::<Value>().await.unwrap(), json!({ "mailed_to": "mara@example.com" }));
    let mail = app.mail_to("mara@example.com").await;
    let proof = json!({ "email": "mara@example.com", "code": code(&mail), "password": PASSWORD });
    assert_eq!(post(&app, "/api/v1/auth/verify", proof).await.status(), 204);
    assert_eq!(post(&app, "/api/v1/auth/verify", json!({ "token": token(&mail, "/verify-email") })).await.status(), 409);

    assert_eq!(post(&app, "/api/v1/auth/password/forgot", json!({ "email": "mara@example.com" })).await.status(), 202);
    let mail = app.mail_to("mara@example.com").await;
    let body = json!({ "token": token(&mail, "/reset-password"), "new_password": "gate keeper sings at noon" });
    assert_eq!(post(&app, "/api/v1/auth/password/reset", body.clone()).await.status(), 204);
    let again = post(&app, "/api/v1/auth/password/reset", body).await;
    assert_eq!(again.status(), 422);
    assert_eq!(again.headers()["content-type"], "application/problem+json");

    let mara = app.browser();
    assert_eq!(mara.sign_in("mara@example.com", "gate keeper sings at noon").await.status(), 303);
    let me: Value = mara.get("/api/v1/me").await.json().await.unwrap();
    assert_eq!((me["email"].as_str(), me["name"].as_str(), me["time_zone"].as_str()), (Some("mara@example.com"), Some("Mara"), Some("Europe/Berlin")));
    assert!(me["id"].as_str().unwrap().starts_with("acc_") && me["permissions"].as_array().unwrap().contains(&json!("keys:write")));
    assert!(me.as_object().unwrap().keys().all(|k| !k.contains("password")));

    let own = |method: Method, path: &str, body: Option<Value>| {
        let request = mara.http.request(method, app.url(path)).header("sec-fetch-site", "same-origin");
        let request = if let Some(body) = body { request.json(&body) } else { request };
        async move { request.send().await.unwrap() }
    };
    let changed = own(Method::PATCH, "/api/v1/me", Some(json!({ "name": "Mara L" }))).await;
    let changed: Value = changed.json().await.unwrap();
    assert_eq!((changed["name"].as_str(), changed["time_zone"].as_str()), (Some("Mara L"), Some("Europe/Berlin")), "what is left out stays");

    let list: Value = mara.get("/api/v1/me/sessions").await.json().await.unwrap();
    assert_eq!((list["data"][0]["current"].as_bool(), list["has_more"].as_bool()), (Some(true), Some(false)));
    assert_eq!(list["data"][0]["created_at"], "2026-11-20T12:00:00Z");
    app.browser().sign_in("mara@example.com", "gate keeper sings at noon").await;
    assert_eq!(own(Method::DELETE, "/api/v1/me/sessions", None).await.json::<Value>().await.unwrap(), json!({ "ended": 1 }));
    let out = own(Method::POST, "/api/v1/auth/logout", None).await;
    assert_eq!((out.status().as_u16(), out.headers()["clear-site-data"].to_str().unwrap()), (204, "\"cache\", \"storage\""));
    assert_eq!(mara.get("/api/v1/me").await.status(), 401);
    assert_eq!(count(&app, "select count(*) from sessions").await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r15_s3_answers_are_the_same_for_every_address(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("known@example.com", "Kira", "developer").await;
    unproven(&app, "unproven@example.com").await;
    let register = |email: &str| json!({ "email": email, "name": "Vera", "password": PASSWORD });
    let email = |email: &str| json!({ "email": email });
    let wrong_code = |email: &str| json!({ "email": email, "code": "000000" });
    type Asked<'a> = (&'a str, &'a dyn Fn(&str) -> Value);
    let cases: [Asked<'_>; 4] = [
        ("/api/v1/auth/register", &register),
        ("/api/v1/auth/verify/resend", &email),
        ("/api/v1/auth/password/forgot", &email),
        ("/api/v1/auth/verify", &wrong_code),
    ];
    for (path, body) in cases {
        let mut answers = Vec::new();
        for address in ["known@example.com", "unproven@example.com", "nobody@example.com"] {
            let answer = post(&app, path, body(address)).await;
            let mut headers: Vec<_> = answer
                .headers()
                .iter()
                .filter(|(n, _)| !["x-request-id", "date", "content-length"].contains(&n.as_str()))
                .map(|(n, v)| format!("{n}: {v:?}"))
                .collect();
            headers.sort();
            let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
            let status = answer.status();
            let text = answer.text().await.unwrap().replace(address, "ADDRESS").replace(&id, "ID");
            // Another for each request, of an address that nobody has as well.
            let flow = serde_json::from_str::<Value>(&text).ok().and_then(|body| body["flow"].as_str().map(ToOwned::to_owned));
            assert_eq!(flow.is_some(), path == "/api/v1/auth/password/forgot", "{path}: {text}");
            answers.push((status, headers, flow.map_or_else(|| text.clone(), |flow| text.replace(&flow, "FLOW"))));
        }
        assert!(answers.iter().all(|a| *a == answers[0]), "{path}: {answers:#?}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn bad_input_is_named_by_pointer(db: PgPool) {
    let app = TestApp::start(db).await;
    let good = json!({ "email": "mara@example.com", "name": "Mara", "password": PASSWORD });
    for (field, value) in [
        ("email", json!(7)),
        ("email", json!("mara")),
        ("name", json!("a\u{7}b")),
        ("password", json!("short")),
        ("role", json!("operator")),
        ("password", Value::Null),
    ] {
        let mut body = good.clone();
        body[field] = value.clone();
        let answer = post(&app, "/api/v1/auth/register", body).await;
        assert_eq!(answer.status(), 422, "{field}: {value}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["errors"][0]["pointer"], format!("#/{field}"), "{problem}");
        assert!(problem["request_id"].is_string());
    }
    assert_eq!(post(&app, "/api/v1/auth/verify", json!({})).await.status(), 422);
    assert_eq!(post(&app, "/api/v1/auth/verify", json!({ "token": "x", "code": "1" })).await.status(), 422);
    for (method, path) in [(Method::GET, "/api/v1/me"), (Method::GET, "/api/v1/me/sessions"), (Method::DELETE, "/api/v1/me/sessions")] {
        let answer = reqwest::Client::new().request(method, app.url(path)).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.headers()["content-type"].to_str().unwrap()), (401, "application/problem+json"), "{path}");
    }
    assert_eq!(count(&app, "select count(*) from accounts").await, 0);
}
