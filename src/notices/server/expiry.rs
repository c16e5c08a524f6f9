//! Keys that will expire: told 30, 7 and 1 days before, each once, and only the most urgent where several are due.

use super::{jobs::MailExpiry, store::expiry as store};
use crate::{
    error::AppError,
    platform::{Ctx, jobs::enqueue_each},
};

/// Marks what came near since it was last looked, and enqueues one mail per account, in one transaction.
pub async fn tell_of_expiry(ctx: &Ctx) -> Result<usize, AppError> {
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await?;
    let accounts = store::insert_marks(&mut tx, now).await?;
    let mails: Vec<MailExpiry> = accounts.iter().map(|account| MailExpiry { account: *account, at: now }).collect();
    enqueue_each(ctx, &mut tx, &mails).await?;
    tx.commit().await?;
    Ok(accounts.len())
}
