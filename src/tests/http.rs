//! The platform over real HTTP: headers, guard, errors, CSRF.

use crate::support::TestApp;
use sqlx::PgPool;

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_landing_page_is_served_with_a_strict_policy(db: PgPool) {
    let app = TestApp::start(db).await;
    let answer = app.get("/").await;
    assert_eq!(answer.status(), 200);
    let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("script-src 'nonce-") && !policy.contains("unsafe-inline"), "{policy}");
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    assert!(answer.headers().contains_key("x-request-id"));
    assert!(!answer.headers().contains_key("set-cookie"), "R51: a GET makes no session");
    let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap();
    assert!(answer.text().await.unwrap().contains(&format!("nonce=\"{nonce}\"")));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r62_pages_ask_for_sign_in_by_default(db: PgPool) {
    let app = TestApp::start(db).await;
    let answer = app.get("/keys?api=demo").await;
    assert_eq!(answer.status(), 303);
    assert_eq!(answer.headers()["location"], "/sign-in?next=%2Fkeys%3Fapi%3Ddemo");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_unknown_rest_path_is_a_problem_document(db: PgPool) {
    let app = TestApp::start(db).await;
    let answer = app.http.get(app.url("/api/v1/nothing")).send().await.unwrap();
    assert_eq!(answer.status(), 404);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let body: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(body["status"], 404);
    assert!(body["request_id"].as_str().unwrap().len() >= 8);
}

/// The file system says of these that no name is so long, which is no fault of anybody's here.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r81_an_address_longer_than_any_file_is_not_found_and_nothing_failed(db: PgPool) {
    let app = TestApp::start(db).await;
    for long in [300, 5_000] {
        let name = "a".repeat(long);
        for path in [format!("/{name}"), format!("/pkg/{name}.js"), format!("/api/{name}"), format!("/nothing/{}", "a/".repeat(long))] {
            assert_eq!(app.get(&path).await.status(), 404, "{} bytes", path.len());
        }
    }
    assert_eq!(app.get("/api/v1/openapi.json").await.status(), 200);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s47_a_form_from_another_site_is_refused(db: PgPool) {
    let app = TestApp::start(db).await;
    let answer = app.http.post(app.url("/sign-in")).header("sec-fetch-site", "cross-site").form(&[("_fn", "/fn/x")]).send().await.unwrap();
    assert_eq!(answer.status(), 403);
}
