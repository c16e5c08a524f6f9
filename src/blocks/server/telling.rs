//! When operators are told by mail of what rules found: each finding once, and many at once in one mail. What it says stands in `letter`.

use super::{
    jobs::MailFindings,
    letter::{BLOCKS, RulesFound},
    store,
};
use crate::{
    error::AppError,
    platform::{
        Ctx,
        jobs::{JobError, enqueue_each},
        mail::{self, Reader},
    },
    values::AccountId,
};
use time::{Duration, OffsetDateTime};

/// Between two mails at least; what is found meanwhile comes together.
const PAUSE: Duration = Duration::minutes(10);
/// Findings that a mail names.
const MOST: i64 = 10;

/// Takes what waits to be told and enqueues a mail of it for each operator, in one transaction. Answers how many findings.
pub async fn tell_operators(ctx: &Ctx) -> Result<u64, AppError> {
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await?;
    let told = store::mark_told(&mut tx, now - PAUSE, now).await?;
    if told > 0 {
        let operators = store::list_operators(&mut *tx, None, now).await?;
        let mails: Vec<MailFindings> = operators.iter().map(|operator| MailFindings { account: AccountId::new(operator.id), at: now }).collect();
        enqueue_each(ctx, &mut tx, &mails).await?;
    }
    tx.commit().await?;
    Ok(told)
}

/// What was told at this instant, to one operator. Nothing to who is none any more.
pub async fn send_findings(ctx: &Ctx, account: AccountId, at: OffsetDateTime) -> Result<(), JobError> {
    let Some(operator) = store::list_operators(&ctx.db, Some(account), ctx.clock.now()).await?.pop() else { return Ok(()) };
    let (findings, all) = store::list_told(&ctx.db, at, MOST).await?;
    if findings.is_empty() {
        return Ok(());
    }
    let letter = RulesFound { findings, all, blocks: ctx.config.link(BLOCKS) };
    let reader = Reader::new(&operator.email, &operator.name, &operator.language, &operator.time_zone)?;
    mail::send(ctx, &reader.write(&letter)).await
}
