//! `tollgate block …`: what is blocked, blocking, slowing and lifting; the rules that do so by themselves (`rules`). Every running
//! server hears of it at once.

mod rules;

use super::{
    Exit, Invocation,
    missing::{OrNo, Thing},
    with_ctx,
};
use crate::{
    accounts::Caller,
    blocks::{
        model::{Block, BlockAction, BlockQuery, BlockState, NewBlock},
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
    /// Block an address, a key, a workspace or an account
    Add(New),
    /// Let pass again
    Lift {
        id: String,
        /// Why
        #[arg(long, default_value = "", value_name = "WORDS")]
        note: String,
    },
    /// List the rules that block by themselves
    Rules,
    /// Change a rule
    SetRule(rules::Change),
    /// List the networks that no block holds
    Exemptions,
    /// No block holds these networks, and no others
    SetExemptions {
        /// 192.0.2.0/24; without any the list becomes empty
        networks: Vec<String>,
    },
}

#[derive(Args)]
pub(super) struct New {
    /// An address, a network, the id of a key or a workspace, or the id or email of an account
    target: String,
    /// Let so many calls pass in a second, in place of none
    #[arg(long, value_name = "PER_SECOND")]
    slow: Option<u32>,
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
            Self::Rules => rules::list(ctx, invocation).await,
            Self::SetRule(change) => rules::set(ctx, invocation, change).await,
            Self::Exemptions => rules::exemptions(ctx, invocation).await,
            Self::SetExemptions { networks } => rules::set_exemptions(ctx, invocation, &networks).await,
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
    let held = if block.state == BlockState::Notice { "only told".to_owned() } else { block.action.words() };
    format!("{}  {:8}  {:24}  {held} {}  {} (by {by})", block.id, block.state.as_str(), block.target.words(), until(block), block.reason)
}

fn until(block: &Block) -> String {
    block.until.map_or_else(|| "until it is lifted".to_owned(), |at| format!("until {}", at.format(&Rfc3339).unwrap_or_default()))
}

async fn add(ctx: &Ctx, invocation: &Invocation, new: New) -> Result<Exit, AppError> {
    let seconds = blocks::lasting(&new.lasts).map_err(|words| AppError::invalid("for", words))?;
    let action = BlockAction::of(new.slow);
    if invocation.dry_run {
        let words = if new.slow.is_some() { format!("Would leave {} {}.", new.target, action.words()) } else { format!("Would block {}.", new.target) };
        invocation.answer(&json!({ "would_block": new.target, "action": action }), &words);
        return Ok(Exit::Done);
    }
    let wish = NewBlock { target: new.target, action, reason: new.reason, seconds };
    let added = blocks::add_block(ctx, &Caller::cli(), None, wish).await?;
    let (target, held) = (added.block.target.words(), added.block.action.words());
    let words = format!("Calls of {target} are {held} {} ({}). {}", until(&added.block), added.block.id, added.spread.words("In force"));
    invocation.answer(&json!({ "block": added.block, "is_new": added.is_new, "spread": added.spread }), &words);
    Ok(Exit::Done)
}

async fn lift(ctx: &Ctx, invocation: &Invocation, id: &str, note: &str) -> Result<Exit, AppError> {
    let id: BlockId = id.parse().map_err(|error: crate::values::IdError| AppError::invalid("id", error.to_string()))?;
    if invocation.dry_run {
        let block = blocks::find_block(ctx, &Caller::cli(), id).await.or_no(Thing::Block, id)?;
        invocation.answer(&block, &format!("Would lift the block of {}.", block.target.words()));
        return Ok(Exit::Done);
    }
    let lifted = blocks::lift_block(ctx, &Caller::cli(), id, note).await.or_no(Thing::Block, id)?;
    let what = if lifted.is_new { "Lifted" } else { "Not in force any more" };
    let words = format!("{what}: {}. {}", lifted.block.target.words(), lifted.spread.words("In force"));
    invocation.answer(&json!({ "block": lifted.block, "spread": lifted.spread }), &words);
    Ok(Exit::Done)
}
