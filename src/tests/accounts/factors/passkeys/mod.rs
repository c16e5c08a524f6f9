//! Passkeys, over real HTTP with an authenticator in software: added and kept, signing in, second factor and proof again, signing up.
//! The browser's own part is tested with Chromium's virtual authenticator (`end2end/passkeys.spec.ts`).

mod adding;
mod authenticator;
mod keeping;
mod proving;
mod signing_in;
mod signing_up;

use crate::support::{
    TestApp,
    browser::{Browser, Person, location},
};
use authenticator::SoftKey;
use leptos::server_fn::ServerFn;
use reqwest::Response;
use serde_json::Value;
use sqlx::PgPool;
use tollgate::{accounts::api, platform::config::Config};

const SECURITY: &str = "/settings/security";
const NEW: &str = "/settings/security/passkey";
const PASSKEYS: &str = "select count(*) from passkeys";
const SESSIONS: &str = "select count(*) from sessions";

/// A site with a name: an address alone takes no passkeys.
async fn start(db: PgPool) -> TestApp {
    TestApp::start_with(db, named).await
}

fn named(config: &mut Config) {
    config.server.public_url.set_host(Some("localhost")).unwrap();
}

/// An authenticator in a browser on this site.
fn key_for(app: &TestApp) -> SoftKey {
    SoftKey::on(&app.ctx.config.origin())
}

/// Calls a server function as the script of a page does.
async fn call<F: ServerFn>(browser: &Browser, fields: &[(&str, &str)]) -> Response {
    let request = browser.http.post(format!("{}{}", browser.base, F::PATH)).header("sec-fetch-site", "same-origin");
    request.header("accept", "application/json").form(fields).send().await.unwrap()
}

/// What the script passes on to the browser's authenticator.
async fn asked<F: ServerFn>(browser: &Browser, fields: &[(&str, &str)]) -> Value {
    let answer = call::<F>(browser, fields).await;
    assert_eq!(answer.status(), 200);
    serde_json::from_str(&answer.json::<String>().await.unwrap()).unwrap()
}

async fn ask(browser: &Browser, purpose: &str) -> Value {
    asked::<api::AskPasskey>(browser, &[("purpose", purpose)]).await
}

/// What the page for a new passkey passes on.
async fn ask_new(browser: &Browser) -> Value {
    assert_eq!(location(&browser.post::<api::StartPasskey>(SECURITY, &[]).await), NEW);
    let page = browser.page(NEW).await;
    let options = page.split("data-options=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    serde_json::from_str(&options.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")).unwrap()
}

async fn add(browser: &Browser, key: &mut SoftKey) -> Response {
    let answer = key.make(&ask_new(browser).await);
    browser.post::<api::AddPasskey>(NEW, &[("credential", &answer)]).await
}

/// A person with a passkey, signed in in one browser.
pub async fn with_passkey(app: &TestApp, role: &str) -> (Person, SoftKey) {
    let person = app.sign_in_as(role).await;
    let mut key = key_for(app);
    let added = add(&person.browser, &mut key).await;
    assert_eq!(location(&added), "/settings/security/recovery-codes");
    (person, key)
}

async fn give(browser: &Browser, answer: &str) -> Response {
    browser.post::<api::SignInWithPasskey>("/sign-in", &[("credential", answer)]).await
}

async fn sign_in(browser: &Browser, key: &mut SoftKey) -> Response {
    let answer = key.prove(&ask(browser, "sign_in").await);
    give(browser, &answer).await
}
