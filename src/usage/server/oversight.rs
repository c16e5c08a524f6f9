//! Usage of everybody, for operators.

use super::{
    calendar::{Calendar, timestamp},
    refusals::{PAGE, refused, samples, scope},
    report::whole,
    store::{oversight as store, reading, refusals as sampled},
    today::{by_code, midnight},
};
use crate::{
    accounts::Caller,
    error::AppError,
    platform::Ctx,
    usage::model::{AttemptsFrom, Counts, RefusalList, RefusalQuery},
    values::{WorkspaceId, permission_names as may},
};

/// The samples of every workspace and of no known key, newest first; the counts beside them are everybody's.
pub async fn list_all_refusals(ctx: &Ctx, caller: &Caller, query: RefusalQuery) -> Result<RefusalList, AppError> {
    caller.require(&may::ADMIN_READ)?;
    let calendar = Calendar::of(&caller.time_zone);
    let scope = scope(ctx, &query)?;
    let now = ctx.clock.now();
    let most = i64::try_from(PAGE + 1).unwrap_or(i64::MAX);
    let (mut rows, codes) =
        tokio::try_join!(sampled::list_all_samples(&ctx.db, &scope, most), reading::list_codes(&ctx.db, None, now - time::Duration::days(30)))?;
    let has_more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let samples = samples(rows, &calendar, timestamp(now));
    Ok(RefusalList {
        older: samples.last().filter(|_| has_more).map(|s| s.cursor.clone()),
        samples,
        codes: refused(codes),
        key_choices: Vec::new(),
        zone: calendar.words(),
        query,
    })
}

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
    let rows = reading::list_codes(&ctx.db, Some(workspace), midnight(ctx, caller)).await?;
    by_code(rows).into_iter().for_each(|(outcome, calls)| counts.add(outcome, calls));
    Ok(counts)
}
