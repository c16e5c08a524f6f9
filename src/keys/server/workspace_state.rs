//! What holds the calls of all keys of a workspace: blocks, and limits that its keys share and that are used up. For its owner and for operators.

use super::{
    gate::{Gate, LimitState},
    store::holds::{HoldRow, list_workspace_holds},
    words::said,
};
use crate::{
    error::AppError,
    keys::model::{HoldView, OverAction, WorkspaceState},
    platform::{Ctx, LocalTime},
    values::{Outcome, WorkspaceId},
};
use sqlx::PgExecutor;
use std::{collections::HashMap, time::Duration};

/// Of one workspace. Whoever asks has seen to it that it may be told.
pub async fn workspace_state(ctx: &Ctx, db: impl PgExecutor<'_>, workspace: WorkspaceId, local: &LocalTime) -> Result<WorkspaceState, AppError> {
    let rows = list_workspace_holds(db, &[workspace], local.now()).await?;
    Ok(WorkspaceState {
        holds: rows.into_iter().map(|row| view(row.hold, local)).collect(),
        used_up: used_up(ctx, workspace).await?.iter().map(|limit| words(limit, local)).collect(),
    })
}

/// Shared limits with nothing left. What this node takes for used up is asked of all nodes: its lease may be an old one.
async fn used_up(ctx: &Ctx, workspace: WorkspaceId) -> Result<Vec<LimitState>, AppError> {
    let (Some(gate), now) = (ctx.part::<Gate>(), ctx.clock.now_micros()) else { return Ok(Vec::new()) };
    if !gate.shared_state(workspace, now).iter().any(is_used_up) {
        return Ok(Vec::new());
    }
    let mut states = gate.shared_standings(&ctx.db, workspace, now).await?;
    states.retain(is_used_up);
    Ok(states)
}

/// The strictest block of each of these workspaces that has one.
pub async fn workspace_holds(ctx: &Ctx, workspaces: &[WorkspaceId], local: &LocalTime) -> Result<HashMap<WorkspaceId, HoldView>, AppError> {
    let mut holds = HashMap::new();
    for row in list_workspace_holds(&ctx.db, workspaces, local.now()).await? {
        holds.entry(row.workspace).or_insert_with(|| view(row.hold, local));
    }
    Ok(holds)
}

pub(super) fn view(row: HoldRow, local: &LocalTime) -> HoldView {
    HoldView {
        is_workspace: row.is_workspace,
        per_second: row.per_second.and_then(|n| u32::try_from(n).ok()),
        until: row.until.map(|at| said(at, local.moment(at))),
    }
}

/// Calls at the same time are of a moment only, and a limit that slows down or marks lets calls pass.
fn is_used_up(limit: &LimitState) -> bool {
    limit.remaining == 0 && limit.over == OverAction::Refuse && !limit.window.is_concurrent()
}

fn words(limit: &LimitState, local: &LocalTime) -> String {
    let code = if limit.window.is_quota() { Outcome::QuotaExceeded } else { Outcome::RateLimited };
    let until = match limit.reset_after {
        0 => "until an operator adds credits".to_owned(),
        seconds => format!("until it resets {}", local.ahead(local.now() + Duration::from_secs(seconds))),
    };
    format!("The limit {} of all keys together is used up: {}. More calls are answered {code} {until}.", limit.name, limit.words())
}
