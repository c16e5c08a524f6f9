//! An authenticator's proof that it has a passkey (WebAuthn §7.2): the question is ours and new, the site, the origin and the signature
//! are right, somebody was there and was verified (R37). What it proves is done by others, in one transaction with `mark_used`.

use super::{Purpose, asking, relying_party};
use crate::{
    accounts::server::{
        Visitor,
        factors::{Offered, SendFactorChanged, Told},
        sign_up::about,
        store::{accounts, factors::passkeys as store},
    },
    activity::server::{Change, record},
    error::AppError,
    platform::{Ctx, jobs},
    values::{AccountId, PasskeyId},
};
use serde_json::Value;
use sqlx::PgConnection;
use webauthn_rs::prelude::{Credential, DiscoverableAuthentication, Passkey, PublicKeyCredential, WebauthnError};

/// A passkey that proved itself, and as what it is to be kept then.
#[derive(Debug, Clone)]
pub(in crate::accounts::server::factors) struct Asserted {
    pub account: AccountId,
    id: PasskeyId,
    /// What the answer was compared with.
    before: Value,
    credential: Value,
    is_synced: bool,
}

/// How a proof was found.
#[derive(Debug, Clone)]
pub(super) enum Verdict {
    Right(Asserted),
    /// This site has no such passkey (any more): its authenticator may forget it.
    Unknown,
    /// Whose passkey it says it is, where it got so far.
    Wrong(Option<AccountId>),
}

/// What was offered for an account, if it is a passkey and a right one.
pub(in crate::accounts::server::factors) async fn asserted(
    ctx: &Ctx,
    from: &Visitor,
    purpose: Purpose,
    holder: &str,
    account: AccountId,
    offered: &Offered,
) -> Result<Option<Asserted>, AppError> {
    let Offered::Passkey(answer) = offered else { return Ok(None) };
    match check(ctx, from, purpose, holder, answer).await? {
        Verdict::Right(asserted) if asserted.account == account => Ok(Some(asserted)),
        _ => Ok(None),
    }
}

/// Keeps the counter and the flags of the answer, in the transaction of what it proves. False: the passkey was removed meanwhile, or another
/// answer moved its counter: two at once with the same count are two authenticators, and one of them comes in (WebAuthn §6.1.1).
pub(in crate::accounts::server::factors) async fn mark_used(ctx: &Ctx, conn: &mut PgConnection, it: &Asserted) -> sqlx::Result<bool> {
    store::update_used(conn, it.id, &it.before, &it.credential, it.is_synced, ctx.clock.now()).await
}

/// Looks at an answer, as the browser's script sends it. The question is used up by that, whatever the verdict.
pub(super) async fn check(ctx: &Ctx, from: &Visitor, purpose: Purpose, holder: &str, answer: &str) -> Result<Verdict, AppError> {
    let Ok(answer) = serde_json::from_str::<PublicKeyCredential>(answer) else { return Ok(Verdict::Wrong(None)) };
    let asked = asking::take::<DiscoverableAuthentication>(ctx, purpose, holder, &answer.response.client_data_json).await?;
    let Some(asked) = asked else { return Ok(Verdict::Wrong(None)) };
    let Some(found) = store::find_by_credential(&ctx.db, answer.get_credential_id()).await? else { return Ok(Verdict::Unknown) };
    // Who is not known beforehand must be named by the authenticator; who is may be (WebAuthn §7.2, step 6).
    let is_named = match answer.get_user_unique_id() {
        Some(handle) => handle == found.handle.as_bytes(),
        None => asked.account.is_some(),
    };
    if !is_named || asked.account.is_some_and(|account| account != found.account) {
        return Ok(Verdict::Wrong(None));
    }
    let mut passkey: Passkey = serde_json::from_value(found.credential.clone()).map_err(AppError::internal)?;
    match relying_party(ctx)?.finish_discoverable_authentication_v2(&answer, asked.state, &passkey) {
        Ok(result) => {
            passkey.update_credential(&result);
            let credential = serde_json::to_value(&passkey).map_err(AppError::internal)?;
            let is_synced = Credential::from(passkey).backup_state;
            Ok(Verdict::Right(Asserted { account: found.account, id: found.id, before: found.credential, credential, is_synced }))
        }
        Err(WebauthnError::CredentialPossibleCompromise) => {
            tell_of_copy(ctx, from, &found).await?;
            Ok(Verdict::Wrong(Some(found.account)))
        }
        Err(refused) => {
            tracing::info!(address = %from.address, passkey = %found.id, "a passkey was refused: {refused}");
            Ok(Verdict::Wrong(Some(found.account)))
        }
    }
}

/// The signature is right and its counter went back: there may be a second authenticator with the same key. It is refused, written
/// down and told (R38; WebAuthn §6.1.1).
async fn tell_of_copy(ctx: &Ctx, from: &Visitor, found: &store::Found) -> Result<(), AppError> {
    tracing::warn!(address = %from.address, passkey = %found.id, "the counter of a passkey went back: it may have been copied");
    let Some(account) = accounts::find_account(&ctx.db, found.account).await? else { return Ok(()) };
    let mut tx = ctx.db.begin().await?;
    let change = Change { kind: "factor.passkey_copied", workspace: account.workspace, ..about(account.id, "somebody", from) };
    let cause = record(ctx, &mut tx, change).await?;
    jobs::enqueue(ctx, &mut tx, &SendFactorChanged { account: account.id, cause, told: Told::PasskeyCopied }).await?;
    Ok(tx.commit().await?)
}
