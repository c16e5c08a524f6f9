//! The one limit of a workspace or an API, as a form has it. The rules are those of plans; here stands who may.

use crate::{
    accounts::{Caller, server as accounts},
    error::AppError,
    keys::{
        model::KeyLimit,
        server::forms::{self, OverForm},
    },
    plans::server as plans,
    platform::Ctx,
    values::{AccountId, permission_names as may},
};

/// What all keys of an account's workspace may together; an empty one: what its plan gives.
pub async fn set_account_limit(ctx: &Ctx, caller: &Caller, id: AccountId, limit: &str, window: &str, over: OverForm<'_>) -> Result<(), AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    let workspace = accounts::find_account(ctx, caller, id).await?.workspace.ok_or(AppError::NotFound)?;
    plans::set_workspace_limits(ctx, caller, workspace, one(limit, window, over)?).await?;
    Ok(())
}

/// What each key of an API may that nothing nearer limits; an empty one: what the configuration gives.
pub async fn set_api_limit(ctx: &Ctx, caller: &Caller, slug: &str, limit: &str, window: &str, over: OverForm<'_>) -> Result<(), AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    plans::set_api_limits(ctx, caller, slug, one(limit, window, over)?).await?;
    Ok(())
}

fn one(limit: &str, window: &str, over: OverForm<'_>) -> Result<Vec<KeyLimit>, AppError> {
    Ok(forms::limit(limit, window, over)?.limits.unwrap_or_default())
}
