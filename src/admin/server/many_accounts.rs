//! One act on many accounts. The rules are those of the accounts feature; here stand the words and the waiting for the nodes.

use super::{
    accounts::{filter, row},
    bans::end,
    words::local,
};
use crate::{
    accounts::{
        Caller,
        model::AccountAct,
        server::{self as accounts, AccountsPlan, Chosen, ManyAccounts, Visitor},
    },
    admin::model::{ManyAccountsPreview, ManyAccountsQuery, SkippedAccounts, TypedTerm},
    error::AppError,
    keys::server::nodes,
    platform::Ctx,
    ui::number::count,
    values::{AccountId, permission_names as may},
};

/// Accounts, and addresses in a group of skipped ones, that the page shows.
const SHOWN: usize = 50;
const EMAILS: usize = 5;

/// What an act would do. None: nothing was chosen yet.
pub async fn preview_many_accounts(ctx: &Ctx, caller: &Caller, query: ManyAccountsQuery) -> Result<Option<ManyAccountsPreview>, AppError> {
    caller.require(&may::ACCOUNTS_MANAGE)?;
    if query.act.is_empty() || (!query.all && query.accounts.is_empty()) {
        return Ok(None);
    }
    let act = act(&query)?;
    let plan = accounts::plan_many_accounts(ctx, caller, act, &chosen(query)?).await?;
    let local = local(ctx, caller);
    let mut skipped: Vec<SkippedAccounts> = Vec::new();
    for (account, why) in &plan.skipped {
        let at = skipped.iter().position(|group| group.why == *why).unwrap_or_else(|| {
            skipped.push(SkippedAccounts { why: (*why).to_owned(), count: 0, emails: Vec::new() });
            skipped.len() - 1
        });
        skipped[at].count += 1;
        if skipped[at].emails.len() < EMAILS {
            skipped[at].emails.push(account.email.clone());
        }
    }
    Ok(Some(ManyAccountsPreview {
        act,
        changes: plan.changed.len() as u64,
        changed: plan.changed.iter().take(SHOWN).map(|account| row(account, &local)).collect(),
        skipped,
        missing: plan.missing,
        has_more: plan.has_more,
        sessions: plan.ended.sessions,
        keys: plan.ended.keys,
        zone: local.zone(),
    }))
}

/// Does it, if no more accounts change than the `seen` ones; answers in words, when every live node knows. Of `typed` only a ban has an end.
pub async fn change_many_accounts(
    ctx: &Ctx,
    caller: &Caller,
    from: &Visitor,
    query: ManyAccountsQuery,
    typed: &TypedTerm,
    seen: u64,
) -> Result<String, AppError> {
    caller.require(&may::ACCOUNTS_MANAGE)?;
    // Before anything is said about the form: it comes back as it was left.
    accounts::require_admin_proof(ctx, caller).await?;
    let act = act(&query)?;
    let until = match act {
        AccountAct::Ban => end(&local(ctx, caller), typed)?,
        _ => None,
    };
    let many = ManyAccounts { act, chosen: chosen(query)?, reason: typed.reason.clone(), until };
    let plan = accounts::change_many_accounts(ctx, caller, from, &many, Some(seen)).await?;
    let changed: Vec<AccountId> = plan.changed.iter().filter(|account| account.keys > 0).map(|account| account.id).collect();
    let spread = match act {
        AccountAct::Disable | AccountAct::Ban if !changed.is_empty() => Some(nodes::spread_of_accounts(ctx, &changed).await.words("Refused")),
        AccountAct::Enable | AccountAct::LiftBan if !changed.is_empty() => Some(nodes::spread_of_accounts(ctx, &changed).await.words("In force")),
        _ => None,
    };
    Ok(format!("{}{}", done(act, &plan), spread.map(|words| format!(" {words}")).unwrap_or_default()))
}

fn act(query: &ManyAccountsQuery) -> Result<AccountAct, AppError> {
    AccountAct::parse(&query.act).ok_or_else(|| AppError::invalid("act", "Choose what to do."))
}

/// An id that is none belongs to no account.
fn chosen(query: ManyAccountsQuery) -> Result<Chosen, AppError> {
    if query.all {
        return Ok(Chosen::Matching(filter(&query.filters)?));
    }
    let ids = query.accounts.iter().map(|id| id.parse()).collect::<Result<Vec<AccountId>, _>>();
    ids.map(Chosen::These).map_err(|_| AppError::invalid("accounts", "One of these is not the id of an account."))
}

fn done(act: AccountAct, plan: &AccountsPlan) -> String {
    let n = plan.changed.len() as u64;
    let (accounts, verb) = (count(n, "account", "accounts"), if n == 1 { "is" } else { "are" });
    let (sessions, keys) = (count(plan.ended.sessions, "session", "sessions"), count(plan.ended.keys, "key", "keys"));
    match act {
        AccountAct::Disable => format!("{accounts} {verb} disabled. {sessions} ended, {keys} no longer pass."),
        AccountAct::Ban => format!("{accounts} {verb} banned. {sessions} ended, {keys} no longer pass."),
        AccountAct::Enable => format!("{accounts} {verb} enabled."),
        AccountAct::LiftBan => format!("{accounts} {verb} no longer banned."),
        AccountAct::EndSessions => format!("{sessions} of {accounts} ended."),
        AccountAct::SendReset => format!("Links are on their way to {accounts}. Each works once, for 60 minutes."),
    }
}
