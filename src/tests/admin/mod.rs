//! The admin pages: who reaches them, what they show, what they change. Tests are named after the ids of SECURITY.md where there
//! is one.

mod access;
mod accounts;
mod bans;
mod bans_rest;
mod jobs;
mod keys;
mod locked;
mod many_accounts;
mod overview;
mod templates;

use crate::support::{TestApp, browser::Person};
use tollgate::{
    accounts::{Caller, Via, server::caller_of_account},
    keys::{
        model::NewKey,
        server::{create_key, gate::Gate},
    },
    values::{AccountId, KeyId, Outcome},
};

/// The caller that an account is on the command line's word.
async fn caller(app: &TestApp, account: AccountId) -> Caller {
    caller_of_account(&app.ctx, account, Via::Cli).await.unwrap().unwrap()
}

/// A key for the demo API, and its secret.
async fn key_of(app: &TestApp, person: &Person, name: &str) -> (KeyId, String) {
    let new = NewKey { name: name.to_owned(), api: Some("demo".to_owned()), ..NewKey::default() };
    let created = create_key(&app.ctx, &caller(app, person.account).await, new).await.unwrap();
    (created.key.id, created.secret.unwrap())
}

/// What the gate of this process says of a secret now.
fn answer(app: &TestApp, secret: &str) -> Outcome {
    app.ctx.part::<Gate>().unwrap().standing(secret, "demo", "orders:read", "", None)
}

/// How many events of this kind there are.
async fn events(app: &TestApp, kind: &str) -> i64 {
    sqlx::query_scalar::<_, i64>("select count(*) from events where kind = $1").bind(kind).fetch_one(&app.ctx.db).await.unwrap()
}
