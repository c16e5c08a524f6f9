//! One act on many accounts: first a plan that changes nothing, then the same decisions for real.
//!
//! Each account goes through what the single act does, with its own event and mails; all of them share one transaction, so an act
//! happens whole or not at all. Safe to send twice: what is so already is left as it is.

use super::{
    Visitor,
    administration::{Ended, checked_reason, disable_in, enable_in, end_sessions_in, send_reset_in},
    bans::{Term, ban_in, checked, lift_in, note_ended},
    factors::require_admin_proof,
    store::{
        administration::{self as store, AccountFacts},
        bans,
    },
};
use crate::{
    accounts::model::{AccountAct, AccountFilter, Caller},
    error::AppError,
    platform::Ctx,
    values::{AccountId, permission_names as may},
};
use sqlx::{PgConnection, PgExecutor};
use std::collections::HashSet;
use time::OffsetDateTime;

/// Accounts of one request.
const MOST: usize = 1_000;

/// Which accounts.
#[derive(Debug, Clone)]
pub enum Chosen {
    These(Vec<AccountId>),
    /// Every account that the filters of the list leave.
    Matching(AccountFilter),
}

/// An act that an operator wants done.
#[derive(Debug, Clone)]
pub struct ManyAccounts {
    pub act: AccountAct,
    pub chosen: Chosen,
    /// 1 to 300 characters; stands in the history of each account. Who is disabled or banned reads it.
    pub reason: String,
    /// For `Ban`; none: until it is lifted.
    pub until: Option<OffsetDateTime>,
}

/// What an act does, or did, to which accounts.
#[derive(Debug, Clone, Default)]
pub struct AccountsPlan {
    /// Those that change, as they are before.
    pub changed: Vec<AccountFacts>,
    /// Those that stay as they are, and why: "is disabled already".
    pub skipped: Vec<(AccountFacts, &'static str)>,
    /// Ids that no account has.
    pub missing: u64,
    /// More accounts match than one request takes: send it again for the rest.
    pub has_more: bool,
    pub ended: Ended,
}

/// What would happen. It needs no reason yet.
pub async fn plan_many_accounts(ctx: &Ctx, caller: &Caller, act: AccountAct, chosen: &Chosen) -> Result<AccountsPlan, AppError> {
    caller.require(&may::ACCOUNTS_MANAGE)?;
    let mut plan = find(ctx, caller, &ctx.db, act, chosen).await?;
    plan.ended = match act {
        AccountAct::Disable | AccountAct::Ban => ends(&plan.changed, true),
        AccountAct::EndSessions => ends(&plan.changed, false),
        AccountAct::Enable | AccountAct::LiftBan | AccountAct::SendReset => Ended::default(),
    };
    Ok(plan)
}

/// Does it. Where a person `saw` how many accounts would change, nothing happens if by now it is more of them.
pub async fn change_many_accounts(ctx: &Ctx, caller: &Caller, from: &Visitor, many: &ManyAccounts, saw: Option<u64>) -> Result<AccountsPlan, AppError> {
    caller.require(&may::ACCOUNTS_MANAGE)?;
    require_admin_proof(ctx, caller).await?;
    let term = Term { reason: &many.reason, until: many.until };
    let reason = match many.act {
        AccountAct::Ban => checked(term, ctx.clock.now())?.0,
        _ => checked_reason(&many.reason)?,
    };
    if reason.is_empty() {
        return Err(AppError::invalid("reason", "Say why. It stands in the history of each account."));
    }
    let mut tx = ctx.db.begin().await?;
    let mut plan = find(ctx, caller, &mut *tx, many.act, &many.chosen).await?;
    let now = plan.changed.len() as u64;
    if let Some(saw) = saw.filter(|saw| now > *saw) {
        return Err(AppError::conflict(format!("{now} accounts would change now, and you saw {saw}. Look at them again.")));
    }
    // In one order, so that two requests at once wait for each other and don't deadlock.
    plan.changed.sort_by_key(|account| account.id);
    if many.act == AccountAct::Ban && now > 0 {
        note_ended(ctx, &mut tx).await?;
    }
    for account in &plan.changed {
        let ended = change_one(ctx, &mut tx, caller, from, account, (many.act, Term { reason: &reason, ..term })).await?;
        plan.ended.sessions += ended.sessions;
        plan.ended.keys += ended.keys;
    }
    tx.commit().await?;
    Ok(plan)
}

/// The accounts that are meant, sorted into those that change and those that don't.
async fn find(ctx: &Ctx, caller: &Caller, db: impl PgExecutor<'_>, act: AccountAct, chosen: &Chosen) -> Result<AccountsPlan, AppError> {
    let mut filter = match chosen {
        Chosen::These(ids) if (1..=MOST).contains(&ids.len()) => AccountFilter { ids: Some(ids.clone()), ..AccountFilter::default() },
        Chosen::These(_) => return Err(AppError::invalid("ids", "Choose 1 to 1,000 accounts.")),
        Chosen::Matching(filter) => AccountFilter { from: None, backwards: false, ..filter.clone() },
    };
    filter.limit = u32::try_from(MOST + 1).ok();
    let mut found = store::list_accounts(db, &filter, ctx.clock.now()).await?;
    let mut plan = AccountsPlan { has_more: found.len() > MOST, ..AccountsPlan::default() };
    found.truncate(MOST);
    if let Chosen::These(ids) = chosen {
        let there: HashSet<AccountId> = found.iter().map(|account| account.id).collect();
        plan.missing = ids.iter().collect::<HashSet<_>>().into_iter().filter(|id| !there.contains(id)).count() as u64;
    }
    for account in found {
        match refusal(caller, act, &account) {
            Some(why) => plan.skipped.push((account, why)),
            None => plan.changed.push(account),
        }
    }
    Ok(plan)
}

/// Why this account stays as it is.
fn refusal(caller: &Caller, act: AccountAct, account: &AccountFacts) -> Option<&'static str> {
    let shuts_out = matches!(act, AccountAct::Disable | AccountAct::Ban);
    match act {
        _ if shuts_out && caller.actor() == Some(account.id) => Some("is your own"),
        AccountAct::Disable if account.disabled_at.is_some() => Some("is disabled already"),
        AccountAct::Enable if account.disabled_at.is_none() => Some("is not disabled"),
        AccountAct::Ban if account.ban.is_some() => Some("is banned already"),
        AccountAct::LiftBan if account.ban.is_none() => Some("is not banned"),
        AccountAct::EndSessions if account.sessions == 0 => Some("is signed in nowhere"),
        AccountAct::SendReset if account.verified_at.is_none() => Some("has an address that is not confirmed"),
        AccountAct::SendReset if account.disabled_at.is_some() => Some("is disabled"),
        AccountAct::SendReset if account.ban.is_some() => Some("is banned"),
        _ => None,
    }
}

async fn change_one(
    ctx: &Ctx,
    conn: &mut PgConnection,
    caller: &Caller,
    from: &Visitor,
    account: &AccountFacts,
    (act, term): (AccountAct, Term<'_>),
) -> Result<Ended, AppError> {
    let reason = term.reason;
    match act {
        AccountAct::Disable => return disable_in(ctx, conn, caller, from, account, reason).await,
        AccountAct::Ban => return ban_in(ctx, conn, caller, from, account, term).await,
        AccountAct::EndSessions => return Ok(Ended { sessions: end_sessions_in(ctx, conn, caller, from, account, reason).await?, keys: 0 }),
        AccountAct::Enable => enable_in(ctx, conn, caller, from, account, reason).await?,
        AccountAct::SendReset => send_reset_in(ctx, conn, caller, from, account, reason).await?,
        AccountAct::LiftBan => {
            let ban = account.ban.as_ref().ok_or(AppError::NotFound)?.id;
            let ban = bans::find_ban(&mut *conn, ban).await?.ok_or(AppError::NotFound)?;
            lift_in(ctx, conn, caller, from, &ban, reason).await?;
        }
    }
    Ok(Ended::default())
}

fn ends(accounts: &[AccountFacts], and_keys: bool) -> Ended {
    Ended {
        sessions: accounts.iter().map(|account| account.sessions).sum(),
        keys: if and_keys { accounts.iter().map(|account| account.live_keys).sum() } else { 0 },
    }
}
