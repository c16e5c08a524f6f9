//! A lost app: an operator takes it away, a day later, and its owner can stop that.

use super::{half_way, with_app};
use crate::{
    accounts::count,
    support::{
        TestApp,
        browser::{PASSWORD, Person, location},
        mailbox::link,
    },
};
use reqwest::Response;
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::{
        Caller, api,
        server::{Visitor, reset_factors_now},
    },
    admin::api as admin,
};

async fn ask(operator: &Person, whose: &Person, reason: &str) -> Response {
    let id = whose.account.to_string();
    operator.browser.post::<admin::ResetFactors>(&format!("/admin/accounts/{id}?ask=reset-factors"), &[("id", &id), ("reason", reason)]).await
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r34_an_operators_reset_waits_a_day_and_is_told(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, phone) = with_app(&app, "developer").await;
    let operator = app.sign_in_as("operator").await;
    let page = format!("/admin/accounts/{}", vera.account);
    assert!(operator.browser.page(&page).await.contains("10 recovery codes left"));
    assert_eq!(ask(&operator, &vera, "  ").await.status(), 422, "a reason is needed");
    assert_eq!(location(&ask(&operator, &vera, "lost the phone, called back").await), page);
    assert_eq!(ask(&operator, &vera, "lost the phone, called back").await.status(), 409, "twice");
    assert!(operator.browser.page(&page).await.contains("unless its owner stops it"));
    let mail = app.mail_to(&vera.email).await;
    assert!(mail.subject == "Your second factors will be removed" && mail.text.replace('\n', " ").contains("in 24 hours"), "{}", mail.text);
    link(&mail, "/keep-factors");

    app.ctx.clock.advance(Duration::hours(24) - Duration::seconds(1));
    app.run_jobs().await;
    let waiting = half_way(&app, &vera.email).await;
    app.ctx.clock.advance(Duration::seconds(1));
    let mail = app.mail_to(&vera.email).await;
    assert_eq!(mail.subject, "Your second factors were removed");
    assert!(!vera.browser.is_signed_in().await, "every session ended");
    assert_eq!(location(&super::give_code(&waiting, &phone.code(&app)).await), "/sign-in", "and what was waiting");
    assert_eq!(location(&app.browser().sign_in(&vera.email, PASSWORD).await), "/home");
    assert_eq!(count(&app, "select count(*) from recovery_codes").await, 0);
    let done = "select count(*) from events where kind = 'factor.reset' and reason = 'lost the phone, called back' and actor_id is not null";
    assert_eq!(count(&app, done).await, 1, "whoever asked did it: with their account the name goes out of it, too");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r34_its_owner_stops_it_by_the_mailed_link_and_not_by_looking(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, _) = with_app(&app, "developer").await;
    let operator = app.sign_in_as("operator").await;
    ask(&operator, &vera, "somebody called").await;
    let mail = app.mail_to(&vera.email).await;
    let browser = app.browser();
    assert_eq!(location(&browser.get(link(&mail, "/keep-factors")).await), "/keep-factors", "R54");
    assert!(browser.page("/keep-factors").await.contains("Keep my second factors"));
    assert_eq!(count(&app, "select count(*) from factor_resets").await, 1, "R53: looking changes nothing");
    assert_eq!(location(&browser.post::<api::KeepFactors>("/keep-factors", &[]).await), "/sign-in");
    assert_eq!(app.mail_to(&vera.email).await.subject, "Your second factors stay");
    browser.get(link(&mail, "/keep-factors")).await;
    assert_eq!(browser.post::<api::KeepFactors>("/keep-factors", &[]).await.status(), 422, "twice");
    app.ctx.clock.advance(Duration::hours(25));
    app.run_jobs().await;
    half_way(&app, &vera.email).await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_second_reset_is_not_done_by_the_job_of_the_first(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, _) = with_app(&app, "developer").await;
    let operator = app.sign_in_as("operator").await;
    ask(&operator, &vera, "first").await;
    let mail = app.mail_to(&vera.email).await;
    app.browser().get(link(&mail, "/keep-factors")).await;
    let browser = app.browser();
    browser.get(link(&mail, "/keep-factors")).await;
    browser.post::<api::KeepFactors>("/keep-factors", &[]).await;
    app.ctx.clock.advance(Duration::minutes(5));
    assert_eq!(ask(&operator, &vera, "second").await.status(), 303);
    app.ctx.clock.advance(Duration::hours(24) - Duration::minutes(5));
    app.run_jobs().await;
    half_way(&app, &vera.email).await;
    app.ctx.clock.advance(Duration::minutes(5));
    app.run_jobs().await;
    assert_eq!(location(&app.browser().sign_in(&vera.email, PASSWORD).await), "/home");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn only_who_has_a_factor_and_never_oneself(db: PgPool) {
    let app = TestApp::start(db).await;
    let (operator, _) = with_app(&app, "operator").await;
    let vera = app.sign_in_as("developer").await;
    assert_eq!(ask(&operator, &vera, "no factor").await.status(), 409);
    assert_eq!(ask(&operator, &operator, "my own").await.status(), 409);
    assert_eq!(ask(&vera, &operator, "not allowed").await.status(), 403);
    assert_eq!(count(&app, "select count(*) from factor_resets").await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_command_line_does_it_at_once(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, _) = with_app(&app, "developer").await;
    let done = async || reset_factors_now(&app.ctx, &Caller::cli(), &Visitor::terminal(), vera.account, "at the counter").await.unwrap();
    assert!(done().await);
    assert!(!done().await, "twice");
    assert!(!vera.browser.is_signed_in().await);
    assert_eq!(app.mail_to(&vera.email).await.subject, "Your second factors were removed");
    assert_eq!(location(&app.browser().sign_in(&vera.email, PASSWORD).await), "/home");
}
