//! Where somebody is: nobody's word counts but that of a proxy which is trusted, and of it only the last.

use crate::support::{TestApp, browser::PASSWORD};
use leptos::server_fn::ServerFn;
use reqwest::Response;
use sqlx::PgPool;
use tollgate::accounts::api;

async fn sign_in_from(app: &TestApp, email: &str, password: &str, forwarded: &str) -> Response {
    let fields = [("_fn", api::SignIn::PATH), ("email", email), ("password", password)];
    let request = app.browser().http.post(app.url("/sign-in")).header("sec-fetch-site", "same-origin").header("accept", "text/html");
    let request = request.header("x-forwarded-for", forwarded).header("forwarded", format!("for={forwarded}")).header("x-real-ip", forwarded);
    request.form(&fields).send().await.unwrap()
}

/// Guesses from "many" addresses until the one that counts has to wait; where the event of a later sign-in says that it came from.
async fn guess(app: &TestApp, forwarded: impl Fn(usize) -> String) -> String {
    app.account("mara@example.com", "Mara", "developer").await;
    for n in 0..30 {
        let answer = sign_in_from(app, &format!("guess{n}@example.com"), "not the right one at all", &forwarded(n)).await;
        assert_eq!(answer.status(), 422, "{n}");
    }
    let refused = sign_in_from(app, "mara@example.com", PASSWORD, &forwarded(30)).await;
    assert_eq!(refused.status(), 429, "all of them were one");
    app.ctx.clock.advance(time::Duration::seconds(1));
    assert_eq!(sign_in_from(app, "mara@example.com", PASSWORD, &forwarded(31)).await.status(), 303);
    sqlx::query_scalar("select data->>'address' from events where kind = 'account.signed_in'").fetch_one(&app.ctx.db).await.unwrap()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s41_a_forged_forwarded_for_buys_no_new_guesses(db: PgPool) {
    let app = TestApp::start(db).await;
    assert_eq!(guess(&app, |n| format!("198.51.100.{n}")).await, "127.0.0.1");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s41_behind_a_proxy_what_the_client_wrote_before_it_counts_for_nothing(db: PgPool) {
    let app = TestApp::start_with(db, |config| config.server.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()]).await;
    assert_eq!(guess(&app, |n| format!("198.51.100.{n}, 203.0.113.9")).await, "203.0.113.9");
}
