//! Server functions of blocks: what `/admin/blocks` reads, and where its forms go.

use super::model::{BlockPage, BlockQuery, RuleForm};
use crate::{error::AppError, values::BlockId};
use leptos::prelude::*;

/// What `/admin/blocks` shows.
#[server]
pub async fn read_blocks(#[server(default)] query: BlockQuery) -> Result<BlockPage, AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::block_page(&ctx, &caller, query).await
}

/// Blocks an address, a network, a key or a workspace.
#[server]
pub async fn add_block(#[server(default)] target: String, #[server(default)] reason: String, #[server(default)] lasts: String) -> Result<(), AppError> {
    use super::server;
    use crate::{accounts::server::Visitor, platform::http::reply};
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let added = server::forms::add(&ctx, &caller, &Visitor::here(), &target, reason, &lasts).await?;
    let what = if added.is_new { "Blocked" } else { "Blocked already" };
    reply::toast(&ctx, &format!("{what}: {}. {}", added.block.target.words(), added.spread.words("Refused")));
    Ok(())
}

/// Lifts a block.
#[server]
pub async fn lift_block(id: BlockId, #[server(default)] note: String) -> Result<(), AppError> {
    use super::server;
    use crate::platform::http::reply;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let lifted = server::lift_block(&ctx, &caller, id, &note).await?;
    let what = if lifted.is_new { "The block is lifted" } else { "This block was not in force any more" };
    reply::toast(&ctx, &format!("{what}: {}. {}", lifted.block.target.words(), lifted.spread.words("In force")));
    Ok(())
}

/// Sets a rule that watches for abuse.
#[server]
pub async fn set_rule(rule: RuleForm) -> Result<(), AppError> {
    use super::server;
    use crate::platform::http::reply;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let spread = server::forms::set_rule(&ctx, &caller, rule).await?;
    reply::toast(&ctx, &format!("The rule is set. {}", spread.words("In force")));
    Ok(())
}

/// Sets the networks that no block holds, one a line.
#[server]
pub async fn set_exemptions(#[server(default)] networks: String) -> Result<(), AppError> {
    use super::server;
    use crate::platform::http::reply;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let spread = server::set_exemptions(&ctx, &caller, &networks).await?;
    reply::toast(&ctx, &format!("These networks are never blocked. {}", spread.words("In force")));
    Ok(())
}
