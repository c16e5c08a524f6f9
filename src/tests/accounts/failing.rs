//! Our own faults: a panic, a broken statement, a database or a mail server that is away. Nobody comes in by them, and what is said of them
//! is an id to report.

use super::{count, unproven};
use crate::support::{
    TestApp,
    browser::{PASSWORD, location},
    locks::Held,
    log::Log,
    mailbox::code,
    until,
};
use leptos::{prelude::*, server_fn::ServerFn};
use sqlx::{Connection, Executor, PgConnection, PgPool};
use tollgate::{
    accounts::api,
    boot::worker,
    error::AppError,
    platform::{jobs, mail::Mailer},
};

const WORDS: &str = "the words of this panic are for the log";

/// A function of this test alone, behind all layers of the product.
#[server]
async fn stumble(asked: bool) -> Result<(), AppError> {
    assert!(!asked, "{WORDS}");
    Ok(())
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r81_a_panic_is_500_with_an_id_and_the_process_lives(db: PgPool) {
    let (log, _guard) = Log::keep("info");
    let app = TestApp::start(db).await;
    let answer = app.browser().http.post(app.url(Stumble::PATH)).header("sec-fetch-site", "same-origin").form(&[("asked", "true")]).send().await.unwrap();
    assert_eq!(answer.status(), 500);
    let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    let said = answer.text().await.unwrap();
    assert!(said.contains(&id) && !said.contains(WORDS), "{said}");
    assert_eq!(log.lines_with(&[WORDS, &id]).len(), 1, "{}", log.text());
    assert_eq!(app.get("/healthz").await.status(), 200);
    assert!(stumble(false).await.is_ok(), "it stumbles only if it is asked to");
    let vera = app.sign_in_as("developer").await;
    assert!(vera.browser.is_signed_in().await);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r81_a_statement_that_fails_lets_nobody_in_and_tells_an_id_only(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("vera@example.com", "Vera", "developer").await;
    sqlx::raw_sql("alter table events rename to events_that_are_gone").execute(&app.ctx.db).await.unwrap();
    let browser = app.browser();
    let page = browser.sign_in("vera@example.com", PASSWORD).await;
    let body = serde_json::json!({ "email": "nora@example.com", "name": "Nora", "password": PASSWORD });
    let rest = reqwest::Client::new().post(app.url("/api/v1/auth/register")).json(&body).send().await.unwrap();
    assert_eq!(rest.headers()["content-type"], "application/problem+json");
    for answer in [page, rest] {
        assert_eq!(answer.status(), 500);
        assert!(!answer.headers().contains_key("set-cookie"));
        let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
        let said = answer.text().await.unwrap();
        assert!(said.contains(&id), "{said}");
        for inside in ["events_that", "relation \"", "42P01", "sqlx"] {
            assert!(!said.contains(inside), "{inside}: {said}");
        }
    }
    assert!(!browser.is_signed_in().await);
    assert_eq!(count(&app, "select (select count(*) from sessions) + (select count(*) from accounts where email_key = 'nora@example.com')").await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r81_without_the_database_nobody_is_let_in_and_who_was_in_comes_back(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    // Nobody gets in, everybody is thrown out: what a database that is away looks like from here.
    let options = app.ctx.db.connect_options();
    let name = options.get_database().unwrap().to_owned();
    let mut outside = PgConnection::connect_with(&(*options).clone().database("postgres")).await.unwrap();
    let say = |words: &str| sqlx::AssertSqlSafe(format!("alter database \"{name}\" {words}"));
    outside.execute(say("allow_connections false")).await.unwrap();
    let throw_out = "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = $1";
    let _: i64 = sqlx::query_scalar(throw_out).bind(&name).fetch_one(&mut outside).await.unwrap();

    for path in ["/settings/profile", "/keys", "/api/v1/me"] {
        let answer = vera.browser.get(path).await;
        assert!(answer.status().is_server_error(), "{path}: {}", answer.status());
        assert!(!answer.text().await.unwrap().contains(&vera.email), "{path}");
    }
    let stranger = app.browser();
    for password in [PASSWORD, "not the right one at all"] {
        let answer = stranger.sign_in(&vera.email, password).await;
        assert!(answer.status().is_server_error(), "{}", answer.status());
        assert!(!answer.headers().contains_key("set-cookie"));
    }
    let key = reqwest::Client::new().get(app.url("/api/v1/me")).bearer_auth("tg_live_nonsense").send().await.unwrap();
    assert!(!key.status().is_success());

    outside.execute(say("allow_connections true")).await.unwrap();
    until("the database answers again", async || vera.browser.get("/settings/profile").await.status() == 200).await;
    assert!(!stranger.is_signed_in().await);
    assert_eq!(location(&stranger.sign_in(&vera.email, PASSWORD).await), "/home");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r81_a_statement_that_is_cut_off_is_503_and_may_be_sent_again(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let body = serde_json::json!({ "email": "nora@example.com", "name": "Nora", "password": PASSWORD });
    let send = || reqwest::Client::new().post(app.url("/api/v1/auth/register")).json(&body).send();
    // What a restart does to it; and what our own time-outs do, which only take longer.
    for (cuts, code) in [("pg_terminate_backend", "DATABASE_AWAY"), ("pg_cancel_backend", "BUSY")] {
        let held = Held::by(&db, "lock table workspaces in access exclusive mode").await;
        let cut_off = format!("select count({cuts}(pid)) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'");
        let asked = tokio::spawn(send());
        until("it is answered", async || {
            let _: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(cut_off.clone())).fetch_one(&db).await.unwrap();
            asked.is_finished()
        })
        .await;
        held.release().await;
        let answer = asked.await.unwrap().unwrap();
        assert_eq!(answer.status(), 503, "{cuts}");
        assert!(answer.headers().contains_key("retry-after"), "{cuts}");
        assert_eq!(answer.json::<serde_json::Value>().await.unwrap()["code"], code);
        assert_eq!(count(&app, "select count(*) from accounts where email_key = 'nora@example.com'").await, 0, "{cuts}");
    }
    assert!(send().await.unwrap().status().is_success());
    assert_eq!(count(&app, "select count(*) from accounts where email_key = 'nora@example.com'").await, 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r81_without_the_mail_server_nothing_is_proven_and_nothing_lost(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = unproven(&app, "mara@example.com").await;
    // Nobody listens on this port.
    let mut without = app.ctx.clone();
    without.mail = Mailer::smtp("smtp://127.0.0.1:9", std::time::Duration::from_secs(2)).unwrap();
    assert_eq!(jobs::run_due(&without, &worker::registry()).await.unwrap(), 1);
    assert_eq!(count(&app, "select count(*) from jobs where state = 'waiting' and attempts = 1 and last_error is not null").await, 1);
    assert_ne!(location(&mara.sign_in("mara@example.com", PASSWORD).await), "/home");
    assert!(!mara.is_signed_in().await, "an address that could not be proven opens nothing");

    app.ctx.clock.advance(time::Duration::hours(1));
    let mail = app.mail_to("mara@example.com").await;
    assert_eq!(location(&mara.post::<api::VerifyEmail>("/verify-email", &[("code", code(&mail))]).await), "/sign-in");
}
