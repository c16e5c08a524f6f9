//! The audit log as a chain (R83, S95): what it shows, what it lets through, and that it stays whole while people are erased.

mod anchoring;
mod breaks;
mod chain;
mod checkpoints;
mod cli;
mod erasing;

use crate::support::TestApp;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgPool};
use tollgate::{
    activity::server::{
        Change,
        audit::{Verdict, seal, verify},
        record,
    },
    platform::Ctx,
    values::{AccountId, EventId},
};

/// An event with everything in it.
async fn happen(ctx: &Ctx, kind: &str, actor: Option<AccountId>) -> EventId {
    happen_with(ctx, kind, actor, json!({ "calls": 3, "address": "203.0.113.9", "device": "Firefox", "name": "shop" })).await
}

async fn happen_with(ctx: &Ctx, kind: &str, actor: Option<AccountId>, data: Value) -> EventId {
    let mut conn = ctx.db.acquire().await.unwrap();
    let change = Change { kind, actor, actor_name: "Vera Somebody", subject: actor.map(AccountId::uuid), reason: "because", data, ..Change::default() };
    record(ctx, &mut conn, change).await.unwrap()
}

/// Five events in the chain: entry 1 is the start, events stand at 2 to 6.
async fn five(app: &TestApp) {
    for n in 1..=5 {
        happen(&app.ctx, &format!("test.{n}"), None).await;
    }
    assert_eq!(seal(&app.ctx).await, Ok(6));
}

async fn verified(ctx: &Ctx) -> Verdict {
    verify(ctx, &[], |_| {}).await.unwrap()
}

#[track_caller]
fn assert_whole(verdict: &Verdict) {
    assert_eq!(verdict.broken, None, "{verdict:?}");
}

/// What somebody with all rights in the database, and without the key, can do.
async fn tamper(db: &PgPool, sql: &str) {
    let mut conn = db.acquire().await.unwrap().detach();
    sqlx::raw_sql(AssertSqlSafe(format!("set session_replication_role = replica; {sql}"))).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
}

async fn count(db: &PgPool, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(db).await.unwrap()
}
