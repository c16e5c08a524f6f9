//! Rules on errors, watched each minute: a rule that fires is silent for as long as it says.

use super::{jobs::MailAlert, store::alerts as store};
use crate::{
    error::AppError,
    platform::{Ctx, jobs::enqueue_each},
    usage::server::ERRORS,
    values::AlertRuleId,
};

/// Fires the rules whose calls are more than they allow, and enqueues a mail for each, in one transaction.
pub async fn watch_errors(ctx: &Ctx) -> Result<usize, AppError> {
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await?;
    let fired = store::fire_rules(&mut tx, &ERRORS, now).await?;
    let mails: Vec<MailAlert> = fired.iter().map(|rule| MailAlert { rule: AlertRuleId::new(*rule), at: now }).collect();
    enqueue_each(ctx, &mut tx, &mails).await?;
    tx.commit().await?;
    Ok(fired.len())
}
