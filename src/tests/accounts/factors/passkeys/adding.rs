//! New passkeys: made for this site by somebody who was verified, once, in the session that asked.

use super::{NEW, PASSKEYS, SECURITY, add, ask, ask_new, key_for, start, with_passkey};
use crate::{
    accounts::{count, factors::codes_on},
    support::{
        TestApp,
        browser::{PASSWORD, location},
    },
};
use sqlx::PgPool;
use time::Duration;
use tollgate::accounts::api;
use uuid::uuid;

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r26_r38_a_passkey_is_named_listed_and_told_and_brings_recovery_codes(db: PgPool) {
    let app = start(db).await;
    let vera = app.sign_in_as("developer").await;
    assert!(vera.browser.page(SECURITY).await.contains("You have no passkeys yet."));
    let mut key = key_for(&app);
    (key.aaguid, key.is_synced) = (uuid!("d548826e-79b4-db40-a3d8-11116f7e8349").into_bytes(), true);
    assert_eq!(location(&add(&vera.browser, &mut key).await), "/settings/security/recovery-codes");
    assert_eq!(codes_on(&vera.browser.page("/settings/security/recovery-codes").await).len(), 10);
    assert_eq!(app.mail_to(&vera.email).await.subject, "A passkey was added");
    let page = vera.browser.page(SECURITY).await;
    for words in ["Bitwarden", "synced", "added now", "never", "Rename Bitwarden", "Remove Bitwarden", "Add a second one"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let kept: (uuid::Uuid, bool) = sqlx::query_as("select aaguid, is_synced from passkeys").fetch_one(&app.ctx.db).await.unwrap();
    assert_eq!(kept, (uuid!("d548826e-79b4-db40-a3d8-11116f7e8349"), true));

    let mut second = key_for(&app);
    let options = ask_new(&vera.browser).await;
    assert_eq!(options["excludeCredentials"].as_array().unwrap().len(), 1, "S58: the authenticator that has one makes no other");
    let answer = second.make(&options);
    let added = vera.browser.post::<api::AddPasskey>(NEW, &[("credential", &answer), ("name", "  Blue   key ")]).await;
    assert_eq!(location(&added), SECURITY, "who has codes keeps them");
    let page = vera.browser.page(SECURITY).await;
    assert!(page.contains("Blue key") && page.contains("on this device only"), "{page}");
    assert_eq!(second.handle, key.handle, "the same account");
    let handle = data_encoding::BASE64URL_NOPAD.decode(key.handle.as_deref().unwrap().as_bytes()).unwrap();
    assert!(handle.len() == 16 && handle != vera.account.uuid().as_bytes(), "R37: random, nothing of the account");
    assert_eq!(count(&app, "select count(*) from events where kind = 'factor.passkey_added'").await, 2);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r37_what_was_made_elsewhere_or_without_verification_is_not_kept(db: PgPool) {
    let app = start(db).await;
    let vera = app.sign_in_as("developer").await;
    let refused = async |what: &str, change: fn(&mut super::SoftKey)| {
        let mut key = key_for(&app);
        change(&mut key);
        let answer = add(&vera.browser, &mut key).await;
        assert_eq!(answer.status(), 422, "{what}");
        assert!(answer.text().await.unwrap().contains("This passkey can"), "{what}");
    };
    refused("another origin", |key| key.origin = "https://tollgate.example".to_owned()).await;
    refused("another site", |key| key.site = Some("tollgate.example".to_owned())).await;
    refused("nobody was verified", |key| key.is_verified = false).await;
    for nothing in ["", "-", "{}", "null"] {
        ask_new(&vera.browser).await;
        assert_eq!(vera.browser.post::<api::AddPasskey>(NEW, &[("credential", nothing)]).await.status(), 422, "{nothing}");
    }
    assert_eq!(count(&app, PASSKEYS).await, 0);
    assert_eq!(location(&app.browser().sign_in(&vera.email, PASSWORD).await), "/home", "nothing changed");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r36_s60_a_question_is_good_once_in_its_session_for_five_minutes(db: PgPool) {
    let app = start(db).await;
    let vera = app.sign_in_as("developer").await;
    let phone = app.browser();
    phone.sign_in(&vera.email, PASSWORD).await;
    let post = async |browser: &crate::support::browser::Browser, answer: &str| {
        browser.post::<api::AddPasskey>(NEW, &[("credential", answer)]).await.status().as_u16()
    };
    let late = key_for(&app).make(&ask_new(&vera.browser).await);
    app.ctx.clock.advance(Duration::minutes(5));
    assert_eq!(post(&vera.browser, &late).await, 409, "five minutes are over");
    assert!(vera.browser.page(NEW).await.contains("Choose where to keep it"), "and the page says where to begin");

    let answer = key_for(&app).make(&ask_new(&vera.browser).await);
    assert_eq!(post(&phone, &answer).await, 409, "another session of the same person");
    let (one, two) = tokio::join!(post(&vera.browser, &answer), post(&vera.browser, &answer));
    assert_eq!([one.min(two), one.max(two)], [303, 409], "sent twice");
    assert_eq!(post(&vera.browser, &answer).await, 409, "sent again");
    // What was asked for a proof makes no passkey, and what nobody asked neither.
    let mut other = ask_new(&vera.browser).await;
    other["challenge"] = ask(&vera.browser, "step_up").await["challenge"].clone();
    assert_eq!(post(&vera.browser, &key_for(&app).make(&other)).await, 409);
    other["challenge"] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".into();
    assert_eq!(post(&vera.browser, &key_for(&app).make(&other)).await, 409);
    assert_eq!(count(&app, PASSKEYS).await, 1);
    let hashes = "select count(*) from passkey_challenges where octet_length(challenge_hash) = 32 and octet_length(holder) = 32";
    assert_eq!(count(&app, hashes).await, count(&app, "select count(*) from passkey_challenges").await);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s58_an_authenticators_passkey_belongs_to_one_account(db: PgPool) {
    let app = start(db).await;
    let (vera, mut key) = with_passkey(&app, "developer").await;
    assert_eq!(add(&vera.browser, &mut key).await.status(), 422, "the same one again");
    let mallory = app.sign_in_as("developer").await;
    assert_eq!(add(&mallory.browser, &mut key).await.status(), 409, "nor another's");
    assert_eq!(count(&app, PASSKEYS).await, 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r39_adding_needs_a_recent_proof_and_may_end_other_sessions(db: PgPool) {
    let app = start(db).await;
    let vera = app.sign_in_as("developer").await;
    let phone = app.browser();
    phone.sign_in(&vera.email, PASSWORD).await;
    app.ctx.clock.advance(Duration::minutes(11));
    let asked = vera.browser.post::<api::StartPasskey>(SECURITY, &[]).await;
    let form = location(&asked).strip_prefix("/step-up?form=").unwrap().to_owned();
    assert!(vera.browser.page(&format!("/step-up?form={form}")).await.contains("You are about to add a passkey."));
    assert!(vera.browser.page(NEW).await.contains("Choose where to keep it"), "nothing was asked");
    vera.browser.post::<api::StepUp>("/step-up", &[("password", PASSWORD), ("form", &form)]).await;
    let answer = key_for(&app).make(&ask_new(&vera.browser).await);
    let added = vera.browser.post::<api::AddPasskey>(NEW, &[("credential", &answer), ("end_others", "true")]).await;
    assert_eq!(added.status(), 303);
    assert!(vera.browser.is_signed_in().await && !phone.is_signed_in().await);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_site_without_a_name_takes_no_passkeys_and_says_so(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    assert!(!app.browser().page("/sign-in").await.contains("passkeys.js"));
    assert!(!vera.browser.page(SECURITY).await.contains("passkey"));
    let refused = vera.browser.post::<api::StartPasskey>(SECURITY, &[]).await;
    assert_eq!(refused.status(), 409);
    assert_eq!(super::call::<api::AskPasskey>(&app.browser(), &[("purpose", "sign_in")]).await.status(), 409);
}
