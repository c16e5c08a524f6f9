//! Which blocks there are, and were in the last 30 days.

use super::{
    rules,
    store::{self, Filter, Place, Target},
};
use crate::{
    accounts::Caller,
    blocks::model::{Block, BlockQuery},
    error::AppError,
    platform::Ctx,
    values::{AbuseRule, BlockId, permission_names as may},
};

/// A part of the list.
#[derive(Debug, Clone)]
pub struct BlockList {
    pub blocks: Vec<Block>,
    /// It goes on after this one.
    pub older: Option<BlockId>,
}

/// One block.
pub async fn find_block(ctx: &Ctx, caller: &Caller, id: BlockId) -> Result<Block, AppError> {
    caller.require(&may::BLOCKS_MANAGE)?;
    store::find_block(&mut *ctx.db.acquire().await?, id, ctx.clock.now()).await?.ok_or(AppError::NotFound)
}

/// Blocks, newest first; at most so many.
pub async fn list_blocks(ctx: &Ctx, caller: &Caller, query: &BlockQuery, most: usize) -> Result<BlockList, AppError> {
    caller.require(&may::BLOCKS_MANAGE)?;
    let filter = filter(query)?;
    let foreign = |_| AppError::invalid("cursor", "This list can't be continued here. Start at its beginning.");
    let after = query.older.as_deref().map(|text| text.parse::<BlockId>().map_err(foreign)).transpose()?;
    let place = Place { after, most: i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1) };
    let mut blocks = store::list_blocks(&ctx.db, &filter, place, ctx.clock.now()).await?;
    let has_more = blocks.len() > most;
    blocks.truncate(most);
    Ok(BlockList { older: blocks.last().filter(|_| has_more).map(|b| b.id), blocks })
}

fn filter(query: &BlockQuery) -> Result<Filter, AppError> {
    let active = match query.state.as_deref() {
        None | Some("active") => Some(true),
        Some("past") => Some(false),
        Some("all") => None,
        Some(_) => return Err(AppError::invalid("state", "Ask for active, past or all.")),
    };
    let of = match query.of.as_deref() {
        None => None,
        Some(word @ ("address" | "key" | "workspace")) => Some(word.to_owned()),
        Some(_) => return Err(AppError::invalid("of", "Ask for blocks of address, key or workspace.")),
    };
    let by = match query.by.as_deref() {
        None => None,
        Some(word) if word == "operator" || word.parse::<AbuseRule>().is_ok() => Some(word.to_owned()),
        Some(_) => return Err(AppError::invalid("by", "Ask for blocks by operator, unknown-keys, refusals or spread.")),
    };
    let mut filter = Filter { active, of, by, ..Filter::default() };
    match query.q.as_deref().map(rules::target).transpose().map_err(|words| AppError::invalid("q", words))? {
        Some(Target::Network(network)) => filter.network = Some(network.to_string()),
        Some(Target::Key(key)) => filter.id = Some(key.uuid()),
        Some(Target::Workspace(workspace)) => filter.id = Some(workspace.uuid()),
        None => {}
    }
    Ok(filter)
}
