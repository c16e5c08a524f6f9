//! Limits that are nearly used up: found each minute from the counters, told once per window and threshold.
//!
//! A rolling window never begins anew, so its marks are told once per **filling**: a mark is told when it is reached, and then not again
//! until use was seen below half of it (at a look, each minute), or one length of the window has passed.

use super::{
    jobs::MailLimits,
    store::{
        credits,
        limits::{self as store, DefaultLimit, LimitNotice, Marks, UsedLimit},
        looks, settings, shared,
    },
    words,
};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::model::{KeyLimit, OverAction},
    notices::model::ToldNotice,
    platform::{Ctx, LocalTime, breath::Breath, jobs::enqueue_each},
    usage::server::quarter_of,
    values::{KeyId, permission_names as may},
};
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};

/// Lines on the home page.
const MOST: i64 = 5;
/// The longest window is 31 days; a notice is kept a while longer, to be looked up.
const KEPT: Duration = Duration::days(90);
/// Keys whose limits one statement looks at: it takes Postgres a millisecond.
const AT_ONCE: usize = 50;
/// So many keys in use are all looked at each minute.
const FEW: i64 = 1_000;
/// Rows forgotten in one call.
const CHUNK: i64 = 20_000;

/// The limit of keys for which no level has any.
pub(super) fn default_limit(ctx: &Ctx) -> DefaultLimit<'static> {
    let limits = &ctx.config.limits;
    DefaultLimit {
        name: KeyLimit::DEFAULT,
        calls: i64::try_from(limits.key_calls).unwrap_or(i64::MAX),
        window: i32::try_from(limits.key_window).unwrap_or(i32::MAX),
    }
}

/// Marks every threshold that was passed since it was last looked, and enqueues one mail per account, in one transaction.
pub async fn tell_of_limits(ctx: &Ctx) -> Result<usize, AppError> {
    tell_of_limits_of_many(ctx, FEW).await
}

/// The same; of more keys in use than `few` only those are looked at that may have passed a threshold by their calls, and each within a quarter
/// of an hour.
pub async fn tell_of_limits_of_many(ctx: &Ctx, few: i64) -> Result<usize, AppError> {
    let now = ctx.clock.now();
    store::end_fillings(&ctx.db, now).await?;
    let mut used = shared::list_used_shared_limits(&ctx.db, now).await?;
    used.extend(credits::list_used_credits(&ctx.db, now).await?);
    // That a key was looked at is noted with what was found, or not at all.
    let mut tx = ctx.db.begin().await?;
    used.extend(used_limits(ctx, &mut tx, now, few).await?);
    let marks = marks(used);
    let accounts = if marks.id.is_empty() { Vec::new() } else { store::insert_marks(&mut tx, &marks, now).await? };
    let mails: Vec<MailLimits> = accounts.iter().map(|account| MailLimits { account: *account, at: now }).collect();
    enqueue_each(ctx, &mut tx, &mails).await?;
    tx.commit().await?;
    Ok(accounts.len())
}

/// Of the keys in use that are to be looked at, a few at a time.
async fn used_limits(ctx: &Ctx, conn: &mut PgConnection, now: OffsetDateTime, few: i64) -> sqlx::Result<Vec<UsedLimit>> {
    let (mut used, mut breath) = (Vec::new(), Breath::steady());
    let due = looks::list_due(conn, now, quarter_of(now), few).await?;
    store::plan_once(conn).await?;
    for some in due.chunks(AT_ONCE) {
        used.extend(store::list_used_limits(conn, some, default_limit(ctx), now).await?);
        breath.take().await;
    }
    store::plan_each(conn).await?;
    Ok(used)
}

/// Every threshold that each limit has reached. One of which less is left than calls cost has reached them all: many calls are beyond it from then on,
/// though a cheaper one may still pass, and that is what is said of it (`LimitNotice::is_short`).
pub(super) fn marks(limits: Vec<UsedLimit>) -> Marks {
    let mut marks = Marks::default();
    for limit in limits {
        let is_spent = limit.used > 0 && limit.allowed.saturating_sub(limit.used) < limit.least;
        let counted = if is_spent { limit.used.max(limit.allowed) } else { limit.used };
        for threshold in reached(&limit.thresholds, counted, limit.allowed) {
            marks.id.push(limit.id);
            marks.account.push(limit.account_id);
            marks.limit_name.push(limit.limit_name.clone());
            marks.window_seconds.push(limit.window_seconds);
            marks.zone.push(limit.zone.clone());
            marks.kind.push(limit.kind.clone());
            marks.refill.push(limit.refill);
            marks.unit.push(limit.unit.clone());
            marks.over.push(limit.over.clone());
            marks.window_start.push(limit.window_start);
            marks.threshold.push(threshold);
            marks.used.push(limit.used);
            marks.allowed.push(limit.allowed);
            marks.is_shared.push(limit.is_shared);
        }
    }
    marks
}

fn reached(thresholds: &[i16], used: i64, allowed: i64) -> impl Iterator<Item = i16> {
    thresholds.iter().copied().filter(move |t| i128::from(used) * 100 >= i128::from(allowed) * i128::from(*t))
}

/// What the caller was told of windows that are not over, for the home page.
pub async fn present_limit_notices(ctx: &Ctx, caller: &Caller) -> Result<Vec<ToldNotice>, AppError> {
    caller.require(&may::USAGE_READ)?;
    let local = LocalTime::new(&caller.time_zone, ctx.clock.now());
    let wanted = settings::find_settings(&ctx.db, caller.account).await?.unwrap_or_default().limits;
    let rows = if wanted { store::list_present(&ctx.db, caller.account, default_limit(ctx), local.now(), MOST).await? } else { Vec::new() };
    let told = |n: LimitNotice| ToldNotice {
        key: n.key_id.map(KeyId::new),
        words: words::said(&n),
        at: String::new(),
        when: {
            let action = words::action(&n, local.now());
            let when = match n.window().refill() {
                Some(refill) if refill.is_prepaid() && action == OverAction::Refuse => "More calls pass once credits are added.".to_owned(),
                Some(refill) if refill.is_prepaid() => "Credits are there again once some are added.".to_owned(),
                Some(refill) => format!("Credits come back: {}.", refill.words()),
                None => words::resets(n.window(), &local.ahead(words::end(n.window_start, n.window()))),
            };
            format!("{when}{}", words::beyond(action))
        },
    };
    Ok(rows.into_iter().map(told).collect())
}

/// Forgets old notices and looks, a bounded number at a time; true if there may be more.
pub async fn forget_limit_notices(ctx: &Ctx) -> Result<bool, AppError> {
    let now = ctx.clock.now();
    let more_looks = looks::forget_looks(&ctx.db, now, CHUNK).await?;
    Ok(store::delete_old(&ctx.db, now - KEPT, CHUNK).await? || more_looks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;
    use uuid::Uuid;

    #[test]
    fn every_threshold_that_was_reached_is_marked() {
        let limit = |used| UsedLimit {
            is_shared: false,
            id: Uuid::nil(),
            account_id: Uuid::nil(),
            limit_name: "default".into(),
            window_seconds: 3_600,
            zone: "UTC".into(),
            kind: "fixed".into(),
            refill: 0,
            unit: "units".into(),
            over: "refuse".into(),
            window_start: datetime!(2026-11-20 12:00 UTC),
            allowed: 150,
            used,
            least: 1,
            thresholds: vec![50, 80, 100],
        };
        assert!(marks(vec![limit(74)]).threshold.is_empty());
        assert_eq!(marks(vec![limit(120)]).threshold, [50, 80]);
        assert_eq!(marks(vec![limit(150), limit(75)]).threshold, [50, 80, 100, 50]);
        let dear = |used, least| UsedLimit { least, ..limit(used) };
        assert_eq!(marks(vec![dear(120, 30)]).threshold, [50, 80], "one more passes");
        assert_eq!(marks(vec![dear(121, 30)]).threshold, [50, 80, 100], "and now none of these");
        assert_eq!(marks(vec![dear(149, 1)]).threshold, [50, 80]);
        assert!(marks(vec![dear(0, 500)]).threshold.is_empty(), "nothing is used of it");
        assert_eq!(marks(vec![dear(121, 30)]).used, [121; 3], "the mail says what was used");
    }
}
