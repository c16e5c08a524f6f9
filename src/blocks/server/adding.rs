//! Blocking an address, a key, a workspace, or an account by its workspace: refusing its calls, or slowing them.

use super::{
    rules,
    store::{self, InForce, Maker, Target},
};
use crate::{
    accounts::{Caller, Via, server::require_pin},
    activity::server::{Change, record},
    blocks::model::{Block, BlockAction, BlockState, NewBlock},
    error::{AppError, Fields},
    keys::{
        model::Spread,
        server::{actor, gate::Gate, nodes::spread_of_blocks},
    },
    platform::{Ctx, once},
    values::{AccountId, Email, WorkspaceId, permission_names as may},
};
use ipnet::IpNet;
use sqlx::PgConnection;
use std::net::IpAddr;
use time::Duration;
use tokio::time::Instant;

/// What became of the wish.
#[derive(Debug, Clone)]
pub struct Added {
    pub block: Block,
    /// False: it was blocked already, and lasts longer now if that was asked.
    pub is_new: bool,
    /// On which nodes it holds.
    pub spread: Spread,
}

/// Blocks what the caller names; `from` is where the caller sits. Of one target one block that refuses and one that slows are in force at
/// most: blocking it again makes that one longer, never shorter, and slows to the new rate. Answers when every live node obeys. Asks the
/// admin PIN, if there is one.
pub async fn add_block(ctx: &Ctx, caller: &Caller, from: Option<IpAddr>, new: NewBlock) -> Result<Added, AppError> {
    caller.require(&may::BLOCKS_MANAGE)?;
    let mut fields = Fields::default();
    let target = match meant(ctx, &new.target).await {
        Err(error) if !matches!(error, AppError::Invalid { .. }) => return Err(error),
        meant => fields.merge(meant),
    };
    let target = target.and_then(|target| fields.check("target", others(ctx, caller, from, target)));
    let reason = fields.check("reason", rules::reason(&new.reason));
    let seconds = fields.check("seconds", rules::seconds(new.seconds));
    let action = fields.check("per_second", rules::action(new.action));
    fields.done()?;
    let (Some(target), Some(reason), Some(seconds), Some(action)) = (target, reason, seconds, action) else { return Err(AppError::NotFound) };
    require_pin(ctx, caller).await?;
    let now = ctx.clock.now();
    let until = seconds.map(|n| now + Duration::seconds(i64::try_from(n).unwrap_or(0)));

    let mut tx = ctx.db.begin().await?;
    let nothing = || AppError::invalid("target", "There is no such key or workspace.");
    let (named, workspace) = store::find_target(&mut tx, target).await?.ok_or_else(nothing)?;
    if let Target::Network(network) = target
        && let Some(exempt) = store::list_exempt(&mut tx).await?.iter().find(|exempt| exempt.contains(&network))
    {
        return Err(AppError::invalid("target", format!("{exempt} is among the networks that are never blocked. Remove it from that list first.")));
    }
    store::lock_target(&mut tx, target).await?;
    let alike = if action == BlockAction::Refuse { InForce::Refusing } else { InForce::Slowing };
    let (block, is_new) = match store::find_in_force(&mut tx, target, alike, now).await? {
        Some(block) => {
            let longest = block.until.zip(until).map(|(known, wanted)| known.max(wanted));
            if longest == block.until && action == block.action {
                tx.rollback().await?;
                return Ok(Added { block, is_new: false, spread: spread_of_blocks(ctx, Instant::now()).await }); // sent twice
            }
            (Block { until: longest, action, reason, ..block }, false)
        }
        None => {
            let by = caller.name.clone();
            let state = BlockState::Active;
            (Block { id: ctx.new_id(), target: named, action, state, reason, since: now, until, by, rule: None, lifted: None }, true)
        }
    };
    let (account, name) = actor(caller);
    if is_new {
        store::insert_block(&mut tx, &block, target, Maker { account, name }).await?;
    } else {
        store::extend_block(&mut tx, &block).await?;
    }
    note(ctx, &mut tx, Maker { account, name }, if is_new { "block.added" } else { "block.extended" }, &block, workspace, &block.reason).await?;
    once::done(ctx, &mut tx).await?;
    let since = Instant::now();
    tx.commit().await?;
    Ok(Added { block, is_new, spread: spread_of_blocks(ctx, since).await })
}

/// What a person means by what they typed. An account, by its id or email, stands for its workspace.
async fn meant(ctx: &Ctx, text: &str) -> Result<Target, AppError> {
    let text = text.trim();
    let wrong = |words: String| AppError::invalid("target", words);
    let (account, email) = match text.parse::<Email>() {
        Ok(email) => (None, Some(email.key())),
        Err(_) if text.starts_with("acc_") => (Some(text.parse::<AccountId>().map_err(|error| wrong(error.to_string()))?), None),
        Err(_) => return rules::target(text).map_err(wrong),
    };
    let workspace = store::find_workspace(&mut *ctx.db.acquire().await?, account, email.as_deref()).await?;
    let nobody = if email.is_some() { "No account has this email." } else { "There is no such account." };
    workspace.map(Target::Workspace).ok_or_else(|| wrong(nobody.to_owned()))
}

/// Nobody blocks what they need to undo it: their own address, key or workspace, this machine, the proxies before it.
fn others(ctx: &Ctx, caller: &Caller, from: Option<IpAddr>, target: Target) -> Result<Target, String> {
    match target {
        Target::Network(network) => {
            let loopback: [IpAddr; 2] = [[127, 0, 0, 1].into(), std::net::Ipv6Addr::LOCALHOST.into()];
            if network.addr().is_loopback() || loopback.iter().any(|address| network.contains(address)) {
                return Err("This is the machine itself (loopback), which can't be blocked.".to_owned());
            }
            if let Some(own) = from.map(|a| a.to_canonical()).filter(|own| network.contains(own)) {
                return Err(format!("Your own address, {own}, is in this network. Block one that does not contain it."));
            }
            let meets = |proxy: &&IpNet| proxy.contains(&network) || network.contains(*proxy);
            if let Some(proxy) = ctx.config.server.trusted_proxies.iter().find(meets) {
                return Err(format!("{proxy} is a trusted proxy (server.trusted_proxies): what comes through it has the address of its client."));
            }
        }
        Target::Key(key) if caller.via == Via::Key(key) => return Err("You are calling with this key.".to_owned()),
        Target::Workspace(workspace) if workspace == caller.workspace => return Err("This is your own workspace.".to_owned()),
        Target::Key(_) | Target::Workspace(_) => {}
    }
    Ok(target)
}

/// The event of a block.
pub(super) async fn note(
    ctx: &Ctx,
    conn: &mut PgConnection,
    by: Maker<'_>,
    kind: &str,
    block: &Block,
    workspace: Option<WorkspaceId>,
    reason: &str,
) -> Result<(), AppError> {
    let (until, per_second) = (block.until.map(|at| at.unix_timestamp()), block.action.per_second());
    let data = serde_json::json!({ "name": block.target.words(), "until": until, "per_second": per_second, "rule": block.rule });
    record(ctx, conn, Change { kind, workspace, actor: by.account, actor_name: by.name, subject: Some(block.id.uuid()), reason, data }).await?;
    Ok(())
}

/// True for networks that a rule must not block: those that the gate of this node never refuses.
pub(super) fn is_exempt(ctx: &Ctx, target: Target) -> bool {
    matches!(target, Target::Network(network) if ctx.part::<Gate>().is_some_and(|gate| gate.is_exempt(network.addr())))
}
