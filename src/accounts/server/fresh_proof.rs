//! The proof that it is really the owner who asks, before what can't be taken back (R50): in a browser one that is recent enough
//! (`factors::step_up`), from a program the current password beside the request, for whoever finds a key has no password by it.

use super::{
    acting,
    attempts::{self, Attempt},
    factors::require_recent_proof,
    passwords::{Passwords, Verdict},
    store::accounts as store,
};
use crate::{
    accounts::model::{Caller, Via},
    error::AppError,
    platform::Ctx,
    values::AccountId,
};
use secrecy::SecretString;

/// Refuses without such a proof.
pub async fn fresh_proof(ctx: &Ctx, caller: &Caller, current_password: Option<&SecretString>) -> Result<(), AppError> {
    let Some(current_password) = current_password else {
        return match caller.via {
            Via::Key(_) => Err(AppError::invalid("current_password", "A key alone does not do this: send the current password, too.")),
            Via::Session(_) | Via::Token(_) | Via::Cli | Via::Acting(_) => require_recent_proof(ctx, caller).await,
        };
    };
    must_know_password(ctx, caller, current_password).await
}

/// Refuses whoever does not know the account's password. Guessing is slow; whoever found a key and guesses by it keeps nobody waiting
/// who is signed in.
pub async fn must_know_password(ctx: &Ctx, caller: &Caller, typed: &SecretString) -> Result<(), AppError> {
    let who = match caller.via {
        Via::Key(_) | Via::Token(_) => by_keys(caller.account),
        Via::Session(_) | Via::Cli => caller.account.to_string(),
        // No operator guesses at a password that is not theirs.
        Via::Acting(_) => return Err(AppError::refused(acting::NOT_NOW)),
    };
    let account = store::find_account(&ctx.db, caller.account).await?.ok_or(AppError::NotFound)?;
    let attempt = Attempt::charge(ctx, &attempts::CURRENT_PASSWORD, &who).await?;
    let verdict = match Passwords::of(ctx)?.verify(account.password_hash.as_deref(), typed).await {
        Ok(verdict) => verdict,
        Err(busy) => {
            // Nothing was tried, so nothing counts.
            attempt.refund(ctx).await?;
            return Err(busy);
        }
    };
    if verdict == Verdict::Wrong {
        return Err(AppError::invalid("current_password", format!("This is not your current password.{}", attempt.pause(""))));
    }
    attempt.forgive(ctx).await
}

/// The buckets in which guesses at the password of an account count that is in already.
pub fn guesses_at(ctx: &Ctx, account: AccountId) -> Vec<String> {
    [account.to_string(), by_keys(account)].iter().flat_map(|who| attempts::CURRENT_PASSWORD.buckets(ctx, who)).collect()
}

fn by_keys(account: AccountId) -> String {
    format!("keys:{account}")
}
