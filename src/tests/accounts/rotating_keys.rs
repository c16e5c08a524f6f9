//! After a rotation of the master key people come in as before, and what can be is made anew under the new key (R86).

use super::{
    count,
    factors::{Authenticator, give_code, half_way, with_app},
};
use crate::support::{
    T0, TestApp,
    browser::{PASSWORD, location},
    mailbox::link,
};
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::{
        Caller, api,
        server::{CODES, PASSWORDS, PIN, SEEDS, held_by_master_keys, reseal_seeds, set_admin_pin},
    },
    boot::worker::registry,
    platform::{crypto::Vault, jobs::run_due, mail::SentMail},
};

/// The key of every other test, and a new one in its place.
fn rotated() -> Vault {
    Vault::with_previous([8; 32], [[7; 32]])
}

async fn comes_in(app: &TestApp, email: &str, phone: &Authenticator) {
    app.ctx.clock.advance(Duration::seconds(30));
    let browser = half_way(app, email).await;
    let typed = phone.code(app);
    assert_eq!(location(&give_code(&browser, &typed).await), "/home");
}

/// How many of a kind are under the current key, and under others.
async fn split(app: &TestApp, what: &str) -> (i64, i64) {
    let current = Some(app.ctx.vault.key_id().to_string());
    let held = held_by_master_keys(&app.ctx).await.unwrap();
    let of = |is_current: bool| held.iter().filter(|held| held.what == what && (held.key == current) == is_current).map(|held| held.rows).sum::<i64>();
    (of(true), of(false))
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r86_people_come_in_as_before_and_the_old_key_is_needed_no_more_after_that(db: PgPool) {
    let app = TestApp::start(db).await;
    let (person, phone) = with_app(&app, "developer").await;
    assert_eq!((split(&app, SEEDS).await, split(&app, CODES).await, split(&app, PASSWORDS).await), ((1, 0), (10, 0), (1, 0)));

    let app = app.restart_with(rotated()).await;
    assert_eq!((split(&app, SEEDS).await, split(&app, CODES).await, split(&app, PASSWORDS).await), ((0, 1), (0, 10), (0, 1)));
    comes_in(&app, &person.email, &phone).await;
    assert_eq!(split(&app, PASSWORDS).await, (1, 0), "hashed anew at the sign-in");
    reseal_seeds(&app.ctx).await.unwrap();
    assert_eq!(split(&app, SEEDS).await, (1, 0));
    let sealed = count(&app, "select ('x' || encode(sha256(seed), 'hex'))::bit(64)::bigint from totp_factors").await;
    reseal_seeds(&app.ctx).await.unwrap();
    assert_eq!(count(&app, "select ('x' || encode(sha256(seed), 'hex'))::bit(64)::bigint from totp_factors").await, sealed, "once is enough");

    let app = app.restart_with(Vault::new([8; 32])).await;
    comes_in(&app, &person.email, &phone).await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r86_recovery_codes_of_an_older_key_work_once_and_end_with_it(db: PgPool) {
    let app = TestApp::start(db).await;
    let (person, phone) = with_app(&app, "developer").await;
    let app = app.restart_with(rotated()).await;
    for (browser, to) in [(half_way(&app, &person.email).await, "/home"), (half_way(&app, &person.email).await, "")] {
        let answer = browser.post::<api::SignInCode>("/sign-in/code?use=recovery", &[("recovery_code", &phone.codes[0])]).await;
        assert_eq!(answer.status() == 303, to == "/home", "the first time only");
    }
    assert_eq!(split(&app, CODES).await, (0, 9));

    let app = app.restart_with(Vault::new([8; 32])).await;
    let browser = half_way(&app, &person.email).await;
    let answer = browser.post::<api::SignInCode>("/sign-in/code?use=recovery", &[("recovery_code", &phone.codes[1])]).await;
    assert_ne!(answer.status(), 303);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r86_wrong_passwords_are_counted_on_after_a_rotation(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("mara@example.com", "Mara", "developer").await;
    for _ in 0..2 {
        app.browser().sign_in("mara@example.com", "not this one at all").await;
    }
    let app = app.restart_with(rotated()).await;
    app.browser().sign_in("mara@example.com", "not this one at all").await;
    assert_eq!(count(&app, "select failures::bigint from attempt_counters where bucket like 'sign_in:id:%'").await, 3);
    app.ctx.clock.advance(Duration::minutes(1));
    assert_eq!(app.browser().sign_in("mara@example.com", PASSWORD).await.status(), 303);
    assert_eq!(count(&app, "select count(*) from attempt_counters where bucket like 'sign_in:id:%'").await, 0, "none is left under the old name");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r86_what_a_browser_and_a_mail_hold_outlives_a_rotation(db: PgPool) {
    let app = TestApp::start(db).await;
    let browser = app.browser();
    super::sign_up(&browser, "mara@example.com", "Mara", PASSWORD).await;
    let code = crate::support::mailbox::code(&app.mail_to("mara@example.com").await).to_owned();
    let app = app.restart_with(rotated()).await;
    let browser = crate::support::browser::Browser { http: browser.http, base: app.base.clone() };
    let answer = browser.post::<api::VerifyEmail>("/verify-email", &[("code", &code)]).await;
    assert_eq!(location(&answer), "/sign-in", "the cookie names the address, the code proves it");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r86_the_admin_pin_of_an_older_key_is_named_until_it_is_set_again(db: PgPool) {
    let app = TestApp::start(db).await;
    set_admin_pin(&app.ctx, &Caller::cli(), &"kranich 77".into()).await.unwrap();
    assert_eq!(split(&app, PIN).await, (1, 0));
    let app = app.restart_with(rotated()).await;
    assert_eq!(split(&app, PIN).await, (0, 1), "it would be lost with the old key");
    set_admin_pin(&app.ctx, &Caller::cli(), &"kranich 77".into()).await.unwrap();
    assert_eq!(split(&app, PIN).await, (1, 0));
}

/// Runs the jobs of this server on another one, which has other master keys; the last mail to this address.
async fn mailed_by(app: &TestApp, vault: Vault, address: &str) -> Option<SentMail> {
    let mut other = app.ctx.clone();
    other.vault = vault;
    run_due(&other, &registry()).await.unwrap();
    app.mails().into_iter().rfind(|mail| mail.to == address)
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r86_a_mailed_link_works_whichever_server_made_it_and_whichever_mails_it(db: PgPool) {
    let mut app = TestApp::start(db).await;
    // Servers get a new key one after the other: all read both, each makes new things under its own.
    for (makes, mails) in [([7; 32], [8; 32]), ([8; 32], [7; 32])] {
        app = app.restart_with(Vault::with_previous(makes, [mails])).await;
        let other = Vault::with_previous(mails, [makes]);
        let vera = app.sign_in_as("developer").await;
        let new = format!("new.{}", vera.email);
        assert_eq!(location(&vera.browser.post::<api::AskEmailChange>("/settings/email", &[("email", &new)]).await), "/settings/email");

        let mail = mailed_by(&app, other.clone(), &new).await.unwrap();
        let anywhere = app.browser();
        anywhere.get(link(&mail, "/confirm-email")).await;
        assert_eq!(anywhere.post::<api::ConfirmNewEmail>("/confirm-email", &[]).await.status(), 303, "its hash is stored when it is mailed");

        let mail = mailed_by(&app, other, &vera.email).await.unwrap();
        let anywhere = app.browser();
        anywhere.get(link(&mail, "/undo-email")).await;
        assert_eq!(anywhere.post::<api::UndoEmailChange>("/undo-email", &[]).await.status(), 303, "its hash was stored before");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r86_a_server_without_the_key_of_a_job_leaves_it_to_others_until_the_key_is_dropped(db: PgPool) {
    let app = TestApp::start(db).await.restart_with(rotated()).await;
    app.account("mara@example.com", "Mara", "developer").await;
    let ask = async || app.browser().post::<api::ForgotPassword>("/forgot-password", &[("email", "mara@example.com")]).await;
    ask().await;
    let old = || Vault::new([7; 32]);
    assert!(mailed_by(&app, old(), "mara@example.com").await.is_none(), "it could not make the link again");
    assert!(mailed_by(&app, rotated(), "mara@example.com").await.is_some());

    app.ctx.clock.advance(Duration::hours(2));
    ask().await;
    sqlx::query("insert into master_keys (id, added_at, current_at, dropped_at) values ($1, $2, $2, $2)")
        .bind(app.ctx.vault.key_id().to_string())
        .bind(T0)
        .execute(&app.ctx.db)
        .await
        .unwrap();
    let before = app.mails().len();
    mailed_by(&app, old(), "mara@example.com").await;
    assert_eq!(app.mails().len(), before + 1, "nobody else will ever do it");
}
