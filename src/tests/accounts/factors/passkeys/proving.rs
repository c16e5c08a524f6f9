//! A passkey as the second factor after a password, and as the proof before dangerous acts.

use super::{SECURITY, SESSIONS, add, ask, key_for, named, sign_in, start, with_passkey};
use crate::{
    accounts::{
        count,
        factors::{codes_on, half_way, set_up},
    },
    support::{
        TestApp,
        browser::{Browser, PASSWORD, location},
    },
};
use reqwest::Response;
use sqlx::PgPool;
use time::Duration;
use tollgate::{accounts::api, platform::config::SecondFactor};

async fn finish(browser: &Browser, answer: &str) -> Response {
    browser.post::<api::SignInCode>("/sign-in/code", &[("passkey", answer)]).await
}

async fn step_up(browser: &Browser, answer: &str) -> Response {
    browser.post::<api::StepUp>("/step-up", &[("passkey", answer)]).await
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s62_r24_the_password_alone_waits_for_a_passkey_of_the_same_account(db: PgPool) {
    let app = start(db).await;
    let (vera, mut key) = with_passkey(&app, "developer").await;
    let (_, mut theirs) = with_passkey(&app, "developer").await;
    let browser = half_way(&app, &vera.email).await;
    let page = browser.page("/sign-in/code").await;
    assert!(page.contains("Use your passkey") && page.contains("use=recovery") && !page.contains("use=app"), "{page}");
    let options = ask(&browser, "second_factor").await;
    let offered: Vec<&str> = options["allowCredentials"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(offered, [data_encoding::BASE64URL_NOPAD.encode(&key.id)]);
    assert_eq!(finish(&browser, &theirs.prove(&options)).await.status(), 422, "another's");
    // An authenticator that is asked for this one need not name the account.
    key.handle = None;
    let answer = key.prove(&ask(&browser, "second_factor").await);
    assert_eq!(finish(&half_way(&app, &vera.email).await, &answer).await.status(), 422, "S60: of another browser's sign-in");
    let answer = key.prove(&ask(&browser, "second_factor").await);
    assert_eq!(location(&finish(&browser, &answer).await), "/home");
    assert_eq!(count(&app, SESSIONS).await, 3);
    assert_eq!(location(&finish(&browser, &answer).await), "/sign-in", "once");
    assert_eq!(super::call::<api::AskPasskey>(&app.browser(), &[("purpose", "second_factor")]).await.status(), 401, "nothing waits here");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r33_a_recovery_code_stands_in_for_a_passkey(db: PgPool) {
    let app = start(db).await;
    let vera = app.sign_in_as("developer").await;
    add(&vera.browser, &mut key_for(&app)).await;
    let codes = codes_on(&vera.browser.page("/settings/security/recovery-codes").await);
    let browser = half_way(&app, &vera.email).await;
    assert_eq!(location(&crate::accounts::factors::give_recovery_code(&browser, &codes[0]).await), "/home");
    // An app that is set up later leaves the codes as they are, and is another way.
    let page = "/settings/security/authenticator";
    assert_eq!(location(&vera.browser.post::<api::StartTotp>(page, &[]).await), page);
    let seed = crate::accounts::factors::seed_on(&vera.browser.page(page).await).unwrap();
    let phone = crate::accounts::factors::Authenticator { seed, codes: vec![] };
    let confirmed = vera.browser.post::<api::ConfirmTotp>(page, &[("code", &phone.code(&app))]).await;
    assert_eq!(location(&confirmed), SECURITY);
    assert_eq!(count(&app, "select count(*) from recovery_codes where used_at is null").await, 9);
    let waiting = half_way(&app, &vera.email).await;
    let page = waiting.page("/sign-in/code").await;
    assert!(page.contains("Enter your code") && page.contains("use=passkey") && page.contains("use=recovery"), "{page}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn k12_a_passkey_satisfies_the_policy_and_signs_in_alone(db: PgPool) {
    let app = TestApp::start_with(db, |config| {
        named(config);
        config.auth.second_factor = SecondFactor::All;
    })
    .await;
    let vera = app.sign_in_as("developer").await;
    let set_up_page = "/settings/security/authenticator";
    assert_eq!(location(&vera.browser.get("/keys").await), set_up_page);
    assert!(vera.browser.page(set_up_page).await.contains("Add a passkey instead"));
    let mut key = key_for(&app);
    assert_eq!(location(&vera.browser.post::<api::StartPasskey>("/settings/security/passkey", &[]).await), "/settings/security/passkey");
    let page = vera.browser.page("/settings/security/passkey").await;
    let options = page.split("data-options=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap().replace("&quot;", "\"").replace("&amp;", "&");
    let answer = key.make(&serde_json::from_str(&options).unwrap());
    let added = vera.browser.post::<api::AddPasskey>("/settings/security/passkey", &[("credential", &answer)]).await;
    assert_eq!(location(&added), "/settings/security/recovery-codes");
    assert_eq!(vera.browser.get("/keys").await.status(), 200);
    let browser = app.browser();
    assert_eq!(location(&sign_in(&browser, &mut key).await), "/home");
    assert_eq!(browser.get("/keys").await.status(), 200);
    let id: uuid::Uuid = sqlx::query_scalar("select id from passkeys").fetch_one(&app.ctx.db).await.unwrap();
    let id = tollgate::values::PasskeyId::new(id).to_string();
    assert_eq!(browser.post::<api::RemovePasskey>(SECURITY, &[("id", &id)]).await.status(), 409, "it can be replaced, not removed");
    app.ctx.clock.advance(Duration::seconds(30));
    set_up_with_codes(&app, &browser).await;
    assert_eq!(browser.post::<api::RemovePasskey>(SECURITY, &[("id", &id)]).await.status(), 303, "the app is left");
    assert_eq!(count(&app, "select count(*) from recovery_codes").await, 10, "and its codes");
}

/// Sets up an app beside recovery codes that are there.
async fn set_up_with_codes(app: &TestApp, browser: &Browser) {
    let page = "/settings/security/authenticator";
    browser.post::<api::StartTotp>(page, &[]).await;
    let seed = crate::accounts::factors::seed_on(&browser.page(page).await).unwrap();
    let phone = crate::accounts::factors::Authenticator { seed, codes: vec![] };
    assert_eq!(location(&browser.post::<api::ConfirmTotp>(page, &[("code", &phone.code(app))]).await), SECURITY);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r50_s60_a_passkey_proves_again_in_the_session_that_asked(db: PgPool) {
    let app = start(db).await;
    let (vera, mut key) = with_passkey(&app, "developer").await;
    let phone = app.browser();
    assert_eq!(location(&sign_in(&phone, &mut key).await), "/home");
    app.ctx.clock.advance(Duration::minutes(11));
    let asked = vera.browser.post::<api::EndSessions>("/settings/sessions", &[]).await;
    assert!(location(&asked).starts_with("/step-up?form="));
    let page = vera.browser.page("/step-up?use=passkey").await;
    assert!(page.contains("data-purpose=\"step_up\"") && page.contains("/passkeys.js"), "{page}");

    let answer = key.prove(&ask(&phone, "step_up").await);
    assert_eq!(step_up(&vera.browser, &answer).await.status(), 422, "another session's question");
    let answer = key.prove(&ask(&vera.browser, "sign_in").await);
    assert_eq!(step_up(&vera.browser, &answer).await.status(), 422, "asked for signing in");
    key.is_verified = false;
    let answer = key.prove(&ask(&vera.browser, "step_up").await);
    assert_eq!(step_up(&vera.browser, &answer).await.status(), 422, "R37: nobody was verified");
    key.is_verified = true;
    let answer = key.prove(&ask(&vera.browser, "step_up").await);
    assert_eq!(location(&step_up(&vera.browser, &answer).await), "/home");
    assert_eq!(step_up(&vera.browser, &answer).await.status(), 422, "a replay");
    assert_eq!(vera.browser.post::<api::EndSessions>("/settings/sessions", &[]).await.status(), 303);
    assert!(!phone.is_signed_in().await, "R50: the act goes through");

    let (mallory, _) = with_passkey(&app, "developer").await;
    let answer = key.prove(&ask(&mallory.browser, "step_up").await);
    assert_eq!(step_up(&mallory.browser, &answer).await.status(), 422, "S81: nobody proves for another");
    assert_eq!(super::call::<api::AskPasskey>(&app.browser(), &[("purpose", "step_up")]).await.status(), 401);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r39_without_the_last_passkey_an_app_goes_on_as_the_second_factor(db: PgPool) {
    let app = start(db).await;
    let vera = app.sign_in_as("developer").await;
    let phone = set_up(&app, &vera.browser).await;
    assert_eq!(location(&add(&vera.browser, &mut key_for(&app)).await), SECURITY, "the codes of the app stay");
    assert_eq!(vera.browser.post::<api::RemoveTotp>(SECURITY, &[]).await.status(), 303);
    assert_eq!(count(&app, "select count(*) from recovery_codes").await, 10, "they stand in for the passkey now");
    let browser = half_way(&app, &vera.email).await;
    assert_eq!(location(&crate::accounts::factors::give_recovery_code(&browser, &phone.codes[0]).await), "/home");
    assert_eq!(app.browser().sign_in(&vera.email, PASSWORD).await.status(), 303);
}
