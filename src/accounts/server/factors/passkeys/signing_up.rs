//! Signing up with a passkey in the place of a password. The passkey is made before anybody knows whether the address is free; if it is
//! not, it is thrown away and the answer is the same (R15).

use super::{
    Purpose,
    adding::{Made, checked, keep, new_handle, options, read},
    asking::{self, Question, browser_of},
    relying_party,
};
use crate::{
    accounts::server::{
        Visitor,
        attempts::{self, Attempt},
        sign_up::{before_at, name as checked_name},
        store::factors::passkeys as store,
    },
    error::{AppError, Fields},
    platform::Ctx,
    values::{AccountId, Email},
};
use sqlx::PgConnection;
use uuid::Uuid;
use webauthn_rs::prelude::PasskeyRegistration;

/// A passkey for an account that is yet to be, and what its authenticator calls it.
#[derive(Debug, Clone)]
pub(in crate::accounts::server) struct FirstPasskey {
    handle: Uuid,
    passkey: Made,
}

/// Asks a browser for the passkey of a new account; answers what its script passes on, as JSON. Says nothing of the address.
pub async fn ask_passkey_of_sign_up(ctx: &Ctx, from: &Visitor, email: &str, name: &str) -> Result<String, AppError> {
    let mut fields = Fields::default();
    let typed = if name.trim().is_empty() { before_at(email) } else { name };
    let name = fields.check("name", checked_name(typed));
    let email: Option<Email> = fields.check("email", Email::anew(email));
    fields.done()?;
    let (email, name) = email.zip(name).ok_or(AppError::NotFound)?;
    Attempt::charge(ctx, &attempts::PASSKEY_FROM, &attempts::network(from.address)).await?;
    let handle = new_handle(ctx);
    let (asked, state) = relying_party(ctx)?.start_passkey_registration(handle, email.as_str(), &name, None).map_err(AppError::internal)?;
    let options = options(&asked)?;
    let question = Question {
        purpose: Purpose::SignUp,
        holder: &browser_of(ctx),
        account: None,
        handle: Some(handle),
        challenge: &asked.public_key.challenge,
        state,
        options: &options,
    };
    asking::keep(ctx, question).await?;
    Ok(options.to_string())
}

/// Checks what the authenticator made. A passkey that belongs to an account is refused here, before the address is looked at: whether
/// that has an account must not be told by it. The same answer for the same address is good twice, for who clicks twice.
pub(in crate::accounts::server) async fn checked_passkey(ctx: &Ctx, browser: &str, answer: &str, email: &Email) -> Result<FirstPasskey, AppError> {
    let form = format!("{}:{answer}", email.key());
    let answer = read(answer)?;
    let late = || AppError::invalid("credential", "This expired after five minutes, or is already complete. Try again.");
    let client_data = &answer.response.client_data_json;
    let asked = asking::take_for_form::<PasskeyRegistration>(ctx, Purpose::SignUp, browser, client_data, &form).await?.ok_or_else(late)?;
    let passkey = checked(ctx, &answer, &asked.state)?;
    if store::is_taken(&ctx.db, passkey.credential_id(), &email.key()).await? {
        return Err(AppError::conflict("This passkey already belongs to an account. Sign in with it."));
    }
    Ok(FirstPasskey { handle: asked.handle.ok_or_else(late)?, passkey })
}

/// Gives it to an account that was made in this transaction; one that nobody proved may have left others behind (`sign_up::insert`).
pub(in crate::accounts::server) async fn insert_first(ctx: &Ctx, conn: &mut PgConnection, account: AccountId, made: &FirstPasskey) -> sqlx::Result<bool> {
    store::find_or_insert_handle(conn, account, made.handle).await?;
    keep(ctx, conn, account, &made.passkey, None).await
}
