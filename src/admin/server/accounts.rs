//! Accounts, for operators: views over the oversight operations of the accounts feature.

use super::{
    deeds,
    words::{ago, day, local, moment},
};
use crate::{
    accounts::{
        Caller,
        model::{AccountFilter, AccountState},
        server::{self as accounts, AccountFacts, Ended, Visitor},
    },
    admin::model::{AccountList, AccountPage, AccountQuery, AccountRow, Banned, Disabled},
    error::AppError,
    keys::{
        model::{KeyQuery, Spread},
        server::{self as keys, nodes},
    },
    plans::server as plans,
    platform::{Ctx, LocalTime},
    usage::server as usage,
    values::{AccountId, permission_names as may},
};

pub use crate::accounts::server::{ask_reset, end_session_of as end_session, end_sessions_of as end_sessions, send_reset_link};

/// Rows of a page.
const PAGE: u32 = 50;
/// Lines of an account's history.
const HISTORY: i64 = 50;

/// What `/admin/accounts` shows.
pub async fn list_accounts(ctx: &Ctx, caller: &Caller, query: AccountQuery) -> Result<AccountList, AppError> {
    caller.require(&may::ADMIN_READ)?;
    let filter = filter(&query)?;
    let (mut rows, counts) = tokio::try_join!(accounts::list_accounts(ctx, caller, &filter), accounts::count_accounts(ctx, caller))?;
    let page = usize::try_from(PAGE).unwrap_or(usize::MAX);
    let has_more = rows.len() > page;
    if has_more && filter.backwards {
        rows.remove(0);
    }
    rows.truncate(page);
    let has_newer = if filter.backwards { has_more } else { filter.from.is_some() };
    let has_older = filter.backwards || has_more;
    let local = local(ctx, caller);
    Ok(AccountList {
        found: rows.first().map_or(0, |a| a.found),
        all: counts.all,
        newer: rows.first().filter(|_| has_newer).map(|a| a.id),
        older: rows.last().filter(|_| has_older).map(|a| a.id),
        rows: with_holds(ctx, &rows, &local).await?,
        query,
    })
}

/// The newest accounts.
pub async fn newest_accounts(ctx: &Ctx, caller: &Caller, most: u32) -> Result<Vec<AccountRow>, AppError> {
    let filter = AccountFilter { limit: Some(most), ..AccountFilter::default() };
    let local = local(ctx, caller);
    with_holds(ctx, &accounts::list_accounts(ctx, caller, &filter).await?, &local).await
}

/// What `/admin/accounts/{id}` shows.
pub async fn read_account(ctx: &Ctx, caller: &Caller, id: AccountId) -> Result<AccountPage, AppError> {
    caller.require(&may::ADMIN_READ)?;
    let account = accounts::find_account(ctx, caller, id).await?;
    let workspace = account.workspace.ok_or(AppError::NotFound)?;
    let of_workspace = KeyQuery { workspace: Some(workspace), ..KeyQuery::default() };
    let (lasting, picture, factors, linked, sessions, fields, (key_rows, key_count), today, history) = tokio::try_join!(
        accounts::policies::lasting_of_account(ctx, caller, id),
        accounts::avatars::picture_of(ctx, caller, id),
        accounts::factors_of(ctx, caller, id),
        accounts::openid::linked_of(ctx, caller, id),
        accounts::sessions_of_account(ctx, caller, id),
        accounts::values_of(ctx, caller, id),
        keys::list_rows(ctx, caller, &of_workspace),
        usage::calls_today_of(ctx, caller, workspace),
        deeds::about_account(ctx, caller, id, workspace, HISTORY),
    )?;
    let (plan, group, limits, grants) = match caller.may(&may::PLANS_MANAGE) {
        true => {
            let hold = plans::workspace_hold(ctx, caller, workspace).await?;
            (hold.plan, hold.group, Some(hold.limits), Some((hold.grants, keys::list_needing_grant(ctx).await?)))
        }
        false => (None, None, None, None),
    };
    let local = local(ctx, caller);
    let state = keys::workspace_state(ctx, &ctx.db, workspace, &local).await?;
    let account_row = AccountRow { hold: state.holds.first().cloned(), ..row(&account, &local) };
    let can_come_in = matches!(account_row.state, AccountState::Active | AccountState::Locked);
    Ok(AccountPage {
        plan,
        group,
        limits,
        grants,
        may_act_as: caller.may(&may::ACCOUNTS_ACT_AS) && can_come_in && !account.is_operator && id != caller.account,
        account: account_row,
        state,
        may_see_blocks: caller.may(&may::BLOCKS_MANAGE),
        picture,
        workspace: account.workspace,
        disabled: account.disabled_at.map(|at| Disabled {
            at: moment(&local, at),
            by: account.disabled_by,
            reason: account.disabled_reason.unwrap_or_default(),
        }),
        banned: account.ban.map(|ban| Banned { at: moment(&local, ban.at), by: ban.by, reason: ban.reason, until: ban.until.map(|at| moment(&local, at)) }),
        locked: account.locked_until.map(|at| moment(&local, at)),
        is_password_stopped: account.locked_until.is_some_and(|until| accounts::is_password_stopped(ctx, until)),
        roles: account.roles,
        lasting,
        permissions: accounts::permissions_of_account(ctx, caller, id).await?,
        factors,
        linked,
        fields,
        time_zone: account.time_zone,
        sessions,
        key_count,
        keys: key_rows,
        live_keys: account.live_keys,
        passed_today: today.passed,
        history,
        is_you: id == caller.account,
    })
}

/// Keeps an account out. Here a reason is needed: the person will read it. Answers when every live node refuses its keys.
pub async fn disable_account(ctx: &Ctx, caller: &Caller, from: &Visitor, id: AccountId, reason: &str) -> Result<(Ended, Spread), AppError> {
    caller.require(&may::ACCOUNTS_MANAGE)?;
    if reason.trim().is_empty() {
        return Err(AppError::invalid("reason", "Say why. The person sees it when they try to sign in."));
    }
    let ended = accounts::disable_account(ctx, caller, from, id, reason).await?;
    Ok((ended, nodes::spread_of_account(ctx, id).await))
}

/// Lets an account in again; its keys pass as before, on every live node.
pub async fn enable_account(ctx: &Ctx, caller: &Caller, from: &Visitor, id: AccountId) -> Result<Spread, AppError> {
    accounts::enable_account(ctx, caller, from, id).await?;
    Ok(nodes::spread_of_account(ctx, id).await)
}

pub(super) fn filter(query: &AccountQuery) -> Result<AccountFilter, AppError> {
    let cursor = |text: &str| text.parse::<AccountId>().map_err(|_| AppError::invalid("older", "This list can't be continued here. Start at its beginning."));
    let known = || format!("Ask for one of {}, operator.", AccountState::ALL.map(AccountState::as_str).join(", "));
    let state = |word: &str| AccountState::ALL.into_iter().find(|s| s.as_str() == word).ok_or_else(|| AppError::invalid("status", known()));
    let id = query.q.as_deref().and_then(|q| q.parse::<AccountId>().ok());
    // `team=Blue` looks into the fields that operators made.
    let field = query.q.as_deref().and_then(|q| q.split_once('=')).map(|(slug, value)| (slug.trim().to_owned(), value.trim().to_owned()));
    let operators = query.status.as_deref() == Some("operator");
    Ok(AccountFilter {
        id,
        ids: None,
        search: query.q.clone().filter(|_| id.is_none() && field.is_none()),
        field,
        state: query.status.as_deref().filter(|_| !operators).map(state).transpose()?,
        operators,
        from: query.newer.as_deref().or(query.older.as_deref()).map(cursor).transpose()?,
        backwards: query.newer.is_some(),
        // One more than a page tells whether there is another.
        limit: Some(PAGE + 1),
    })
}

/// Rows of a list, each with the block of its workspace.
async fn with_holds(ctx: &Ctx, accounts: &[AccountFacts], local: &LocalTime) -> Result<Vec<AccountRow>, AppError> {
    let workspaces: Vec<_> = accounts.iter().filter_map(|account| account.workspace).collect();
    let mut holds = keys::workspace_holds(ctx, &workspaces, local).await?;
    let mut hold = |account: &AccountFacts| account.workspace.and_then(|workspace| holds.remove(&workspace));
    Ok(accounts.iter().map(|account| AccountRow { hold: hold(account), ..row(account, local) }).collect())
}

pub(super) fn row(account: &AccountFacts, local: &LocalTime) -> AccountRow {
    let state = match () {
        () if account.disabled_at.is_some() => AccountState::Disabled,
        () if account.ban.is_some() => AccountState::Banned,
        () if account.verified_at.is_none() => AccountState::Unproven,
        () if account.locked_until.is_some() => AccountState::Locked,
        () => AccountState::Active,
    };
    AccountRow {
        id: account.id,
        name: account.name.clone(),
        email: account.email.clone(),
        state,
        hold: None,
        verified: account.verified_at.map(|at| day(local, at)),
        is_operator: account.is_operator,
        keys: account.keys,
        since: day(local, account.created_at),
        last_sign_in: account.last_sign_in_at.map(|at| ago(local, at)),
    }
}
