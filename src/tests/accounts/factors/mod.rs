//! Second factors and proof again: setting up, signing in, losing, being required to have one. The authenticator app of these tests is
//! written anew from RFC 6238, so that it shares no mistake with the product.

mod admin_pin;
pub mod passkeys;
mod policy;
mod recovery;
mod resets;
mod setting_up;
mod signing_in;
mod step_up;

use crate::support::{
    TestApp,
    browser::{Browser, PASSWORD, Person, location},
};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Response;
use time::Duration;
use tollgate::accounts::api;

/// Somebody's phone, and the paper with the recovery codes.
pub struct Authenticator {
    seed: Vec<u8>,
    pub(super) codes: Vec<String>,
}

impl Authenticator {
    /// The code of the present step, moved by `steps`.
    fn code_at(&self, app: &TestApp, steps: i64) -> String {
        let step = u64::try_from(app.ctx.clock.now().unix_timestamp() / 30 + steps).unwrap();
        let hash = Hmac::<sha1::Sha1>::new_from_slice(&self.seed).unwrap().chain_update(step.to_be_bytes()).finalize().into_bytes();
        let offset = usize::from(hash[19] & 0xf);
        let word = u32::from_be_bytes(hash[offset..offset + 4].try_into().unwrap()) & 0x7fff_ffff;
        format!("{:06}", word % 1_000_000)
    }

    pub(super) fn code(&self, app: &TestApp) -> String {
        self.code_at(app, 0)
    }

    /// Six digits that are no code of now, before or after.
    pub(super) fn wrong(&self, app: &TestApp) -> String {
        let good: Vec<String> = (-2..=2).map(|steps| self.code_at(app, steps)).collect();
        (0..).map(|n| format!("{n:06}")).find(|code| !good.contains(code)).unwrap()
    }
}

/// The seed that the page shows as text.
fn seed_on(page: &str) -> Option<Vec<u8>> {
    let text = page.split("id=\"seed\"").nth(1)?.split('>').nth(1)?.split('<').next()?;
    data_encoding::BASE32_NOPAD.decode(text.replace(' ', "").as_bytes()).ok()
}

/// The recovery codes that the page shows.
fn codes_on(page: &str) -> Vec<String> {
    let text = page.split("id=\"codes\"").nth(1).and_then(|rest| rest.split('>').nth(1)).and_then(|rest| rest.split('<').next());
    text.unwrap_or_default().split_whitespace().map(ToOwned::to_owned).collect()
}

/// Sets up an app as a person does, and moves the clock on, so that its next code is a fresh one.
pub(super) async fn set_up(app: &TestApp, browser: &Browser) -> Authenticator {
    let page = "/settings/security/authenticator";
    assert_eq!(location(&browser.post::<api::StartTotp>(page, &[]).await), page);
    let seed = seed_on(&browser.page(page).await).expect("a seed");
    let mut phone = Authenticator { seed, codes: vec![] };
    let code = phone.code(app);
    let confirmed = browser.post::<api::ConfirmTotp>(page, &[("code", &code)]).await;
    assert_eq!(location(&confirmed), "/settings/security/recovery-codes");
    phone.codes = codes_on(&browser.page("/settings/security/recovery-codes").await);
    app.ctx.clock.advance(Duration::seconds(30));
    phone
}

/// A person with an app, signed in in one browser.
pub async fn with_app(app: &TestApp, role: &str) -> (Person, Authenticator) {
    let person = app.sign_in_as(role).await;
    let phone = set_up(app, &person.browser).await;
    (person, phone)
}

/// A browser that gave the right password and is asked for the code.
pub async fn half_way(app: &TestApp, email: &str) -> Browser {
    let browser = app.browser();
    assert_eq!(location(&browser.sign_in(email, PASSWORD).await), "/sign-in/code");
    browser
}

pub(super) async fn give_code(browser: &Browser, code: &str) -> Response {
    browser.post::<api::SignInCode>("/sign-in/code", &[("code", code)]).await
}

async fn give_recovery_code(browser: &Browser, code: &str) -> Response {
    browser.post::<api::SignInCode>("/sign-in/code?use=recovery", &[("recovery_code", code)]).await
}
