//! "Who would be limited?" by limits that are saved nowhere, as REST and the command line ask it: of a plan, a group, a workspace or an API. What
//! is not said is tried as it is saved. Writes nothing.

use super::{
    describing::find,
    dry_run::{of_api, of_everybody, of_holders, of_workspaces, try_group},
    groups, store,
};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::{model::KeyLimit, server::rules as of_keys},
    plans::model::{DryRun, Trial},
    platform::Ctx,
    values::{WorkspaceId, permission_names as may},
};

/// Limits of a plan, and whom they are held against.
#[derive(Debug, Default)]
pub struct PlanTry {
    /// All that the plan would have.
    pub limits: Option<Vec<KeyLimit>>,
    /// Only those who have it, not everybody.
    pub of_holders: bool,
    /// Each key alone, not all keys of a workspace together.
    pub by_key: bool,
}

/// Who would have been limited had a plan these limits.
pub async fn try_plan_limits(ctx: &Ctx, caller: &Caller, slug: &str, wanted: PlanTry) -> Result<DryRun, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    let plan = find(&mut *ctx.db.acquire().await?, slug).await?;
    let limits = checked(ctx, wanted.limits).await?.unwrap_or(plan.limits);
    if wanted.of_holders { of_holders(ctx, plan.id, &limits, wanted.by_key).await } else { of_everybody(ctx, &limits, wanted.by_key).await }
}

/// Which of its members would have been limited had a group these limits of its own.
pub async fn try_group_limits(ctx: &Ctx, caller: &Caller, slug: &str, wanted: Option<Vec<KeyLimit>>) -> Result<DryRun, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    let Some(limits) = checked(ctx, wanted).await? else { return try_group(ctx, caller, slug, &Trial::default()).await };
    let mut conn = ctx.db.acquire().await?;
    let group = groups::find(&mut conn, slug).await?;
    // Without limits of its own it holds by its plan.
    let (limits, by_plan) = match &group.plan {
        Some(plan) if limits.is_empty() => (find(&mut conn, plan.slug.as_str()).await?.limits, true),
        _ => (limits, false),
    };
    drop(conn);
    let held = store::groups::list_held(&ctx.db, group.id, by_plan).await?;
    of_workspaces(ctx, &limits, &held).await
}

/// Whether a workspace would, all its keys together that have no limits or plan of their own.
pub async fn try_workspace_limits(ctx: &Ctx, caller: &Caller, workspace: WorkspaceId, wanted: Option<Vec<KeyLimit>>) -> Result<DryRun, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    let hold = store::find_workspace(&mut *ctx.db.acquire().await?, workspace).await?.ok_or(AppError::NotFound)?;
    let limits = checked(ctx, wanted).await?.unwrap_or(hold.limits);
    of_workspaces(ctx, &limits, &[workspace.uuid()]).await
}

/// Which keys of an API, of those that nothing nearer limits, each alone.
pub async fn try_api_limits(ctx: &Ctx, caller: &Caller, slug: &str, wanted: Option<Vec<KeyLimit>>) -> Result<DryRun, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    let saved = store::list_api_limits(&mut *ctx.db.acquire().await?, slug).await?.ok_or(AppError::NotFound)?;
    let limits = checked(ctx, wanted).await?.unwrap_or(saved);
    of_api(ctx, &limits, slug).await
}

async fn checked(ctx: &Ctx, wanted: Option<Vec<KeyLimit>>) -> Result<Option<Vec<KeyLimit>>, AppError> {
    if let Some(limits) = &wanted {
        of_keys::limits(ctx, limits).await?;
    }
    Ok(wanted)
}
