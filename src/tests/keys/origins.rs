//! The web pages that may use a key: set by REST and page, held by the gate, told to browsers.

use super::*;
use serde_json::json;
use tollgate::keys::api::SaveKey;

const APP: &str = "https://app.example.com";

/// As a proxy asks about a call that a page of this origin made.
async fn from(app: &TestApp, secret: &str, origin: Option<&str>) -> Response {
    let asked = app.http.get(app.url("/forward-auth/demo")).bearer_auth(secret);
    origin.into_iter().fold(asked, |asked, origin| asked.header("origin", origin)).send().await.unwrap()
}

async fn name_origins(app: &TestApp, person: &Person, id: &str, origins: &[&str]) -> (u16, Value) {
    json(person.call(app, Method::PATCH, &format!("/api/v1/keys/{id}"), Some(json!({ "origins": origins }))).await).await
}

fn header<'a>(answer: &'a Response, name: &str) -> Option<&'a str> {
    answer.headers().get(name).map(|value| value.to_str().unwrap())
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_key_is_used_by_its_pages_only(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (id, secret) = mara.new_key(&app, "k").await;
    let answer = from(&app, &secret, Some("https://evil.example")).await;
    assert_eq!((answer.status().as_u16(), header(&answer, "access-control-allow-origin")), (200, None), "without a list, of every page");

    let (status, edited) = name_origins(&app, &mara, &id, &["https://*.example.org:8443", "HTTPS://App.example.com:443/"]).await;
    assert_eq!((status, &edited["origins"]), (200, &json!(["https://*.example.org:8443", APP])));
    let passing = from(&app, &secret, Some(APP)).await;
    assert_eq!((passing.status().as_u16(), header(&passing, "access-control-allow-origin"), header(&passing, "vary")), (200, Some(APP), Some("Origin")));
    let exposed = header(&passing, "access-control-expose-headers").unwrap();
    assert!(
        ["RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-Id", "WWW-Authenticate", "ETag", "Link"]
            .iter()
            .all(|name| exposed.split(", ").any(|n| n == *name))
    );
    for (origin, status) in [
        (None, 200),
        (Some("https://a.example.org:8443"), 200),
        (Some("https://a.b.example.org:8443"), 403),
        (Some("http://app.example.com"), 403),
        (Some("null"), 403),
        (Some("https://evil.example"), 403),
    ] {
        let answer = from(&app, &secret, origin).await;
        assert_eq!(answer.status(), status, "{origin:?}");
        assert!(status == 200 || header(&answer, "access-control-allow-origin").is_none());
        assert_eq!(header(&answer, "access-control-expose-headers").is_some(), header(&answer, "access-control-allow-origin").is_some());
    }
    app.flush().await;
    let detail: String = sqlx::query_scalar("select detail from refusal_samples where code = 'FORBIDDEN'").fetch_one(&db).await.unwrap();
    assert!(detail.contains("a page of https://a.b.example.org:8443"), "a sample: the first of its minute: {detail}");

    let (status, wrong) = name_origins(&app, &mara, &id, &["null"]).await;
    assert_eq!((status, wrong["errors"][0]["pointer"].as_str()), (422, Some("#/origins/0")));
    assert_eq!(acts(&app, &mara, &id).await[0].0, "paged");
    let (_, trial) =
        json(mara.post(&app, &format!("/api/v1/keys/{id}/test"), json!({ "method": "GET", "path": "/orders", "origin": "https://evil.example" })).await).await;
    assert_eq!(trial["code"], "FORBIDDEN", "{trial}");
    assert_eq!(name_origins(&app, &mara, &id, &[]).await.0, 200);
    assert_eq!(from(&app, &secret, Some("https://evil.example")).await.status(), 200, "of every page again");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn who_asks_by_code_says_the_origin(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let olga = person(&app, &db, "olga@example.com", "operator").await;
    let made = json(olga.post(&app, "/api/v1/keys", json!({ "name": "web", "api": "demo", "origins": [APP] })).await).await.1;
    let ask = async |origin: Option<&str>| {
        let answer = olga.post(&app, "/api/v1/keys/verify", json!({ "key": made["secret"], "origin": origin })).await;
        text(&json(answer).await.1, "code")
    };
    assert_eq!([ask(Some(APP)).await, ask(None).await, ask(Some("https://evil.example")).await], ["VALID", "VALID", "FORBIDDEN"]);
}

/// A browser's question before a call.
async fn preflight(app: &TestApp, path: &str, origin: &str) -> Response {
    let asked = app.http.request(Method::OPTIONS, app.url(path)).header("origin", origin).header("access-control-request-method", "POST");
    asked.header("access-control-request-headers", "authorization,content-type").send().await.unwrap()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn preflights_are_answered_where_an_api_says_so(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let olga = person_with(&app, &db, "olga@example.com", "operator", &["keys:read", "keys:write", "apis:manage"]).await;
    let (id, _) = olga.new_key(&app, "web").await;
    assert_eq!(name_origins(&app, &olga, &id, &[APP, "https://*.example.org"]).await.0, 200);
    assert_eq!(preflight(&app, "/forward-auth/demo", APP).await.status(), 401, "off by default: a call without a key");

    let set = olga.call(&app, Method::PATCH, "/api/v1/apis/demo", Some(json!({ "answers_preflights": true }))).await;
    let (status, mut set) = json(set).await;
    assert_eq!(set.as_object_mut().unwrap().remove("spread").unwrap()["confirmed"], 1);
    assert_eq!((status, set), (200, json(olga.get(&app, "/api/v1/apis/demo").await).await.1));
    let answer = preflight(&app, "/forward-auth/demo", APP).await;
    assert_eq!(answer.status(), 200);
    for (name, value) in [
        ("access-control-allow-origin", APP),
        ("access-control-allow-methods", "POST"),
        ("access-control-allow-headers", "authorization,content-type"),
        ("access-control-max-age", "300"),
    ] {
        assert_eq!(header(&answer, name), Some(value));
    }
    // As a proxy tells it, whose own request is a GET.
    let told = app.http.get(app.url("/forward-auth/demo")).header("x-forwarded-method", "OPTIONS").header("x-forwarded-uri", "/orders");
    let told = told.header("origin", "https://a.example.org").header("access-control-request-method", "GET").send().await.unwrap();
    assert_eq!(told.status(), 200);

    assert_eq!(preflight(&app, "/forward-auth/demo", "https://evil.example").await.status(), 403);
    assert_eq!(app.http.request(Method::OPTIONS, app.url("/forward-auth/demo")).send().await.unwrap().status(), 401, "no preflight");
    olga.post(&app, &format!("/api/v1/keys/{id}/disable"), json!({})).await;
    assert_eq!(preflight(&app, "/forward-auth/demo", APP).await.status(), 403, "no active key names it");

    let own = olga.call(&app, Method::PATCH, "/api/v1/apis/tollgate", Some(json!({ "answers_preflights": true }))).await;
    assert_eq!(own.status(), 422);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r85_our_own_api_is_read_by_named_pages_only(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let call = async |method: Method, origin: &str| {
        let asked = app.http.request(method.clone(), app.url("/api/v1/keys")).bearer_auth(&mara.secret).header("origin", origin);
        let asked = asked.header("sec-fetch-site", "cross-site");
        if method == Method::POST { asked.json(&json!({ "name": "by a page" })) } else { asked }.send().await.unwrap()
    };
    let answer = call(Method::GET, APP).await;
    assert_eq!((answer.status().as_u16(), header(&answer, "access-control-allow-origin")), (200, None), "off by default");
    assert_ne!(preflight(&app, "/api/v1/keys", APP).await.status(), 200);

    assert_eq!(name_origins(&app, &mara, &mara.rest_key.to_string(), &[APP]).await.0, 200);
    assert_eq!(header(&preflight(&app, "/api/v1/keys", APP).await, "access-control-allow-origin"), Some(APP));
    assert_eq!(header(&preflight(&app, "/api/v1/keys", "https://evil.example").await, "access-control-allow-origin"), None);
    for (method, status) in [(Method::GET, 200), (Method::POST, 201)] {
        let answer = call(method.clone(), APP).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "access-control-allow-origin")), (status, Some(APP)), "{method}");
        assert_eq!(header(&answer, "access-control-allow-credentials"), None);
        assert!(
            header(&answer, "access-control-expose-headers").is_some_and(|names| names.starts_with("RateLimit, RateLimit-Policy, Retry-After, X-Request-Id"))
        );
        let answer = call(method, "https://evil.example").await;
        assert_eq!((answer.status().as_u16(), header(&answer, "access-control-allow-origin")), (403, None));
        assert_eq!(header(&answer, "access-control-expose-headers"), None);
    }
    assert_eq!(call(Method::GET, &app.base).await.status(), 200, "our own pages are no other site");

    // A session is nobody's key: what a page of another site sends with cookies is refused as before.
    let vera = app.sign_in_as("developer").await;
    let forged = vera.browser.http.post(app.url("/api/v1/keys")).header("origin", APP).header("sec-fetch-site", "cross-site").json(&json!({ "name": "x" }));
    assert_eq!(forged.send().await.unwrap().status(), 403);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_page_takes_origins_line_by_line(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let vera = app.sign_in_as("developer").await;
    let answer = vera.browser.post::<tollgate::keys::api::CreateKey>("/keys", &[("name", "web")]).await;
    let path = crate::support::browser::location(&answer).to_owned();
    let id = path.rsplit('/').next().unwrap();
    let save = async |origins: &str| vera.browser.post::<SaveKey>(&path, &[("id", id), ("name", "web"), ("origins", origins)]).await;
    assert_eq!(save("https://b.example\r\nhttps://a.example\r\n").await.status(), 303);
    assert!(vera.browser.page(&path).await.contains("https://a.example\nhttps://b.example"));
    let wrong = save("https://a.example/path").await;
    assert_eq!(wrong.status(), 422);
    assert!(wrong.text().await.unwrap().contains("is not an origin"));
    assert!(vera.browser.page(&format!("{path}?method=GET&path=%2Forders&origin=https%3A%2F%2Fc.example")).await.contains("which is not among the key"));
}
