//! The mails of accounts, word for word: what, when, from which device and address, and what to do if it wasn't you.

use super::{sign_up, unproven};
use crate::support::{TestApp, browser::PASSWORD, mailbox::link};
use sqlx::PgPool;
use tollgate::{accounts::api, platform::mail::SentMail};

/// The text of a mail, less what is new each time.
fn stable(app: &TestApp, mail: &SentMail) -> String {
    let mut out = String::new();
    for line in mail.text.lines() {
        let line = line.replace(&app.base, "https://gate.example");
        let line = match line.split_once("token=") {
            Some((before, _)) => format!("{before}token=…"),
            None if line.trim().len() == 6 && line.trim().bytes().all(|b| b.is_ascii_digit()) => line.replace(line.trim(), "123456"),
            None => line,
        };
        out.push_str(line.trim_end());
        out.push('\n');
    }
    format!("To: {}\nSubject: {}\n\n{out}", mail.to, mail.subject)
}

#[sqlx::test]
async fn the_mails_of_accounts(db: PgPool) {
    let app = TestApp::start(db).await;
    unproven(&app, "mara@example.com").await;
    insta::assert_snapshot!("verification", stable(&app, &app.mail_to("mara@example.com").await));

    app.account("vera@example.com", "Vera Holm", "developer").await;
    sqlx::raw_sql("update accounts set time_zone = 'Europe/Berlin' where name = 'Vera Holm'").execute(&app.ctx.db).await.unwrap();
    sign_up(&app.browser(), "vera@example.com", "Vera", PASSWORD).await;
    insta::assert_snapshot!("already_registered", stable(&app, &app.mail_to("vera@example.com").await));

    let vera = app.browser();
    vera.post::<api::ForgotPassword>("/forgot-password", &[("email", "vera@example.com")]).await;
    let mail = app.mail_to("vera@example.com").await;
    insta::assert_snapshot!("reset", stable(&app, &mail));

    vera.get(link(&mail, "/reset-password")).await;
    vera.post::<api::ResetPassword>("/reset-password", &[("new_password", "gate keeper sings at noon")]).await;
    insta::assert_snapshot!("password_changed", stable(&app, &app.mail_to("vera@example.com").await));
}

#[sqlx::test]
async fn s15_s96_a_mail_that_can_not_be_sent_loses_nothing_and_a_late_one_still_works(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = unproven(&app, "mara@example.com").await;
    // The queue stood still for an hour: proof and code are made when the mail is written.
    app.ctx.clock.advance(time::Duration::hours(1));
    let mail = app.mail_to("mara@example.com").await;
    let code = crate::support::mailbox::code(&mail);
    assert_eq!(mara.post::<api::VerifyEmail>("/verify-email", &[("code", code)]).await.status(), 303);
    // A second delivery of the same job finds nothing to do.
    let sent = app.mails().len();
    sqlx::raw_sql("update jobs set state = 'waiting', finished_at = null").execute(&app.ctx.db).await.unwrap();
    app.run_jobs().await;
    assert_eq!(app.mails().len(), sent);
}

#[sqlx::test]
async fn r52_no_secret_lies_in_the_queue(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("vera@example.com", "Vera", "developer").await;
    unproven(&app, "mara@example.com").await;
    app.browser().post::<api::ForgotPassword>("/forgot-password", &[("email", "vera@example.com")]).await;
    let payloads: Vec<serde_json::Value> = sqlx::query_scalar("select payload from jobs").fetch_all(&app.ctx.db).await.unwrap();
    assert_eq!(payloads.len(), 2);
    for payload in payloads {
        let fields: Vec<_> = payload.as_object().unwrap().keys().cloned().collect();
        assert_eq!(fields, ["account", "cause"], "ids only");
    }
}
