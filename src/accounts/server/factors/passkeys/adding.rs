//! A new passkey of somebody who is signed in: asked for with a recent proof, made by the authenticator, kept. Authenticators make one
//! that they find again by themselves (discoverable), or none.

use super::{
    MOST, Purpose,
    asking::{self, Question},
    makes, relying_party,
};
use crate::{
    accounts::{
        model::Caller,
        server::{
            Visitor, devices,
            factors::{
                SendFactorChanged, Told,
                recovery::{self, Codes},
                session_of,
                step_up::must_be_ready,
            },
            sessions::must_still_be_in,
            sign_up::{about, label as checked_name},
            store::{departures::lock_account, factors as all, factors::passkeys as store, sessions},
        },
    },
    activity::server::{Change, record},
    error::AppError,
    platform::{Ctx, jobs},
    values::{AccountId, permission_names as may},
};
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;
use webauthn_rs::prelude::{CreationChallengeResponse, Credential, PasskeyRegistration, RegisterPublicKeyCredential};

/// A passkey that an authenticator made, checked and not kept yet.
#[derive(Debug, Clone)]
pub(super) struct Made {
    credential_id: Vec<u8>,
    credential: Value,
    aaguid: Uuid,
    is_synced: bool,
}

/// Asks the caller's browser for a new passkey.
pub async fn start_passkey(ctx: &Ctx, caller: &Caller) -> Result<(), AppError> {
    let (session, account) = must_be_ready(ctx, caller).await?;
    let site = relying_party(ctx)?;
    let known = store::list_credential_ids(&ctx.db, account.id).await?;
    if i64::try_from(known.len()).unwrap_or(MOST) >= MOST {
        return Err(AppError::conflict(format!("You can have at most {MOST} passkeys. Remove one you no longer use.")));
    }
    let mut conn = ctx.db.acquire().await?;
    let handle = store::find_or_insert_handle(&mut conn, account.id, new_handle(ctx)).await?;
    drop(conn);
    let (asked, state) = site.start_passkey_registration(handle, &account.email, &account.name, Some(known)).map_err(AppError::internal)?;
    let options = options(&asked)?;
    let question = Question {
        purpose: Purpose::Add,
        holder: &session.to_string(),
        account: Some(account.id),
        handle: None,
        challenge: &asked.public_key.challenge,
        state,
        options: &options,
    };
    asking::keep(ctx, question).await
}

/// What this session's browser is asked, as JSON; none if nothing is, or no longer.
pub async fn new_passkey(ctx: &Ctx, caller: &Caller) -> Result<Option<String>, AppError> {
    caller.require(&may::ACCOUNT_WRITE)?;
    let session = session_of(caller)?;
    Ok(asking::waiting(ctx, Purpose::Add, &session.to_string()).await?.map(|options| options.to_string()))
}

/// Keeps what the authenticator made; `name` may be empty. Who has no recovery codes gets some, to be shown once.
pub async fn add_passkey(ctx: &Ctx, caller: &Caller, from: &Visitor, answer: &str, name: &str, end_others: bool) -> Result<Option<Codes>, AppError> {
    caller.require(&may::ACCOUNT_WRITE)?;
    let session = session_of(caller)?;
    let name = if name.trim().is_empty() { None } else { Some(checked_name(name).map_err(|wrong| AppError::invalid("name", wrong))?) };
    let late = || AppError::conflict("This expired after five minutes, or is already complete. Start again.");
    let answer = read(answer)?;
    let asked = asking::take::<PasskeyRegistration>(ctx, Purpose::Add, &session.to_string(), &answer.response.client_data_json).await?;
    let made = checked(ctx, &answer, &asked.filter(|asked| asked.account == Some(caller.account)).ok_or_else(late)?.state)?;

    let mut tx = ctx.db.begin().await?;
    // The account first: a sign-in by the password alone waits for this (`sessions::begin`).
    if !lock_account(&mut tx, caller.account).await? {
        return Err(AppError::NotFound);
    }
    must_still_be_in(&mut tx, caller).await?;
    let has_codes = all::find_facts(&mut *tx, caller.account).await?.codes_left > 0;
    if store::count_passkeys(&mut *tx, caller.account).await? >= MOST || !keep(ctx, &mut tx, caller.account, &made, name.as_deref()).await? {
        return Err(AppError::conflict("This passkey already belongs to an account, or you have 20 passkeys."));
    }
    let codes = if has_codes { None } else { Some(recovery::make(ctx, &mut tx, caller.account).await?) };
    if end_others {
        sessions::delete_sessions(&mut *tx, caller.account, Some(session)).await?;
    }
    devices::forget_others(ctx, &mut tx, caller.account).await?;
    let change = Change { kind: "factor.passkey_added", workspace: Some(caller.workspace), ..about(caller.account, &caller.name, from) };
    let cause = record(ctx, &mut tx, change).await?;
    jobs::enqueue(ctx, &mut tx, &SendFactorChanged { account: caller.account, cause, told: Told::PasskeyAdded }).await?;
    tx.commit().await?;
    Ok(codes)
}

/// What an authenticator made, as the browser's script sends it.
pub(super) fn read(answer: &str) -> Result<RegisterPublicKeyCredential, AppError> {
    let none = |_| AppError::invalid("credential", "We received no passkey. Try again with JavaScript and a browser that supports passkeys.");
    serde_json::from_str(answer).map_err(none)
}

/// Checks it against its question (WebAuthn §7.1).
pub(super) fn checked(ctx: &Ctx, answer: &RegisterPublicKeyCredential, state: &PasskeyRegistration) -> Result<Made, AppError> {
    let passkey = relying_party(ctx)?.finish_passkey_registration(answer, state).map_err(|refused| {
        tracing::info!("a new passkey was refused: {refused}");
        AppError::invalid("credential", "This passkey can't be used. It must be made on this site and be unlocked by a fingerprint, a face or a PIN.")
    })?;
    let credential = serde_json::to_value(&passkey).map_err(AppError::internal)?;
    let site = ctx.config.server.public_url.domain().unwrap_or_default();
    let aaguid = makes::aaguid_in(&answer.response.attestation_object, site);
    let credential_id = passkey.cred_id().clone();
    Ok(Made { credential_id, credential, aaguid, is_synced: Credential::from(passkey).backup_state })
}

/// Writes it; without a name it is called after what keeps it. False: it belongs to an account already.
pub(super) async fn keep(ctx: &Ctx, conn: &mut PgConnection, account: AccountId, made: &Made, name: Option<&str>) -> sqlx::Result<bool> {
    let new = store::NewPasskey {
        id: ctx.new_id(),
        account,
        credential_id: &made.credential_id,
        credential: &made.credential,
        aaguid: made.aaguid,
        name: name.unwrap_or_else(|| makes::name_of(made.aaguid)),
        is_synced: made.is_synced,
        now: ctx.clock.now(),
    };
    store::insert_passkey(conn, new).await
}

/// What the browser's script passes on. webauthn-rs leaves it to authenticators whether they find the passkey again by themselves;
/// here they must, for who signs in types no address.
pub(super) fn options(asked: &CreationChallengeResponse) -> Result<Value, AppError> {
    let mut options = serde_json::to_value(&asked.public_key).map_err(AppError::internal)?;
    options["authenticatorSelection"]["residentKey"] = json!("required");
    options["authenticatorSelection"]["requireResidentKey"] = json!(true);
    Ok(options)
}

/// What authenticators may call an account: random.
pub(super) fn new_handle(ctx: &Ctx) -> Uuid {
    uuid::Builder::from_random_bytes(ctx.rng.bytes()).into_uuid()
}

impl Made {
    /// The id by which its authenticator finds it.
    pub(super) fn credential_id(&self) -> &[u8] {
        &self.credential_id
    }
}
