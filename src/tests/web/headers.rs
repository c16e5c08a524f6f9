//! Headers: nothing frames a page, nothing keeps one, nothing says what answers.

use super::plain_pages;
use crate::support::{TestApp, log::Log};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use sqlx::PgPool;

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Every page, as a stranger and as an operator see it, and what is no page.
async fn everything(app: &TestApp) -> Vec<(String, Response)> {
    let (stranger, operator) = (app.browser(), app.sign_in_as("operator").await.browser);
    let others = ["/nothing/of/this/name", "/api/v1/me", "/api/v1/nothing", "/api/v1/openapi.json", "/healthz", "/readyz"].map(ToOwned::to_owned);
    let mut all = Vec::new();
    for path in plain_pages().into_iter().chain(others) {
        for browser in [&stranger, &operator] {
            all.push((path.clone(), browser.get(&path).await));
        }
    }
    assert!(all.len() > 50, "{}", all.len());
    all
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s46_no_page_lets_itself_be_framed(db: PgPool) {
    let app = TestApp::start(db).await;
    for (path, answer) in everything(&app).await {
        assert_eq!(header(&answer, "x-frame-options"), "DENY", "{path}");
        assert!(header(&answer, "content-security-policy").contains("frame-ancestors 'none'"), "{path}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn only_the_preview_of_a_mail_is_styled_in_place(db: PgPool) {
    let app = TestApp::start(db).await;
    let operator = app.sign_in_as("operator").await.browser;
    let document: Value = app.get("/api/v1/openapi.json").await.json().await.unwrap();
    let rest = document["paths"].as_object().unwrap().iter().filter(|(path, item)| item["get"].is_object() && !path.contains('{'));
    let mut all = everything(&app).await;
    for (path, _) in rest {
        all.push((path.clone(), operator.get(path).await));
    }
    assert!(all.len() > 80, "{}", all.len());
    for (path, answer) in &all {
        let policy = header(answer, "content-security-policy");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("'unsafe-inline'"), "{path}: {policy}");
    }
    // The one exception, which SECURITY.md names: a mail styles itself in place. Nothing runs in it, and only our own page frames it.
    let preview = operator.get("/admin/templates/preview?kind=accounts.banned").await;
    let policy = header(&preview, "content-security-policy");
    assert!(policy.contains("style-src 'unsafe-inline'; sandbox;") && policy.matches("unsafe").count() == 1 && !policy.contains("script-src"), "{policy}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_a_policy_stops_is_reported_to_us_and_is_a_line_in_the_log(db: PgPool) {
    let (log, _guard) = Log::keep("info");
    let app = TestApp::start(db).await;
    let page = app.get("/sign-in").await;
    assert_eq!(header(&page, "reporting-endpoints"), "csp=\"/csp-reports\"");
    assert!(header(&page, "content-security-policy").ends_with("; report-to csp"));
    let report = json!({ "type": "csp-violation", "age": 1, "url": app.url("/sign-in"), "body": {
        "documentURL": app.url("/sign-in?next=hidden"), "effectiveDirective": "script-src-elem", "blockedURL": "https://evil.example/x.js" } });
    // As a browser sends it: no page sends it, so it says that another site may be behind it.
    let send = |reports: Value| {
        let request = app.http.post(app.url("/csp-reports")).header("content-type", "application/reports+json").header("sec-fetch-site", "cross-site");
        request.body(reports.to_string()).send()
    };
    assert_eq!(send(json!([report])).await.unwrap().status(), 204);
    let lines = log.lines_with(&["the policy of a page stopped something", "script-src-elem", "https://evil.example/x.js"]);
    assert!(lines.len() == 1 && !lines[0].contains("hidden"), "{lines:?}");

    assert_eq!(send(json!({ "type": "deprecation" })).await.unwrap().status(), 204, "nothing of ours");
    assert_eq!(send(json!([{ "type": "csp-violation", "body": "x".repeat(20_000) }])).await.unwrap().status(), 413);
    let many = json!([report, report, report, report, report, report, report]);
    let statuses: Vec<u16> =
        futures_util::future::join_all((0..20).map(|_| send(many.clone()))).await.into_iter().map(|a| a.unwrap().status().as_u16()).collect();
    assert!(statuses.contains(&429), "{statuses:?}");
    assert_eq!(log.lines_with(&["the policy of a page stopped something"]).len(), 60);
    app.ctx.clock.advance(time::Duration::minutes(1));
    assert_eq!(send(json!([report])).await.unwrap().status(), 204);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r84_nothing_is_kept_nothing_is_told_of_the_server_and_nothing_is_traced(db: PgPool) {
    let app = TestApp::start(db).await;
    let version = env!("CARGO_PKG_VERSION");
    for (path, answer) in everything(&app).await {
        if path != "/api/v1/openapi.json" {
            assert_eq!(header(&answer, "cache-control"), "no-store", "{path}");
        }
        for name in ["server", "x-powered-by", "via", "x-aspnet-version"] {
            assert!(!answer.headers().contains_key(name), "{path} has {name}");
        }
        assert!(answer.headers().values().all(|value| !value.to_str().unwrap_or_default().contains(version)), "{path}");
    }
    for path in ["/", "/sign-in", "/keys", "/api/v1/me", "/healthz", "/fn/nothing", "/nothing/of/this/name", "/forward-auth/demo"] {
        let answer = app.http.request(Method::TRACE, app.url(path)).header("x-told", "what only the client knows").send().await.unwrap();
        assert!(answer.status().is_client_error(), "{path}: {}", answer.status());
        assert!(!answer.text().await.unwrap().contains("what only the client knows"), "{path}");
    }
    // There are no metrics on the listener that everybody reaches.
    for path in ["/metrics", "/api/v1/metrics", "/debug"] {
        let status = app.get(path).await.status().as_u16();
        assert!(matches!(status, 401 | 403 | 404), "{path}: {status}");
    }
}

/// What the gate says has those that make sense where no page is shown. What a proxy hands on does not speak for the site that it is handed
/// on by: that one's names are not ours to bind to https.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_the_gate_says_has_the_headers_of_an_api(db: PgPool) {
    for (public, https_only) in [("http://127.0.0.1:3000", ""), ("https://tollgate.example", "max-age=63072000; includeSubDomains")] {
        let app = TestApp::start_with(db.clone(), |config| config.server.public_url = public.parse().unwrap()).await;
        for (method, path) in [
            (Method::POST, "/api/v1/keys/verify"),
            (Method::GET, "/api/v1/keys/verify"),
            (Method::POST, "/api/v1/keys/release"),
            (Method::GET, "/forward-auth/demo"),
            (Method::GET, "/forward-auth/demo/nginx"),
            (Method::POST, "/forward-auth/demo/envoy/orders"),
            (Method::GET, "/forward-auth/nothing"),
        ] {
            let answer = app.http.request(method.clone(), app.url(path)).send().await.unwrap();
            let own = if path.starts_with("/forward-auth") { "" } else { https_only };
            for (name, value) in
                [("x-content-type-options", "nosniff"), ("referrer-policy", "same-origin"), ("cache-control", "no-store"), ("strict-transport-security", own)]
            {
                assert_eq!(header(&answer, name), value, "{method} {path} of {public}: {name}");
            }
        }
        assert_eq!(header(&app.get("/healthz").await, "strict-transport-security"), https_only);
        app.stop().await;
    }
}

/// A browser takes a cookie called `__Host-` from nobody who does not say `Secure`, so that one would stay.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r44_the_cookie_of_an_ended_session_goes_as_it_came(db: PgPool) {
    let app = TestApp::start_with(db, |config| config.server.public_url = "https://tollgate.example".parse().unwrap()).await;
    let ended = "__Host-sid=AAAAAAAAAAAAAAAAAAAAAA";
    for path in ["/keys", "/sign-in", "/api/v1/me"] {
        let answer = app.http.get(app.url(path)).header("cookie", ended).send().await.unwrap();
        let cookies: Vec<&str> = answer.headers().get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
        assert_eq!(cookies, ["__Host-sid=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0"], "{path}");
    }
    assert!(!app.get("/sign-in").await.headers().contains_key("set-cookie"), "nothing is taken back from who has nothing");
    for (mode, is_taken) in [("navigate", true), ("cors", false), ("same-origin", false)] {
        let answer = app.http.get(app.url("/keys")).header("cookie", ended).header("sec-fetch-mode", mode).send().await.unwrap();
        assert_eq!(answer.headers().contains_key("set-cookie"), is_taken, "a script's answer may be older than the cookie: {mode}");
    }
}
