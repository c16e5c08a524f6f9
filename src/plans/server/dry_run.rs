//! Holding a plan, or a group, against the usage since the first of last month.
//!
//! Usage is kept by quarters of an hour for so long, so fixed windows that quarters fit into are exact. Other windows of whole minutes are
//! held against usage by the minute, which is kept for some weeks. A rolling window is walked through quarter by quarter, or minute by
//! minute: what was asked in one counts as if at its beginning, and what would have been held back fills nothing.

use super::{
    describing::{find, find_plan},
    groups,
    store::{self, Asked, Whose},
};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::{
        model::{KeyLimit, LimitChange, TypedLimit, Window},
        server::rules as of_keys,
    },
    plans::model::{DryRun, Trial, WouldBeLimited},
    platform::Ctx,
    values::{KeyId, PlanId, WorkspaceId, permission_names as may},
};
use std::collections::{HashMap, VecDeque, hash_map::Entry};
use time::{Date, OffsetDateTime};

/// Rows of the answer.
const MOST: i64 = 50;
/// Usage is kept by quarters of an hour, and for some weeks by the minute.
const QUARTER: u32 = 900;
const MINUTE: u32 = 60;
/// Of a shorter rolling window quarters say too little.
const SHORTEST_ROLLING: u32 = 4 * QUARTER;

/// Everybody: by workspace those keys that would meet the plan, by key each.
pub(super) const fn everybody(by_key: bool) -> Whose<'static> {
    Whose { by_key, all_keys: by_key, of: None, keys: None }
}

/// Who would have been limited had everybody this plan: by workspace, all its keys together, or by key. What it would have held back is
/// exact for what was asked then, of rolling windows to a quarter of an hour; people who are refused may ask more, or less.
pub async fn dry_run(ctx: &Ctx, caller: &Caller, slug: &str, by_key: bool) -> Result<DryRun, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    let plan = find(&mut *ctx.db.acquire().await?, slug).await?;
    held_back(ctx, &plan.limits, &everybody(by_key)).await
}

/// The same as a page asks for it: with one limit as it was typed, for everybody or only for those who have the plan. Writes nothing.
pub async fn try_plan(ctx: &Ctx, caller: &Caller, slug: &str, trial: &Trial) -> Result<DryRun, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    let plan = find(&mut *ctx.db.acquire().await?, slug).await?;
    let limits = with_typed(ctx, plan.limits, trial.typed.as_ref()).await?;
    if !trial.of_holders {
        return held_back(ctx, &limits, &everybody(trial.by_key)).await;
    }
    of_holders(ctx, plan.id, &limits, trial.by_key).await
}

/// Those who have a plan with these limits: a workspace for its keys together, a key for itself alone.
pub(super) async fn of_holders(ctx: &Ctx, plan: PlanId, limits: &[KeyLimit], by_key: bool) -> Result<DryRun, AppError> {
    let (workspaces, keys) = (store::list_holding(&ctx.db, plan).await?, store::list_holding_keys(&ctx.db, plan).await?);
    let together = Whose { by_key, all_keys: false, of: Some(&workspaces), keys: None };
    let run = held_back(ctx, limits, &together).await?;
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
    held_back(ctx, &limits, &Whose { of: Some(&held), ..everybody(false) }).await
}

/// Limits by what they are held against.
#[derive(Debug, Default)]
struct Sorted {
    fixed: Vec<KeyLimit>,
    rolling: Vec<KeyLimit>,
    fixed_minutes: Vec<KeyLimit>,
    rolling_minutes: Vec<KeyLimit>,
    /// Of seconds, or without a window: what is left of credits, and how long calls go on, is not seen in counts.
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
                Window::Seconds(_) | Window::Credits(_) | Window::Concurrent(_) => &mut sorted.unseen,
            };
            place.push(limit.clone());
        }
        sorted
    }

    fn need_minutes(&self) -> bool {
        !self.fixed_minutes.is_empty() || !self.rolling_minutes.is_empty()
    }
}

/// These limits against the usage of these.
pub(super) async fn held_back(ctx: &Ctx, limits: &[KeyLimit], whose: &Whose<'_>) -> Result<DryRun, AppError> {
    let sorted = Sorted::new(limits);
    let from = last_month(ctx.clock.now());
    let since = from.max(first_whole_day(ctx.clock.now() - ctx.config.retention.minutes));
    // Beside others all are needed, since what two limits hold back of one adds up.
    let is_all = sorted.rolling.is_empty() && !sorted.need_minutes();
    let quarters = Asked { whose, from, minutes_since: None };
    let minutes = Asked { minutes_since: Some(since), ..quarters };
    let [(units, calls), (unit_minutes, call_minutes)] = [&sorted.fixed, &sorted.fixed_minutes].map(|limits| by_unit(limits));
    // Nearly always all are of one unit.
    let is_all = is_all && (units.is_empty() || calls.is_empty());
    let (first, second) = if units.is_empty() { (calls, units) } else { (units, calls) };
    let rows = store::list_limited(&ctx.db, &first, &quarters, if is_all { MOST } else { i64::MAX }).await?;
    let mut count = rows.first().map_or(0, |r| whole(r.limited));
    let mut limited: Vec<WouldBeLimited> = rows.into_iter().map(found).collect();
    if !is_all {
        let mut all: HashMap<Who, WouldBeLimited> = limited.into_iter().map(|held| ((held.workspace, held.key), held)).collect();
        for (limits, asked) in [(second, &quarters), (unit_minutes, &minutes), (call_minutes, &minutes)] {
            if limits.is_empty() {
                continue;
            }
            for row in store::list_limited(&ctx.db, &limits, asked, i64::MAX).await? {
                add(&mut all, found(row));
            }
        }
        for (limits, asked) in [(&sorted.rolling, &quarters), (&sorted.rolling_minutes, &minutes)] {
            for limit in limits {
                let mut walk = Walk::default();
                store::each_asked(&ctx.db, limit, asked, |row| walk.step(limit, row)).await?;
                walk.end().for_each(|held| add(&mut all, held));
            }
        }
        count = all.len() as u64;
        limited = all.into_values().collect();
        most_beyond(&mut limited);
    }
    let keys = if whose.by_key { count } else { 0 };
    let minutes_since = sorted.need_minutes().then_some(since);
    let names = |limits: Vec<KeyLimit>| limits.into_iter().map(|l| l.name).collect::<Vec<_>>();
    let by_calls = names(limits.iter().filter(|limit| limit.unit.is_calls() && !sorted.unseen.contains(limit)).cloned().collect());
    let by_minutes = names([sorted.fixed_minutes, sorted.rolling_minutes].concat());
    Ok(DryRun { limited, count, keys, by_quarters: names(sorted.rolling), by_minutes, by_calls, minutes_since, too_short: names(sorted.unseen) })
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

/// What one limit more would have held back of one.
fn add(all: &mut HashMap<Who, WouldBeLimited>, more: WouldBeLimited) {
    match all.entry((more.workspace, more.key)) {
        Entry::Vacant(place) => _ = place.insert(more),
        Entry::Occupied(mut place) => {
            let held = place.get_mut();
            held.windows = held.windows.saturating_add(more.windows);
            held.beyond = held.beyond.saturating_add(more.beyond);
            // Of units and calls what is more: no call costs less than one.
            held.units = held.units.max(more.units);
        }
    }
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
type Who = (WorkspaceId, Option<KeyId>);

/// All who ask under a rolling limit, one after the other, each in order of time.
#[derive(Debug, Default)]
struct Walk {
    asked: HashMap<Who, Rolled>,
    last: Option<Who>,
}

impl Walk {
    fn step(&mut self, limit: &KeyLimit, row: store::AskedRow) {
        let who = (WorkspaceId::new(row.workspace), row.key.map(KeyId::new));
        // What passed of the one before is not needed any more.
        if let Some(before) = self.last.replace(who).filter(|before| *before != who)
            && let Some(done) = self.asked.get_mut(&before)
        {
            done.passed = VecDeque::new();
        }
        let rolled = self.asked.entry(who).or_default();
        (rolled.name, rolled.units) = (row.name, whole(row.total));
        rolled.ask(limit, row.at.unix_timestamp(), whole(row.units));
    }

    fn end(self) -> impl Iterator<Item = WouldBeLimited> {
        self.asked.into_iter().map(|((workspace, key), rolled)| {
            let Rolled { name, times: windows, beyond, units, .. } = rolled;
            WouldBeLimited { workspace, name, key, windows, beyond, units }
        })
    }
}

/// One who asks under a rolling limit, quarter after quarter, or minute after minute.
#[derive(Debug, Default)]
struct Rolled {
    name: String,
    /// What passed within the window, and when.
    passed: VecDeque<(i64, u64)>,
    within: u64,
    /// Quarters or minutes in which something would have been held back.
    times: u64,
    beyond: u64,
    /// Of all of it.
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
        self.beyond = self.beyond.saturating_add(units - passes);
        self.times += u64::from(passes < units);
    }
}

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
    fn what_was_held_back_fills_no_rolling_window() {
        let (limit, mut rolled) = (KeyLimit::new("hours", 10, Window::Rolling(7_200)), Rolled::default());
        let held = [(0, 6), (3_600, 6), (5_400, 3), (7_200, 7), (10_800, 9), (100_000, 25)].map(|(at, units)| {
            let before = rolled.beyond;
            rolled.ask(&limit, at, units);
            rolled.beyond - before
        });
        assert_eq!(held, [0, 2, 3, 1, 5, 15], "4, none and 6 of what was asked first passed, then what came back");
        assert_eq!((rolled.times, rolled.beyond), (5, 26));
    }

    #[test]
    fn each_limit_has_what_it_is_held_against() {
        let windows = ["hour", "month", "day@Europe/Stockholm", "rolling:hour", "60", "1200", "rolling:60", "rolling:3540", "1", "90", "credits", "concurrent"];
        let limits = windows.map(|window| KeyLimit::new(window, 10, window.parse().expect("a window")));
        let sorted = Sorted::new(&limits);
        let names = |limits: &[KeyLimit]| limits.iter().map(|l| l.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&sorted.fixed), ["hour", "month", "day@Europe/Stockholm"]);
        assert_eq!(names(&sorted.rolling), ["rolling:hour"]);
        assert_eq!(names(&sorted.fixed_minutes), ["60", "1200"]);
        assert_eq!(names(&sorted.rolling_minutes), ["rolling:60", "rolling:3540"]);
        assert_eq!(names(&sorted.unseen), ["1", "90", "credits", "concurrent"]);
    }

    #[test]
    fn last_month_begins_on_its_first() {
        assert_eq!(last_month(datetime!(2026-11-20 12:00 UTC)), datetime!(2026-10-01 0:00 UTC));
        assert_eq!(last_month(datetime!(2027-01-31 23:59 UTC)), datetime!(2026-12-01 0:00 UTC));
    }
}
