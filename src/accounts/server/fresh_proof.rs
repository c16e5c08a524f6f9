//! The proof that it is really the owner who sits there, asked for before what can't be taken back (R50): the current password.

use super::{
    attempts::{self, Attempt},
    passwords::{Passwords, Verdict},
    store::accounts as store,
};
use crate::{accounts::model::Caller, error::AppError, platform::Ctx};
use secrecy::SecretString;

/// Refuses unless the caller typed the current password; guessing is as slow as when changing it.
pub async fn fresh_proof(ctx: &Ctx, caller: &Caller, current_password: &SecretString) -> Result<(), AppError> {
    let attempt = Attempt::charge(ctx, &attempts::CURRENT_PASSWORD, &caller.account.to_string()).await?;
    let account = store::find_account(&ctx.db, caller.account).await?.ok_or(AppError::NotFound)?;
    if Passwords::of(ctx)?.verify(account.password_hash.as_deref(), current_password).await? == Verdict::Wrong {
        return Err(AppError::invalid("current_password", "This is not your current password."));
    }
    attempt.refund(ctx).await
}
