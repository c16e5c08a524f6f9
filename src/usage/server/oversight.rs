//! Usage of everybody, for operators.

use super::{
    report::whole,
    store::{
        oversight as store,
        reading::{self, Scope},
    },
    today::{by_code, midnight, tomorrow},
};
use crate::{
    accounts::Caller,
    error::AppError,
    platform::Ctx,
    usage::model::AttemptsFrom,
    values::{Counts, WorkspaceId, permission_names as may},
};

/// Attempts since midnight with secrets that no key has, by address and reason, the most first.
pub async fn attempts_by_address_today(ctx: &Ctx, caller: &Caller, most: u16) -> Result<Vec<AttemptsFrom>, AppError> {
    caller.require(&may::ADMIN_READ)?;
    let rows = store::list_attempts_by_address(&ctx.db, midnight(ctx, caller), i64::from(most)).await?;
    let one = |row: store::AttemptRow| Some(AttemptsFrom { address: row.address, reason: row.reason.parse().ok()?, calls: whole(row.count) });
    Ok(rows.into_iter().filter_map(one).collect())
}

/// Calls of one workspace since midnight.
pub async fn calls_today_of(ctx: &Ctx, caller: &Caller, workspace: WorkspaceId) -> Result<Counts, AppError> {
    caller.require(&may::ADMIN_READ)?;
    let mut counts = Counts::default();
    let rows = reading::list_codes(&ctx.db, &Scope { workspace: Some(workspace), ..Scope::default() }, midnight(ctx, caller), tomorrow(ctx)).await?;
    by_code(rows).into_iter().for_each(|(outcome, calls)| counts.add(outcome, calls));
    Ok(counts)
}
