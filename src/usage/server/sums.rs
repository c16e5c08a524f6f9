//! Sums of usage by code, for operators: of everybody, a workspace, an API or a key.

use super::{
    calendar::{Calendar, timestamp},
    report::{instants, list_buckets, scope, sums, whole},
    store::{
        reading::{Kept, Scope},
        units,
    },
    times::Times,
};
use crate::{
    accounts::Caller,
    error::AppError,
    platform::Ctx,
    usage::model::{BucketSize, UsageQuery},
    values::{Counts, WorkspaceId, permission_names as may},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// Calls in a stretch of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UsageSum {
    /// RFC 3339, UTC. Rounded down, and `to` up, to whole hours or days, of a short time to minutes.
    pub from: String,
    pub to: String,
    pub total: u64,
    pub passed: u64,
    pub limited: u64,
    pub refused: u64,
    /// Codes without calls are left out.
    pub by_code: BTreeMap<String, u64>,
    /// Cost units of what passed.
    pub units: u64,
}

/// Sums what the query asks for of this workspace, of all without one; a key says itself whose it is.
pub async fn sum_usage(ctx: &Ctx, caller: &Caller, workspace: Option<WorkspaceId>, query: &UsageQuery) -> Result<UsageSum, AppError> {
    caller.require(&may::ADMIN_READ)?;
    let (calendar, now) = (Calendar::utc(), timestamp(ctx.clock.now()));
    let mut span = Times::read(ctx, query, &calendar, now)?.span;
    if span.size == BucketSize::Week {
        // The first week would begin up to six days before the time that was asked for.
        let by_day = UsageQuery { bucket: Some(BucketSize::Day.word().to_owned()), ..query.clone() };
        span = Times::read(ctx, &by_day, &calendar, now)?.span;
    }
    let asked = scope(ctx, caller, query).await?;
    let workspace = if asked.key.is_some() { asked.workspace } else { workspace };
    let scope = Scope { workspace, ..asked };
    let (edges, kept) = (instants(&span.edges), if span.size.is_minutes() { Kept::Minutes } else { Kept::Quarters });
    let (rows, costs) = tokio::try_join!(list_buckets(&ctx.db, &scope, &span), units::list_buckets(&ctx.db, &scope, &edges, kept))?;
    let (cells, codes) = sums(&rows, span.buckets());
    let counts: Counts = cells.into_iter().sum();
    Ok(UsageSum {
        from: span.start().to_string(),
        to: span.end().to_string(),
        total: counts.total(),
        passed: counts.passed,
        limited: counts.limited,
        refused: counts.refused,
        by_code: codes.into_iter().map(|(code, calls)| (code.to_string(), calls)).collect(),
        units: costs.iter().map(|row| whole(row.count)).sum(),
    })
}
