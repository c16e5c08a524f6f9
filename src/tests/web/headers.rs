//! Headers: nothing frames a page, nothing keeps one, nothing says what answers.

use super::plain_pages;
use crate::support::TestApp;
use reqwest::{Method, Response};
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

#[sqlx::test]
async fn s46_no_page_lets_itself_be_framed(db: PgPool) {
    let app = TestApp::start(db).await;
    for (path, answer) in everything(&app).await {
        assert_eq!(header(&answer, "x-frame-options"), "DENY", "{path}");
        assert!(header(&answer, "content-security-policy").contains("frame-ancestors 'none'"), "{path}");
    }
}

#[sqlx::test]
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
    for path in ["/metrics", "/api/v1/metrics", "/debug", "/status"] {
        let status = app.get(path).await.status().as_u16();
        assert!(matches!(status, 401 | 403 | 404), "{path}: {status}");
    }
}
