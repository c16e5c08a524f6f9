//! Holding a plan, or a group, against the usage since the first of last month.
//!
//! Usage is kept by quarters of an hour for so long, so fixed windows that quarters fit into are exact. Other windows of whole minutes are
//! held against usage by the minute, which is kept for some weeks. One fixed limit alone is summed by Postgres. Of several, of a rolling one and of
//! credits Postgres finds whom any of them would have held back, and these are walked through quarter by quarter, or minute by minute
//! (`walking`): what was asked in one counts as if at its beginning, and what would have been held back fills nothing.

use super::{
    describing::{find, find_plan},
    groups,
    store::{self, Asked, Meant, Whose},
    walking::Walk,
};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::{
        model::{KeyLimit, LimitChange, LimitUnit, TypedLimit, Window},
        server::rules as of_keys,
    },
    plans::model::{DryRun, Trial, WouldBeLimited},
    platform::Ctx,
    values::{KeyId, PlanId, WorkspaceId, permission_names as may},
};
use std::collections::HashMap;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

/// Rows of the answer.
const MOST: i64 = 50;
/// Usage is kept by quarters of an hour, and for some weeks by the minute.
pub(super) const QUARTER: u32 = 900;
const MINUTE: u32 = 60;
/// Of a shorter rolling window, and of credits that come back sooner, quarters say too little.
const SHORTEST_ROLLING: u32 = 4 * QUARTER;

/// Everybody: by workspace those keys that would meet the plan, by key each.
const fn everybody(by_key: bool) -> Whose<'static> {
    Whose { by_key, all_keys: by_key, of: None, keys: None }
}

/// These limits against the usage of everybody.
pub(super) async fn of_everybody(ctx: &Ctx, limits: &[KeyLimit], by_key: bool) -> Result<DryRun, AppError> {
    let run = held_back(ctx, limits, &everybody(by_key)).await?;
    if by_key { Ok(run) } else { with_left_out(ctx, run, &Meant::default()).await }
}

/// The same of these workspaces, the keys of each together.
pub(super) async fn of_workspaces(ctx: &Ctx, limits: &[KeyLimit], of: &[Uuid]) -> Result<DryRun, AppError> {
    let run = held_back(ctx, limits, &Whose { of: Some(of), ..everybody(false) }).await?;
    with_left_out(ctx, run, &Meant { of: Some(of), ..Meant::default() }).await
}

/// The same of those keys of an API that its limits hold, each alone.
pub(super) async fn of_api(ctx: &Ctx, limits: &[KeyLimit], api: &str) -> Result<DryRun, AppError> {
    let keys = store::list_met_by_api(&ctx.db, api).await?;
    let run = held_back(ctx, limits, &Whose { keys: Some(&keys), ..everybody(true) }).await?;
    with_left_out(ctx, run, &Meant { api: Some(api), but: &keys, ..Meant::default() }).await
}

async fn with_left_out(ctx: &Ctx, run: DryRun, meant: &Meant<'_>) -> Result<DryRun, AppError> {
    let left = store::count_left_out(&ctx.db, last_month(ctx.clock.now()), meant).await?;
    Ok(DryRun { left_out: whole(left.keys), left_out_units: whole(left.units), ..run })
}

/// Who would have been limited had everybody this plan: by workspace, all its keys together, or by key. What it would have held back is
/// exact for what was asked then, of rolling windows to a quarter of an hour; people who are refused may ask more, or less.
pub async fn dry_run(ctx: &Ctx, caller: &Caller, slug: &str, by_key: bool) -> Result<DryRun, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    let plan = find(&mut *ctx.db.acquire().await?, slug).await?;
    of_everybody(ctx, &plan.limits, by_key).await
}

/// The same as a page asks for it: with one limit as it was typed, for everybody or only for those who have the plan. Writes nothing.
pub async fn try_plan(ctx: &Ctx, caller: &Caller, slug: &str, trial: &Trial) -> Result<DryRun, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    let plan = find(&mut *ctx.db.acquire().await?, slug).await?;
    let limits = with_typed(ctx, plan.limits, trial.typed.as_ref()).await?;
    if !trial.of_holders {
        return of_everybody(ctx, &limits, trial.by_key).await;
    }
    of_holders(ctx, plan.id, &limits, trial.by_key).await
}

/// Those who have a plan with these limits: a workspace for its keys together, a key for itself alone.
pub(super) async fn of_holders(ctx: &Ctx, plan: PlanId, limits: &[KeyLimit], by_key: bool) -> Result<DryRun, AppError> {
    let (workspaces, keys) = (store::list_holding(&ctx.db, plan).await?, store::list_holding_keys(&ctx.db, plan).await?);
    let together = Whose { by_key, all_keys: false, of: Some(&workspaces), keys: None };
    let run = held_back(ctx, limits, &together).await?;
    let run = with_left_out(ctx, run, &Meant { of: Some(&workspaces), plan: Some(plan), api: None, but: &keys }).await?;
    if keys.is_empty() {
        return Ok(run);
    }
    let alone = held_back(ctx, limits, &Whose { keys: Some(&keys), ..everybody(true) }).await?;
    let mut limited = [run.limited, alone.limited].concat();
    most_beyond(&mut limited);
    Ok(DryRun { limited, count: run.count + alone.count, keys: run.keys + alone.keys, ..run })
}

/// These limits, one of them as it was typed; what is wrong with it stands at the fields of its form.
async fn with_typed(ctx: &Ctx, limits: Vec<KeyLimit>, typed: Option<&TypedLimit>) -> Result<Vec<KeyLimit>, AppError> {
    let Some(typed) = typed else { return Ok(limits) };
    // Nothing is overwritten.
    let change = LimitChange { seen: None, ..typed.read()? };
    let zones = of_keys::zones(ctx, of_keys::zones_of(&change.now)).await?;
    of_keys::limits_after(&limits, &change, zones)
}

/// What is wrong with a limit of a plan that was typed, before it is tried.
pub async fn check_typed_plan(ctx: &Ctx, caller: &Caller, slug: &str, typed: &TypedLimit) -> Result<(), AppError> {
    let plan = find_plan(ctx, caller, slug).await?;
    with_typed(ctx, plan.limits, Some(typed)).await.map(drop)
}

/// The same of a group.
pub async fn check_typed_group(ctx: &Ctx, caller: &Caller, slug: &str, typed: &TypedLimit) -> Result<(), AppError> {
    let group = groups::find_group(ctx, caller, slug).await?;
    with_typed(ctx, group.limits, Some(typed)).await.map(drop)
}

/// Who of its members would have been limited by a group as it is now: by its own limits, else those of its plan. A workspace with limits
/// of its own is left out, as the group does not hold it; so is one with a plan with limits, where the group's are those of its plan.
pub async fn dry_run_group(ctx: &Ctx, caller: &Caller, slug: &str) -> Result<DryRun, AppError> {
    try_group(ctx, caller, slug, &Trial::default()).await
}

/// The same with one of its own limits as it was typed. Writes nothing.
pub async fn try_group(ctx: &Ctx, caller: &Caller, slug: &str, trial: &Trial) -> Result<DryRun, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    let mut conn = ctx.db.acquire().await?;
    let group = groups::find(&mut conn, slug).await?;
    let by_plan = group.limits.is_empty() && trial.typed.is_none();
    let limits = match &group.plan {
        Some(plan) if by_plan => find(&mut conn, plan.slug.as_str()).await?.limits,
        _ => group.limits,
    };
    drop(conn);
    let limits = with_typed(ctx, limits, trial.typed.as_ref()).await?;
    let held = store::groups::list_held(&ctx.db, group.id, by_plan).await?;
    of_workspaces(ctx, &limits, &held).await
}

/// Limits by what they are held against.
#[derive(Debug, Default)]
struct Sorted {
    fixed: Vec<KeyLimit>,
    rolling: Vec<KeyLimit>,
    fixed_minutes: Vec<KeyLimit>,
    rolling_minutes: Vec<KeyLimit>,
    credits: Vec<KeyLimit>,
    /// Of seconds, credits that come back sooner than quarters can show, and calls at the same time: how long these go on is not seen in counts.
    unseen: Vec<KeyLimit>,
}

impl Sorted {
    fn new(limits: &[KeyLimit]) -> Self {
        let mut sorted = Self::default();
        for limit in limits {
            let place = match limit.window {
                Window::Month | Window::Local(..) => &mut sorted.fixed,
                Window::Seconds(seconds) if seconds.is_multiple_of(QUARTER) => &mut sorted.fixed,
                Window::Seconds(seconds) if seconds.is_multiple_of(MINUTE) => &mut sorted.fixed_minutes,
                Window::Rolling(seconds) if seconds >= SHORTEST_ROLLING => &mut sorted.rolling,
                Window::Rolling(_) => &mut sorted.rolling_minutes,
                Window::Credits(refill) if refill.is_prepaid() || refill.seconds >= SHORTEST_ROLLING => &mut sorted.credits,
                Window::Seconds(_) | Window::Credits(_) | Window::Concurrent(_) => &mut sorted.unseen,
            };
            place.push(limit.clone());
        }
        sorted
    }

    fn need_minutes(&self) -> bool {
        self.of_minutes().next().is_some()
    }

    fn of_minutes(&self) -> impl Iterator<Item = &KeyLimit> {
        self.fixed_minutes.iter().chain(&self.rolling_minutes)
    }
}

/// These limits against the usage of these.
async fn held_back(ctx: &Ctx, limits: &[KeyLimit], whose: &Whose<'_>) -> Result<DryRun, AppError> {
    let sorted = Sorted::new(limits);
    let from = last_month(ctx.clock.now());
    let since = from.max(first_whole_day(ctx.clock.now() - ctx.config.retention.minutes));
    let quarters = Asked { whose, from, minutes_since: None };
    let minutes = Asked { minutes_since: Some(since), ..quarters };
    let (not_tried, tried): (Vec<&KeyLimit>, Vec<&KeyLimit>) = limits.iter().partition(|limit| sorted.unseen.contains(limit));
    let (limited, count): (Vec<WouldBeLimited>, u64) = if tried.len() == 1 && sorted.fixed.len() + sorted.fixed_minutes.len() == 1 {
        let (limits, asked) = if sorted.fixed.is_empty() { (&sorted.fixed_minutes, &minutes) } else { (&sorted.fixed, &quarters) };
        let rows = store::list_limited(&ctx.db, limits, asked, MOST).await?;
        let count = rows.first().map_or(0, |row| whole(row.limited));
        (rows.into_iter().map(found).collect(), count)
    } else {
        let (mut limited, found) = walked(ctx, &sorted, &quarters, &minutes).await?;
        let count = found;
        most_beyond(&mut limited);
        (limited, count)
    };
    let names = |limits: &[&KeyLimit]| limits.iter().map(|l| l.name.clone()).collect::<Vec<_>>();
    let by_calls: Vec<&KeyLimit> = tried.iter().copied().filter(|limit| limit.unit.is_calls()).collect();
    let too_short: Vec<&KeyLimit> = not_tried.iter().copied().filter(|limit| matches!(limit.window, Window::Seconds(_))).collect();
    let unit = if !tried.is_empty() && by_calls.len() == tried.len() { LimitUnit::Calls } else { LimitUnit::Units };
    Ok(DryRun {
        limited,
        count,
        keys: if whose.by_key { count } else { 0 },
        by_quarters: names(&sorted.rolling.iter().chain(&sorted.credits).collect::<Vec<_>>()),
        by_minutes: names(&sorted.of_minutes().collect::<Vec<_>>()),
        by_calls: names(&by_calls),
        unit,
        minutes_since: sorted.need_minutes().then_some(since),
        tried: names(&tried),
        not_tried: names(&not_tried),
        too_short: names(&too_short),
        ..DryRun::default()
    })
}

/// So many of those that one limit alone would have held back most are looked at with all limits in force.
const MOST_WALKED: i64 = 5_000;

/// Whom any of these would have held back, with all of them in force; and how many at least.
async fn walked(ctx: &Ctx, sorted: &Sorted, quarters: &Asked<'_>, minutes: &Asked<'_>) -> Result<(Vec<WouldBeLimited>, u64), AppError> {
    let mut names: HashMap<Who, String> = HashMap::new();
    let mut found = 0;
    let who = |workspace, key: Option<Uuid>| (WorkspaceId::new(workspace), key.map(KeyId::new));
    for (limits, asked) in [(&sorted.fixed, quarters), (&sorted.fixed_minutes, minutes)] {
        let (units, calls) = by_unit(limits);
        for limits in [units, calls].iter().filter(|limits| !limits.is_empty()) {
            let rows = store::list_limited(&ctx.db, limits, asked, MOST_WALKED).await?;
            // The others are counted as they are.
            found = found.max(rows.first().map_or(0, |row| whole(row.limited)).saturating_sub(rows.len() as u64));
            names.extend(rows.into_iter().map(|row| (who(row.workspace, row.key), row.name)));
        }
    }
    for (limits, asked) in [(&sorted.rolling, quarters), (&sorted.rolling_minutes, minutes), (&sorted.credits, quarters)] {
        for limit in limits {
            let rows = match limit.window {
                Window::Credits(_) => store::list_without_credits(&ctx.db, limit, asked).await?,
                _ => store::list_rolling(&ctx.db, limit, asked).await?,
            };
            names.extend(rows.into_iter().map(|row| (who(row.workspace, row.key), row.name)));
        }
    }
    if names.is_empty() {
        return Ok((Vec::new(), 0));
    }
    let whose = quarters.whose;
    let ids: Vec<Uuid> = names.keys().filter_map(|(workspace, key)| if whose.by_key { key.map(KeyId::uuid) } else { Some(workspace.uuid()) }).collect();
    let whose = if whose.by_key { Whose { keys: Some(&ids), ..*whose } } else { Whose { of: Some(&ids), ..*whose } };
    let asked = Asked { whose: &whose, from: quarters.from, minutes_since: minutes.minutes_since.filter(|_| sorted.need_minutes()) };
    let of_minutes: Vec<KeyLimit> = sorted.of_minutes().cloned().collect();
    let of_quarters = sorted.fixed.iter().chain(&sorted.rolling).chain(&sorted.credits);
    let limits: Vec<_> = of_quarters.map(|limit| (limit, false)).chain(sorted.of_minutes().map(|limit| (limit, true))).collect();
    let in_calls = limits.iter().any(|(limit, _)| limit.unit.is_calls());
    let mut walk = Walk::new(limits, names);
    store::each_step(&ctx.db, &asked, &of_minutes, in_calls, |row| walk.step(&row)).await?;
    let limited = walk.end();
    let all = limited.len() as u64 + found;
    Ok((limited, all))
}

/// Those of units, and those of calls: what was asked is summed in one or the other.
fn by_unit(limits: &[KeyLimit]) -> (Vec<KeyLimit>, Vec<KeyLimit>) {
    limits.iter().cloned().partition(|limit| limit.unit.is_units())
}

/// Those with the most beyond first, no more of them than are shown.
fn most_beyond(limited: &mut Vec<WouldBeLimited>) {
    limited.sort_by(|a, b| b.beyond.cmp(&a.beyond).then((a.workspace, a.key).cmp(&(b.workspace, b.key))));
    limited.truncate(usize::try_from(MOST).unwrap_or(50));
}

fn whole(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

fn found(row: store::LimitedRow) -> WouldBeLimited {
    WouldBeLimited {
        workspace: WorkspaceId::new(row.workspace),
        name: row.name,
        key: row.key.map(KeyId::new),
        windows: whole(row.windows),
        beyond: whole(row.beyond),
        units: whole(row.units),
    }
}

/// A workspace, or a key of it alone.
pub(super) type Who = (WorkspaceId, Option<KeyId>);

/// The first of the month before, UTC.
fn last_month(now: OffsetDateTime) -> OffsetDateTime {
    let before = now.date().replace_day(1).ok().and_then(Date::previous_day).and_then(|d| d.replace_day(1).ok());
    before.unwrap_or(now.date()).midnight().assume_utc()
}

/// The first midnight from then on, UTC: what was before it may be gone.
fn first_whole_day(then: OffsetDateTime) -> OffsetDateTime {
    then.date().next_day().unwrap_or(then.date()).midnight().assume_utc()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn each_limit_has_what_it_is_held_against() {
        let windows = [
            "hour",
            "month",
            "day@Europe/Stockholm",
            "rolling:hour",
            "60",
            "1200",
            "rolling:60",
            "rolling:3540",
            "1",
            "90",
            "credits",
            "credits:5/hour",
            "credits:5/minute",
            "concurrent",
        ];
        let limits = windows.map(|window| KeyLimit::new(window, 10, window.parse().expect("a window")));
        let sorted = Sorted::new(&limits);
        let names = |limits: &[KeyLimit]| limits.iter().map(|l| l.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&sorted.fixed), ["hour", "month", "day@Europe/Stockholm"]);
        assert_eq!(names(&sorted.rolling), ["rolling:hour"]);
        assert_eq!(names(&sorted.fixed_minutes), ["60", "1200"]);
        assert_eq!(names(&sorted.rolling_minutes), ["rolling:60", "rolling:3540"]);
        assert_eq!(names(&sorted.unseen), ["1", "90", "credits:5/minute", "concurrent"]);
        assert_eq!(names(&sorted.credits), ["credits", "credits:5/hour"]);
    }

    #[test]
    fn last_month_begins_on_its_first() {
        assert_eq!(last_month(datetime!(2026-11-20 12:00 UTC)), datetime!(2026-10-01 0:00 UTC));
        assert_eq!(last_month(datetime!(2027-01-31 23:59 UTC)), datetime!(2026-12-01 0:00 UTC));
    }
}
