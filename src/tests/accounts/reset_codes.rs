//! The code of the mail that sets a password: for the browser that asked, five tries, and the same answers for every address.

use super::{count, seen};
use crate::support::{
    TestApp,
    browser::{Browser, PASSWORD, location},
    mailbox::{code, link},
};
use reqwest::Response;
use serde_json::{Value, json};
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::{
        api,
        server::{Visitor, send_reset_link},
    },
    platform::mail::SentMail,
};

const NEW: &str = "gate keeper sings at noon";
const SENT: &str = "/forgot-password?sent=1";

async fn ask(app: &TestApp, browser: &Browser, email: &str) -> SentMail {
    assert_eq!(location(&browser.post::<api::ForgotPassword>("/forgot-password", &[("email", email)]).await), SENT);
    app.mail_to(email).await
}

async fn type_code(browser: &Browser, code: &str) -> Response {
    browser.post::<api::OpenReset>(SENT, &[("code", code)]).await
}

fn wrong(mail: &SentMail) -> &'static str {
    if code(mail) == "000000" { "000001" } else { "000000" }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r53_the_code_does_what_the_link_does_where_the_mail_was_asked_for(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("mara@example.com", "Mara", "developer").await;
    let desk = app.browser();
    let mail = ask(&app, &desk, "mara@example.com").await;
    assert!(desk.page(SENT).await.contains("one-time-code"));
    let nothing = type_code(&desk, " ").await;
    assert_eq!(nothing.status(), 422);
    assert!(nothing.text().await.unwrap().contains("Enter the six digits"), "and that is no try");

    let typed = format!("{} {}", &code(&mail)[..3], &code(&mail)[3..]);
    assert_eq!(location(&type_code(&desk, &typed).await), "/reset-password");
    assert!(desk.page("/reset-password").await.contains("mara@example.com"));
    assert_eq!(count(&app, "select count(*) from auth_tokens where used_at is null and kind = 'reset_password'").await, 1, "nothing is changed by it");
    assert_eq!(location(&desk.post::<api::ResetPassword>("/reset-password", &[("new_password", NEW)]).await), "/sign-in");
    assert_eq!(location(&desk.sign_in("mara@example.com", NEW).await), "/home");
    assert_eq!(type_code(&desk, code(&mail)).await.status(), 422, "once");
    let late = app.browser();
    late.get(link(&mail, "/reset-password")).await;
    assert!(late.page("/reset-password").await.contains("This link does not work"), "link and code are one proof");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r35_the_code_works_only_in_the_browser_that_asked_and_the_newest_wins(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("mara@example.com", "Mara", "developer").await;
    let (desk, other) = (app.browser(), app.browser());
    let first = ask(&app, &desk, "mara@example.com").await;
    let elsewhere = type_code(&other, code(&first)).await;
    assert_eq!(elsewhere.status(), 422);
    assert!(elsewhere.text().await.unwrap().contains("only work in the browser that asked"));

    let second = ask(&app, &other, "mara@example.com").await;
    assert_eq!(type_code(&desk, code(&second)).await.status(), 422, "that mail was asked for elsewhere");
    assert_eq!(type_code(&desk, code(&first)).await.status(), 422, "a newer one was sent");
    app.ctx.clock.advance(Duration::minutes(10));
    assert_eq!(type_code(&other, code(&second)).await.status(), 422, "ten minutes");
    other.get(link(&second, "/reset-password")).await;
    assert_eq!(other.post::<api::ResetPassword>("/reset-password", &[("new_password", NEW)]).await.status(), 303, "the link lives on");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r35_five_wrong_codes_end_the_code_but_not_the_link(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("mara@example.com", "Mara", "developer").await;
    let desk = app.browser();
    let mail = ask(&app, &desk, "mara@example.com").await;
    let guesses = (0..8).map(|_| type_code(&desk, wrong(&mail)));
    for answer in futures_util::future::join_all(guesses).await {
        assert_eq!(answer.status(), 422, "guesses at once get five tries together");
        let page = answer.text().await.unwrap();
        assert!(page.contains("This code is wrong or expired") && !page.contains(wrong(&mail)), "codes do not come back: {page}");
    }
    assert_eq!(type_code(&desk, code(&mail)).await.status(), 422, "the sixth try comes too late");
    desk.get(link(&mail, "/reset-password")).await;
    assert_eq!(desk.post::<api::ResetPassword>("/reset-password", &[("new_password", NEW)]).await.status(), 303);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r35_mail_after_mail_does_not_give_tries_without_end(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("mara@example.com", "Mara", "developer").await;
    for round in 0..3 {
        let guesser = app.browser();
        let mail = ask(&app, &guesser, "mara@example.com").await;
        for attempt in 0..5 {
            let status = type_code(&guesser, wrong(&mail)).await.status().as_u16();
            assert_eq!(status, if round < 2 { 422 } else { 429 }, "{round} {attempt}: ten for an address, then a wait");
        }
    }
    app.ctx.clock.advance(Duration::minutes(1));
    let owner = app.browser();
    let mail = ask(&app, &owner, "mara@example.com").await;
    assert_eq!(location(&type_code(&owner, code(&mail)).await), "/reset-password");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r15_wrong_codes_of_an_unknown_address_are_answered_alike(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("known@example.com", "Kira", "developer").await;
    let (known, unknown) = (app.browser(), app.browser());
    let mail = ask(&app, &known, "known@example.com").await;
    unknown.post::<api::ForgotPassword>("/forgot-password", &[("email", "nobody@example.com")]).await;
    for round in 0..7 {
        let (a, b) = (type_code(&known, wrong(&mail)).await, type_code(&unknown, wrong(&mail)).await);
        assert_eq!(seen(a, "known@example.com").await, seen(b, "nobody@example.com").await, "{round}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_code_over_rest_takes_the_flow_of_the_request(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("mara@example.com", "Mara", "developer").await;
    let post = async |path: &str, body: Value| reqwest::Client::new().post(app.url(path)).json(&body).send().await.unwrap();
    let asked: Value = post("/api/v1/auth/password/forgot", json!({ "email": "mara@example.com" })).await.json().await.unwrap();
    assert_eq!(asked["mailed_to"], "mara@example.com");
    let unknown: Value = post("/api/v1/auth/password/forgot", json!({ "email": "nobody@example.com" })).await.json().await.unwrap();
    assert_eq!(unknown["flow"].as_str().unwrap().len(), asked["flow"].as_str().unwrap().len());
    let mail = app.mail_to("mara@example.com").await;
    let reset = async |flow: &Value, email: &str, code: &str| {
        let body = json!({ "flow": flow, "email": email, "code": code, "new_password": NEW });
        post("/api/v1/auth/password/reset", body).await
    };
    let foreign = reset(&unknown["flow"], "mara@example.com", code(&mail)).await;
    assert_eq!(foreign.status(), 422);
    assert!(foreign.text().await.unwrap().contains("#/code"));
    assert_eq!(reset(&asked["flow"], "nobody@example.com", code(&mail)).await.status(), 422);
    let both = json!({ "token": "x", "flow": asked["flow"], "email": "mara@example.com", "code": code(&mail), "new_password": NEW });
    assert_eq!(post("/api/v1/auth/password/reset", both).await.status(), 422);
    assert_eq!(reset(&asked["flow"], "mara@example.com", code(&mail)).await.status(), 204);
    assert_eq!(reset(&asked["flow"], "mara@example.com", code(&mail)).await.status(), 422, "once");
    assert_eq!(app.browser().sign_in("mara@example.com", PASSWORD).await.status(), 422);
    assert_eq!(location(&app.browser().sign_in("mara@example.com", NEW).await), "/home");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_mail_that_nobody_asked_for_has_a_link_alone(db: PgPool) {
    let app = TestApp::start(db).await;
    let operator = app.sign_in_as("operator").await;
    let mara = app.account("mara@example.com", "Mara", "developer").await;
    let visitor = Visitor { address: "192.0.2.1".parse().unwrap(), device: "test".to_owned() };
    send_reset_link(&app.ctx, &app.caller_in_a_browser(operator.account).await, &visitor, mara).await.unwrap();
    let mail = app.mail_to("mara@example.com").await;
    assert!(link(&mail, "/reset-password").contains("token="));
    assert!(!mail.text.contains("code"), "{}", mail.text);
}
