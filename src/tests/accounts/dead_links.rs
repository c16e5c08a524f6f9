//! A mailed link to confirm an address that does nothing any more: its page says so at once, and offers what works.

use super::{count, unproven};
use crate::support::{
    TestApp,
    browser::{Browser, location},
    mailbox::{code, link},
};
use leptos::server_fn::ServerFn;
use sqlx::PgPool;
use tollgate::accounts::api;

const MARA: &str = "mara@example.com";

/// What the page shows to a browser that opens this link.
async fn opened(browser: &Browser, link: &str) -> String {
    assert_eq!(location(&browser.get(link).await), "/verify-email", "R54: the token leaves the URL");
    browser.page("/verify-email").await
}

fn has_button_of_the_link(page: &str) -> bool {
    page.contains(&format!("name=\"_fn\" value=\"{}\"", api::VerifyEmail::PATH))
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_link_that_was_used_says_that_the_address_is_confirmed(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = unproven(&app, MARA).await;
    let mail = app.mail_to(MARA).await;
    assert!(has_button_of_the_link(&opened(&mara, link(&mail, "/verify-email")).await));
    assert_eq!(mara.post::<api::VerifyEmail>("/verify-email", &[]).await.status(), 303);
    let page = opened(&app.browser(), link(&mail, "/verify-email")).await;
    assert!(page.contains("Your email is confirmed") && page.contains("href=\"/sign-in\"") && !has_button_of_the_link(&page), "{page}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r53_a_link_that_is_too_old_or_replaced_says_so_and_offers_a_new_mail(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = unproven(&app, MARA).await;
    let first = app.mail_to(MARA).await;
    mara.post::<api::ResendVerification>("/verify-email", &[]).await;
    let second = app.mail_to(MARA).await;
    assert_ne!(link(&first, "/verify-email"), link(&second, "/verify-email"));

    let phone = app.browser();
    let replaced = opened(&phone, link(&first, "/verify-email")).await;
    assert!(replaced.contains("This link does not work") && replaced.contains("Send a new email") && !has_button_of_the_link(&replaced), "{replaced}");
    let unknown = opened(&app.browser(), "/verify-email?token=nobody-was-ever-sent-this").await;
    assert!(unknown.contains("This link does not work") && unknown.contains("Send a new email"), "as for one that was never sent: {unknown}");
    assert_eq!(count(&app, "select count(*) from auth_tokens where used_at is null").await, 1, "R53: looking changed nothing");

    // The answer is the same for every address (R15).
    for email in [MARA, "nobody@example.com"] {
        let asked = app.browser();
        opened(&asked, link(&first, "/verify-email")).await;
        assert_eq!(location(&asked.post::<api::ResendVerification>("/verify-email", &[("email", email)]).await), "/verify-email");
        let page = asked.page("/verify-email").await;
        assert!(page.contains("Check your inbox") && page.contains("If the address still needs to be confirmed, we sent a new email."), "{email}: {page}");
    }

    let newest = app.mail_to(MARA).await;
    app.ctx.clock.advance(time::Duration::minutes(61));
    let late = opened(&app.browser(), link(&newest, "/verify-email")).await;
    assert!(late.contains("This link does not work") && late.contains("Links work once, for 60 minutes"), "{late}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn where_somebody_signed_up_a_dead_link_leaves_the_code_to_type(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = unproven(&app, MARA).await;
    let first = app.mail_to(MARA).await;
    mara.post::<api::ResendVerification>("/verify-email", &[]).await;
    let second = app.mail_to(MARA).await;
    let page = opened(&mara, link(&first, "/verify-email")).await;
    assert!(page.contains("This link does not work") && page.contains("one-time-code") && page.contains("Send it again"), "{page}");
    assert_eq!(location(&mara.post::<api::VerifyEmail>("/verify-email", &[("code", code(&second))]).await), "/sign-in");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_new_sign_up_forgets_the_link_that_was_opened_before(db: PgPool) {
    let app = TestApp::start(db).await;
    let browser = app.browser();
    opened(&browser, "/verify-email?token=nobody-was-ever-sent-this").await;
    super::sign_up(&browser, MARA, "Mara", crate::support::browser::PASSWORD).await;
    assert!(browser.page("/verify-email").await.contains("Check your inbox"));
}
