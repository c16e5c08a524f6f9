//! Blocks: what the gate refuses for them, the rules that make them, and what operators do about it.

mod asking;
mod cli;
mod gate;
mod pages;
mod rest;
mod rules;
mod slow;
mod telling;

use crate::{
    gate::Scene,
    support::{TestApp, until},
};
use std::net::IpAddr;
use tollgate::{
    accounts::Caller,
    blocks::{
        model::{Block, BlockAction, BlockQuery, NewBlock},
        server::{Added, add_block, list_blocks},
    },
    error::AppError,
    keys::server::gate::{Answer, Gate, Question},
    platform::Ctx,
};

/// What the gate of this node says of a call from an address.
pub fn answer(ctx: &Ctx, secret: &str, address: &str) -> Answer {
    let address: IpAddr = address.parse().unwrap();
    ctx.part::<Gate>().unwrap().verify(Question { secret, address: Some(address), route: "GET /orders", cost: Some(0), ..Question::default() }).unwrap()
}

pub fn code(ctx: &Ctx, secret: &str, address: &str) -> String {
    answer(ctx, secret, address).outcome.to_string()
}

/// Waits until this node says so.
pub async fn says(app: &TestApp, secret: &str, address: &str, expected: &str) {
    until(&format!("{address}: {expected}"), || async { code(&app.ctx, secret, address) == expected }).await;
}

/// Blocks on the command line's word.
pub async fn block(ctx: &Ctx, target: &str, seconds: Option<u64>) -> Result<Added, AppError> {
    hold(ctx, target, BlockAction::Refuse, seconds).await
}

/// Slows on the command line's word.
pub async fn slow(ctx: &Ctx, target: &str, per_second: u32, seconds: Option<u64>) -> Result<Added, AppError> {
    hold(ctx, target, BlockAction::Slow { per_second }, seconds).await
}

async fn hold(ctx: &Ctx, target: &str, action: BlockAction, seconds: Option<u64>) -> Result<Added, AppError> {
    add_block(ctx, &Caller::cli(), None, NewBlock { target: target.to_owned(), action, reason: "a test".to_owned(), seconds }).await
}

/// What the list shows.
pub async fn listed(ctx: &Ctx, state: &str) -> Vec<Block> {
    let query = BlockQuery { state: Some(state.to_owned()), ..BlockQuery::default() };
    list_blocks(ctx, &Caller::cli(), &query, 1_000).await.unwrap().blocks
}

/// Tries of keys that are none.
pub fn guess(ctx: &Ctx, address: &str, times: usize) {
    for _ in 0..times {
        answer(ctx, "demo_live_nonsense", address);
    }
}

/// What a node suspects is looked at in order: once it has blocked this address for its tries, all that it suspected before was looked at.
pub async fn looked_at_all_before(app: &TestApp, address: &str) {
    guess(&app.ctx, address, 150);
    says(app, "demo_live_nonsense", address, "IP_DENIED").await;
}

pub async fn execute(scene: &Scene, sql: &str) {
    sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).execute(&scene.app.ctx.db).await.unwrap();
}
