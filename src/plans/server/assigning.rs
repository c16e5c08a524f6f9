//! What holds workspaces and APIs: a workspace's plan, its own limits, and the limits of an API's keys. (A key's plan and limits are
//! changed with the key, by the keys feature.)

use super::{describing, forms, noting::note, spreading::spread, store};
use crate::{
    accounts::{Caller, server::must_be_open},
    activity::server::Change,
    error::AppError,
    keys::{
        model::{KeyLimit, LimitChange},
        server::{WantedLimits, read_grants},
    },
    plans::model::WorkspaceHold,
    platform::Ctx,
    values::{Area, WorkspaceId, permission_names as may},
};
use serde_json::json;

/// The plan and the limits of a workspace.
pub async fn workspace_hold(ctx: &Ctx, caller: &Caller, workspace: WorkspaceId) -> Result<WorkspaceHold, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    store::find_workspace(&mut *ctx.db.acquire().await?, workspace).await?.ok_or(AppError::NotFound)
}

/// Gives a workspace a plan, or takes it away. It counts for all keys of the workspace together, from the present windows on.
pub async fn assign_plan(ctx: &Ctx, caller: &Caller, workspace: WorkspaceId, plan: Option<&str>) -> Result<WorkspaceHold, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    let mut tx = ctx.db.begin().await?;
    let before = store::lock_workspace(&mut tx, workspace).await?.ok_or(AppError::NotFound)?;
    let id = match plan {
        Some(slug) => Some(store::lock_plan(&mut tx, slug).await?.ok_or_else(|| AppError::invalid("plan", "There is no plan of this name."))?),
        None => None,
    };
    if before.plan.as_ref().map(|p| p.as_str()) == plan {
        return Ok(before);
    }
    store::assign_workspace(&mut tx, workspace, id, ctx.clock.now()).await?;
    let data = json!({ "name": before.name, "from": before.plan, "to": plan });
    note(ctx, &mut tx, caller, of_workspace("workspace.plan_assigned", workspace, data)).await?;
    Ok(WorkspaceHold { replaced: before.plan, ..changed(ctx, tx, workspace).await? })
}

/// The same for the personal workspace of an account, by its email or id.
pub async fn assign_plan_to_account(ctx: &Ctx, caller: &Caller, plan: &str, account: &str) -> Result<WorkspaceHold, AppError> {
    let plan = describing::find_plan(ctx, caller, plan).await?;
    let workspace = forms::workspace_of_account(ctx, caller, account).await?.ok_or_else(|| AppError::invalid("account", "Nobody has this email or id."))?;
    assign_plan(ctx, caller, workspace, Some(plan.slug.as_str())).await
}

/// The limits of a workspace become these; none: those of its plan hold.
pub async fn set_workspace_limits(ctx: &Ctx, caller: &Caller, workspace: WorkspaceId, wanted: Vec<KeyLimit>) -> Result<WorkspaceHold, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    limit_workspace(ctx, caller, workspace, WantedLimits::check(ctx, Some(wanted), None).await?).await
}

/// One limit of a workspace is set or taken away; the others stay.
pub async fn change_workspace_limit(ctx: &Ctx, caller: &Caller, workspace: WorkspaceId, change: &LimitChange) -> Result<WorkspaceHold, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    limit_workspace(ctx, caller, workspace, WantedLimits::check(ctx, None, Some(change.clone())).await?).await
}

async fn limit_workspace(ctx: &Ctx, caller: &Caller, workspace: WorkspaceId, wanted: WantedLimits) -> Result<WorkspaceHold, AppError> {
    let mut tx = ctx.db.begin().await?;
    let before = store::lock_workspace(&mut tx, workspace).await?.ok_or(AppError::NotFound)?;
    let Some(wanted) = wanted.after(&before.limits)? else { return Ok(before) };
    store::replace_workspace_limits(&mut tx, workspace, &wanted).await?;
    let data = json!({ "name": before.name, "from": before.limits, "to": wanted });
    note(ctx, &mut tx, caller, of_workspace("workspace.limited", workspace, data)).await?;
    changed(ctx, tx, workspace).await
}

/// What is granted to a workspace itself becomes this, beside what its plan and its group grant.
pub async fn set_workspace_grants(ctx: &Ctx, caller: &Caller, workspace: WorkspaceId, grants: &[String]) -> Result<WorkspaceHold, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    let wanted = read_grants(ctx, grants).await?;
    let mut tx = ctx.db.begin().await?;
    let before = store::lock_workspace(&mut tx, workspace).await?.ok_or(AppError::NotFound)?;
    if before.grants == wanted {
        return Ok(before); // sent twice
    }
    store::replace_workspace_grants(&mut tx, workspace, &wanted).await?;
    let data = json!({ "name": before.name, "from": before.grants, "to": wanted });
    note(ctx, &mut tx, caller, of_workspace("workspace.granted", workspace, data)).await?;
    changed(ctx, tx, workspace).await
}

async fn changed(ctx: &Ctx, mut tx: sqlx::Transaction<'static, sqlx::Postgres>, workspace: WorkspaceId) -> Result<WorkspaceHold, AppError> {
    let hold = store::find_workspace(&mut tx, workspace).await?.ok_or(AppError::NotFound)?;
    tx.commit().await?;
    spread(ctx, workspace.uuid()).await;
    Ok(hold)
}

/// What a key of this API may do that nothing nearer limits.
pub async fn api_limits(ctx: &Ctx, caller: &Caller, slug: &str) -> Result<Vec<KeyLimit>, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    store::list_api_limits(&mut *ctx.db.acquire().await?, slug).await?.ok_or(AppError::NotFound)
}

/// The limits of an API become these, for each of its keys alone; none: the default of the configuration.
pub async fn set_api_limits(ctx: &Ctx, caller: &Caller, slug: &str, wanted: Vec<KeyLimit>) -> Result<Vec<KeyLimit>, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    must_be_open(ctx, caller, Area::Apis)?;
    limit_api(ctx, caller, slug, WantedLimits::check(ctx, Some(wanted), None).await?).await
}

/// One limit of an API is set or taken away; the others stay.
pub async fn change_api_limit(ctx: &Ctx, caller: &Caller, slug: &str, change: &LimitChange) -> Result<Vec<KeyLimit>, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    must_be_open(ctx, caller, Area::Apis)?;
    limit_api(ctx, caller, slug, WantedLimits::check(ctx, None, Some(change.clone())).await?).await
}

async fn limit_api(ctx: &Ctx, caller: &Caller, slug: &str, wanted: WantedLimits) -> Result<Vec<KeyLimit>, AppError> {
    let mut tx = ctx.db.begin().await?;
    let id = store::lock_api(&mut tx, slug).await?.ok_or(AppError::NotFound)?;
    let before = store::list_api_limits(&mut tx, slug).await?.unwrap_or_default();
    let Some(wanted) = wanted.after(&before)? else { return Ok(before) };
    store::replace_api_limits(&mut tx, id, &wanted).await?;
    let data = json!({ "slug": slug, "to": wanted });
    note(ctx, &mut tx, caller, Change { kind: "api.limited", subject: Some(id.uuid()), data, ..Change::default() }).await?;
    tx.commit().await?;
    spread(ctx, id.uuid()).await;
    Ok(wanted)
}

/// What changed of a workspace stands in its own history, too.
pub(super) fn of_workspace(kind: &'static str, workspace: WorkspaceId, data: serde_json::Value) -> Change<'static> {
    Change { kind, workspace: Some(workspace), subject: Some(workspace.uuid()), data, ..Change::default() }
}
