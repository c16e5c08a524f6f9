//! Signing in with a passkey alone: through the same door as by password (R28, R40), and what fails counts with wrong passwords (R19).
//!
//! A passkey can't be guessed. So its owner need not wait because strangers guess at the password: a right one is taken at any time and
//! forgives what was counted, a wrong one makes the next password wait longer.

use super::{
    Purpose,
    asserting::{self, Verdict},
};
use crate::{
    accounts::server::{
        Visitor,
        attempts::{self, Attempt},
        devices,
        factors::{
            Offered,
            pending::{Waiting, accept},
        },
        locks,
        sign_in::{SignIn, charge, forgive, way_in},
        store::accounts,
    },
    error::AppError,
    platform::Ctx,
    values::{AccountId, Email},
};

/// Checks the passkey. `NotFound`: this site does not know it, and the browser may tell its authenticator so. If nothing is in the way,
/// the session has begun and waits for its cookie (`sessions::begin`).
pub async fn sign_in_with_passkey(ctx: &Ctx, from: &Visitor, browser: &str, answer: &str) -> Result<SignIn, AppError> {
    let by_address = Attempt::charge(ctx, &attempts::SIGN_IN_FROM, &attempts::network(from.address)).await?;
    match proven(ctx, from, browser, answer).await {
        Ok(outcome) => {
            by_address.refund(ctx).await?;
            Ok(outcome)
        }
        // Whoever is kept out proved who they are; what is wrong or unknown counts.
        Err(told @ (AppError::Invalid { .. } | AppError::NotFound)) => Err(told),
        Err(other) => {
            by_address.refund(ctx).await?;
            Err(other)
        }
    }
}

async fn proven(ctx: &Ctx, from: &Visitor, browser: &str, answer: &str) -> Result<SignIn, AppError> {
    let asserted = match asserting::check(ctx, from, Purpose::SignIn, browser, answer).await? {
        Verdict::Right(asserted) => asserted,
        Verdict::Unknown => return Err(AppError::NotFound),
        Verdict::Wrong(owner) => {
            if let Some(owner) = owner {
                count_failure(ctx, from, owner).await?;
            }
            return Err(wrong());
        }
    };
    let account = accounts::find_account(&ctx.db, asserted.account).await?.ok_or(AppError::NotFound)?;
    let email: Email = account.email.parse().map_err(AppError::internal)?;
    let way = way_in(ctx, from, &account).await?;
    let device = devices::known(ctx, Some(account.id)).await?;
    let waiting = Waiting { token: None, account: &account, device, lets_in: way.is_free(), begins_session: true };
    let proven = accept(ctx, from, waiting, &Offered::Passkey(answer.to_owned()), Some(&asserted)).await?.ok_or_else(wrong)?;
    forgive(ctx, device, &email).await?;
    way.taken_by(proven)
}

/// With the wrong passwords of the same account, whether or not those have to wait already.
async fn count_failure(ctx: &Ctx, from: &Visitor, owner: AccountId) -> Result<(), AppError> {
    let Some(account) = accounts::find_account(&ctx.db, owner).await? else { return Ok(()) };
    let email: Email = account.email.parse().map_err(AppError::internal)?;
    let device = devices::known(ctx, Some(owner)).await?;
    match charge(ctx, device, &email).await {
        Ok(attempt) if device.is_none() => locks::note_failure(ctx, from, attempt.wait, Some(owner)).await,
        // One that waits or is stopped already says nothing about this passkey.
        Ok(_) | Err(AppError::RateLimited { .. } | AppError::Invalid { .. }) => Ok(()),
        Err(ours) => Err(ours),
    }
}

fn wrong() -> AppError {
    AppError::invalid("credential", "This passkey was not accepted, or the request expired after five minutes. Try again, or sign in with your password.")
}
