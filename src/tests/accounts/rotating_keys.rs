//! After a rotation of the master key people come in as before, and what can be is made anew under the new key (R86).

use super::{
    count,
    factors::{Authenticator, give_code, half_way, with_app},
};
use crate::support::{
    TestApp,
    browser::{PASSWORD, location},
};
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::{
        Caller, api,
        server::{CODES, PASSWORDS, PIN, SEEDS, held_by_master_keys, reseal_seeds, set_admin_pin},
    },
    platform::crypto::Vault,
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

#[sqlx::test]
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

#[sqlx::test]
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

#[sqlx::test]
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

#[sqlx::test]
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

#[sqlx::test]
async fn r86_the_admin_pin_of_an_older_key_is_named_until_it_is_set_again(db: PgPool) {
    let app = TestApp::start(db).await;
    set_admin_pin(&app.ctx, &Caller::cli(), &"kranich 77".into()).await.unwrap();
    assert_eq!(split(&app, PIN).await, (1, 0));
    let app = app.restart_with(rotated()).await;
    assert_eq!(split(&app, PIN).await, (0, 1), "it would be lost with the old key");
    set_admin_pin(&app.ctx, &Caller::cli(), &"kranich 77".into()).await.unwrap();
    assert_eq!(split(&app, PIN).await, (1, 0));
}
