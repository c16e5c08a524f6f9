//! What a workspace wants done with a leaked key besides a mail: nothing, or disabling it at once.

use crate::{
    accounts::Caller,
    activity::server::{Change, record},
    error::AppError,
    keys::server::store::leaks as store,
    platform::Ctx,
    values::permission_names as may,
};
use serde_json::json;

/// Whether leaked keys of the caller's workspace are disabled at once.
pub async fn leak_choice(ctx: &Ctx, caller: &Caller) -> Result<bool, AppError> {
    Ok(store::find_choice(&ctx.db, caller.workspace).await?)
}

/// Says so for the caller's workspace.
pub async fn save_leak_choice(ctx: &Ctx, caller: &Caller, disables: bool) -> Result<(), AppError> {
    caller.require(&may::KEYS_WRITE)?;
    let mut tx = ctx.db.begin().await?;
    if store::find_choice(&mut *tx, caller.workspace).await? == disables {
        return Ok(());
    }
    store::upsert_choice(&mut tx, caller.workspace, disables, ctx.clock.now()).await?;
    let change = Change {
        kind: "workspace.leak_choice_changed",
        workspace: Some(caller.workspace),
        actor: caller.actor(),
        actor_name: &caller.name,
        subject: Some(caller.workspace.uuid()),
        data: json!({ "disables": disables }),
        ..Change::default()
    };
    record(ctx, &mut tx, change).await?;
    tx.commit().await?;
    Ok(())
}
