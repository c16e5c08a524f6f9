//! Ending a block before its time, and forgetting old ones.

use super::{
    adding::{Added, note},
    rules,
    store::{self, Maker, Target},
};
use crate::{
    accounts::Caller,
    blocks::model::{Block, BlockState, BlockTarget, Lifted},
    error::AppError,
    keys::server::{actor, nodes::spread_of_blocks},
    platform::Ctx,
    values::{BlockId, permission_names as may},
};
use time::Duration;
use tokio::time::Instant;

/// Days that a block stays as history after its end.
const KEPT: i64 = 30;

/// Lifts a block; one that is not in force any more is left as it is. Answers when every live node lets pass again.
pub async fn lift_block(ctx: &Ctx, caller: &Caller, id: BlockId, why: &str) -> Result<Added, AppError> {
    caller.require(&may::BLOCKS_MANAGE)?;
    let why = rules::note(why).map_err(|words| AppError::invalid("note", words))?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await?;
    store::lock_block(&mut tx, id).await?;
    let block = store::find_block(&mut tx, id, now).await?.ok_or(AppError::NotFound)?;
    if block.state != BlockState::Active {
        tx.rollback().await?;
        return Ok(Added { block, is_new: false, spread: spread_of_blocks(ctx, Instant::now()).await }); // sent twice, or too late
    }
    let (account, name) = actor(caller);
    let by = Maker { account, name };
    store::end_block(&mut tx, id, by, &why, now).await?;
    let workspace = match &block.target {
        BlockTarget::Address { .. } => None,
        BlockTarget::Key { id, .. } => store::find_target(&mut tx, Target::Key(*id)).await?.and_then(|(_, workspace)| workspace),
        BlockTarget::Workspace { id, .. } => Some(*id),
    };
    note(ctx, &mut tx, by, "block.lifted", &block, workspace, &why).await?;
    let since = Instant::now();
    tx.commit().await?;
    let lifted = Some(Lifted { at: now, by: name.to_owned(), note: why });
    let block = Block { state: BlockState::Lifted, lifted, ..block };
    Ok(Added { block, is_new: true, spread: spread_of_blocks(ctx, since).await })
}

/// Forgets blocks that ended 30 days ago. Answers how many.
pub async fn forget_old_blocks(ctx: &Ctx) -> Result<u64, AppError> {
    Ok(store::delete_ended(&ctx.db, ctx.clock.now() - Duration::days(KEPT)).await?)
}
