//! An app counts once a code of it was typed; its seed is seen once and stored sealed; every change is told.

use super::{codes_on, give_code, half_way, seed_on, set_up, with_app};
use crate::{
    accounts::count,
    support::{
        TestApp,
        browser::{PASSWORD, location},
    },
};
use sqlx::PgPool;
use time::Duration;
use tollgate::accounts::api;

const PAGE: &str = "/settings/security/authenticator";

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s48_r32_an_app_counts_only_after_a_right_code(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    vera.browser.post::<api::StartTotp>("/settings/security", &[]).await;
    let page = vera.browser.page(PAGE).await;
    assert!(page.contains("class=\"qr\"") && page.contains("otpauth://totp/Tollgate:"), "{page}");
    let phone = super::Authenticator { seed: seed_on(&page).unwrap(), codes: vec![] };
    assert_eq!(phone.seed.len(), 20, "R31: 160 bits");
    for typed in [phone.wrong(&app), String::new(), "12345".to_owned(), "abcdef".to_owned()] {
        let refused = vera.browser.post::<api::ConfirmTotp>(PAGE, &[("code", &typed)]).await;
        assert_eq!(refused.status(), 422, "{typed:?}");
        let again = refused.text().await.unwrap();
        assert!(again.contains("This is not the app") && seed_on(&again) == Some(phone.seed.clone()), "the same seed is shown again");
    }
    assert_eq!(location(&app.browser().sign_in(&vera.email, PASSWORD).await), "/home", "not active yet");

    let code = phone.code(&app);
    let typed = format!(" {} {} ", &code[..3], &code[3..]);
    assert_eq!(location(&vera.browser.post::<api::ConfirmTotp>(PAGE, &[("code", &typed)]).await), "/settings/security/recovery-codes");
    assert_eq!(location(&app.browser().sign_in(&vera.email, PASSWORD).await), "/sign-in/code");
    let twice = vera.browser.post::<api::ConfirmTotp>(PAGE, &[("code", &typed)]).await;
    assert_eq!(twice.status(), 409);
    assert!(twice.text().await.unwrap().contains("was finished elsewhere"), "the page, which asks for no code any more, says why");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r31_the_seed_is_sealed_and_never_shown_again(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, phone) = with_app(&app, "developer").await;
    assert_eq!(seed_on(&vera.browser.page(PAGE).await), None);
    let stored: Vec<u8> = sqlx::query_scalar("select seed from totp_factors").fetch_one(&app.ctx.db).await.unwrap();
    assert!(!stored.windows(20).any(|part| part == phone.seed));
    // Copied to another account it opens nothing.
    let mallory = app.sign_in_as("developer").await;
    sqlx::query("insert into totp_factors select $1, seed, 0, created_at, last_used_at from totp_factors")
        .bind(mallory.account.uuid())
        .execute(&app.ctx.db)
        .await
        .unwrap();
    assert_eq!(give_code(&half_way(&app, &mallory.email).await, &phone.code(&app)).await.status(), 500);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r32_setting_up_needs_a_recent_proof_and_stays_in_its_session(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    vera.browser.post::<api::StartTotp>("/settings/security", &[]).await;
    let elsewhere = app.browser();
    elsewhere.sign_in(&vera.email, PASSWORD).await;
    assert_eq!(seed_on(&elsewhere.page(PAGE).await), None, "another session sees no seed");
    assert!(seed_on(&vera.browser.page(PAGE).await).is_some());
    app.ctx.clock.advance(Duration::minutes(15));
    assert_eq!(seed_on(&vera.browser.page(PAGE).await), None, "a quarter of an hour");
    let asked = vera.browser.post::<api::StartTotp>("/settings/security", &[]).await;
    assert!(location(&asked).starts_with("/step-up?form="));
    assert_eq!(count(&app, "select count(*) from totp_factors").await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r26_every_change_is_told_by_mail(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, phone) = with_app(&app, "developer").await;
    let told = async |subject: &str| {
        let mail = app.mail_to(&vera.email).await;
        assert_eq!(mail.subject, subject);
        assert!(mail.text.contains("Firefox on Linux") && mail.text.contains("If it wasn't you") && mail.text.contains("/forgot-password"), "{}", mail.text);
    };
    told("Two-factor sign-in is on").await;
    vera.browser.post::<api::MakeRecoveryCodes>("/settings/security", &[]).await;
    told("You have new recovery codes").await;
    let codes = codes_on(&vera.browser.page("/settings/security/recovery-codes").await);
    super::give_recovery_code(&half_way(&app, &vera.email).await, &codes[0]).await;
    told("A recovery code was used").await;
    vera.browser.post::<api::StartTotp>("/settings/security", &[]).await;
    let other = super::Authenticator { seed: seed_on(&vera.browser.page(PAGE).await).unwrap(), codes: vec![] };
    assert_eq!(location(&vera.browser.post::<api::ConfirmTotp>(PAGE, &[("code", &other.code(&app))]).await), "/settings/security");
    told("Your authenticator app was replaced").await;
    assert_eq!(give_code(&half_way(&app, &vera.email).await, &phone.code_at(&app, 0)).await.status(), 422, "the old app is dead");
    vera.browser.post::<api::RemoveTotp>("/settings/security", &[]).await;
    told("Two-factor sign-in is off").await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r39_removing_needs_a_recent_proof_takes_the_codes_along_and_is_safe_twice(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, _) = with_app(&app, "developer").await;
    app.ctx.clock.advance(Duration::minutes(11));
    assert!(location(&vera.browser.post::<api::RemoveTotp>("/settings/security", &[]).await).starts_with("/step-up?form="));
    assert_eq!(count(&app, "select count(*) from totp_factors").await, 1);
    vera.browser.post::<api::StepUp>("/step-up", &[("password", PASSWORD)]).await;
    for _ in 0..2 {
        assert_eq!(location(&vera.browser.post::<api::RemoveTotp>("/settings/security", &[]).await), "/settings/security");
    }
    assert_eq!(count(&app, "select (select count(*) from totp_factors) + (select count(*) from recovery_codes)").await, 0);
    assert_eq!(count(&app, "select count(*) from events where kind = 'factor.totp_removed'").await, 1);
    assert_eq!(location(&app.browser().sign_in(&vera.email, PASSWORD).await), "/home");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r39_setting_up_offers_to_end_the_other_sessions(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let other = app.browser();
    other.sign_in(&vera.email, PASSWORD).await;
    vera.browser.post::<api::StartTotp>("/settings/security", &[]).await;
    let phone = super::Authenticator { seed: seed_on(&vera.browser.page(PAGE).await).unwrap(), codes: vec![] };
    vera.browser.post::<api::ConfirmTotp>(PAGE, &[("code", &phone.code(&app)), ("end_others", "true")]).await;
    assert!(vera.browser.is_signed_in().await && !other.is_signed_in().await);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_security_page_says_what_there_is(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    assert!(vera.browser.page("/settings/security").await.contains("You sign in with your password only."));
    set_up(&app, &vera.browser).await;
    let page = vera.browser.page("/settings/security").await;
    for words in ["You sign in with your password and a code", "10 left", "New recovery codes", "Replace the app", "Remove"] {
        assert!(page.contains(words), "{words}: {page}");
    }
}
