//! `tollgate block …`: what is blocked, blocking and lifting. Every running server hears of it at once.

use super::{Exit, Invocation, with_ctx};
use crate::{
    accounts::Caller,
    blocks::{
        model::{Block, BlockQuery, NewBlock},
        server as blocks,
    },
    error::AppError,
    platform::Ctx,
    values::BlockId,
};
use clap::{Args, Subcommand};
use serde_json::json;
use time::format_description::well_known::Rfc3339;

#[derive(Subcommand)]
pub(super) enum BlockCommand {
    /// List what is blocked, newest first
    List {
        /// Those that ended in the last 30 days too
        #[arg(long)]
        all: bool,
    },
    /// Block an address, a key or a workspace
    Add(New),
    /// Let pass again
    Lift {
        id: String,
        /// Why
        #[arg(long, default_value = "", value_name = "WORDS")]
        note: String,
    },
}

#[derive(Args)]
pub(super) struct New {
    /// An address, a network, or the id of a key or a workspace
    target: String,
    /// Why, for who reads the list later
    #[arg(long, value_name = "WORDS")]
    reason: String,
    /// 10m, 24h, 7d, or never: until it is lifted
    #[arg(long = "for", value_name = "TIME", default_value = "1h")]
    lasts: String,
}

/// The list of the command line is not continued: nobody reads more.
const MOST: usize = 1_000;

impl BlockCommand {
    pub(super) async fn run(self, invocation: &Invocation) -> Exit {
        with_ctx(&invocation.config, "block", async |ctx| match self {
            Self::List { all } => list(ctx, invocation, all).await,
            Self::Add(new) => add(ctx, invocation, new).await,
            Self::Lift { id, note } => lift(ctx, invocation, &id, &note).await,
        })
        .await
    }
}

async fn list(ctx: &Ctx, invocation: &Invocation, all: bool) -> Result<Exit, AppError> {
    let query = BlockQuery { state: all.then(|| "all".to_owned()), ..BlockQuery::default() };
    let found = blocks::list_blocks(ctx, &Caller::cli(), &query, MOST).await?.blocks;
    let lines: Vec<String> = found.iter().map(line).collect();
    invocation.answer(&found, &if lines.is_empty() { "Nothing is blocked.".to_owned() } else { lines.join("\n") });
    Ok(Exit::Done)
}

fn line(block: &Block) -> String {
    let by = block.rule.map_or_else(|| block.by.clone(), |rule| format!("rule {rule}"));
    format!("{}  {:8}  {:24}  {}  {} (by {by})", block.id, block.state.as_str(), block.target.words(), until(block), block.reason)
}

fn until(block: &Block) -> String {
    block.until.map_or_else(|| "until it is lifted".to_owned(), |at| format!("until {}", at.format(&Rfc3339).unwrap_or_default()))
}

async fn add(ctx: &Ctx, invocation: &Invocation, new: New) -> Result<Exit, AppError> {
    let seconds = blocks::lasting(&new.lasts).map_err(|words| AppError::invalid("for", words))?;
    if invocation.dry_run {
        invocation.answer(&json!({ "would_block": new.target }), &format!("Would block {}.", new.target));
        return Ok(Exit::Done);
    }
    let wish = NewBlock { target: new.target, reason: new.reason, seconds };
    let added = blocks::add_block(ctx, &Caller::cli(), None, wish).await?;
    let words = format!("Blocked {} {} ({}). {}", added.block.target.words(), until(&added.block), added.block.id, added.spread.words("Refused"));
    invocation.answer(&json!({ "block": added.block, "is_new": added.is_new, "spread": added.spread }), &words);
    Ok(Exit::Done)
}

async fn lift(ctx: &Ctx, invocation: &Invocation, id: &str, note: &str) -> Result<Exit, AppError> {
    let id: BlockId = id.parse().map_err(|error: crate::values::IdError| AppError::invalid("id", error.to_string()))?;
    if invocation.dry_run {
        let block = blocks::find_block(ctx, &Caller::cli(), id).await?;
        invocation.answer(&block, &format!("Would lift the block of {}.", block.target.words()));
        return Ok(Exit::Done);
    }
    let lifted = blocks::lift_block(ctx, &Caller::cli(), id, note).await?;
    let what = if lifted.is_new { "Lifted" } else { "Not in force any more" };
    let words = format!("{what}: {}. {}", lifted.block.target.words(), lifted.spread.words("In force"));
    invocation.answer(&json!({ "block": lifted.block, "spread": lifted.spread }), &words);
    Ok(Exit::Done)
}
