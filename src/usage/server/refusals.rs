//! Refusals in detail: samples, beside exact counts of their codes.

use super::{
    calendar::{Calendar, instant, timestamp},
    report::whole,
    store::{
        reading,
        refusals::{self, SampleRow, SampleScope},
    },
};
use crate::{
    accounts::Caller,
    error::{AppError, Fields},
    platform::Ctx,
    usage::model::{RefusalList, RefusalQuery, RefusalSample},
    values::{KeyId, Outcome, OutcomeGroup, permission_names as may},
};
use jiff::Timestamp;
use time::OffsetDateTime;
use uuid::Uuid;

/// Rows of one page.
pub(super) const PAGE: usize = 50;

/// The samples of the caller's workspace, newest first.
pub async fn list_refusals(ctx: &Ctx, caller: &Caller, query: RefusalQuery) -> Result<RefusalList, AppError> {
    caller.require(&may::USAGE_READ)?;
    let calendar = Calendar::of(&caller.time_zone);
    let scope = scope(ctx, &query)?;
    let since = ctx.clock.now() - time::Duration::days(30);
    let most = i64::try_from(PAGE + 1).unwrap_or(i64::MAX);
    let (mut rows, codes, key_choices) = tokio::try_join!(
        refusals::list_samples(&ctx.db, caller.workspace, &scope, most),
        reading::list_codes(&ctx.db, Some(caller.workspace), since),
        reading::list_key_choices(&ctx.db, caller.workspace),
    )?;
    let has_more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let samples = samples(rows, &calendar, timestamp(ctx.clock.now()));
    Ok(RefusalList {
        older: samples.last().filter(|_| has_more).map(|s| s.cursor.clone()),
        samples,
        codes: refused(codes),
        key_choices,
        zone: calendar.words(),
        query,
    })
}

/// The newest samples of every workspace and of no known key, for operators.
pub async fn recent_refusals(ctx: &Ctx, caller: &Caller, most: u16) -> Result<Vec<RefusalSample>, AppError> {
    caller.require(&may::ADMIN_READ)?;
    let scope = scope(ctx, &RefusalQuery::default())?;
    let rows = refusals::list_all_samples(&ctx.db, &scope, i64::from(most.min(200))).await?;
    Ok(samples(rows, &Calendar::of(&caller.time_zone), timestamp(ctx.clock.now())))
}

pub(super) fn scope(ctx: &Ctx, query: &RefusalQuery) -> Result<SampleScope, AppError> {
    let mut fields = Fields::default();
    let key = query.key.as_ref().and_then(|text| fields.check("key", text.parse::<KeyId>()));
    let code = query.code.as_ref().and_then(|text| fields.check("code", text.parse::<Outcome>()));
    let before =
        query.before.as_ref().and_then(|text| fields.check("before", read_cursor(text).ok_or("This list can't be continued here. Start at its beginning.")));
    fields.done()?;
    // The future is where the list begins; a clock that went back hides nothing.
    let start = (ctx.clock.now() + time::Duration::days(1), Uuid::max());
    Ok(SampleScope { key, code: code.map(|c| c.as_str().to_owned()), before: before.unwrap_or(start) })
}

/// The counts of what did not pass.
pub(super) fn refused(codes: Vec<reading::CodeRow>) -> Vec<(Outcome, u64)> {
    let refused = |row: reading::CodeRow| Some((row.outcome.parse::<Outcome>().ok()?, whole(row.count))).filter(|(o, _)| o.group() != OutcomeGroup::Passed);
    codes.into_iter().filter_map(refused).collect()
}

pub(super) fn samples(rows: Vec<SampleRow>, calendar: &Calendar, now: Timestamp) -> Vec<RefusalSample> {
    let one = |row: SampleRow| {
        let at = timestamp(row.at);
        Some(RefusalSample {
            cursor: write_cursor(row.at, row.id),
            time: calendar.second(at, now),
            at: at.to_string(),
            key: row.key_id.map(KeyId::new),
            key_name: row.key_name,
            code: row.code.parse().ok()?,
            route: row.route,
            address: row.address,
            request_id: row.request_id,
            detail: row.detail,
        })
    };
    rows.into_iter().filter_map(one).collect()
}

fn write_cursor(at: OffsetDateTime, id: Uuid) -> String {
    format!("{}-{}", timestamp(at).as_microsecond(), id.simple())
}

fn read_cursor(text: &str) -> Option<(OffsetDateTime, Uuid)> {
    let (micros, id) = text.split_once('-')?;
    Some((instant(Timestamp::from_microsecond(micros.parse().ok()?).ok()?), id.parse().ok()?))
}
