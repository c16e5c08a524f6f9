//! Sign-ins that are linked to an account: by whom, to whom, and how they go away again.

use super::{BACK, at_provider, come, count, leave, links, start, trusting};
use crate::{
    accounts::{flat, mail_about},
    support::{
        TestApp,
        browser::{Browser, PASSWORD, location},
        mailbox::link,
    },
};
use sqlx::PgPool;
use time::Duration;
use tollgate::accounts::api;

const SECURITY: &str = "/settings/security";

/// Links the provider's user to whoever is signed in in this browser.
async fn link_other(app: &TestApp, browser: &Browser) -> reqwest::Response {
    let back = at_provider(app, &leave::<api::LinkWith>(browser, SECURITY, &[]).await).await;
    browser.get(&back).await
}

/// The id of the first linked sign-in on the page.
fn first_id(page: &str) -> String {
    let value = page.split("value=\"lnk_").nth(1).and_then(|rest| rest.split('"').next());
    format!("lnk_{}", value.unwrap_or_else(|| panic!("no link on {page}")))
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn who_is_signed_in_links_and_unlinks_and_is_told(db: PgPool) {
    let (app, _other) = start(db, |_| {}).await;
    let vera = app.sign_in_as("developer").await;
    assert!(vera.browser.page(SECURITY).await.contains("None are linked to your account."));
    assert_eq!(location(&link_other(&app, &vera.browser).await), SECURITY);
    let page = vera.browser.page(SECURITY).await;
    assert!(page.contains("You can now sign in with Other, too.") && page.contains("vera@example.com, since") && page.contains("Unlink"), "{page}");
    mail_about(&app, &vera.email, "You can sign in with Other now").await;
    // Sent again it is the same.
    assert_eq!(location(&link_other(&app, &vera.browser).await), SECURITY);
    assert_eq!((links(&app).await, count(&app, "select count(*) from events where kind = 'sign_in.linked'").await), (1, 1));
    let phone = app.browser();
    assert_eq!(location(&come(&app, &phone).await), "/home");
    assert!(phone.page("/settings/profile").await.contains(&vera.email));

    let id = first_id(&page);
    assert_eq!(location(&vera.browser.post::<api::Unlink>(SECURITY, &[("id", &id)]).await), SECURITY);
    assert_eq!(links(&app).await, 0);
    let mail = mail_about(&app, &vera.email, "Other no longer signs you in").await;
    assert!(flat(&mail).contains("does not let anybody in any more"), "{}", mail.text);
    assert_eq!(vera.browser.post::<api::Unlink>(SECURITY, &[("id", &id)]).await.status(), 404, "once");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r50_linking_and_unlinking_need_a_recent_proof(db: PgPool) {
    let (app, _other) = start(db, |_| {}).await;
    let vera = app.sign_in_as("developer").await;
    link_other(&app, &vera.browser).await;
    let id = first_id(&vera.browser.page(SECURITY).await);
    app.ctx.clock.advance(Duration::minutes(11));
    for answer in
        [vera.browser.post::<api::LinkWith>(SECURITY, &[("provider", "other")]).await, vera.browser.post::<api::Unlink>(SECURITY, &[("id", &id)]).await]
    {
        assert!(location(&answer).starts_with("/step-up?form="), "{}", location(&answer));
    }
    assert_eq!(links(&app).await, 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_sign_in_that_is_somebody_elses_is_not_linked(db: PgPool) {
    let (app, _other) = start(db, |_| {}).await;
    let (vera, mallory) = (app.sign_in_as("developer").await, app.sign_in_as("developer").await);
    link_other(&app, &vera.browser).await;
    let answer = link_other(&app, &mallory.browser).await;
    assert_eq!(answer.status(), 409);
    assert!(answer.text().await.unwrap().contains("is linked to another account"));
    let id = first_id(&vera.browser.page(SECURITY).await);
    assert_eq!(mallory.browser.post::<api::Unlink>(SECURITY, &[("id", &id)]).await.status(), 404, "nor unlinked by others");
    assert_eq!(links(&app).await, 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r72_a_link_that_was_begun_in_a_session_ends_in_it(db: PgPool) {
    let (app, _other) = start(db, |_| {}).await;
    let (vera, nia) = (app.sign_in_as("developer").await, app.sign_in_as("developer").await);
    let back = at_provider(&app, &leave::<api::LinkWith>(&vera.browser, SECURITY, &[]).await).await;
    assert!(back.starts_with(BACK));
    vera.browser.post::<api::SignOut>("/sign-out", &[]).await;
    vera.browser.sign_in(&nia.email, PASSWORD).await;
    let answer = vera.browser.get(&back).await;
    assert_eq!(answer.status(), 409);
    assert!(answer.text().await.unwrap().contains("You were signed out in the meantime"));
    assert_eq!(links(&app).await, 0, "whoever sits there now has nothing linked");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_last_way_in_stays(db: PgPool) {
    let (app, _other) = trusting(db).await;
    let browser = app.browser();
    come(&app, &browser).await;
    let page = browser.page(SECURITY).await;
    assert!(page.contains("You have no password."), "{page}");
    let answer = browser.post::<api::Unlink>(SECURITY, &[("id", &first_id(&page))]).await;
    assert_eq!(answer.status(), 409);
    assert!(answer.text().await.unwrap().contains("This is the only way into your account."));
    assert_eq!(links(&app).await, 1);
    // A password, set by mail, is another way.
    app.browser().post::<api::ForgotPassword>("/forgot-password", &[("email", "vera@example.com")]).await;
    let mail = mail_about(&app, "vera@example.com", "Set a new password").await;
    let reset = app.browser();
    reset.get(link(&mail, "/reset-password?token=")).await;
    assert_eq!(reset.post::<api::ResetPassword>("/reset-password", &[("new_password", PASSWORD)]).await.status(), 303);
    come(&app, &browser).await;
    let id = first_id(&browser.page(SECURITY).await);
    assert_eq!(location(&browser.post::<api::Unlink>(SECURITY, &[("id", &id)]).await), SECURITY);
    assert_eq!(links(&app).await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn this_was_not_me_takes_away_what_was_linked_since(db: PgPool) {
    let (app, other) = start(db, |_| {}).await;
    let vera = app.sign_in_as("developer").await;
    link_other(&app, &vera.browser).await;
    app.ctx.clock.advance(Duration::hours(1));
    let thief = app.browser();
    thief.sign_in(&vera.email, PASSWORD).await;
    let mail = mail_about(&app, &vera.email, "New sign-in to your account").await;
    app.ctx.clock.advance(Duration::minutes(1));
    other.user(|user| user.sub = "the thief there".to_owned());
    link_other(&app, &thief).await;
    assert_eq!(links(&app).await, 2);
    let anywhere = app.browser();
    anywhere.get(link(&mail, "/not-me?token=")).await;
    anywhere.post::<api::NotMe>("/not-me", &[]).await;
    let left: Vec<String> = sqlx::query_scalar("select subject from linked_sign_ins").fetch_all(&app.ctx.db).await.unwrap();
    assert_eq!(left, ["user-1"], "the owner's own stays");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn operators_and_exports_see_what_is_linked(db: PgPool) {
    let (app, _other) = start(db, |_| {}).await;
    let (operator, vera) = (app.sign_in_as("operator").await, app.sign_in_as("developer").await);
    link_other(&app, &vera.browser).await;
    let page = operator.browser.page(&format!("/admin/accounts/{}", vera.account)).await;
    assert!(page.contains("Signs in with") && page.contains("Other (vera@example.com) since") && page.contains("linked a sign-in at Other"), "{page}");
    vera.browser.post::<api::AskExport>("/settings/danger", &[]).await;
    app.run_jobs().await;
    let chunk: Vec<u8> = sqlx::query_scalar("select bytes from account_export_chunks order by number limit 1").fetch_one(&app.ctx.db).await.unwrap();
    let export: serde_json::Value = serde_json::from_slice(&chunk).unwrap();
    let line = &export["linked_sign_ins"][0];
    assert_eq!((line["provider"].as_str(), line["subject"].as_str(), line["email"].as_str()), (Some("other"), Some("user-1"), Some("vera@example.com")));
}
