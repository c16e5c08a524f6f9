//! A sign-in from a new device is told by mail, and "this wasn't me" shuts everybody out. And how many devices there may be.

use super::count;
use crate::support::{
    TestApp,
    browser::{PASSWORD, location},
    mailbox::link,
};
use sqlx::PgPool;
use time::Duration;
use tollgate::accounts::api;

const SUBJECT: &str = "New sign-in to your account";

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r25_a_new_device_is_told_and_a_known_one_and_the_first_are_not(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    app.ctx.clock.advance(Duration::hours(1));
    vera.browser.post::<api::SignOut>("/sign-out", &[]).await;
    vera.browser.sign_in(&vera.email, PASSWORD).await;
    app.run_jobs().await;
    assert!(app.mails().is_empty(), "the first sign-in, and the same browser again");

    let phone = app.browser_called(
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
    );
    phone.sign_in(&vera.email, PASSWORD).await;
    let mail = app.mail_to(&vera.email).await;
    assert_eq!(mail.subject, SUBJECT);
    for words in ["Safari on iPhone", "127.0.0.1", "20 Nov 2026, 13:00 UTC", "unknown"] {
        assert!(mail.text.contains(words), "{words} in\n{}", mail.text);
    }
    phone.post::<api::SignOut>("/sign-out", &[]).await;
    phone.sign_in(&vera.email, PASSWORD).await;
    app.browser().sign_in(&vera.email, "not the right one at all").await;
    app.run_jobs().await;
    assert_eq!(app.mails().len(), 1, "it is known now, and who did not come in is no device");
    assert_eq!(count(&app, "select count(*) from known_devices").await, 2);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r25_this_was_not_me_ends_everything_once_and_mails_a_new_way_in(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    app.ctx.clock.advance(Duration::hours(1));
    let thief = app.browser();
    thief.sign_in(&vera.email, PASSWORD).await;
    let mail = app.mail_to(&vera.email).await;
    // R52: only hashes are kept. R53: looking does nothing.
    let token = link(&mail, "/not-me?token=").split_once('=').unwrap().1.to_owned();
    assert_eq!(count(&app, "select count(*) from device_alarms where length(token_hash) = 32").await, 1);
    let anywhere = app.browser();
    let opened = anywhere.get(&format!("/not-me?token={token}")).await;
    assert_eq!((location(&opened), opened.headers()["referrer-policy"].to_str().unwrap()), ("/not-me", "no-referrer"));
    assert!(anywhere.page("/not-me").await.contains("This wasn&#x27;t me") || anywhere.page("/not-me").await.contains("This wasn't me"));
    assert!(thief.is_signed_in().await);

    assert_eq!(location(&anywhere.post::<api::NotMe>("/not-me", &[]).await), "/sign-in");
    assert!(!thief.is_signed_in().await && !vera.browser.is_signed_in().await);
    for browser in [&thief, &vera.browser] {
        assert_eq!(browser.sign_in(&vera.email, PASSWORD).await.status(), 422, "the password is gone");
    }
    assert_eq!(count(&app, "select count(*) from known_devices where voided_at is null").await, 0);
    anywhere.get(&format!("/not-me?token={token}")).await;
    let again = anywhere.post::<api::NotMe>("/not-me", &[]).await;
    assert_eq!(again.status(), 422, "once");
    assert_eq!(count(&app, "select count(*) from events where kind = 'account.not_me'").await, 1);

    let reset = app.mail_to(&vera.email).await;
    assert_eq!(reset.subject, "Set a new password");
    vera.browser.get(link(&reset, "/reset-password")).await;
    let new = "gate keeper sings at noon";
    vera.browser.post::<api::ResetPassword>("/reset-password", &[("new_password", new)]).await;
    assert_eq!(location(&vera.browser.sign_in(&vera.email, new).await), "/home");
    app.run_jobs().await;
    let told = app.mails().iter().filter(|mail| mail.to == vera.email && mail.subject == SUBJECT).count();
    assert_eq!(told, 2, "of the thief, and now of her own browser: void cookies are strangers'");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r25_the_link_lives_seven_days_and_several_live_side_by_side(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    app.ctx.clock.advance(Duration::hours(1));
    app.browser().sign_in(&vera.email, PASSWORD).await;
    let first = app.mail_to(&vera.email).await;
    app.ctx.clock.advance(Duration::days(1));
    app.browser().sign_in(&vera.email, PASSWORD).await;
    let second = app.mail_to(&vera.email).await;
    let (first, second) = (link(&first, "/not-me?token="), link(&second, "/not-me?token="));
    assert_ne!(first, second);
    app.ctx.clock.advance(Duration::days(6));
    let browser = app.browser();
    browser.get(first).await;
    assert_eq!(browser.post::<api::NotMe>("/not-me", &[]).await.status(), 422, "seven days are over");
    // Of many presses at once one does it.
    let presses = (0..8).map(|_| async {
        let browser = app.browser();
        browser.get(second).await;
        browser.post::<api::NotMe>("/not-me", &[]).await.status().as_u16()
    });
    let statuses = futures_util::future::join_all(presses).await;
    assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 1, "{statuses:?}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s79_r48_beyond_the_number_of_devices_the_oldest_ends_and_it_is_said(db: PgPool) {
    let app = TestApp::start_with(db, |config| config.auth.session_count = 2).await;
    let vera = app.sign_in_as("developer").await;
    let (second, third) = (app.browser(), app.browser());
    for browser in [&second, &third] {
        app.ctx.clock.advance(Duration::minutes(1));
        browser.sign_in(&vera.email, PASSWORD).await;
    }
    // The first page that is opened says it, and says it once.
    assert!(third.page("/home").await.contains("so we signed out the oldest one."));
    assert!(!third.page("/home").await.contains("so we signed out the oldest one."));
    assert!(!vera.browser.is_signed_in().await && second.is_signed_in().await && third.is_signed_in().await);
    // Many at once end at the same number.
    let many: Vec<_> = (0..6).map(|_| app.browser()).collect();
    futures_util::future::join_all(many.iter().map(|browser| browser.sign_in(&vera.email, PASSWORD))).await;
    assert_eq!(count(&app, "select count(*) from sessions").await, 2);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r25_r58_this_was_not_me_takes_back_the_address_that_was_changed_since_and_kills_the_one_that_waits(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    app.ctx.clock.advance(Duration::hours(1));
    let thief = app.browser();
    thief.sign_in(&vera.email, PASSWORD).await;
    let alarm = app.mail_to(&vera.email).await;
    let ask = async |email: &str| {
        app.ctx.clock.advance(Duration::minutes(1));
        thief.post::<api::AskEmailChange>("/settings/email", &[("email", email)]).await;
        let mail = app.mail_to(email).await;
        link(&mail, "/confirm-email").to_owned()
    };
    let confirm = async |path: &str| {
        let browser = app.browser();
        browser.get(path).await;
        browser.post::<api::ConfirmNewEmail>("/confirm-email", &[]).await.status().as_u16()
    };
    assert_eq!(confirm(&ask("thief@example.org").await).await, 303);
    assert_eq!(confirm(&ask("thief@example.net").await).await, 303);
    let waiting = ask("third@example.org").await;

    let owner = app.browser();
    owner.get(link(&alarm, "/not-me?token=")).await;
    assert_eq!(location(&owner.post::<api::NotMe>("/not-me", &[]).await), "/sign-in");
    assert_eq!(count(&app, "select (select count(*) from email_changes) + (select count(*) from email_undos)").await, 0);
    assert_eq!(count(&app, "select count(*) from auth_tokens where used_at is null").await, 0, "R52: every kind of them");
    assert_eq!(confirm(&waiting).await, 422);
    let email: String = sqlx::query_scalar("select email from accounts").fetch_one(&app.ctx.db).await.unwrap();
    assert_eq!(email, vera.email, "what it was when the stranger came in");
    app.run_jobs().await;
    let told: Vec<String> = app.mails().into_iter().filter(|mail| mail.subject == "Set a new password").map(|mail| mail.to).collect();
    assert_eq!(told, [vera.email]);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s61_r20_other_browsers_are_strangers_after_a_new_password_or_another_factor(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let known = || count(&app, "select count(*) from known_devices where voided_at is null");
    let other = app.browser();
    app.ctx.clock.advance(Duration::minutes(5));
    other.sign_in(&vera.email, PASSWORD).await;
    assert_eq!(known().await, 2);
    let new = "gate keeper sings at noon";
    let form = [("current_password", PASSWORD), ("new_password", new)];
    assert_eq!(vera.browser.post::<api::ChangePassword>("/settings/security", &form).await.status(), 303);
    assert_eq!(known().await, 1, "the one in which it was changed");

    // What a known browser is good for: strangers who guess do not make it wait.
    vera.browser.post::<api::SignOut>("/sign-out", &[]).await;
    app.ctx.clock.advance(Duration::hours(2));
    for _ in 0..9 {
        assert_eq!(app.browser().sign_in(&vera.email, "not the right one at all").await.status(), 422);
        app.ctx.clock.advance(Duration::seconds(40));
    }
    assert_eq!(other.sign_in(&vera.email, new).await.status(), 429, "its cookie is void");
    assert_eq!(location(&vera.browser.sign_in(&vera.email, new).await), "/home");

    app.ctx.clock.advance(Duration::minutes(15));
    assert_eq!(location(&other.sign_in(&vera.email, new).await), "/home");
    assert_eq!(known().await, 2, "known again, and that was told by mail");
    vera.browser.post::<api::SignOut>("/sign-out", &[]).await;
    vera.browser.sign_in(&vera.email, new).await;
    super::factors::set_up(&app, &vera.browser).await;
    assert_eq!(known().await, 1, "another factor");
}
