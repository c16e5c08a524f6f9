//! Providers that are down, slow, elsewhere or where nobody may go; and keys that change.

use super::{NOT_BELIEVED, come, leave, refused, start, trusting};
use crate::support::{
    TestApp,
    browser::{Browser, location},
    provider::{Lie, Mood, TestProvider},
};
use sqlx::PgPool;
use time::Duration;
use tollgate::accounts::api;

const AWAY: &str = "Other can't be reached right now";

/// Presses the button; it says why it leads nowhere, on the page where it stands.
async fn leads_nowhere(browser: &Browser, status: u16, words: &str) {
    let answer = browser.post::<api::ContinueWith>("/sign-in", &[("provider", "other"), ("_form", "with-other")]).await;
    refused(browser, answer, status, words).await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_provider_that_is_down_stops_neither_the_start_nor_the_page(db: PgPool) {
    let other = TestProvider::start().await;
    let settings = other.settings("other");
    other.shut();
    drop(other);
    let app = TestApp::start_with(db, |config| config.sign_in.providers = vec![settings]).await;
    let browser = app.browser();
    assert!(browser.page("/sign-in").await.contains("Continue with Other"));
    leads_nowhere(&browser, 409, AWAY).await;
    assert!(browser.page("/sign-in").await.contains("Password"), "the others work");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r80_a_slow_provider_is_given_up(db: PgPool) {
    let (app, other) = start(db, |_| {}).await;
    other.mood(Mood::Slow);
    let began = std::time::Instant::now();
    leads_nowhere(&app.browser(), 409, AWAY).await;
    assert!(began.elapsed() < std::time::Duration::from_secs(10), "{:?}", began.elapsed());
    other.mood(Mood::Fine);
    leave::<api::ContinueWith>(&app.browser(), "/sign-in", &[]).await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r80_redirects_are_not_followed_and_long_answers_not_read(db: PgPool) {
    let (app, other) = start(db, |_| {}).await;
    for mood in [Mood::Redirecting, Mood::Endless] {
        other.mood(mood);
        leads_nowhere(&app.browser(), 409, AWAY).await;
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r80_private_networks_are_refused_unless_the_operator_allows_them(db: PgPool) {
    let (app, other) = start(db, |settings| settings.allow_private_network = false).await;
    leads_nowhere(&app.browser(), 409, AWAY).await;
    assert_eq!(other.discovered(), 0, "nobody knocked there");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r80_a_provider_may_not_send_browsers_anywhere(db: PgPool) {
    let (app, other) = start(db, |_| {}).await;
    other.mood(Mood::Insecure);
    leads_nowhere(&app.browser(), 403, NOT_BELIEVED).await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_a_provider_says_of_itself_is_kept_for_an_hour(db: PgPool) {
    let (app, other) = trusting(db).await;
    for _ in 0..2 {
        come(&app, &app.browser()).await;
    }
    assert_eq!(other.discovered(), 1);
    app.ctx.clock.advance(Duration::hours(1));
    come(&app, &app.browser()).await;
    assert_eq!(other.discovered(), 2);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r72_a_key_that_is_new_is_looked_up_but_not_at_every_try(db: PgPool) {
    let (app, other) = trusting(db).await;
    come(&app, &app.browser()).await;
    other.rotate("second");
    for _ in 0..3 {
        let browser = app.browser();
        let answer = come(&app, &browser).await;
        refused(&browser, answer, 403, NOT_BELIEVED).await;
    }
    assert_eq!(other.discovered(), 1, "it was asked a moment ago");
    app.ctx.clock.advance(Duration::seconds(30));
    assert_eq!(location(&come(&app, &app.browser()).await), "/home");
    assert_eq!(other.discovered(), 2);
    // The same name for another key: the signature does not fit, and nothing is asked.
    other.lie(Lie::StrangeKey);
    let browser = app.browser();
    let answer = come(&app, &browser).await;
    refused(&browser, answer, 403, NOT_BELIEVED).await;
    assert_eq!(other.discovered(), 2);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_is_not_set_up_is_not_there(db: PgPool) {
    let app = TestApp::start(db).await;
    let browser = app.browser();
    assert!(!browser.page("/sign-in").await.contains("Continue with"));
    assert_eq!(browser.post::<api::ContinueWith>("/sign-in", &[("provider", "other")]).await.status(), 404);
    assert_eq!(browser.get("/sign-in/with/other").await.status(), 404);
    assert_eq!(browser.get("/sign-in/with/other/callback?code=x&state=y").await.status(), 404);
    let vera = app.sign_in_as("developer").await;
    assert!(!vera.browser.page("/settings/security").await.contains("Sign-in with others"));
}
