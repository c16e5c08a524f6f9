//! `tollgate login`, `logout`, `whoami`: a person at a Tollgate that may run elsewhere, over its REST API only. Signing in is the device
//! flow: the browser asks for the password, this program never sees it.

use super::{
    Exit, Invocation, complain,
    credentials::{self, Credentials},
};
use crate::platform::fetch::{FetchError, Reach, fetch_within, is_allowed};
use axum::http::{Method, Request, StatusCode, header};
use clap::Args;
use serde_json::{Value, json};
use std::{io, time::Duration};
use url::Url;

#[derive(Debug, Args)]
pub(super) struct Login {
    /// The Tollgate to sign in at [default: server.public_url]
    #[arg(long)]
    url: Option<Url>,
    /// What this program calls itself on the page that asks
    #[arg(long, default_value = "tollgate command line")]
    name: String,
}

/// Shows address and code, waits for the person, keeps the tokens.
pub(super) async fn login(invocation: &Invocation, flags: Login) -> Exit {
    let url = flags.url.unwrap_or_else(|| invocation.config.server.public_url.clone());
    if invocation.dry_run {
        invocation.answer(&json!({ "would_sign_in_at": url.as_str() }), &format!("Would sign in at {url}."));
        return Exit::Done;
    }
    ended(let_in(invocation, url, &flags.name).await)
}

/// Ends the sign-in on the server and forgets the tokens.
pub(super) async fn logout(invocation: &Invocation) -> Exit {
    ended(sign_out(invocation).await)
}

/// Says who is signed in.
pub(super) async fn whoami(invocation: &Invocation) -> Exit {
    ended(tell(invocation).await)
}

fn ended(done: Result<(), Exit>) -> Exit {
    done.err().unwrap_or(Exit::Done)
}

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
const AGENT: &str = concat!("tollgate/", env!("CARGO_PKG_VERSION"));

/// A Tollgate over REST.
struct Remote {
    url: Url,
}

impl Remote {
    /// Sends JSON, or nothing, and reads JSON, or nothing (`Null`). Every status is an answer. Plain http is for this machine only: what
    /// travels are tokens.
    async fn call(&self, method: Method, path: &str, bearer: Option<&str>, body: Option<&Value>) -> Result<(StatusCode, Value), Exit> {
        let url = self.url.join(path).map_err(failed)?;
        let host = url.origin().ascii_serialization();
        let unread = |error| match error {
            FetchError::Plain => failed(format!("{host} is plain http off this machine: tokens would travel in clear. Use https.")),
            FetchError::Late(_) => failed(format!("{host} did not answer within {} seconds.", PATIENCE.as_secs())),
            FetchError::Answer(_) => failed(format!("{host} answered something that is no Tollgate's answer. Check the address.")),
            FetchError::Connection(error) => failed(format!("{host} can't be reached: {error}.")),
            other => failed(format!("{host} can't be reached: {other}.")),
        };
        if !is_allowed(&url, Reach::Anywhere) {
            return Err(unread(FetchError::Plain));
        }
        let mut request = Request::builder().method(method).uri(url.as_str()).header(header::ACCEPT, "application/json").header(header::USER_AGENT, AGENT);
        if let Some(token) = bearer {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let request = request.body(body.map_or_else(Vec::new, |body| body.to_string().into_bytes())).map_err(failed)?;
        let answer = fetch_within(request, Reach::Anywhere, PATIENCE).await.map_err(unread)?;
        let read = match answer.body().as_slice() {
            [] => Value::Null,
            bytes => {
                serde_json::from_slice(bytes).map_err(|_| failed(format!("{host} answered something that is no Tollgate's answer. Check the address.")))?
            }
        };
        Ok((answer.status(), read))
    }
}

async fn let_in(invocation: &Invocation, url: Url, name: &str) -> Result<(), Exit> {
    let remote = Remote { url };
    let (status, asked) = remote.call(Method::POST, "/api/v1/auth/device", None, Some(&json!({ "client_id": name }))).await?;
    if status != StatusCode::OK {
        return Err(refused(&asked));
    }
    let text = |name: &str| asked[name].as_str().unwrap_or_default();
    complain(format!("open {} in a browser and check that it shows the code {}", text("verification_uri_complete"), text("user_code")));
    complain("waiting until you approve it there …");
    let tokens = wait(&remote, &asked).await?;
    let found = kept(&remote, &tokens)?;
    let place = credentials::save(&found).map_err(failed)?;
    let (status, me) = remote.call(Method::GET, "/api/v1/me", Some(&found.access_token), None).await?;
    if status != StatusCode::OK {
        return Err(refused(&me));
    }
    let email = me["email"].as_str().unwrap_or_default();
    let words = format!("Signed in at {} as {email}. The tokens are in {}.", found.url, place.display());
    invocation.answer(&json!({ "url": found.url, "email": email, "id": me["id"] }), &words);
    Ok(())
}

/// Asks at the pace that the server wants until it says yes, no, or too late. A network that breaks is no answer.
async fn wait(remote: &Remote, asked: &Value) -> Result<Value, Exit> {
    let seconds = |name: &str, else_: u64| asked[name].as_u64().unwrap_or(else_);
    let (mut interval, mut left) = (seconds("interval", 5).max(1), seconds("expires_in", 600));
    let body = json!({ "grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": asked["device_code"] });
    loop {
        tokio::time::sleep(Duration::from_secs(interval)).await;
        let answer = remote.call(Method::POST, "/api/v1/auth/token", None, Some(&body)).await;
        match answer {
            Ok((StatusCode::OK, tokens)) => return Ok(tokens),
            Ok((_, problem)) => match problem["error"].as_str() {
                Some("authorization_pending" | "temporarily_unavailable") => {}
                Some("slow_down") => interval += 5,
                _ => return Err(refused(&problem)),
            },
            Err(_) if left > interval => {}
            Err(exit) => return Err(exit),
        }
        left = left.saturating_sub(interval);
        if left == 0 {
            complain("nobody approved it in time. Run tollgate login again.");
            return Err(Exit::Refused);
        }
    }
}

async fn sign_out(invocation: &Invocation) -> Result<(), Exit> {
    let Some(found) = credentials::load().map_err(failed)? else {
        invocation.answer(&json!({ "signed_out": false }), "Nobody is signed in here.");
        return Ok(());
    };
    if invocation.dry_run {
        invocation.answer(&json!({ "would_sign_out_at": found.url }), &format!("Would sign out at {}.", found.url));
        return Ok(());
    }
    let remote = Remote { url: found.url.parse().map_err(failed)? };
    let body = json!({ "refresh_token": found.refresh_token });
    let (status, problem) = remote.call(Method::POST, "/api/v1/auth/logout", None, Some(&body)).await?;
    if !status.is_success() {
        return Err(refused(&problem));
    }
    credentials::forget().map_err(failed)?;
    invocation.answer(&json!({ "signed_out": true }), &format!("Signed out at {}.", found.url));
    Ok(())
}

async fn tell(invocation: &Invocation) -> Result<(), Exit> {
    let Some(found) = credentials::load().map_err(failed)? else {
        complain("nobody is signed in here. Run tollgate login.");
        return Err(Exit::Refused);
    };
    let remote = Remote { url: found.url.parse().map_err(failed)? };
    let mut answer = remote.call(Method::GET, "/api/v1/me", Some(&found.access_token), None).await?;
    if answer.0 == StatusCode::UNAUTHORIZED {
        let renewed = renew(&remote, &found).await?;
        answer = remote.call(Method::GET, "/api/v1/me", Some(&renewed.access_token), None).await?;
    }
    let (status, me) = answer;
    if status != StatusCode::OK {
        return Err(refused(&me));
    }
    let text = |name: &str| me[name].as_str().unwrap_or_default();
    let words = format!("{} <{}> at {}", text("name"), text("email"), found.url);
    invocation.answer(&json!({ "url": found.url, "id": me["id"], "email": me["email"], "name": me["name"], "permissions": me["permissions"] }), &words);
    Ok(())
}

/// The next pair, kept before it is used: the old one is worth nothing any more.
async fn renew(remote: &Remote, old: &Credentials) -> Result<Credentials, Exit> {
    let body = json!({ "grant_type": "refresh_token", "refresh_token": old.refresh_token });
    let (status, answer) = remote.call(Method::POST, "/api/v1/auth/token", None, Some(&body)).await?;
    if status == StatusCode::OK {
        let new = kept(remote, &answer)?;
        credentials::save(&new).map_err(failed)?;
        return Ok(new);
    }
    if answer["error"] == "invalid_grant" {
        credentials::forget().map_err(failed)?;
        complain("this sign-in has ended. Run tollgate login.");
        return Err(Exit::Refused);
    }
    Err(refused(&answer))
}

fn kept(remote: &Remote, tokens: &Value) -> Result<Credentials, Exit> {
    let text = |name: &str| tokens[name].as_str().filter(|text| !text.is_empty()).map(ToOwned::to_owned);
    match text("access_token").zip(text("refresh_token")) {
        Some((access_token, refresh_token)) => Ok(Credentials { url: remote.url.to_string(), access_token, refresh_token }),
        None => Err(failed(io::Error::other("the answer holds no tokens. Check the address"))),
    }
}

fn failed(error: impl std::fmt::Display) -> Exit {
    complain(error);
    Exit::Failed
}

/// Says what the server said.
fn refused(problem: &Value) -> Exit {
    complain(problem["detail"].as_str().unwrap_or("the server refused this, and did not say why."));
    Exit::Refused
}
