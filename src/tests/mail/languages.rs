//! Which language a mail is written in: the account's; before there is a choice, the browser's; without one, the configured.

use crate::support::{
    TestApp,
    browser::{Browser, PASSWORD},
    mailbox::link,
};
use leptos::server_fn::ServerFn;
use reqwest::Response;
use serde_json::json;
use sqlx::PgPool;
use tollgate::{
    accounts::{api, server::create_operator},
    values::Language,
};

/// Signs up in a browser that says it would like to read this.
async fn sign_up(browser: &Browser, email: &str, accept: Option<&str>) -> Response {
    let request = browser.http.post(format!("{}/sign-up", browser.base)).header("sec-fetch-site", "same-origin").header("accept", "text/html");
    let request = if let Some(accept) = accept { request.header("accept-language", accept) } else { request };
    request.form(&[("_fn", api::SignUp::PATH), ("email", email), ("name", "Jörg"), ("password", PASSWORD)]).send().await.unwrap()
}

async fn language_of(app: &TestApp, email: &str) -> String {
    sqlx::query_scalar("select language from accounts where email = $1").bind(email).fetch_one(&app.ctx.db).await.unwrap()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn who_signs_up_reads_in_the_language_of_the_browser(db: PgPool) {
    let app = TestApp::start(db).await;
    for (email, accept, language, subject) in [
        ("joerg@example.com", Some("de-DE,de;q=0.9,en;q=0.5"), "de", "Bestätigen Sie Ihre E-Mail-Adresse"),
        ("jane@example.com", Some("en-GB,en;q=0.9,de;q=0.5"), "en", "Confirm your email"),
        ("jeanne@example.com", Some("fr-FR,fr;q=0.9"), "en", "Confirm your email"),
        ("nobody@example.com", None, "en", "Confirm your email"),
        ("odd@example.com", Some("\"><script>;q=9, ,;;,de;q=x"), "en", "Confirm your email"),
    ] {
        assert_eq!(sign_up(&app.browser(), email, accept).await.status(), 303, "{email}");
        let mail = app.mail_to(email).await;
        assert_eq!((mail.subject.as_str(), language_of(&app, email).await.as_str()), (subject, language), "{email}");
        assert!(mail.html.contains(&format!("<html lang=\"{language}\">")), "{email}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn over_rest_the_header_counts_too_and_a_second_sign_up_is_told_in_the_owners_language(db: PgPool) {
    let app = TestApp::start(db).await;
    let body = json!({ "email": "joerg@example.com", "password": PASSWORD });
    let register = |accept: &'static str| app.http.post(app.url("/api/v1/auth/register")).header("accept-language", accept).json(&body).send();
    assert_eq!(register("de").await.unwrap().status(), 202);
    let mail = app.mail_to("joerg@example.com").await;
    assert_eq!(mail.subject, "Bestätigen Sie Ihre E-Mail-Adresse");
    assert!(mail.text.starts_with("Guten Tag joerg,\n") && mail.text.contains("20. November 2026, 12:00 UTC"), "{}", mail.text);
    let browser = app.browser();
    browser.get(link(&mail, "/verify-email")).await;
    assert_eq!(browser.post::<api::VerifyEmail>("/verify-email", &[]).await.status(), 303);

    assert_eq!(register("en").await.unwrap().status(), 202, "whoever it is");
    assert_eq!(app.mail_to("joerg@example.com").await.subject, "Sie haben bereits ein Konto");
    assert_eq!(language_of(&app, "joerg@example.com").await, "de");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn where_nobody_chose_the_configured_language_counts(db: PgPool) {
    let app = TestApp::start_with(db, |config| config.mail.language = Language::De).await;
    sign_up(&app.browser(), "jeanne@example.com", Some("fr")).await;
    assert_eq!(app.mail_to("jeanne@example.com").await.subject, "Bestätigen Sie Ihre E-Mail-Adresse");
    create_operator(&app.ctx, "ops@example.com".parse().unwrap(), None, None).await.unwrap();
    assert_eq!(language_of(&app, "ops@example.com").await, "de");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_profile_chooses_language_and_zone_of_all_further_mails(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let page = vera.browser.page("/settings/profile").await;
    assert!(page.contains("Used for your emails. Pages are in English."), "{page}");
    let chosen = [("name", "Vera Müller"), ("time_zone", "Europe/Berlin"), ("language", "de")];
    assert_eq!(vera.browser.post::<api::UpdateProfile>("/settings/profile", &chosen).await.status(), 303);

    vera.browser.post::<api::ForgotPassword>("/forgot-password", &[("email", &vera.email)]).await;
    let mail = app.mail_to(&vera.email).await;
    assert_eq!(mail.subject, "Setzen Sie ein neues Passwort");
    for words in ["Guten Tag Vera Müller,", "20. November 2026, 13:00 MEZ", "Firefox unter Linux", "Wenn Sie das nicht waren"] {
        assert!(mail.text.contains(words), "{words} in\n{}", mail.text);
    }
    assert!(mail.html.contains("Neues Passwort setzen</a>") && mail.html.contains("Oder öffnen Sie diese Adresse:"), "{}", mail.html);
}
