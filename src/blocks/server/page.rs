//! What `/admin/blocks` shows, in words and in the operator's time zone.

use super::{
    listing::list_blocks,
    settings::rule_settings,
    store::{self, Refused},
};
use crate::{
    accounts::Caller,
    blocks::model::{Block, BlockAction, BlockPage, BlockQuery, BlockRow, BlockTarget, Lifted},
    error::AppError,
    keys::model::Said,
    platform::{Ctx, LocalTime},
    values::by_words,
};
use ipnet::IpNet;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Rows of a page.
const PAGE: usize = 50;

/// The list, the rules, and what is never blocked.
pub async fn block_page(ctx: &Ctx, caller: &Caller, query: BlockQuery) -> Result<BlockPage, AppError> {
    let list = list_blocks(ctx, caller, &query, PAGE).await?;
    let (rules, exempt) = rule_settings(ctx, caller).await?;
    let local = LocalTime::new(&caller.time_zone, ctx.clock.now());
    let asked: Vec<Refused> = list.blocks.iter().map(|block| refused(block, local.now())).collect();
    let refused = store::count_refused(&ctx.db, &asked).await?;
    let is_counted = |asked: &Refused| asked.address.is_some() || asked.key.is_some();
    let rows = list.blocks.into_iter().zip(asked.iter().zip(refused));
    Ok(BlockPage {
        query,
        rows: rows.map(|(block, (asked, n))| row(block, &local, is_counted(asked).then_some(n))).collect(),
        older: list.older,
        active: store::count_active(&mut *ctx.db.acquire().await?, false, local.now()).await?,
        rules,
        exempt,
        proxies: ctx.config.server.trusted_proxies.iter().map(ToString::to_string).collect(),
    })
}

/// Whose refused calls belong to a block: those of one address are counted by address, those of a key by key.
fn refused(block: &Block, now: OffsetDateTime) -> Refused {
    let ends = block.lifted.as_ref().map(|l| l.at).into_iter().chain(block.until);
    let slows = block.action != BlockAction::Refuse;
    let (address, key) = match &block.target {
        BlockTarget::Address { network } => (network.parse().ok().and_then(counted_as), None),
        // In the usage of a key, calls beyond the rate are among those beyond a limit; they are counted by the id of what is slowed, too.
        BlockTarget::Key { id, .. } if slows => (Some(id.to_string()), None),
        BlockTarget::Workspace { id, .. } if slows => (Some(id.to_string()), None),
        BlockTarget::Key { id, .. } => (None, Some(*id)),
        BlockTarget::Workspace { .. } => (None, None),
    };
    Refused { address, key, slows, since: block.since, until: ends.min().unwrap_or(now) }
}

/// How attempts from this network are counted, if they are counted as one.
fn counted_as(network: IpNet) -> Option<String> {
    match network {
        IpNet::V4(v4) if v4.prefix_len() == 32 => Some(v4.addr().to_string()),
        IpNet::V6(v6) if v6.prefix_len() == 64 => {
            let [a, b, c, d, ..] = v6.addr().segments();
            Some(format!("{a:x}:{b:x}:{c:x}:{d:x}::/64"))
        }
        _ => None,
    }
}

fn row(block: Block, local: &LocalTime, refused: Option<u64>) -> BlockRow {
    let href = match &block.target {
        BlockTarget::Key { id, .. } => Some(format!("/admin/keys?key={id}")),
        BlockTarget::Address { .. } | BlockTarget::Workspace { .. } => None,
    };
    let lifted = block.lifted.map(|Lifted { at, by, note }| {
        let (by, when) = (by_words(&by), local.moment(at));
        if note.is_empty() { format!("Lifted {by}, {when}.") } else { format!("Lifted {by}, {when}: “{note}”.") }
    });
    BlockRow {
        id: block.id,
        target: block.target.words(),
        href,
        action: block.action,
        state: block.state,
        reason: block.reason,
        since: said(local, block.since),
        until: block.until.map(|at| said(local, at)),
        by: block.rule.map_or_else(|| by_words(&block.by), |rule| format!("by the rule “{}”", rule.title())),
        lifted,
        refused,
    }
}

fn said(local: &LocalTime, at: OffsetDateTime) -> Said {
    Said { at: at.format(&Rfc3339).unwrap_or_default(), words: local.moment(at) }
}
