//! Operators: no default password exists (R13). The first one comes by a one-time link that is printed at start; others by the
//! command line, which prints such a link too, or sets the password of a new account.

use super::{
    resetting::PLACEHOLDER_OPERATOR,
    sign_up::{DEVELOPER, NewAccount, OPERATOR, before_at, create_account},
    store::{accounts as store, operators},
    tokens::{self, Purpose},
};
use crate::{
    activity::server::{Change, record},
    error::AppError,
    platform::Ctx,
    values::{AccountId, Email},
};
use secrecy::SecretString;

/// What making an operator led to.
#[derive(Debug, Clone)]
pub struct NewOperator {
    pub account: AccountId,
    /// Sets the first password, once, within a day; none where there is a password.
    pub link: Option<String>,
}

/// Makes an account an operator, and the account itself where there is none. A password is only set for a new account (R14).
pub async fn create_operator(ctx: &Ctx, email: Email, name: Option<&str>, password: Option<SecretString>) -> Result<NewOperator, AppError> {
    let existing = store::find_by_email(&ctx.db, &email.key()).await?.filter(|account| account.is_verified);
    let has_password = password.is_some() || existing.as_ref().is_some_and(|account| account.password_hash.is_some());
    let account = match existing {
        Some(_) if password.is_some() => {
            return Err(AppError::conflict(format!("{email} has an account already: its password is set by its owner only. Leave the password away.")));
        }
        Some(account) => {
            grant(ctx, account.id).await?;
            account.id
        }
        None => {
            let name = name.unwrap_or_else(|| before_at(email.as_str())).to_owned();
            let new = NewAccount { email, name: &name, password, roles: &[DEVELOPER, OPERATOR], is_verified: true, by: "cli" };
            create_account(ctx, &new).await?
        }
    };
    let link = if has_password { None } else { Some(link(ctx, account).await?) };
    Ok(NewOperator { account, link })
}

/// The link by which the first operator takes the place, while nobody has taken it. A newer link replaces the older one.
pub async fn ensure_first_operator(ctx: &Ctx) -> Result<Option<String>, AppError> {
    if operators::is_any_but(&ctx.db, PLACEHOLDER_OPERATOR).await? {
        return Ok(None);
    }
    let account = match store::find_by_email(&ctx.db, PLACEHOLDER_OPERATOR).await? {
        Some(account) => account.id,
        None => {
            let email = PLACEHOLDER_OPERATOR.parse().map_err(AppError::internal)?;
            let new = NewAccount { email, name: "Operator", password: None, roles: &[DEVELOPER, OPERATOR], is_verified: true, by: "system" };
            create_account(ctx, &new).await?
        }
    };
    Ok(Some(link(ctx, account).await?))
}

async fn grant(ctx: &Ctx, account: AccountId) -> Result<(), AppError> {
    let mut tx = ctx.db.begin().await?;
    store::insert_roles(&mut tx, account, &[OPERATOR], ctx.clock.now()).await?;
    let change = Change {
        kind: "account.role_granted",
        actor_name: "cli",
        subject: Some(account.uuid()),
        data: serde_json::json!({ "role": OPERATOR }),
        ..Change::default()
    };
    record(ctx, &mut tx, change).await?;
    Ok(tx.commit().await?)
}

async fn link(ctx: &Ctx, account: AccountId) -> Result<String, AppError> {
    let mut tx = ctx.db.begin().await?;
    let cause = record(ctx, &mut tx, Change { kind: "account.operator_link", actor_name: "cli", subject: Some(account.uuid()), ..Change::default() }).await?;
    let minted = tokens::mint(ctx, &mut tx, account, Purpose::OperatorLink, cause).await?.ok_or(AppError::NotFound)?;
    tx.commit().await?;
    Ok(ctx.config.link(&format!("/reset-password?token={}", minted.token)))
}
