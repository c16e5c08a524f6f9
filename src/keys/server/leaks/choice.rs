//! What a workspace wants done with a leaked key besides a mail: nothing, or disabling it at once.

use crate::{
    accounts::Caller,
    activity::server::{Change, record},
    error::AppError,
    keys::server::store::leaks as store,
    platform::Ctx,
    values::{WorkspaceId, permission_names as may},
};
use serde_json::json;

/// Whether leaked keys of the caller's workspace are disabled at once.
pub async fn leak_choice(ctx: &Ctx, caller: &Caller) -> Result<bool, AppError> {
    Ok(store::find_choice(&ctx.db, caller.workspace).await?)
}

/// The same of any workspace. Operators only.
pub async fn leak_choice_of(ctx: &Ctx, caller: &Caller, workspace: WorkspaceId) -> Result<bool, AppError> {
    caller.require(&may::KEYS_MANAGE)?;
    Ok(store::find_choice(&ctx.db, workspace).await?)
}

/// Says so for the caller's workspace.
pub async fn save_leak_choice(ctx: &Ctx, caller: &Caller, disables: bool) -> Result<(), AppError> {
    caller.require(&may::KEYS_WRITE)?;
    save(ctx, caller, caller.workspace, disables).await
}

/// Says so for any workspace. Operators only.
pub async fn save_leak_choice_of(ctx: &Ctx, caller: &Caller, workspace: WorkspaceId, disables: bool) -> Result<(), AppError> {
    caller.require(&may::KEYS_MANAGE)?;
    save(ctx, caller, workspace, disables).await
}

async fn save(ctx: &Ctx, caller: &Caller, workspace: WorkspaceId, disables: bool) -> Result<(), AppError> {
    let mut tx = ctx.db.begin().await?;
    if store::find_choice(&mut *tx, workspace).await? == disables {
        return Ok(());
    }
    store::upsert_choice(&mut tx, workspace, disables, ctx.clock.now()).await?;
    let change = Change {
        kind: "workspace.leak_choice_changed",
        workspace: Some(workspace),
        actor: caller.actor(),
        actor_name: &caller.name,
        subject: Some(workspace.uuid()),
        data: json!({ "disables": disables }),
        ..Change::default()
    };
    record(ctx, &mut tx, change).await?;
    tx.commit().await?;
    Ok(())
}
