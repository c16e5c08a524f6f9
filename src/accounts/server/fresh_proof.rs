//! The proof that it is really the owner who asks, before what can't be taken back (R50): in a browser one that is recent enough
//! (`factors::step_up`), from a program the current password beside the request, for whoever finds a key has no password by it.

use super::{
    attempts::{self, Attempt},
    factors::require_recent_proof,
    passwords::{Passwords, Verdict},
    store::accounts as store,
};
use crate::{
    accounts::model::{Caller, Via},
    error::AppError,
    platform::Ctx,
};
use secrecy::SecretString;

/// Refuses without such a proof; guessing the password is as slow as when changing it.
pub async fn fresh_proof(ctx: &Ctx, caller: &Caller, current_password: Option<&SecretString>) -> Result<(), AppError> {
    let Some(current_password) = current_password else {
        return match caller.via {
            Via::Key(_) => Err(AppError::invalid("current_password", "A key alone does not do this: send the current password, too.")),
            Via::Session(_) | Via::Cli => require_recent_proof(ctx, caller).await,
        };
    };
    let attempt = Attempt::charge(ctx, &attempts::CURRENT_PASSWORD, &caller.account.to_string()).await?;
    let account = store::find_account(&ctx.db, caller.account).await?.ok_or(AppError::NotFound)?;
    if Passwords::of(ctx)?.verify(account.password_hash.as_deref(), current_password).await? == Verdict::Wrong {
        return Err(AppError::invalid("current_password", "This is not your current password."));
    }
    attempt.refund(ctx).await
}
