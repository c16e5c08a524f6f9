//! Whatever refuses, the answer says which request it was, as whoever asked reads it: REST a problem document, a browser a page. And no
//! REST route answers whom it does not know, or who lacks its permission.

use super::plain_pages;
use crate::{
    keys::person_with,
    support::{TestApp, browser::Browser},
};
use leptos::server_fn::ServerFn;
use leptos_axum::generate_route_list;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use sqlx::PgPool;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tollgate::{accounts::api, app::App};

const HTML: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

/// What goes to the gate by its own door, not through the router; it has tests of its own.
const OF_THE_GATE: [&str; 2] = ["/api/v1/keys/verify", "/api/v1/keys/release"];

/// What nobody needs a key for: ways in, links of mails, what strangers see, and reports that are signed.
const WITHOUT_A_KEY: [&str; 15] = [
    "GET /api/v1/auth/register/challenge",
    "GET /api/v1/users/{handle}",
    "POST /api/v1/auth/device",
    "POST /api/v1/auth/logout",
    "POST /api/v1/auth/password/forgot",
    "POST /api/v1/auth/password/reset",
    "POST /api/v1/auth/register",
    "POST /api/v1/auth/token",
    "POST /api/v1/auth/verify",
    "POST /api/v1/auth/verify/resend",
    "POST /api/v1/leaked-keys",
    "POST /api/v1/me/come-back",
    "POST /api/v1/me/deletion/confirm",
    "POST /api/v1/me/email/confirm",
    "POST /api/v1/me/email/undo",
];

/// The paths that the document describes, each with its methods.
async fn described(app: &TestApp) -> Vec<(String, Vec<(Method, Value)>)> {
    let document: Value = app.http.get(app.url("/api/v1/openapi.json")).send().await.unwrap().json().await.unwrap();
    let methods = |item: &Value| {
        let known = ["get", "post", "put", "patch", "delete"];
        let of = |name: &&str| item.get(*name).map(|operation| (name.to_uppercase().parse::<Method>().unwrap(), operation.clone()));
        known.iter().filter_map(of).collect::<Vec<_>>()
    };
    let paths: Vec<_> = document["paths"].as_object().unwrap().iter().map(|(path, item)| (path.clone(), methods(item))).collect();
    assert!(paths.len() > 50, "{}", paths.len());
    paths
}

/// The path with this in the place of each parameter.
fn filled(template: &str, with: &str) -> String {
    let parts = template.split('/').map(|part| if part.starts_with('{') { with } else { part });
    parts.collect::<Vec<_>>().join("/")
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// The problem document of an answer, which names its request.
async fn problem(answer: Response, what: &str) -> Value {
    let (status, id) = (answer.status().as_u16(), header(&answer, "x-request-id").to_owned());
    assert_eq!(header(&answer, "content-type"), "application/problem+json", "{what}");
    let body: Value = answer.json().await.unwrap();
    assert!(id.len() >= 8 && body["request_id"] == *id && body["status"] == status, "{what}: {body}");
    for word in ["type", "title", "detail"] {
        assert!(body[word].as_str().is_some_and(|text| !text.is_empty()), "{what}: {body}");
    }
    body
}

/// The page of an answer, which names its request and leads on.
async fn page(answer: Response, what: &str) -> String {
    let id = header(&answer, "x-request-id").to_owned();
    assert_eq!(header(&answer, "content-type"), "text/html; charset=utf-8", "{what}");
    assert!(header(&answer, "content-security-policy").contains("script-src 'nonce-"), "{what}");
    let text = answer.text().await.unwrap().replace("<!>", "");
    assert!(id.len() >= 8 && text.contains(&id), "{what} does not name its request: {text}");
    assert!(text.contains("error-title") && text.contains("href=\"/"), "{what}: {text}");
    text
}

/// Sends a form as the window of a browser does.
async fn send_form(browser: &Browser, path: &str, body: String) -> Response {
    let request = browser.http.post(format!("{}{path}", browser.base)).header("accept", HTML).header("sec-fetch-site", "same-origin");
    let request = request.header("sec-fetch-mode", "navigate").header("referer", format!("{}{path}", browser.base));
    request.header("content-type", "application/x-www-form-urlencoded").body(body).send().await.unwrap()
}

/// What a request is answered that says it brings so many bytes, before it brings one.
async fn announce(app: &TestApp, path: &str, bytes: usize) -> String {
    let mut stream = TcpStream::connect(app.base.strip_prefix("http://").unwrap()).await.unwrap();
    let head = format!("POST {path} HTTP/1.1\r\nhost: gate\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {bytes}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn every_rest_route_names_the_request_whose_method_it_does_not_take(db: PgPool) {
    let app = TestApp::start(db).await;
    for (path, methods) in described(&app).await {
        let other = [Method::PUT, Method::PATCH, Method::DELETE, Method::POST, Method::GET];
        let Some(wrong) = other.into_iter().find(|method| methods.iter().all(|(known, _)| known != method)) else { continue };
        let what = format!("{wrong} {path}");
        let answer = reqwest::Client::new().request(wrong, app.url(&filled(&path, "x"))).send().await.unwrap();
        assert_eq!(answer.status(), 405, "{what}");
        assert!(methods.iter().all(|(known, _)| header(&answer, "allow").contains(known.as_str())), "{what}: {:?}", answer.headers());
        problem(answer, &what).await;
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn every_rest_route_names_the_request_whose_path_is_badly_encoded(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let all = &["account:read", "account:write", "keys:read", "keys:write", "keys:manage", "usage:read", "apis:manage", "plans:manage", "blocks:manage"];
    let mara = person_with(&app, &db, "mara@example.com", "operator", all).await;
    for (path, methods) in described(&app).await.into_iter().filter(|(path, _)| path.contains('{')) {
        for (method, _) in methods {
            let what = format!("{method} {path}");
            let body = (method != Method::GET && method != Method::DELETE).then(|| json!({}));
            let answer = mara.call(&app, method, &filled(&path, "%ff"), body).await;
            assert!(answer.status().is_client_error(), "{what}: {}", answer.status());
            problem(answer, &what).await;
        }
    }
    let plan = mara.get(&app, "/api/v1/plans/%ff").await;
    assert_eq!(plan.status(), 400);
    assert!(problem(plan, "a plan").await["detail"].as_str().unwrap().contains("not well formed"));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r77_every_rest_route_names_the_request_that_brings_too_much(db: PgPool) {
    let app = TestApp::start(db).await;
    for (path, _) in described(&app).await.into_iter().filter(|(path, _)| !OF_THE_GATE.contains(&path.as_str())) {
        let (most, said) = if path.ends_with("/import") { (8 * 1024 * 1024, "8192 kB") } else { (256 * 1024, "256 kB") };
        let answer = announce(&app, &filled(&path, "x"), most + 1).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 413 ") && head.contains("content-type: application/problem+json"), "{path}: {answer}");
        let id = head.split("x-request-id: ").nth(1).unwrap().lines().next().unwrap();
        let body: Value = serde_json::from_str(body).unwrap();
        assert!(body["request_id"] == *id && body["detail"].as_str().unwrap().contains(said), "{path}: {body}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn every_page_says_in_a_page_what_it_does_not_take(db: PgPool) {
    let app = TestApp::start(db).await;
    let (stranger, operator) = (app.browser(), app.sign_in_as("operator").await.browser);
    for path in plain_pages() {
        let request = operator.http.request(Method::PUT, app.url(&path)).header("accept", HTML).header("sec-fetch-site", "same-origin");
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 405, "{path}");
        assert!(header(&answer, "allow").contains("GET"), "{path}");
        page(answer, &format!("PUT {path}")).await;

        let long = send_form(&stranger, &path, format!("filler={}", "x".repeat(256 * 1024))).await;
        assert_eq!(long.status(), 413, "{path}");
        let said = page(long, &format!("a long form to {path}")).await;
        assert!(said.contains("This is too long") && said.contains("256 kB") && said.contains("Go back"), "{path}: {said}");
    }
    for path in generate_route_list(App).iter().map(|route| route.path().to_owned()).filter(|path| path.contains('{')) {
        let answer = operator.get(&filled(&path, "%ff")).await;
        assert!(!answer.status().is_server_error(), "{path}: {}", answer.status());
        if !answer.status().is_client_error() {
            continue; // a way that is over, or where somebody who is signed in has nothing to do
        }
        page(answer, &format!("GET {path} badly encoded")).await;
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_form_that_is_too_long_says_so_and_how_to_go_back(db: PgPool) {
    let app = TestApp::start(db).await;
    let body = format!("_fn={}&email=mara%40example.com&filler={}", api::SignUp::PATH, "x".repeat(100 * 1024));
    let answer = send_form(&app.browser(), "/sign-up?invite=x", body.clone()).await;
    assert_eq!(answer.status(), 422);
    let said = page(answer, "a long form").await;
    assert!(said.contains("64 kB is the most") && said.contains("href=\"/sign-up?invite=x\"") && said.contains("Go back"), "{said}");
    // The same form sent by a program.
    let request =
        app.browser().http.post(app.url("/sign-up")).header("sec-fetch-site", "same-origin").header("content-type", "application/x-www-form-urlencoded");
    problem(request.body(body).send().await.unwrap(), "a program").await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_no_page_answers_is_answered_as_the_asker_reads(db: PgPool) {
    let app = TestApp::start(db).await;
    let browser = app.browser();
    // (method, path, what it is sent, status)
    let cases: [(Method, &str, &str, u16); 5] = [
        (Method::POST, "/theme", "colour=red", 422),
        (Method::GET, "/docs/api/viewer/nothing.js", "", 404),
        (Method::POST, "/sign-in", "email=x", 422),
        (Method::POST, "/nothing/of/this/name", "x=1", 405),
        (Method::GET, "/pkg/nothing.js", "", 404),
    ];
    for (method, path, form, status) in cases {
        let what = format!("{method} {path} {form}");
        let ask = |accept: &'static str| {
            let request = browser.http.request(method.clone(), app.url(path)).header("accept", accept).header("sec-fetch-site", "same-origin");
            let request = if form.is_empty() { request } else { request.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned()) };
            request.send()
        };
        let (person, program) = (ask(HTML).await.unwrap(), ask("*/*").await.unwrap());
        assert_eq!((person.status().as_u16(), program.status().as_u16()), (status, status), "{what}");
        page(person, &what).await;
        problem(program, &what).await;
    }
    // Another site's form, in the window and by a script.
    let cross = |accept: &'static str| {
        browser.http.post(app.url("/sign-in")).header("accept", accept).header("sec-fetch-site", "cross-site").form(&[("x", "1")]).send()
    };
    let (person, program) = (cross(HTML).await.unwrap(), cross("application/json").await.unwrap());
    assert_eq!((person.status().as_u16(), program.status().as_u16()), (403, 403));
    assert!(page(person, "from another site").await.contains("another site sent this"));
    problem(program, "from another site").await;
    let traced = app.http.request(Method::TRACE, app.url("/keys")).send().await.unwrap();
    assert_eq!(traced.status(), 405);
    problem(traced, "TRACE").await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_takes_too_long_is_told_as_the_asker_reads(db: PgPool) {
    let app = TestApp::start_with(db, |config| config.server.request_timeout = Duration::from_secs(3)).await;
    let vera = app.sign_in_as("developer").await;
    // Whoever asks for a session waits, until the time-out.
    let mut tx = app.ctx.db.begin().await.unwrap();
    sqlx::query("lock table sessions in access exclusive mode").execute(&mut *tx).await.unwrap();
    let (person, program) = tokio::join!(vera.browser.get("/settings/profile"), vera.browser.get("/api/v1/me"));
    tx.rollback().await.unwrap();
    assert_eq!((person.status().as_u16(), program.status().as_u16()), (504, 504));
    assert!(page(person, "a page").await.contains("Look whether it was done"));
    problem(program, "REST").await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_is_refused_stands_in_the_frame_of_who_is_signed_in_and_of_nobody_else(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    for (browser, is_vera) in [(&vera.browser, true), (&app.browser(), false)] {
        let put = browser.http.request(Method::PUT, app.url("/docs")).header("accept", HTML).header("sec-fetch-site", "same-origin");
        let answers = [
            (404, browser.get("/nothing/of/this/name").await),
            (404, browser.get("/pkg/nothing.js").await),
            (405, put.send().await.unwrap()),
            (413, send_form(browser, "/docs", format!("filler={}", "x".repeat(256 * 1024))).await),
            (422, send_form(browser, "/docs", "x=1".to_owned()).await),
        ];
        for (status, answer) in answers {
            assert_eq!(answer.status(), status);
            assert_eq!(header(&answer, "cache-control"), "no-store", "{status}");
            let said = page(answer, &format!("{status}")).await;
            assert_eq!(said.contains(&vera.email) && said.contains("action=\"/sign-out\""), is_vera, "{status}: {said}");
            assert_eq!(said.contains("href=\"/sign-in\""), !is_vera, "{status}: {said}");
        }
    }
    // Signing out does there what it says.
    let out = send_form(&vera.browser, "/sign-out", format!("_fn={}", api::SignOut::PATH)).await;
    assert_eq!((out.status().as_u16(), header(&out, "location")), (303, "/sign-in"));
    assert!(!vera.browser.get("/nothing/of/this/name").await.text().await.unwrap().contains(&vera.email));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_refusal_neither_waits_for_the_database_nor_forgets_whom_it_knew(db: PgPool) {
    let app = TestApp::start_with(db, |config| config.server.request_timeout = Duration::from_secs(3)).await;
    let vera = app.sign_in_as("developer").await;
    // Who asks is known, and then the page takes too long.
    let mut tx = app.ctx.db.begin().await.unwrap();
    sqlx::query("lock table keys in access exclusive mode").execute(&mut *tx).await.unwrap();
    let answer = vera.browser.get("/keys").await;
    tx.rollback().await.unwrap();
    assert_eq!(answer.status(), 504);
    let said = page(answer, "a page that takes too long").await;
    assert!(said.contains(&vera.email) && said.contains("This took too long"), "{said}");
    // Nobody can say who asks: what is refused is told all the same.
    let mut tx = app.ctx.db.begin().await.unwrap();
    sqlx::query("lock table sessions in access exclusive mode").execute(&mut *tx).await.unwrap();
    let missing = vera.browser.get("/nothing/of/this/name").await;
    let works = vera.browser.get("/status").await;
    tx.rollback().await.unwrap();
    assert_eq!((missing.status().as_u16(), works.status().as_u16()), (404, 200), "what works is told then above all");
    assert!(!page(missing, "nothing").await.contains(&vera.email));
    assert!(works.text().await.unwrap().contains("Verification of keys"));
    assert!(vera.browser.page("/status").await.contains("href=\"/sign-out\""), "who asks is known where that is to be had");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_server_functions_error_names_its_request(db: PgPool) {
    let app = TestApp::start(db).await;
    let request = app.browser().http.post(app.url(api::SignIn::PATH)).header("sec-fetch-site", "same-origin");
    let answer = request.form(&[("email", "nobody@example.com"), ("password", "not the right one at all")]).send().await.unwrap();
    assert_eq!(answer.status(), 422);
    let id = header(&answer, "x-request-id").to_owned();
    let body: Value = answer.json().await.unwrap();
    assert!(body["request_id"] == *id && body["error"] == "invalid", "{body}");
}

/// A body that a schema takes: of each field that must be there, something of its kind.
fn sample(document: &Value, schema: &Value) -> Value {
    let schema = schema["$ref"].as_str().map_or(schema, |at| document.pointer(at.trim_start_matches('#')).unwrap());
    if let Some(first) = ["oneOf", "anyOf", "allOf", "enum"].iter().find_map(|of| schema[of].as_array()).and_then(|all| all.first()) {
        return if schema["enum"].is_array() { first.clone() } else { sample(document, first) };
    }
    match schema["type"].as_str() {
        Some("integer" | "number") => json!(1),
        Some("boolean") => json!(true),
        Some("array") => json!([]),
        Some("object") | None => {
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            required.map(|name| (name.to_owned(), sample(document, &schema["properties"][name]))).collect::<serde_json::Map<_, _>>().into()
        }
        Some(_) => json!("x"),
    }
}

/// 401 without a key, wherever the document does not say that nobody needs one.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r62_every_rest_route_asks_for_a_key(db: PgPool) {
    let app = TestApp::start(db).await;
    let mut open = Vec::new();
    for (path, methods) in described(&app).await {
        for (method, operation) in methods {
            let what = format!("{method} {path}");
            if operation["security"].as_array().is_none_or(Vec::is_empty) {
                open.push(what);
                continue;
            }
            let answer = reqwest::Client::new().request(method, app.url(&filled(&path, "x"))).json(&json!({})).send().await.unwrap();
            assert_eq!(answer.status(), 401, "{what}");
            assert!(header(&answer, "www-authenticate").starts_with("Bearer"), "{what}");
            problem(answer, &what).await;
        }
    }
    open.sort();
    assert_eq!(open, WITHOUT_A_KEY);
}

/// 403 with a key that may nothing. Where a body or the name of a thing is read first, that may be what is wrong; done is nothing.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r62_a_key_without_permissions_opens_no_rest_route(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person_with(&app, &db, "mara@example.com", "operator", &[]).await;
    let document: Value = app.http.get(app.url("/api/v1/openapi.json")).send().await.unwrap().json().await.unwrap();
    // Of files one sees those whose permission one has: here none.
    assert_eq!(mara.get(&app, "/api/v1/exports").await.json::<Value>().await.unwrap()["data"], json!([]));
    let events = async || sqlx::query_scalar::<_, i64>("select count(*) from events").fetch_one(&app.ctx.db).await.unwrap();
    let before = events().await;
    for (path, methods) in described(&app).await {
        for (method, operation) in methods {
            let what = format!("{method} {path}");
            if WITHOUT_A_KEY.contains(&what.as_str()) || what == "GET /api/v1/exports" {
                continue;
            }
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            let body = schema.is_object().then(|| sample(&document, schema));
            let is_plain = body.is_none() && !path.contains('{');
            let asked = if path.ends_with("/export") { format!("{path}?format=json") } else { filled(&path, "demo") };
            let answer = mara.call(&app, method, &asked, body).await;
            let status = answer.status().as_u16();
            assert!(status == 403 || (!is_plain && matches!(status, 404 | 422)), "{what}: {status} {}", answer.text().await.unwrap());
            let said = problem(answer, &what).await;
            assert!(status != 403 || said["detail"].as_str().unwrap().len() > 20, "{what}: {said}");
        }
    }
    assert_eq!(events().await, before);
}
