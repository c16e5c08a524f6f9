//! Mails that people send to themselves: to the confirmed address of their own account and nowhere else, and not many.

use super::{
    attempts::{self, Attempt},
    mail::reader,
    store::accounts::find_account,
};
use crate::{
    accounts::model::Caller,
    error::AppError,
    platform::{Ctx, jobs::JobError, mail::Reader},
    values::AccountId,
};

/// Counts one more mail that somebody sends to themself; refused when there were many. Answers the address.
pub async fn charge_own_mail(ctx: &Ctx, caller: &Caller) -> Result<String, AppError> {
    let account = find_account(&ctx.db, caller.account).await?.ok_or(AppError::NotFound)?;
    if !account.is_verified {
        return Err(AppError::conflict("Your address is not confirmed, so we can't email you."));
    }
    Attempt::charge(ctx, &attempts::OWN_MAIL, &caller.account.to_string()).await?;
    Ok(account.email)
}

/// Who reads at the confirmed address of an account; none if there is no such address, or nobody may come in there any more.
pub async fn own_reader(ctx: &Ctx, account: AccountId) -> Result<Option<Reader>, JobError> {
    let account = find_account(&ctx.db, account).await?;
    account.filter(|a| a.is_verified && a.disabled.is_none()).map(|a| reader(&a)).transpose()
}
