//! Holding a plan, or a group, against the usage since the first of last month.

use super::{describing::find, groups, store};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::model::{KeyLimit, Window},
    plans::model::{DryRun, WouldBeLimited},
    platform::Ctx,
    values::{KeyId, WorkspaceId, permission_names as may},
};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

/// Rows of the answer.
const MOST: i64 = 50;
/// Usage is kept by quarters of an hour.
const QUARTER: u32 = 900;

/// Who would have been limited had everybody this plan: by workspace, all its keys together, or by key. What it would have held back is
/// exact for what was asked then; people who are refused may ask more, or less.
pub async fn dry_run(ctx: &Ctx, caller: &Caller, slug: &str, by_key: bool) -> Result<DryRun, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    let plan = find(&mut *ctx.db.acquire().await?, slug).await?;
    held_back(ctx, plan.limits, by_key, None).await
}

/// Who of its members would have been limited by a group as it is now: by its own limits, else those of its plan. A workspace with limits
/// or a plan with limits of its own is left out, as the group does not hold it.
pub async fn dry_run_group(ctx: &Ctx, caller: &Caller, slug: &str) -> Result<DryRun, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    let mut conn = ctx.db.acquire().await?;
    let group = groups::find(&mut conn, slug).await?;
    let limits = match &group.plan {
        Some(plan) if group.limits.is_empty() => find(&mut conn, plan.slug.as_str()).await?.limits,
        _ => group.limits,
    };
    drop(conn);
    let held = store::groups::list_held(&ctx.db, group.id).await?;
    held_back(ctx, limits, false, Some(&held)).await
}

/// These limits against the usage of these workspaces, or of all.
async fn held_back(ctx: &Ctx, limits: Vec<KeyLimit>, by_key: bool, of: Option<&[Uuid]>) -> Result<DryRun, AppError> {
    let (fitting, short): (Vec<KeyLimit>, Vec<KeyLimit>) = limits.into_iter().partition(|l| match l.window {
        Window::Seconds(seconds) => seconds.is_multiple_of(QUARTER),
        Window::Month | Window::Local(..) => true,
        Window::Rolling(_) | Window::Credits(_) | Window::Concurrent(_) => false,
    });
    let rows = store::list_limited(&ctx.db, &fitting, by_key, of, last_month(ctx.clock.now()), MOST).await?;
    let whole = |n: i64| u64::try_from(n).unwrap_or(0);
    Ok(DryRun {
        count: rows.first().map_or(0, |r| whole(r.limited)),
        limited: rows
            .into_iter()
            .map(|r| WouldBeLimited {
                workspace: WorkspaceId::new(r.workspace),
                name: r.name,
                key: r.key.map(KeyId::new),
                windows: whole(r.windows),
                beyond: whole(r.beyond),
                units: whole(r.units),
            })
            .collect(),
        too_short: short.into_iter().map(|l| l.name).collect(),
    })
}

/// The first of the month before, UTC.
fn last_month(now: OffsetDateTime) -> OffsetDateTime {
    let before = now.date().replace_day(1).ok().and_then(Date::previous_day).and_then(|d| d.replace_day(1).ok());
    before.unwrap_or(now.date()).midnight().assume_utc()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn last_month_begins_on_its_first() {
        assert_eq!(last_month(datetime!(2026-11-20 12:00 UTC)), datetime!(2026-10-01 0:00 UTC));
        assert_eq!(last_month(datetime!(2027-01-31 23:59 UTC)), datetime!(2026-12-01 0:00 UTC));
    }
}
