//! Marks that were reached at the end of a window: a look finds the present window, so what was used of the last one after the last look into
//! it would never be told. So each window is looked at once more when it has ended, a minute later, when all of it is written; also by whoever
//! comes after a time in which nobody looked, of each limit the last one.

use super::{
    jobs::MailLimits,
    limits::{default_limit, marks},
    store::{ended as store, limits},
};
use crate::{
    error::AppError,
    platform::{Ctx, jobs::enqueue_each},
    usage::server::quarter_of,
};
use time::Duration;

/// Calls are written some seconds after they pass.
const SETTLES: Duration = Duration::MINUTE;
/// What ended longer ago is no news.
const NEWS: Duration = Duration::DAY;

/// Marks every threshold that was passed in windows that have ended since it was last looked, and enqueues one mail per account, in one
/// transaction.
pub async fn tell_of_ended(ctx: &Ctx) -> Result<usize, AppError> {
    let now = ctx.clock.now();
    let until = now - SETTLES;
    let last = store::find_look(&ctx.db).await?;
    let Some(since) = last.map(|last| last.max(until - NEWS)) else {
        store::set_look(&mut *ctx.db.acquire().await?, until).await?;
        return Ok(0);
    };
    // Nearly all windows end with a quarter of an hour, so in the minutes between nothing is asked.
    if quarter_of(since) >= quarter_of(until) {
        return Ok(0);
    }
    let marks = marks(store::list_ended(&ctx.db, default_limit(ctx), since, until).await?);
    let mut tx = ctx.db.begin().await?;
    // An instant of its own: a mail tells what was marked at one, and of windows that are not over there is another.
    let at = now + Duration::MICROSECOND;
    let accounts = if marks.id.is_empty() { Vec::new() } else { limits::insert_marks(&mut tx, &marks, at).await? };
    let mails: Vec<MailLimits> = accounts.iter().map(|account| MailLimits { account: *account, at }).collect();
    enqueue_each(ctx, &mut tx, &mails).await?;
    store::set_look(&mut tx, until).await?;
    tx.commit().await?;
    Ok(accounts.len())
}
