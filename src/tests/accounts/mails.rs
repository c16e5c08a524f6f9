//! The mails of accounts: what they say, when they are written, and that they carry no secret before they are.

use super::{sign_up, unproven};
use crate::support::{TestApp, browser::PASSWORD, mailbox::link};
use sqlx::PgPool;
use tollgate::{accounts::api, platform::mail::SentMail};

/// Every security mail says when, from which device and address, and what to do if it wasn't you; and only our own links stand in it.
fn says_what_it_should(app: &TestApp, mail: &SentMail, subject: &str, time: &str) {
    assert_eq!(mail.subject, subject);
    for words in [time, "Firefox on Linux", "127.0.0.1", "If it wasn't you"] {
        assert!(mail.text.contains(words), "{subject}: {words} in\n{}", mail.text);
    }
    let links = mail.text.split_whitespace().filter(|word| word.starts_with("http"));
    for link in links {
        assert!(link.starts_with(&app.base), "{subject}: {link}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r26_the_mails_of_accounts_say_what_when_from_where_and_what_to_do(db: PgPool) {
    let app = TestApp::start(db).await;
    unproven(&app, "mara@example.com").await;
    says_what_it_should(&app, &app.mail_to("mara@example.com").await, "Confirm your email", "20 Nov 2026, 12:00 UTC");

    app.account("vera@example.com", "Vera Holm", "developer").await;
    sqlx::raw_sql("update accounts set time_zone = 'Europe/Berlin' where name = 'Vera Holm'").execute(&app.ctx.db).await.unwrap();
    let in_her_zone = "20 Nov 2026, 13:00 CET";
    sign_up(&app.browser(), "vera@example.com", "Vera", PASSWORD).await;
    says_what_it_should(&app, &app.mail_to("vera@example.com").await, "You already have an account", in_her_zone);

    let vera = app.browser();
    vera.post::<api::ForgotPassword>("/forgot-password", &[("email", "vera@example.com")]).await;
    let mail = app.mail_to("vera@example.com").await;
    says_what_it_should(&app, &mail, "Set a new password", in_her_zone);

    vera.get(link(&mail, "/reset-password")).await;
    vera.post::<api::ResetPassword>("/reset-password", &[("new_password", "gate keeper sings at noon")]).await;
    says_what_it_should(&app, &app.mail_to("vera@example.com").await, "Your password was changed", in_her_zone);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s15_s96_a_mail_that_can_not_be_sent_loses_nothing_and_a_late_one_still_works(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = unproven(&app, "mara@example.com").await;
    // The queue stood still for an hour: proof and code are made when the mail is written.
    app.ctx.clock.advance(time::Duration::hours(1));
    let mail = app.mail_to("mara@example.com").await;
    let code = crate::support::mailbox::code(&mail);
    let empty = mara.post::<api::VerifyEmail>("/verify-email", &[("code", "")]).await;
    assert_eq!(empty.status(), 422);
    assert!(empty.text().await.unwrap().contains("Enter the six digits"), "an empty field is no press of the link's button");
    assert_eq!(mara.post::<api::VerifyEmail>("/verify-email", &[("code", code)]).await.status(), 303);
    // A second delivery of the same job finds nothing to do.
    let sent = app.mails().len();
    sqlx::raw_sql("update jobs set state = 'waiting', finished_at = null").execute(&app.ctx.db).await.unwrap();
    app.run_jobs().await;
    assert_eq!(app.mails().len(), sent);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r56_no_answer_waits_for_a_mail_server_and_a_reset_signs_nobody_in(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("vera@example.com", "Vera", "developer").await;
    let vera = app.browser();
    assert_eq!(vera.post::<api::ForgotPassword>("/forgot-password", &[("email", "vera@example.com")]).await.status(), 303);
    assert_eq!(app.mails().len(), 0, "the answer is there, the mail is a job");
    vera.get(link(&app.mail_to("vera@example.com").await, "/reset-password")).await;
    assert_eq!(vera.post::<api::ResetPassword>("/reset-password", &[("new_password", "gate keeper sings at noon")]).await.status(), 303);
    assert!(!vera.is_signed_in().await);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r52_no_secret_lies_in_the_queue(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("vera@example.com", "Vera", "developer").await;
    unproven(&app, "mara@example.com").await;
    app.browser().post::<api::ForgotPassword>("/forgot-password", &[("email", "vera@example.com")]).await;
    let asked: Vec<serde_json::Value> = sqlx::query_scalar("select payload from jobs").fetch_all(&app.ctx.db).await.unwrap();
    app.run_jobs().await;
    let mailed: Vec<serde_json::Value> = sqlx::query_scalar("select payload from jobs").fetch_all(&app.ctx.db).await.unwrap();
    assert!(asked.len() == 2 && mailed.len() > 2, "{asked:?}, then {mailed:?}");
    let payloads = asked.into_iter().chain(mailed);
    for payload in payloads {
        let mut fields: Vec<_> = payload.as_object().unwrap().keys().cloned().collect();
        // What was asked for, when and from where: no address that mail goes to, and nothing that proves anything.
        fields.retain(|field| !["wish", "at", "address", "device", "has_code"].contains(&field.as_str()));
        assert_eq!(fields, ["account", "cause"], "ids only");
    }
}

/// A mail as it is for everybody: without our address, tokens and codes of this run.
fn plain(app: &TestApp, text: &str) -> String {
    let text = text.replace(&app.base, "https://gate.example.com");
    let is_token = |word: &&str| word.len() == 64 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let is_code = |word: &&str| word.len() == 6 && word.bytes().all(|b| b.is_ascii_digit());
    let words: Vec<String> = text.split(|c: char| !c.is_ascii_alphanumeric()).map(ToOwned::to_owned).collect();
    let hidden = words.iter().map(String::as_str);
    let hidden: std::collections::BTreeSet<&str> = hidden.filter(|word| is_token(word) || is_code(word)).collect();
    hidden.into_iter().fold(text.clone(), |text, word| text.replace(word, if word.len() == 6 { "000000" } else { "TOKEN" }))
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r26_the_mails_of_a_change_of_address_and_of_leaving(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let (now, page) = ("20 Nov 2026, 12:00 UTC", "/settings/email");
    app.account("taken@example.com", "Mara", "developer").await;
    vera.browser.post::<api::AskEmailChange>(page, &[("email", "taken@example.com")]).await;
    says_what_it_should(&app, &app.mail_to("taken@example.com").await, "Somebody wants to use your address", now);

    vera.browser.post::<api::AskEmailChange>(page, &[("email", "new@example.com")]).await;
    let mail = app.mail_to("new@example.com").await;
    says_what_it_should(&app, &mail, "Confirm your new email", now);
    insta::assert_snapshot!("confirm_new_email_text", plain(&app, &mail.text));
    vera.browser.get(link(&mail, "/confirm-email")).await;
    vera.browser.post::<api::ConfirmNewEmail>("/confirm-email", &[]).await;
    let mail = app.mail_to(&vera.email).await;
    says_what_it_should(&app, &mail, "Your email was changed", now);
    insta::assert_snapshot!("email_changed_text", plain(&app, &mail.text));

    vera.browser.post::<api::AskExport>("/settings/danger", &[]).await;
    says_what_it_should(&app, &app.mail_to("new@example.com").await, "Your data is ready", now);
    vera.browser.post::<api::AskDeletion>("/settings/danger", &[("email", "new@example.com")]).await;
    let mail = app.mail_to("new@example.com").await;
    says_what_it_should(&app, &mail, "Delete your account?", now);
    insta::assert_snapshot!("delete_account_text", plain(&app, &mail.text));
    vera.browser.get(link(&mail, "/delete-account")).await;
    vera.browser.post::<api::ConfirmDeletion>("/delete-account", &[]).await;
    let mail = app.mail_to("new@example.com").await;
    says_what_it_should(&app, &mail, "Your account will be erased", now);
    insta::assert_snapshot!("account_left_text", plain(&app, &mail.text));
    vera.browser.get(link(&mail, "/come-back")).await;
    vera.browser.post::<api::ComeBack>("/come-back", &[]).await;
    says_what_it_should(&app, &app.mail_to("new@example.com").await, "Your account is back", now);
}
