//! Accounts, from signing up to signing out. Tests are named after the ids of SECURITY.md where there is one.

mod acting;
mod alike;
mod avatars;
mod bans;
mod changing_address;
mod covered;
mod dead_links;
mod described_cli;
mod devices;
mod erasing;
mod exporting;
pub mod factors;
mod failing;
mod fields;
mod forgetting;
mod guessing;
mod importing;
mod inviting;
mod leaving;
mod logged;
mod mails;
mod old_addresses;
mod openid;
mod operators;
mod own;
mod pages;
mod passwords;
mod planted;
mod policies;
mod profile;
mod programs;
mod proofs;
mod registering;
mod reset_codes;
mod resetting;
mod rest;
mod rotating_keys;
mod sessions;
mod signing_in;
mod steps;
mod taking_back;
mod too_late;
mod walk;
mod warnings;
mod work;

use crate::support::{
    TestApp,
    browser::{Browser, PASSWORD},
};
use reqwest::Response;
use tollgate::{accounts::api, platform::mail::SentMail};

/// Signs up in this browser.
async fn sign_up(browser: &Browser, email: &str, name: &str, password: &str) -> Response {
    browser.post::<api::SignUp>("/sign-up", &[("email", email), ("name", name), ("password", password)]).await
}

/// An account that signed up and did not prove its address yet, in a browser that knows of it.
async fn unproven(app: &TestApp, email: &str) -> Browser {
    let browser = app.browser();
    let answer = sign_up(&browser, email, "Vera", PASSWORD).await;
    assert_eq!(answer.status(), 303, "{}", answer.text().await.unwrap());
    browser
}

/// All that somebody outside can see of an answer: status, headers and body, less what differs by chance (request id, time,
/// nonce, sealed cookies) and less the address that was typed.
async fn seen(answer: Response, typed: &str) -> String {
    let masked = typed.parse::<tollgate::values::Email>().unwrap().masked();
    let status = answer.status();
    let by_chance = ["x-request-id", "date", "content-security-policy", "content-length"];
    let mut headers: Vec<String> = answer
        .headers()
        .iter()
        .filter(|(name, _)| !by_chance.contains(&name.as_str()))
        .map(|(name, value)| {
            let value = value.to_str().unwrap();
            let value = if name == "set-cookie" { sealed(value) } else { value.to_owned() };
            format!("{name}: {value}")
        })
        .collect();
    headers.sort();
    let nonce = answer.headers()["content-security-policy"].to_str().unwrap().split("'nonce-").nth(1).map(|rest| rest.split('\'').next().unwrap().to_owned());
    let mut body = answer.text().await.unwrap().replace(typed, "ADDRESS").replace(&masked, "MASKED");
    if let Some(nonce) = nonce {
        body = body.replace(&nonce, "NONCE");
    }
    format!("{status}\n{}\n\n{body}", headers.join("\n"))
}

/// A cookie without its value.
fn sealed(cookie: &str) -> String {
    let (name, rest) = cookie.split_once('=').unwrap();
    let attributes = rest.split_once(';').map_or("", |(_, attributes)| attributes);
    format!("{name}=SEALED;{attributes}")
}

/// The last mail with this subject to this address, once the jobs that are due have run. Of mails that are due at the same moment of the
/// frozen clock any may be the last.
async fn mail_about(app: &TestApp, address: &str, subject: &str) -> SentMail {
    app.run_jobs().await;
    let mails = app.mails();
    let subjects: Vec<&str> = mails.iter().filter(|mail| mail.to == address).map(|mail| mail.subject.as_str()).collect();
    let found = mails.iter().rfind(|mail| mail.to == address && mail.subject == subject);
    found.unwrap_or_else(|| panic!("no mail \"{subject}\" to {address}, only {subjects:?}")).clone()
}

/// The text of a mail without its line breaks.
fn flat(mail: &SentMail) -> String {
    mail.text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A number from the database.
async fn count(app: &TestApp, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(&app.ctx.db).await.unwrap()
}
