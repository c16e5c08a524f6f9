//! What happens when a rule fires: one block, or one notice, however many nodes noticed; and one mail of it, if operators want one.

use super::{
    adding::{is_exempt, note},
    store::{self, InForce, Maker, Target},
};
use crate::{
    blocks::model::{Block, BlockAction, BlockState},
    error::AppError,
    keys::server::gate::{Suspicion, blocks_refreshed},
    platform::Ctx,
};
use time::Duration;

/// More blocks by rules are not in force at a time: every node reads them all when one changes.
const MOST: u64 = 10_000;
/// Who did it, in events and in the list.
const SYSTEM: Maker<'static> = Maker { account: None, name: "system" };

/// Acts on a suspicion as its rule is set now. None if there is nothing to do: the rule is off, the target is blocked or told of
/// already, never blocked, or gone.
pub async fn fire(ctx: &Ctx, suspicion: Suspicion) -> Result<Option<Block>, AppError> {
    let Suspicion { rule, target, nodes } = suspicion;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await?;
    let Some(setting) = store::find_rule(&mut tx, rule).await?.filter(|setting| setting.is_on) else { return Ok(None) };
    let Some((named, workspace)) = store::find_target(&mut tx, target).await? else { return Ok(None) };
    if is_exempt(ctx, target) || meets_exempt(&store::list_exempt(&mut tx).await?, target) {
        return Ok(None);
    }
    store::lock_target(&mut tx, target).await?;
    let enough = match setting.then {
        None => InForce::Anything,
        Some(BlockAction::Slow { .. }) => InForce::Blocking,
        Some(BlockAction::Refuse) => InForce::Refusing,
    };
    if store::find_in_force(&mut tx, target, enough, now).await?.is_some() {
        return Ok(None); // another node was first
    }
    if setting.then.is_some() && store::count_active(&mut tx, true, now).await? >= MOST {
        tracing::warn!(%rule, whom = %named.words(), "not blocked: {MOST} blocks by rules are in force");
        return Ok(None);
    }
    let block = Block {
        id: ctx.new_id(),
        target: named,
        action: setting.then.unwrap_or_default(),
        state: if setting.then.is_some() { BlockState::Active } else { BlockState::Notice },
        reason: setting.reason_among(nodes),
        since: now,
        until: Some(now + Duration::seconds(i64::try_from(setting.seconds).unwrap_or(0))),
        by: SYSTEM.name.to_owned(),
        rule: Some(rule),
        lifted: None,
    };
    store::insert_block(&mut tx, &block, target, SYSTEM).await?;
    if setting.then.is_none() || setting.mails {
        store::insert_notice(&mut tx, block.id).await?;
    }
    let kind = if setting.then.is_some() { "block.added" } else { "block.noticed" };
    note(ctx, &mut tx, SYSTEM, kind, &block, workspace, &block.reason).await?;
    tx.commit().await?;
    tracing::info!(%rule, whom = %block.target.words(), seconds = setting.seconds, "{kind}: {}", block.reason);
    if setting.then.is_some() {
        blocks_refreshed(ctx).await;
    }
    Ok(Some(block))
}

fn meets_exempt(exempt: &[ipnet::IpNet], target: Target) -> bool {
    matches!(target, Target::Network(network) if exempt.iter().any(|e| e.contains(&network) || network.contains(e)))
}
