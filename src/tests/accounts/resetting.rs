//! A forgotten password and a new one: the same answer for every address, one link, one use, and no session survives.

use super::{count, seen, unproven};
use crate::support::{
    TestApp,
    browser::{PASSWORD, location},
    mailbox::link,
};
use sqlx::PgPool;
use std::sync::Arc;
use time::Duration;
use tollgate::{
    accounts::{
        api,
        server::{self, SignIn, Visitor},
    },
    platform::session::PgSessions,
};
use tower_sessions::Session;

const NEW: &str = "gate keeper sings at noon";

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s64_s70_the_same_answer_for_every_address_also_when_it_is_too_much(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("known@example.com", "Kira", "developer").await;
    unproven(&app, "unproven@example.com").await;
    app.run_jobs().await;
    let before = app.mails().len();
    sqlx::raw_sql("delete from attempt_counters").execute(&app.ctx.db).await.unwrap();
    for round in 0..7 {
        let mut answers = Vec::new();
        for email in ["known@example.com", "nobody@example.com", "unproven@example.com"] {
            let answer = app.browser().post::<api::ForgotPassword>("/forgot-password", &[("email", email)]).await;
            assert_eq!(answer.status().as_u16(), if round < 5 { 303 } else { 429 }, "{email}");
            answers.push(seen(answer, email).await);
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{round}");
    }
    let jobs = count(&app, "select count(*) from jobs where state = 'waiting'").await;
    assert_eq!(jobs, 15, "R16: as much work for an unknown address");
    app.run_jobs().await;
    let mails = app.mails().split_off(before);
    let sent = |to: &str, subject: &str| mails.iter().filter(|mail| mail.to == to && mail.subject == subject).count();
    assert_eq!(sent("known@example.com", "Set a new password"), 5);
    assert_eq!(sent("unproven@example.com", "Confirm your email"), 5, "R57: no reset for an address that is not proven");
    assert_eq!(mails.len(), 10, "and nothing to nobody");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s69_r46_a_reset_ends_every_session_signs_nobody_in_and_tells_the_owner(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let elsewhere = app.browser();
    elsewhere.sign_in(&vera.email, PASSWORD).await;
    let lost = app.browser();
    assert_eq!(location(&lost.post::<api::ForgotPassword>("/forgot-password", &[("email", &vera.email)]).await), "/forgot-password?sent=1");
    assert!(lost.page("/forgot-password?sent=1").await.contains("Check your inbox"));
    let mail = app.mail_to(&vera.email).await;
    assert_eq!(location(&lost.get(link(&mail, "/reset-password")).await), "/reset-password");
    let page = lost.page("/reset-password").await;
    assert!(page.contains("autocomplete=\"new-password\"") && page.contains("autocomplete=\"username\"") && page.contains(&vera.email), "{page}");

    assert_eq!(location(&lost.post::<api::ResetPassword>("/reset-password", &[("new_password", NEW)]).await), "/sign-in");
    assert!(lost.page("/sign-in").await.contains("All other devices were signed out."));
    for browser in [&vera.browser, &elsewhere, &lost] {
        assert!(!browser.is_signed_in().await);
    }
    assert_eq!(app.browser().sign_in(&vera.email, PASSWORD).await.status(), 422);
    assert_eq!(location(&lost.sign_in(&vera.email, NEW).await), "/home");
    assert_eq!(app.mail_to(&vera.email).await.subject, "Your password was changed");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s65_a_link_works_once_and_of_two_at_once_for_one(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("mara@example.com", "Mara", "developer").await;
    app.browser().post::<api::ForgotPassword>("/forgot-password", &[("email", "mara@example.com")]).await;
    let mail = app.mail_to("mara@example.com").await;
    let (a, b) = (app.browser(), app.browser());
    for browser in [&a, &b] {
        browser.get(link(&mail, "/reset-password")).await;
    }
    let other = "four quiet kettles hum";
    let (mine, theirs) = ([("new_password", NEW)], [("new_password", other)]);
    let (x, y) = tokio::join!(a.post::<api::ResetPassword>("/reset-password", &mine), b.post::<api::ResetPassword>("/reset-password", &theirs));
    let won = if x.status() == 303 { NEW } else { other };
    let mut statuses = [x.status().as_u16(), y.status().as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 422]);
    assert_eq!(location(&app.browser().sign_in("mara@example.com", won).await), "/home");
    let late = app.browser();
    late.get(link(&mail, "/reset-password")).await;
    assert!(late.page("/reset-password").await.contains("This link does not work"));
    assert_eq!(late.post::<api::ResetPassword>("/reset-password", &[("new_password", PASSWORD)]).await.status(), 422);
    assert_eq!(count(&app, "select count(*) from events where kind = 'account.password_reset'").await, 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s66_a_link_grows_old_and_a_newer_one_kills_it(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("mara@example.com", "Mara", "developer").await;
    let ask = async || {
        app.browser().post::<api::ForgotPassword>("/forgot-password", &[("email", "mara@example.com")]).await;
        app.mail_to("mara@example.com").await
    };
    let uses = async |mail: &tollgate::platform::mail::SentMail| {
        let browser = app.browser();
        browser.get(link(mail, "/reset-password")).await;
        browser.post::<api::ResetPassword>("/reset-password", &[("new_password", NEW)]).await.status().as_u16()
    };
    let (first, second) = (ask().await, ask().await);
    assert_eq!(uses(&first).await, 422, "a newer one was sent");
    app.ctx.clock.advance(Duration::minutes(60));
    assert_eq!(uses(&second).await, 422, "sixty minutes");
    let third = ask().await;
    app.ctx.clock.advance(Duration::seconds(59 * 60 + 59));
    assert_eq!(uses(&third).await, 303);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s68_a_link_opened_by_who_is_signed_in_otherwise_changes_the_right_account(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("mara@example.com", "Mara", "developer").await;
    let vera = app.sign_in_as("developer").await;
    vera.browser.post::<api::ForgotPassword>("/forgot-password", &[("email", "mara@example.com")]).await;
    let mail = app.mail_to("mara@example.com").await;
    vera.browser.get(link(&mail, "/reset-password")).await;
    assert!(vera.browser.page("/reset-password").await.contains("mara@example.com"), "it says whose password this is");
    assert_eq!(vera.browser.post::<api::ResetPassword>("/reset-password", &[("new_password", NEW)]).await.status(), 303);
    assert!(vera.browser.is_signed_in().await, "Vera's session is not Mara's");
    assert_eq!(location(&app.browser().sign_in("mara@example.com", NEW).await), "/home");
    assert_eq!(location(&app.browser().sign_in(&vera.email, PASSWORD).await), "/home");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s71_r55_links_come_from_the_configured_address_never_from_the_request(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("mara@example.com", "Mara", "developer").await;
    let poisoned = app
        .http
        .post(app.url("/api/v1/auth/password/forgot"))
        .header("host", "evil.example")
        .header("x-forwarded-host", "evil.example")
        .header("x-forwarded-proto", "https");
    let answer = poisoned.json(&serde_json::json!({ "email": "mara@example.com" })).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    let mail = app.mail_to("mara@example.com").await;
    assert!(mail.text.contains(&app.url("/reset-password?token=")), "{}", mail.text);
    assert!(!mail.text.contains("evil") && !mail.html.contains("evil"));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s75_the_rules_hold_here_too_and_the_old_password_may_be_set_again(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("mara@example.com", "Mara", "developer").await;
    let mara = app.browser();
    mara.post::<api::ForgotPassword>("/forgot-password", &[("email", "mara@example.com")]).await;
    let mail = app.mail_to("mara@example.com").await;
    mara.get(link(&mail, "/reset-password")).await;
    for password in ["short", "passwordpassword", "hello from mara today"] {
        assert_eq!(mara.post::<api::ResetPassword>("/reset-password", &[("new_password", password)]).await.status(), 422, "R9: {password}");
    }
    // A refused password does not use the link up.
    assert_eq!(mara.post::<api::ResetPassword>("/reset-password", &[("new_password", PASSWORD)]).await.status(), 303);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r20_a_reset_opens_the_lock(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("mara@example.com", "Mara", "developer").await;
    for _ in 0..3 {
        app.browser().sign_in("mara@example.com", "not the right one at all").await;
    }
    assert_eq!(app.browser().sign_in("mara@example.com", PASSWORD).await.status(), 429);
    let mara = app.browser();
    mara.post::<api::ForgotPassword>("/forgot-password", &[("email", "mara@example.com")]).await;
    let mail = app.mail_to("mara@example.com").await;
    mara.get(link(&mail, "/reset-password")).await;
    mara.post::<api::ResetPassword>("/reset-password", &[("new_password", NEW)]).await;
    assert_eq!(location(&mara.sign_in("mara@example.com", NEW).await), "/home");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s80_a_change_needs_the_present_password_and_ends_the_other_sessions(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let elsewhere = app.browser();
    elsewhere.sign_in(&vera.email, PASSWORD).await;
    let change = async |current: &str, new: &str| {
        vera.browser.post::<api::ChangePassword>("/settings/security", &[("current_password", current), ("new_password", new)]).await
    };

    let refused = change("not the right one at all", NEW).await;
    assert_eq!(refused.status(), 422);
    assert!(refused.text().await.unwrap().contains("This is not your current password."));
    assert_eq!(change(PASSWORD, "passwordpassword").await.status(), 422);
    assert!(elsewhere.is_signed_in().await);

    assert_eq!(location(&change(PASSWORD, NEW).await), "/settings/security");
    assert!(vera.browser.page("/settings/security").await.contains("All other devices were signed out."));
    assert!(!elsewhere.is_signed_in().await);
    assert_eq!(app.mail_to(&vera.email).await.subject, "Your password was changed", "R26");
    assert_eq!(location(&app.browser().sign_in(&vera.email, NEW).await), "/home");
    // A link that was mailed before is dead (R52).
    assert_eq!(count(&app, "select count(*) from auth_tokens").await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn guessing_the_present_password_of_an_open_session_is_slow_too(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let mut statuses = Vec::new();
    for _ in 0..6 {
        let answer =
            vera.browser.post::<api::ChangePassword>("/settings/security", &[("current_password", "a guess of somebody"), ("new_password", NEW)]).await;
        statuses.push(answer.status().as_u16());
    }
    assert_eq!(statuses, [422, 422, 422, 422, 422, 429]);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r46_a_password_that_was_replaced_since_it_was_typed_begins_no_session(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let from = Visitor::terminal();
    let typed = server::sign_in(&app.ctx, &from, &vera.email, &PASSWORD.into()).await.unwrap();
    let SignIn::Done(proven) = typed else { panic!("{typed:?}") };

    app.browser().post::<api::ForgotPassword>("/forgot-password", &[("email", &vera.email)]).await;
    let mail = app.mail_to(&vera.email).await;
    let lost = app.browser();
    lost.get(link(&mail, "/reset-password")).await;
    app.ctx.clock.advance(Duration::milliseconds(1));
    lost.post::<api::ResetPassword>("/reset-password", &[("new_password", NEW)]).await;

    let store = PgSessions::new(app.ctx.db.clone(), app.ctx.clock.clone(), &app.ctx.config.auth);
    let session = Session::new(None, Arc::new(store), None);
    let error = server::begin(&app.ctx, &session, proven, &from).await.unwrap_err();
    assert!(error.to_string().contains("The password was just changed"), "{error}");
    assert_eq!(count(&app, "select count(*) from sessions").await, 0);
}
