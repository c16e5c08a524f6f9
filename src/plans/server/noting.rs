//! The event of a change of plans, groups, and of what they hold.

use crate::{
    accounts::Caller,
    activity::server::{Change, record},
    error::AppError,
    keys::server::actor,
    platform::Ctx,
};
use sqlx::PgConnection;

/// Writes it down as the caller's: `change` says what and of whom.
pub async fn note(ctx: &Ctx, conn: &mut PgConnection, caller: &Caller, change: Change<'_>) -> Result<(), AppError> {
    let (actor, actor_name) = actor(caller);
    record(ctx, conn, Change { actor, actor_name, ..change }).await?;
    Ok(())
}
