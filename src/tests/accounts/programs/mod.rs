//! Programs that sign in: what they get, how long it works, what ends it, and how a browser lets them in.

mod command_line;
mod device;
mod ending;
mod refreshing;
mod signing_in;

use crate::support::{TestApp, browser::PASSWORD};
use reqwest::{Method, Response};
use serde_json::{Value, json};

const TOKEN: &str = "/api/v1/auth/token";
const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// What a program holds.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Tokens {
    access: String,
    refresh: String,
}

impl Tokens {
    fn of(body: &Value) -> Self {
        let text = |name: &str| body[name].as_str().unwrap_or_else(|| panic!("no {name} in {body}")).to_owned();
        Self { access: text("access_token"), refresh: text("refresh_token") }
    }

    async fn call(&self, app: &TestApp, method: Method, path: &str) -> Response {
        program().request(method, app.url(path)).bearer_auth(&self.access).send().await.unwrap()
    }

    /// What a call with the access token is answered.
    async fn status(&self, app: &TestApp) -> u16 {
        self.call(app, Method::GET, "/api/v1/me").await.status().as_u16()
    }

    async fn refresh(&self, app: &TestApp) -> (u16, Value) {
        post(app, TOKEN, json!({ "grant_type": "refresh_token", "refresh_token": self.refresh })).await
    }
}

/// A client without cookies.
fn program() -> reqwest::Client {
    reqwest::Client::builder().user_agent("backup/2.1").build().unwrap()
}

async fn post(app: &TestApp, path: &str, body: Value) -> (u16, Value) {
    let answer = program().post(app.url(path)).json(&body).send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {text}")) })
}

fn password_grant(email: &str, password: &str) -> Value {
    json!({ "grant_type": "password", "client_id": "nightly backup", "email": email, "password": password })
}

/// Signs a program in by email and password.
async fn signed_in(app: &TestApp, email: &str) -> Tokens {
    let (status, body) = post(app, TOKEN, password_grant(email, PASSWORD)).await;
    assert_eq!(status, 200, "{body}");
    Tokens::of(&body)
}

/// Status and `error` of a refusal.
fn refusal((status, body): &(u16, Value)) -> (u16, &str) {
    assert!(body["detail"].is_string() && body["request_id"].is_string() && body["status"] == *status, "{body}");
    (*status, body["error"].as_str().unwrap_or_else(|| panic!("no error in {body}")))
}
