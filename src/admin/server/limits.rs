//! One limit of a workspace or an API, as a form has it, and what a workspace is granted. The rules are those of plans; here stands who may.

use crate::{
    accounts::{Caller, server as accounts},
    error::AppError,
    keys::model::TypedLimit,
    plans::server as plans,
    platform::Ctx,
    values::{AccountId, permission_names as may},
};

/// What all keys of an account's workspace may together, one limit of it; what was done in words.
pub async fn set_account_limit(ctx: &Ctx, caller: &Caller, id: AccountId, typed: &TypedLimit) -> Result<&'static str, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    let change = typed.read()?;
    let workspace = accounts::find_account(ctx, caller, id).await?.workspace.ok_or(AppError::NotFound)?;
    plans::change_workspace_limit(ctx, caller, workspace, &change).await?;
    Ok(change.done_words())
}

/// What is granted to an account's workspace itself becomes this.
pub async fn set_account_grants(ctx: &Ctx, caller: &Caller, id: AccountId, grants: &[String]) -> Result<(), AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    let workspace = accounts::find_account(ctx, caller, id).await?.workspace.ok_or(AppError::NotFound)?;
    plans::set_workspace_grants(ctx, caller, workspace, grants).await?;
    Ok(())
}

/// What each key of an API may that nothing nearer limits, one limit of it; what was done in words.
pub async fn set_api_limit(ctx: &Ctx, caller: &Caller, slug: &str, typed: &TypedLimit) -> Result<&'static str, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    let change = typed.read()?;
    plans::change_api_limit(ctx, caller, slug, &change).await?;
    Ok(change.done_words())
}
