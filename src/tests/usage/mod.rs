//! Usage on real Postgres: counts are written exactly once, reports sum exactly what was counted, samples are said to be samples.

mod addresses;
mod credits;
mod flushing;
mod grounds;
mod latencies;
mod minutes;
mod named;
mod nodes;
mod pages;
mod partitions;
pub mod passing;
mod permissions;
mod refusals;
mod reports;
mod rest;
mod rolling;
pub mod rollups;
mod round_trip;
mod secrets;
mod sums;
mod views;

use crate::support::TestApp;
use std::sync::Arc;
use tollgate::{
    accounts::{Caller, Reach, Via},
    keys::server::meter::{Batch, Tally},
    platform::Ctx,
    usage::server::write_batch,
    values::{AccountId, ApiId, KeyId, Outcome, SessionId, WorkspaceId, permission_names as may},
};
use uuid::Uuid;

/// The API `demo` of the first migration.
const DEMO: Uuid = Uuid::from_u128(0x0189_0000_0000_7000_8000_0000_0000_0002);

/// A developer in a workspace of their own.
pub async fn developer(ctx: &Ctx, name: &str, time_zone: &str) -> Caller {
    let (account, workspace): (AccountId, WorkspaceId) = (ctx.new_id(), ctx.new_id());
    let email = format!("{name}@example.com");
    sqlx::query("insert into accounts (id, email, email_key, name, time_zone, verified_at, created_at, updated_at) values ($1, $2, $2, $3, $4, $5, $5, $5)")
        .bind(account.uuid())
        .bind(&email)
        .bind(name)
        .bind(time_zone)
        .bind(ctx.clock.now())
        .execute(&ctx.db)
        .await
        .unwrap();
    sqlx::query("insert into workspaces (id, name, personal_of, created_at) values ($1, $2, $3, $4)")
        .bind(workspace.uuid())
        .bind(name)
        .bind(account.uuid())
        .bind(ctx.clock.now())
        .execute(&ctx.db)
        .await
        .unwrap();
    Caller {
        account,
        name: name.to_owned(),
        email,
        workspace,
        workspace_name: name.to_owned(),
        time_zone: time_zone.to_owned(),
        picture: None,
        permissions: vec![may::USAGE_READ],
        via: Via::Session(ctx.new_id::<SessionId>()),
        operator: None,
        gave_pin: false,
        reach: Reach::Everywhere,
    }
}

async fn operator(ctx: &Ctx) -> Caller {
    let mut caller = developer(ctx, "operator", "UTC").await;
    caller.permissions.push(may::ADMIN_READ);
    caller
}

pub async fn key(ctx: &Ctx, owner: &Caller, name: &str) -> KeyId {
    let id: KeyId = ctx.new_id();
    sqlx::query("insert into keys (id, workspace_id, api_id, name, created_at, updated_at) values ($1, $2, $3, $4, $5, $5)")
        .bind(id.uuid())
        .bind(owner.workspace.uuid())
        .bind(DEMO)
        .bind(name)
        .bind(ctx.clock.now())
        .execute(&ctx.db)
        .await
        .unwrap();
    id
}

pub fn tally(owner: &Caller, key: KeyId, route: &str, outcome: Outcome, minute: i64, count: u64) -> Tally {
    Tally { key, workspace: owner.workspace, api: ApiId::new(DEMO), route: Arc::from(route), outcome, minute, count, cost: count }
}

pub async fn write(app: &TestApp, counts: Vec<Tally>) {
    assert!(write_batch(&app.ctx, app.ctx.new_id(), &Batch { counts, ..Batch::default() }).await.unwrap());
}

/// A small deterministic source of numbers below `n`: the data of a test is the same each time.
struct Dice(u64);
impl Dice {
    fn roll(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}
