//! Keys over real HTTP: REST, pages, and what the gate then answers.

mod about;
mod addresses;
mod apis;
mod batch;
mod batch_bundles;
mod bundles;
mod bundles_cli;
mod by_secret;
mod edit_cli;
mod ends;
mod find;
mod grants;
mod idempotency;
mod import_owners;
mod importing;
mod key_routes;
pub mod leaks;
mod limits_page;
mod lists;
mod lists_cli;
mod long_lists;
mod many;
mod of_unkey;
mod old_secrets;
mod origins;
mod pages;
mod paging;
mod presets;
mod raced;
mod reasons;
mod rest;
mod review;
mod rotation;
mod routes;
mod routes_cli;
mod secrecy;
mod secrets_cli;
mod signing;
mod states;
mod strangers;
mod trying;
mod widening;

use crate::{
    gate::{Given, Owner, key, known, owner},
    support::TestApp,
};
use reqwest::{Method, Response};
use serde_json::Value;
use sqlx::PgPool;
use tollgate::values::KeyId;

/// Somebody with a key for Tollgate's own API, which may all that the person may.
pub struct Person {
    pub owner: Owner,
    pub rest_key: KeyId,
    pub secret: String,
}

pub const DEVELOPER: &[&str] = &["account:read", "account:write", "keys:read", "keys:write", "usage:read"];
pub const OPERATOR: &[&str] = &["account:read", "account:write", "keys:read", "keys:write", "keys:verify", "keys:manage", "usage:read"];

pub async fn person(app: &TestApp, db: &PgPool, email: &str, role: &str) -> Person {
    let permissions = if role == "operator" { OPERATOR } else { DEVELOPER };
    person_with(app, db, email, role, permissions).await
}

/// Whose REST key has fewer permissions than the person.
pub async fn person_with(app: &TestApp, db: &PgPool, email: &str, role: &str, permissions: &[&str]) -> Person {
    let owner = owner(app, email, role).await;
    let (rest_key, secret) = key(db, app, &owner, Given { api: "tollgate", permissions, limit: Some((100_000, 3_600)) }).await;
    known(app, rest_key).await;
    Person { owner, rest_key, secret }
}

impl Person {
    pub async fn call(&self, app: &TestApp, method: Method, path: &str, body: Option<Value>) -> Response {
        let request = app.http.request(method, app.url(path)).bearer_auth(&self.secret);
        body.into_iter().fold(request, |r, b| r.json(&b)).send().await.unwrap()
    }

    pub async fn get(&self, app: &TestApp, path: &str) -> Response {
        self.call(app, Method::GET, path, None).await
    }

    pub async fn post(&self, app: &TestApp, path: &str, body: Value) -> Response {
        self.call(app, Method::POST, path, Some(body)).await
    }

    /// A new key of the demo API: its id and secret.
    pub async fn new_key(&self, app: &TestApp, name: &str) -> (String, String) {
        let answer = self.post(app, "/api/v1/keys", serde_json::json!({ "name": name })).await;
        assert_eq!(answer.status(), 201);
        let body: Value = answer.json().await.unwrap();
        (text(&body, "id"), text(&body, "secret"))
    }
}

pub fn text(body: &Value, field: &str) -> String {
    body[field].as_str().unwrap_or_else(|| panic!("no {field} in {body}")).to_owned()
}

pub async fn json(answer: Response) -> (u16, Value) {
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap())
}

/// What the gate says to a call with this secret: a status.
pub async fn passes(app: &TestApp, secret: &str) -> u16 {
    app.http.get(app.url("/forward-auth/demo")).bearer_auth(secret).send().await.unwrap().status().as_u16()
}

/// The acts in the history of a key, newest first, with their reasons.
pub async fn acts(app: &TestApp, person: &Person, id: &str) -> Vec<(String, String)> {
    let (status, body) = json(person.get(app, &format!("/api/v1/keys/{id}/history")).await).await;
    assert_eq!(status, 200, "{body}");
    body["data"].as_array().unwrap().iter().map(|e| (text(e, "act"), text(e, "reason"))).collect()
}

/// How often something was recorded as an event.
pub async fn events(db: &PgPool, kind: &str) -> i64 {
    sqlx::query_scalar("select count(*) from events where kind = $1").bind(kind).fetch_one(db).await.unwrap()
}
