//! Sign-in with others, against a small real provider: what lets somebody in, what is linked and by whom, and every attack that RFC 9700
//! and OpenID Connect Core name.

mod attacks;
mod linking;
mod providers;
mod signing_in;
mod stepping_up;

use super::count;
use crate::support::{
    TestApp,
    browser::{Browser, location},
    provider::TestProvider,
};
use leptos::server_fn::ServerFn;
use reqwest::Response;
use sqlx::PgPool;
use tollgate::{accounts::api, platform::config::Provider};

/// The path to which the provider sends browsers back.
const BACK: &str = "/sign-in/with/other/callback";
const NOT_BELIEVED: &str = "can't be trusted";
const OVER: &str = "This was not started in this browser";

/// A provider, and Tollgate set up with it.
async fn start(db: PgPool, change: impl FnOnce(&mut Provider)) -> (TestApp, TestProvider) {
    let other = TestProvider::start().await;
    let mut settings = other.settings("other");
    change(&mut settings);
    let app = TestApp::start_with(db, |config| config.sign_in.providers = vec![settings]).await;
    other.follow(&app.ctx.clock);
    (app, other)
}

/// The same with an operator who believes what the provider says of addresses.
async fn trusting(db: PgPool) -> (TestApp, TestProvider) {
    start(db, |settings| settings.trusts_email = true).await
}

/// Presses the button of a form on a page; answers where the browser is sent at the provider.
async fn leave<F: ServerFn>(browser: &Browser, page: &str, more: &[(&str, &str)]) -> String {
    let fields: Vec<_> = [("provider", "other")].into_iter().chain(more.iter().copied()).collect();
    let begun = browser.post::<F>(page, &fields).await;
    assert_eq!(begun.status(), 303, "{}", begun.text().await.unwrap());
    assert_eq!(location(&begun), "/sign-in/with/other");
    way_on(&browser.page("/sign-in/with/other").await)
}

/// Where the page leads by itself.
fn way_on(page: &str) -> String {
    let content = page.split("content=\"0;url=").nth(1).and_then(|rest| rest.split('"').next());
    content.unwrap_or_else(|| panic!("no way on in {page}")).replace("&amp;", "&")
}

/// Goes to the provider with another browser window; answers the path and query of ours to which it sends it back.
async fn at_provider(app: &TestApp, url: &str) -> String {
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let answer = http.get(url).send().await.unwrap();
    let back = answer.headers()["location"].to_str().unwrap();
    back.strip_prefix(&app.base).unwrap_or_else(|| panic!("{back} is not ours")).to_owned()
}

/// To the provider and back; answers the path and query with which the browser comes back.
async fn round(app: &TestApp, browser: &Browser) -> String {
    at_provider(app, &leave::<api::ContinueWith>(browser, "/sign-in", &[]).await).await
}

/// The whole way.
async fn come(app: &TestApp, browser: &Browser) -> Response {
    browser.get(&round(app, browser).await).await
}

/// The page says this, with this status, and nobody is signed in.
async fn refused(browser: &Browser, answer: Response, status: u16, words: &str) {
    let (is, page) = (answer.status().as_u16(), answer.text().await.unwrap().replace("&#x27;", "'"));
    assert!(is == status && page.contains(words), "{is}, expected {status} and {words:?}: {page}");
    assert!(!browser.is_signed_in().await);
}

async fn links(app: &TestApp) -> i64 {
    count(app, "select count(*) from linked_sign_ins").await
}
