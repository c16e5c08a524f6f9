//! Holding a plan, or a group, against the usage since the first of last month.
//!
//! Usage is kept by quarters of an hour for so long, so fixed windows that quarters fit into are exact. A rolling window is walked through
//! quarter by quarter: what was asked in one counts as if at its beginning, and what would have been held back fills nothing.

use super::{
    describing::{find, find_plan},
    groups, store,
};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::{
        model::{KeyLimit, Window},
        server::{
            forms::{LimitForm, OverForm},
            rules as of_keys,
        },
    },
    plans::model::{DryRun, Trial, TypedLimit, WouldBeLimited},
    platform::Ctx,
    values::{KeyId, WorkspaceId, permission_names as may},
};
use std::collections::{HashMap, VecDeque};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

/// Rows of the answer.
const MOST: i64 = 50;
/// Usage is kept by quarters of an hour.
const QUARTER: u32 = 900;
/// Of a shorter rolling window quarters say too little.
const SHORTEST_ROLLING: u32 = 4 * QUARTER;

/// Who would have been limited had everybody this plan: by workspace, all its keys together, or by key. What it would have held back is
/// exact for what was asked then, of rolling windows to a quarter of an hour; people who are refused may ask more, or less.
pub async fn dry_run(ctx: &Ctx, caller: &Caller, slug: &str, by_key: bool) -> Result<DryRun, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    let plan = find(&mut *ctx.db.acquire().await?, slug).await?;
    held_back(ctx, plan.limits, by_key, None).await
}

/// The same as a page asks for it: with one limit as it was typed, for everybody or only for those who have the plan. Writes nothing.
pub async fn try_plan(ctx: &Ctx, caller: &Caller, slug: &str, trial: &Trial) -> Result<DryRun, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    let plan = find(&mut *ctx.db.acquire().await?, slug).await?;
    let limits = with_typed(ctx, plan.limits, trial.typed.as_ref()).await?;
    let holding = if trial.of_holders { Some(store::list_holding(&ctx.db, plan.id).await?) } else { None };
    held_back(ctx, limits, false, holding.as_deref()).await
}

/// These limits, one of them as it was typed; what is wrong with it stands at the fields of its form.
async fn with_typed(ctx: &Ctx, limits: Vec<KeyLimit>, typed: Option<&TypedLimit>) -> Result<Vec<KeyLimit>, AppError> {
    let Some(typed) = typed else { return Ok(limits) };
    let over = OverForm { over: &typed.over, per_second: &typed.over_per_second, until: &typed.over_until };
    let form = LimitForm {
        name: &typed.name,
        was: &typed.was,
        limit: &typed.limit,
        window: &typed.window,
        seconds: &typed.seconds,
        refill: &typed.refill,
        over,
        act: "",
    };
    let change = form.read()?;
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

/// Who of its members would have been limited by a group as it is now: by its own limits, else those of its plan. A workspace with limits of
/// its own is left out, as the group does not hold it; by the group's plan also one whose own plan has limits.
pub async fn dry_run_group(ctx: &Ctx, caller: &Caller, slug: &str) -> Result<DryRun, AppError> {
    try_group(ctx, caller, slug, &Trial::default()).await
}

/// The same with one of its own limits as it was typed. Writes nothing.
pub async fn try_group(ctx: &Ctx, caller: &Caller, slug: &str, trial: &Trial) -> Result<DryRun, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    let mut conn = ctx.db.acquire().await?;
    let group = groups::find(&mut conn, slug).await?;
    let of_plan = group.plan.as_ref().filter(|_| group.limits.is_empty() && trial.typed.is_none());
    let limits = match of_plan {
        Some(plan) => find(&mut conn, plan.slug.as_str()).await?.limits,
        None => group.limits.clone(),
    };
    drop(conn);
    let limits = with_typed(ctx, limits, trial.typed.as_ref()).await?;
    let held = store::groups::list_held(&ctx.db, group.id, of_plan.is_some()).await?;
    held_back(ctx, limits, false, Some(&held)).await
}

/// These limits against the usage of these workspaces, or of all.
async fn held_back(ctx: &Ctx, limits: Vec<KeyLimit>, by_key: bool, of: Option<&[Uuid]>) -> Result<DryRun, AppError> {
    let (fitting, short): (Vec<KeyLimit>, Vec<KeyLimit>) = limits.into_iter().partition(|l| match l.window {
        Window::Seconds(seconds) => seconds.is_multiple_of(QUARTER),
        Window::Month | Window::Local(..) => true,
        Window::Rolling(seconds) => seconds >= SHORTEST_ROLLING,
        // What is left of credits, and how long calls go on, is not seen in counts.
        Window::Credits(_) | Window::Concurrent(_) => false,
    });
    let (rolling, fixed): (Vec<KeyLimit>, Vec<KeyLimit>) = fitting.into_iter().partition(|l| l.window.is_rolling());
    let from = last_month(ctx.clock.now());
    // Beside rolling ones all are needed, since what two limits hold back of one adds up.
    let most = if rolling.is_empty() { MOST } else { i64::MAX };
    let rows = store::list_limited(&ctx.db, &fixed, by_key, of, from, most).await?;
    let mut count = rows.first().map_or(0, |r| whole(r.limited));
    let mut limited: Vec<WouldBeLimited> = rows.into_iter().map(found).collect();
    if !rolling.is_empty() {
        let mut all: HashMap<_, WouldBeLimited> = limited.into_iter().map(|held| ((held.workspace, held.key), held)).collect();
        for limit in &rolling {
            let mut asked = HashMap::<(WorkspaceId, Option<KeyId>), Rolled>::new();
            let mut last = None;
            let each = |row: store::QuarterRow| {
                let who = (WorkspaceId::new(row.workspace), row.key.map(KeyId::new));
                // Rows of one follow each other: what passed of the one before is not needed any more.
                if let Some(before) = last.replace(who).filter(|before| *before != who)
                    && let Some(done) = asked.get_mut(&before)
                {
                    done.passed = VecDeque::new();
                }
                let rolled = asked.entry(who).or_default();
                rolled.name = row.name;
                rolled.ask(limit, row.quarter.unix_timestamp(), whole(row.units));
            };
            store::each_quarter(&ctx.db, limit, by_key, of, from, each).await?;
            for ((workspace, key), rolled) in asked {
                let none = || WouldBeLimited { workspace, name: rolled.name.clone(), key, windows: 0, beyond: 0, units: rolled.units };
                let held = all.entry((workspace, key)).or_insert_with(none);
                held.windows = held.windows.saturating_add(rolled.times);
                held.beyond = held.beyond.saturating_add(rolled.beyond);
            }
        }
        limited = all.into_values().collect();
        limited.sort_by(|a, b| b.beyond.cmp(&a.beyond).then((a.workspace, a.key).cmp(&(b.workspace, b.key))));
        count = limited.len() as u64;
        limited.truncate(usize::try_from(MOST).unwrap_or(50));
    }
    let names = |limits: Vec<KeyLimit>| limits.into_iter().map(|l| l.name).collect();
    Ok(DryRun { count, limited, by_quarters: names(rolling), too_short: names(short) })
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

/// One who asks under a rolling limit, quarter after quarter.
#[derive(Debug, Default)]
struct Rolled {
    name: String,
    /// What passed within the window, and when.
    passed: VecDeque<(i64, u64)>,
    within: u64,
    /// Quarters in which something would have been held back.
    times: u64,
    beyond: u64,
    units: u64,
}

impl Rolled {
    fn ask(&mut self, limit: &KeyLimit, at: i64, units: u64) {
        let seconds = i64::from(limit.window.stored_seconds());
        while let Some((_, passed)) = self.passed.front().copied().filter(|(then, _)| then + seconds <= at) {
            self.passed.pop_front();
            self.within -= passed;
        }
        let passes = units.min(limit.limit.saturating_sub(self.within));
        self.passed.push_back((at, passes));
        self.within += passes;
        self.units = self.units.saturating_add(units);
        self.beyond = self.beyond.saturating_add(units - passes);
        self.times += u64::from(passes < units);
    }
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
    fn what_was_held_back_fills_no_rolling_window() {
        let (limit, mut rolled) = (KeyLimit::new("hours", 10, Window::Rolling(7_200)), Rolled::default());
        let held = [(0, 6), (3_600, 6), (5_400, 3), (7_200, 7), (10_800, 9), (100_000, 25)].map(|(at, units)| {
            let before = rolled.beyond;
            rolled.ask(&limit, at, units);
            rolled.beyond - before
        });
        assert_eq!(held, [0, 2, 3, 1, 5, 15], "4, none and 6 of what was asked first passed, then what came back");
        assert_eq!((rolled.times, rolled.beyond, rolled.units), (5, 26, 56));
    }

    #[test]
    fn last_month_begins_on_its_first() {
        assert_eq!(last_month(datetime!(2026-11-20 12:00 UTC)), datetime!(2026-10-01 0:00 UTC));
        assert_eq!(last_month(datetime!(2027-01-31 23:59 UTC)), datetime!(2026-12-01 0:00 UTC));
    }
}
