//! What calls are counted by beside their route: addresses (`addresses`), and here what both share, and the permissions.
//!
//! Counts by permission are of calls that passed, or that only a limit held (`keys::server::meter::permissions`). They are no part of a
//! sum: a call may need two.

use super::{
    calendar::{Calendar, instant, timestamp},
    report::{scope, whole},
    store::{parts as store, reading::Scope},
    times::Times,
};
use crate::{
    accounts::Caller,
    error::AppError,
    platform::Ctx,
    usage::model::{PartKind, PermissionUsage, UsageQuery},
    values::{Counts, permission_names as may},
};
use sqlx::PgPool;
use std::collections::HashMap;
use time::OffsetDateTime;

/// Rows of one answer.
const MOST: i64 = 100;

/// What the filters leave, by permission, whatever permission is chosen.
pub async fn report_permissions(ctx: &Ctx, caller: &Caller, query: &UsageQuery) -> Result<Vec<PermissionUsage>, AppError> {
    caller.require(&may::USAGE_READ)?;
    let Times { span, .. } = Times::read(ctx, query, &Calendar::asked(query.tz.as_deref(), &caller.time_zone)?, timestamp(ctx.clock.now()))?;
    let scope = scope(ctx, caller, query).await?;
    Ok(permissions(&ctx.db, &scope, instant(span.start()), instant(span.end()), MOST).await?)
}

/// The permissions that most calls needed. None where a route or an address is chosen: calls are counted by one of them.
pub async fn permissions(db: &PgPool, scope: &Scope, from: OffsetDateTime, to: OffsetDateTime, most: i64) -> sqlx::Result<Vec<PermissionUsage>> {
    if scope.route.is_some() || scope.address.is_some() {
        return Ok(Vec::new());
    }
    let rows = list(db, scope, PartKind::Permission, from, to, most).await?;
    Ok(rows.into_iter().map(|(permission, counts)| PermissionUsage { permission, counts }).collect())
}

/// Parts with their calls, the busiest first.
pub async fn list(db: &PgPool, scope: &Scope, kind: PartKind, from: OffsetDateTime, to: OffsetDateTime, most: i64) -> sqlx::Result<Vec<(String, Counts)>> {
    let mut parts = HashMap::<String, Counts>::new();
    for row in store::list_parts(db, scope, kind, from, to, most).await? {
        let Ok(outcome) = row.outcome.parse() else { continue };
        parts.entry(row.part).or_default().add(outcome, whole(row.count));
    }
    let mut rows: Vec<_> = parts.into_iter().collect();
    rows.sort_by(|a, b| b.1.total().cmp(&a.1.total()).then_with(|| a.0.cmp(&b.0)));
    Ok(rows)
}
