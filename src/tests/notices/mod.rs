//! Notices: told once, at the right time, to who wants to know; in words that say what will happen and what to do.

mod alerts;
mod beyond;
mod ended;
mod expiry;
mod limits;
mod looks;
mod pages;
mod rest;
mod rolling;
mod units;

use crate::{
    support::TestApp,
    usage::{developer, key, tally, write},
};
use tollgate::{
    accounts::Caller,
    platform::mail::SentMail,
    values::{KeyId, Outcome, permission_names as may},
};

/// Somebody who reads in Stockholm, with what a developer may.
async fn mara(app: &TestApp) -> Caller {
    let mut mara = developer(&app.ctx, "mara", "Europe/Stockholm").await;
    mara.permissions.extend([may::ACCOUNT_READ, may::ACCOUNT_WRITE]);
    mara
}

/// A key with a limit of its own.
async fn limited(app: &TestApp, owner: &Caller, name: &str, calls: i64, window: i32) -> KeyId {
    let id = key(&app.ctx, owner, name).await;
    limit(app, id, "default", calls, window).await;
    id
}

async fn limit(app: &TestApp, key: KeyId, name: &str, calls: i64, window: i32) {
    sqlx::query("insert into key_limits (key_id, name, max_calls, window_seconds) values ($1, $2, $3, $4)")
        .bind(key.uuid())
        .bind(name)
        .bind(calls)
        .bind(window)
        .execute(&app.ctx.db)
        .await
        .unwrap();
}

/// So many calls in the present minute, through the same batches that the gate writes.
async fn call(app: &TestApp, owner: &Caller, key: KeyId, outcome: Outcome, calls: u64) {
    write(app, vec![tally(owner, key, "GET /orders", outcome, app.ctx.clock.now().unix_timestamp() / 60, calls)]).await;
}

/// A mail as everybody gets it: without the port of this test and the ids of its keys.
fn plain(app: &TestApp, keys: &[KeyId], text: &str) -> String {
    let text = text.replace(&app.base, "https://gate.example.com");
    keys.iter().enumerate().fold(text, |text, (i, key)| text.replace(&key.to_string(), &format!("key_{i}")))
}

fn subjects(mails: &[SentMail]) -> Vec<&str> {
    mails.iter().map(|mail| mail.subject.as_str()).collect()
}
