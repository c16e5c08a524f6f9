//! Signing up with a passkey and no password.

use super::{NEW, PASSKEYS, SoftKey, asked, give, key_for, named, sign_in, start, with_passkey};
use crate::{
    accounts::{count, mail_about, seen, sign_up},
    support::{
        TestApp,
        browser::{Browser, PASSWORD, location},
        mailbox::link,
    },
};
use reqwest::Response;
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::{Caller, api, server::create_invite},
    platform::config::SignUpMode,
};

const PAGE: &str = "/sign-up?with=passkey";

async fn make(browser: &Browser, email: &str, key: &mut SoftKey) -> String {
    key.make(&asked::<api::AskPasskeyOfSignUp>(browser, &[("email", email), ("name", "")]).await)
}

async fn send(browser: &Browser, email: &str, answer: &str) -> Response {
    let fields = [("email", email), ("name", ""), ("time_zone", "Europe/Berlin"), ("credential", answer)];
    browser.post::<api::SignUpWithPasskey>(PAGE, &fields).await
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_passkey_takes_the_place_of_the_password(db: PgPool) {
    let app = start(db).await;
    let mara = app.browser();
    assert!(mara.page("/sign-up").await.contains("Use a passkey instead of a password"));
    let page = mara.page(PAGE).await;
    assert!(page.contains("/passkeys.js") && !page.contains("type=\"password\""), "{page}");
    let mut key = key_for(&app);
    let answer = make(&mara, "mara@example.com", &mut key).await;
    assert_eq!(location(&send(&mara, "mara@example.com", &answer).await), "/verify-email");
    assert_eq!(location(&sign_in(&app.browser(), &mut key).await), "/verify-email", "R28: not before the address is proven");

    let mail = mail_about(&app, "mara@example.com", "Confirm your email").await;
    mara.get(link(&mail, "/verify-email")).await;
    mara.post::<api::VerifyEmail>("/verify-email", &[]).await;
    assert_eq!(mara.sign_in("mara@example.com", "").await.status(), 422, "there is no password, not an empty one either");
    assert_eq!(location(&sign_in(&mara, &mut key).await), "/home");
    assert!(mara.page("/settings/security").await.contains("Set one by email"));

    // A password comes by mail, and does not get around the passkey (R34).
    let other = app.browser();
    other.post::<api::ForgotPassword>("/forgot-password", &[("email", "mara@example.com")]).await;
    let mail = mail_about(&app, "mara@example.com", "Set a new password").await;
    other.get(link(&mail, "/reset-password")).await;
    other.post::<api::ResetPassword>("/reset-password", &[("new_password", PASSWORD)]).await;
    assert_eq!(location(&other.sign_in("mara@example.com", PASSWORD).await), "/sign-in/code");
    assert_eq!(location(&sign_in(&other, &mut key).await), "/home");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r57_a_passkey_planted_with_the_address_of_somebody_else_ends_with_their_proof(db: PgPool) {
    let app = start(db).await;
    let stranger = app.browser();
    let mut planted = key_for(&app);
    let answer = make(&stranger, "victim@example.com", &mut planted).await;
    send(&stranger, "victim@example.com", &answer).await;
    let mail = mail_about(&app, "victim@example.com", "Confirm your email").await;
    let owner = app.browser();
    owner.get(link(&mail, "/verify-email")).await;
    assert_eq!(location(&owner.post::<api::VerifyEmail>("/verify-email", &[]).await), "/reset-password");
    assert_eq!(count(&app, PASSKEYS).await, 0);
    assert_eq!(sign_in(&stranger, &mut planted).await.status(), 404);
    owner.post::<api::ResetPassword>("/reset-password", &[("new_password", PASSWORD)]).await;
    assert_eq!(location(&owner.sign_in("victim@example.com", PASSWORD).await), "/home");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s2_r15_a_taken_address_gets_the_same_answer_and_no_passkey(db: PgPool) {
    let app = start(db).await;
    app.account("known@example.com", "Kira", "developer").await;
    let mut answers = Vec::new();
    for email in ["known@example.com", "fresh@example.com"] {
        let browser = app.browser();
        let answer = make(&browser, email, &mut key_for(&app)).await;
        answers.push(seen(send(&browser, email, &answer).await, email).await);
    }
    assert_eq!(answers[0], answers[1]);
    let of_known = "select count(*) from passkeys p join accounts a on a.id = p.account_id where a.email = 'known@example.com'";
    assert_eq!((count(&app, PASSKEYS).await, count(&app, of_known).await), (1, 0));
    mail_about(&app, "known@example.com", "You already have an account").await;

    // Whether an address is known is not told by a passkey that is.
    let (_, mut key) = with_passkey(&app, "developer").await;
    for email in ["known@example.com", "unseen@example.com"] {
        let browser = app.browser();
        let answer = make(&browser, email, &mut key).await;
        assert_eq!(send(&browser, email, &answer).await.status(), 409, "{email}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r57_whoever_signs_up_again_finds_no_passkey_of_who_never_proved_the_address(db: PgPool) {
    let app = start(db).await;
    let (mallory, mut key) = (app.browser(), key_for(&app));
    let answer = make(&mallory, "mara@example.com", &mut key).await;
    send(&mallory, "mara@example.com", &answer).await;
    assert_eq!(sign_up(&app.browser(), "mara@example.com", "Mara", PASSWORD).await.status(), 303);
    assert_eq!(count(&app, PASSKEYS).await, 0);
    assert_eq!(sign_in(&mallory, &mut key).await.status(), 404);
    assert_eq!(count(&app, "select count(*) from accounts").await, 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s92_a_form_that_is_sent_twice_uses_one_invitation_and_is_answered_twice_alike(db: PgPool) {
    let app = TestApp::start_with(db, |config| {
        named(config);
        config.auth.sign_up = SignUpMode::Invite;
    })
    .await;
    app.account("known@example.com", "Kira", "developer").await;
    let invitation = async || {
        let link = create_invite(&app.ctx, &Caller::cli(), 1, Duration::DAY).await.unwrap();
        let browser = app.browser();
        assert_eq!(location(&browser.get(&link[link.find("/sign-up").unwrap()..]).await), "/sign-up");
        browser
    };
    let twice = async |browser: &Browser, email: &str, answer: &str| {
        for time in ["once", "twice"] {
            assert_eq!(location(&send(browser, email, answer).await), "/verify-email", "{email} {time}");
        }
    };
    // An address that has an account is answered like one that has none (R15).
    let (mara, mut key) = (invitation().await, key_for(&app));
    let answer = make(&mara, "mara@example.com", &mut key).await;
    twice(&mara, "mara@example.com", &answer).await;
    let stranger = invitation().await;
    let of_known = make(&stranger, "known@example.com", &mut key_for(&app)).await;
    twice(&stranger, "known@example.com", &of_known).await;
    // At the same time.
    let nora = invitation().await;
    let of_nora = make(&nora, "nora@example.com", &mut key_for(&app)).await;
    let (first, second) = tokio::join!(send(&nora, "nora@example.com", &of_nora), send(&nora, "nora@example.com", &of_nora));
    assert_eq!((location(&first), location(&second)), ("/verify-email", "/verify-email"));
    assert_eq!(count(&app, "select sum(uses_left)::bigint from invites").await, 0);
    assert_eq!((count(&app, "select count(*) from accounts").await, count(&app, PASSKEYS).await), (3, 2));

    let mail = mail_about(&app, "mara@example.com", "Confirm your email").await;
    mara.get(link(&mail, "/verify-email")).await;
    mara.post::<api::VerifyEmail>("/verify-email", &[]).await;
    assert_eq!(send(&mara, "mara@example.com", &answer).await.status(), 409, "no more once the address is somebody's");
    assert_eq!(location(&sign_in(&mara, &mut key).await), "/home");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s60_a_question_for_signing_up_is_good_once_here_and_for_that(db: PgPool) {
    let app = start(db).await;
    let browser = app.browser();
    let mut key = key_for(&app);
    let answer = make(&browser, "mara@example.com", &mut key).await;
    let nothing = send(&browser, "no address", "-").await;
    assert_eq!(nothing.status(), 422);
    assert!(nothing.text().await.unwrap().contains("value=\"no address\""), "what was typed stays");
    assert_eq!(send(&app.browser(), "mara@example.com", &answer).await.status(), 422, "another browser");
    assert_eq!(give(&browser, &answer).await.status(), 422, "it is no proof");
    app.ctx.clock.advance(Duration::minutes(5));
    assert_eq!(send(&browser, "mara@example.com", &answer).await.status(), 422, "five minutes are over");
    key.is_verified = false;
    let answer = make(&browser, "mara@example.com", &mut key).await;
    assert_eq!(send(&browser, "mara@example.com", &answer).await.status(), 422, "R37: nobody was verified");
    let vera = app.sign_in_as("developer").await;
    key.is_verified = true;
    let answer = make(&vera.browser, "mara@example.com", &mut key).await;
    assert_eq!(vera.browser.post::<api::AddPasskey>(NEW, &[("credential", &answer)]).await.status(), 409, "nor one of another account");
    assert_eq!(count(&app, PASSKEYS).await, 0);

    // What was answered is good for the same form alone.
    let answer = make(&browser, "mara@example.com", &mut key).await;
    for (email, status) in [("mara@example.com", 303), ("nora@example.com", 422), ("mara@example.com", 303)] {
        assert_eq!(send(&browser, email, &answer).await.status(), status, "{email}");
    }
    app.ctx.clock.advance(Duration::minutes(5));
    assert_eq!(send(&browser, "mara@example.com", &answer).await.status(), 422, "five minutes are over");
}
