//! Flows of several steps: none is skipped, none is ended by somebody else, each ends once; and the mail between two steps.

use super::{count, factors, unproven};
use crate::support::{
    TestApp,
    browser::{PASSWORD, location},
    mailbox::{code, link},
};
use leptos::server_fn::ServerFn;
use serde_json::json;
use sqlx::PgPool;
use time::Duration;
use tollgate::accounts::api;

async fn type_code(browser: &crate::support::browser::Browser, code: &str) -> u16 {
    browser.post::<api::VerifyEmail>("/verify-email", &[("code", code)]).await.status().as_u16()
}

/// The status of a code that a program sends, which names the address it signed up.
async fn send_code(app: &TestApp, email: &str, code: &str) -> u16 {
    let body = json!({ "email": email, "code": code });
    reqwest::Client::new().post(app.url("/api/v1/auth/verify")).json(&body).send().await.unwrap().status().as_u16()
}

/// Six digits that are not these.
fn other_than(right: &str) -> &'static str {
    if right == "000000" { "000001" } else { "000000" }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r35_a_code_counts_for_ten_minutes_and_five_tries_where_it_was_asked_for_and_the_last_one_wins(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = unproven(&app, "mara@example.com").await;
    let first = app.mail_to("mara@example.com").await;
    // Another browser has no flow to end, not even by counting tries: one without any, and one with a sign-up of its own.
    let theirs = unproven(&app, "nora@example.com").await;
    let second = app.mail_to("nora@example.com").await;
    assert_eq!(type_code(&app.browser(), code(&first)).await, 422);
    assert_ne!(code(&first), code(&second));
    assert_eq!(type_code(&theirs, code(&first)).await, 422);
    let tries = "select coalesce(sum(failures), 0)::bigint from attempt_counters where bucket like 'verify_code:mail:%'";
    assert_eq!(count(&app, tries).await, 1, "of the other sign-up");

    // The newest mail wins, until its ten minutes are over.
    assert_eq!(location(&mara.post::<api::ResendVerification>("/verify-email", &[]).await), "/verify-email");
    let newest = app.mail_to("mara@example.com").await;
    assert_ne!(code(&first), code(&newest));
    assert_eq!(type_code(&mara, code(&first)).await, 422);
    app.ctx.clock.advance(Duration::minutes(10));
    assert_eq!(type_code(&mara, code(&newest)).await, 422, "too late");
    app.ctx.clock.advance(-Duration::seconds(1));
    assert_eq!(type_code(&mara, code(&newest)).await, 303, "just in time");

    // Five tries in all, through both doors; then the flow is dead, and a new mail begins another one.
    let (right, wrong) = (code(&second).to_owned(), other_than(code(&second)));
    for _ in 0..2 {
        assert_eq!(type_code(&theirs, wrong).await, 422);
        assert_eq!(send_code(&app, "nora@example.com", wrong).await, 422);
    }
    // The code of somebody else was the first of the five.
    assert_eq!(send_code(&app, "nora@example.com", &right).await, 422);
    assert_eq!(type_code(&theirs, &right).await, 422);
    theirs.post::<api::ResendVerification>("/verify-email", &[]).await;
    let again = app.mail_to("nora@example.com").await;
    assert_eq!(type_code(&theirs, code(&again)).await, 303);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r78_no_step_is_skipped_and_none_ends_the_flow_of_somebody_else(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, phone) = factors::with_app(&app, "developer").await;
    let (mallory, other_phone) = factors::with_app(&app, "developer").await;

    // The second step without the first.
    let stranger = app.browser();
    assert_eq!(location(&factors::give_code(&stranger, &phone.code(&app)).await), "/sign-in");
    assert!(!stranger.is_signed_in().await);
    let new = vec![("new_password", "gate keeper sings at noon")];
    for (function, fields) in [
        (<api::ConfirmTotp as ServerFn>::PATH, vec![("code", "000000")]),
        (<api::VerifyEmail as ServerFn>::PATH, vec![("code", "000000")]),
        (<api::ConfirmNewEmail as ServerFn>::PATH, vec![("code", "000000")]),
        (<api::ConfirmDeletion as ServerFn>::PATH, vec![]),
        (<api::ResetPassword as ServerFn>::PATH, new),
    ] {
        let request = mallory.browser.http.post(app.url(function)).header("sec-fetch-site", "same-origin").header("accept", "application/json");
        let status = request.form(&fields).send().await.unwrap().status();
        assert!(status.is_client_error(), "{function}: {status}");
    }
    // The second step of another person.
    let half = factors::half_way(&app, &vera.email).await;
    assert_eq!(factors::give_code(&half, &other_phone.code(&app)).await.status(), 422);
    assert!(!half.is_signed_in().await);
    assert_eq!(location(&factors::give_code(&half, &phone.code(&app)).await), "/home");
    let who: serde_json::Value = half.get("/api/v1/me").await.json().await.unwrap();
    assert_eq!(who["email"].as_str(), Some(vera.email.as_str()));
    assert_eq!(count(&app, "select count(*) from accounts where verified_at is not null").await, 2);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r78_a_change_happens_whole_or_not_at_all_and_of_many_at_once_one(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let elsewhere = app.browser();
    assert_eq!(location(&elsewhere.sign_in(&vera.email, PASSWORD).await), "/home");
    // The last thing that the change writes fails.
    let broken = "alter table events add constraint broken check (kind not in ('account.password_changed', 'account.password_reset')) not valid";
    sqlx::raw_sql(broken).execute(&app.ctx.db).await.unwrap();
    let new = "gate keeper sings at noon";
    let change = [("current_password", PASSWORD), ("new_password", new)];
    let mails = count(&app, "select count(*) from jobs").await;
    assert_eq!(vera.browser.post::<api::ChangePassword>("/settings/security", &change).await.status(), 500);
    assert!(elsewhere.is_signed_in().await, "no session was ended");
    assert_eq!(app.browser().sign_in(&vera.email, new).await.status(), 422);
    assert_eq!(count(&app, "select count(*) from jobs").await, mails);

    let forgetful = app.browser();
    forgetful.post::<api::ForgotPassword>("/forgot-password", &[("email", &vera.email)]).await;
    let mail = super::mail_about(&app, &vera.email, "Set a new password").await;
    forgetful.get(link(&mail, "/reset-password")).await;
    assert_eq!(forgetful.post::<api::ResetPassword>("/reset-password", &[("new_password", new)]).await.status(), 500);
    sqlx::raw_sql("alter table events drop constraint broken").execute(&app.ctx.db).await.unwrap();

    // The link was not used up; looked at and used in one statement, it works for one of ten.
    let fields = [("new_password", new)];
    let tries = (0..10).map(|_| forgetful.post::<api::ResetPassword>("/reset-password", &fields));
    let statuses: Vec<u16> = futures_util::future::join_all(tries).await.iter().map(|answer| answer.status().as_u16()).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 1, "{statuses:?}");
    assert_eq!(count(&app, "select count(*) from events where kind = 'account.password_reset'").await, 1);
    assert!(!elsewhere.is_signed_in().await);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s16_a_mail_is_written_after_the_answer_from_what_was_committed(db: PgPool) {
    let app = TestApp::start(db).await;
    unproven(&app, "mara@example.com").await;
    unproven(&app, "gone@example.com").await;
    assert_eq!((app.mails().len(), count(&app, "select count(*) from jobs where state = 'waiting'").await), (0, 2), "the answers are there, the mails are not");
    sqlx::raw_sql("delete from accounts where email_key = 'gone@example.com'").execute(&app.ctx.db).await.unwrap();

    // Written by a process that never saw the request: it reads what the answer had committed, and nothing where that is gone.
    let app = app.restart().await;
    let mail = app.mail_to("mara@example.com").await;
    assert!(mail.text.contains("Vera"), "{}", mail.text);
    let mara = app.browser();
    mara.get(link(&mail, "/verify-email")).await;
    // Another browser than the one that signed up: it proves the address and chooses a password anew (R57).
    assert_eq!(location(&mara.post::<api::VerifyEmail>("/verify-email", &[]).await), "/reset-password");
    app.run_jobs().await;
    assert!(app.mails().iter().all(|mail| mail.to != "gone@example.com"));
    assert_eq!(count(&app, "select count(*) from jobs where state <> 'done'").await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s72_where_a_reset_leads_is_not_for_who_asks_to_say(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("vera@example.com", "Vera", "developer").await;
    let evil = "https://evil.example/";
    let vera = app.browser();
    for name in ["redirectTo", "redirect_to", "redirect_uri", "callbackURL", "return_to", "next"] {
        let page = format!("/forgot-password?{name}=https%3A%2F%2Fevil.example%2F");
        let answer = vera.post::<api::ForgotPassword>(&page, &[("email", "vera@example.com"), (name, evil)]).await;
        // Each asks for another mail to the same address: from the sixth on that waits.
        assert!(answer.status() == 429 || location(&answer) == "/forgot-password?sent=1", "{name}");
        let body = json!({ "email": "vera@example.com", name: evil });
        let refused = reqwest::Client::new().post(app.url("/api/v1/auth/password/forgot")).json(&body).send().await.unwrap();
        assert_eq!(refused.status(), 422, "{name}");
    }
    app.run_jobs().await;
    assert!(!app.mails().is_empty());
    for mail in app.mails() {
        assert!(!mail.text.contains("evil.example") && !mail.html.contains("evil.example"), "{}", mail.text);
    }
    let mail = app.mail_to("vera@example.com").await;
    assert_eq!(location(&vera.get(&format!("{}&next=https%3A%2F%2Fevil.example%2F", link(&mail, "/reset-password"))).await), "/reset-password");
    let done = vera.post::<api::ResetPassword>("/reset-password", &[("new_password", "gate keeper sings at noon"), ("next", evil), ("redirectTo", evil)]).await;
    assert_eq!(location(&done), "/sign-in");
}
