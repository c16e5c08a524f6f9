//! Server functions of blocks: what `/admin/blocks` reads, and where its forms go.

use super::model::{BlockPage, BlockQuery, RuleForm};
use crate::{error::AppError, values::BlockId};
use leptos::{prelude::*, server_fn::ServerFn};

/// What `/admin/blocks` shows.
#[server]
pub async fn read_blocks(#[server(default)] query: BlockQuery) -> Result<BlockPage, AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::block_page(&ctx, &caller, query).await
}

/// Blocks an address, a network, a key, a workspace or an account.
#[server]
pub async fn add_block(
    #[server(default)] target: String,
    #[server(default)] reason: String,
    #[server(default)] action: String,
    #[server(default)] per_second: String,
    #[server(default)] lasts: String,
) -> Result<(), AppError> {
    use super::{model::BlockForm, server};
    use crate::{accounts::server::Visitor, platform::http::reply};
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let form = BlockForm { target, reason, action, per_second, lasts };
    let added = server::forms::add(&ctx, &caller, &Visitor::here(), form).await?;
    let again = if added.is_new { "" } else { ", as before" };
    let (target, action) = (added.block.target.words(), added.block.action.words());
    let text = format!("Calls of {target} are {action}{again}. {}", added.spread.words("In force"));
    if added.is_new {
        reply::toast_with_undo(&ctx, &text, LiftBlock::PATH, &[("id", &added.block.id.to_string())]);
    } else {
        reply::toast(&ctx, &text); // to lift it would end what was there before
    }
    Ok(())
}

/// Lifts a block.
#[server]
pub async fn lift_block(id: BlockId, #[server(default)] note: String) -> Result<(), AppError> {
    use super::server;
    use crate::platform::http::reply;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let lifted = server::lift_block(&ctx, &caller, id, &note).await?;
    let what = if lifted.is_new { "The block is lifted" } else { "This block had already ended" };
    reply::toast(&ctx, &format!("{what}: {}. {}", lifted.block.target.words(), lifted.spread.words("In force")));
    Ok(())
}

/// Sets a rule that watches for abuse.
#[server]
pub async fn set_rule(rule: RuleForm, version: Option<String>) -> Result<(), AppError> {
    use super::server;
    use crate::platform::http::reply;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let spread = server::forms::set_rule(&ctx, &caller, rule, version.as_deref()).await?;
    reply::toast(&ctx, &format!("The rule is saved. {}", spread.words("In force")));
    Ok(())
}

/// Sets the networks that no block holds, one a line.
#[server]
pub async fn set_exemptions(#[server(default)] networks: String, version: Option<String>) -> Result<(), AppError> {
    use super::server;
    use crate::platform::http::reply;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let spread = server::set_exemptions(&ctx, &caller, &networks, version.as_deref()).await?;
    reply::toast(&ctx, &format!("These networks are never blocked. {}", spread.words("In force")));
    Ok(())
}
