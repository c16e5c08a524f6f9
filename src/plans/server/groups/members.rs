//! Who is in a group. A workspace is in one at most.

use super::describing::find;
use crate::{
    accounts::Caller,
    error::AppError,
    plans::{
        model::{Group, Members, WorkspaceHold},
        server::{assigning::of_workspace, noting::note, spreading::spread, store, store::groups as rows},
    },
    platform::{Ctx, once},
    values::{WorkspaceId, permission_names as may},
};
use serde_json::json;
use sqlx::{Postgres, Transaction};

/// Its members in the order of their ids, those behind one.
pub async fn list_members(ctx: &Ctx, caller: &Caller, slug: &str, after: Option<WorkspaceId>, most: usize) -> Result<Members, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    let mut conn = ctx.db.acquire().await?;
    let group = find(&mut conn, slug).await?;
    Ok(rows::list_members(&mut conn, group.id, after, most).await?)
}

/// Puts a workspace into a group. One that is in another group is refused: two groups could say two things.
pub async fn add_member(ctx: &Ctx, caller: &Caller, slug: &str, workspace: WorkspaceId) -> Result<WorkspaceHold, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    let (mut tx, group, hold) = open(ctx, slug, workspace).await?;
    if rows::insert_member(&mut tx, group.id, workspace, ctx.clock.now()).await? {
        change(ctx, tx, caller, "workspace.grouped", &group, &hold).await?;
        return Ok(WorkspaceHold { is_group_limited: !group.limits.is_empty(), group: Some(group.slug), ..hold });
    }
    match rows::find_group_of(&mut tx, workspace).await?.ok_or(AppError::NotFound)? {
        (id, _) if id == group.id => Ok(hold), // sent twice
        (_, other) => {
            let name = hold.name;
            Err(AppError::conflict(format!("{name} is in the group {other}, and a workspace is in one group at most. Take it out of {other} first.")))
        }
    }
}

/// Takes a workspace out of a group.
pub async fn remove_member(ctx: &Ctx, caller: &Caller, slug: &str, workspace: WorkspaceId) -> Result<WorkspaceHold, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    let (mut tx, group, hold) = open(ctx, slug, workspace).await?;
    if rows::delete_member(&mut tx, group.id, workspace).await? {
        change(ctx, tx, caller, "workspace.ungrouped", &group, &hold).await?;
        return Ok(WorkspaceHold { is_group_limited: false, group: None, ..hold });
    }
    Ok(hold)
}

/// Locks the group, then the workspace.
async fn open(ctx: &Ctx, slug: &str, workspace: WorkspaceId) -> Result<(Transaction<'static, Postgres>, Group, WorkspaceHold), AppError> {
    let mut tx = ctx.db.begin().await?;
    rows::lock_group(&mut tx, slug).await?.ok_or(AppError::NotFound)?;
    let group = find(&mut tx, slug).await?;
    let hold = store::lock_workspace(&mut tx, workspace).await?.ok_or(AppError::NotFound)?;
    Ok((tx, group, hold))
}

async fn change(
    ctx: &Ctx,
    mut tx: Transaction<'static, Postgres>,
    caller: &Caller,
    kind: &'static str,
    group: &Group,
    hold: &WorkspaceHold,
) -> Result<(), AppError> {
    let data = json!({ "name": hold.name, "group": group.slug });
    note(ctx, &mut tx, caller, of_workspace(kind, hold.workspace, data)).await?;
    once::done(ctx, &mut tx).await?;
    tx.commit().await?;
    spread(ctx, hold.workspace.uuid()).await;
    Ok(())
}
