//! The time zone of an account that nobody chose yet: the browser of the next sign-in, or of a new password, tells it.

use super::{
    Visitor,
    profile::is_time_zone,
    sign_in::SignIn,
    sign_up::about,
    store::{accounts as store, profiles},
};
use crate::{
    activity::server::{Change, record},
    error::AppError,
    platform::Ctx,
    values::{AccountId, Email},
};

/// Fills in the zone that the browser of this sign-in told, where nobody chose one; an unknown one counts as none. Only who proved
/// everything has a say in it.
pub async fn fill_time_zone(ctx: &Ctx, from: &Visitor, outcome: &SignIn, told: Option<&str>) -> Result<(), AppError> {
    match outcome {
        SignIn::Done(proven) => fill(ctx, from, proven.account, told).await,
        SignIn::Unproven(_) | SignIn::Departed(_) | SignIn::SecondFactor(_) => Ok(()),
    }
}

/// The same for who just set a password by a link.
pub async fn fill_time_zone_of(ctx: &Ctx, from: &Visitor, email: &Email, told: Option<&str>) -> Result<(), AppError> {
    match store::find_by_email(&ctx.db, &email.key()).await? {
        Some(account) => fill(ctx, from, account.id, told).await,
        None => Ok(()),
    }
}

async fn fill(ctx: &Ctx, from: &Visitor, account: AccountId, told: Option<&str>) -> Result<(), AppError> {
    let Some(zone) = told.filter(|zone| is_time_zone(zone)) else { return Ok(()) };
    let mut tx = ctx.db.begin().await?;
    if profiles::fill_time_zone(&mut tx, account, zone, ctx.clock.now()).await?
        && let Some(account) = store::find_account(&mut *tx, account).await?
    {
        let change = Change { kind: "account.profile_changed", workspace: account.workspace, ..about(account.id, &account.name, from) };
        record(ctx, &mut tx, change).await?;
    }
    tx.commit().await?;
    Ok(())
}
