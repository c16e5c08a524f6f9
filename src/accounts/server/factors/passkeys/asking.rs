//! Questions to authenticators. Each is random (32 bytes), lies in the database for five minutes at most, and is answered once, in the
//! browser that asked and for what it was asked (R36). A form of sign-up may be sent twice: the same answer with the same address.

use super::{Purpose, relying_party};
use crate::{
    accounts::{
        model::{Caller, PasskeyUse},
        server::{
            Visitor,
            attempts::{self, Attempt},
            factors::session_of,
            links,
            store::factors::{challenges as store, passkeys, pending},
        },
    },
    error::AppError,
    platform::{Ctx, crypto::sha256, http::reply},
    values::AccountId,
};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use time::Duration;
use uuid::Uuid;

/// How long an answer may take.
pub(super) const LASTS: Duration = Duration::minutes(5);

/// A question, before it is kept.
pub(super) struct Question<'a, S> {
    pub purpose: Purpose,
    /// What only the browser that asks holds.
    pub holder: &'a str,
    /// Whose passkey must answer, where that is known.
    pub account: Option<AccountId>,
    /// Of an account that is yet to be.
    pub handle: Option<Uuid>,
    pub challenge: &'a [u8],
    pub state: S,
    pub options: &'a Value,
}

/// What comes back with its answer.
pub(super) struct Asked<S> {
    pub account: Option<AccountId>,
    pub handle: Option<Uuid>,
    pub state: S,
}

/// The part of an answer that names its question.
#[derive(Deserialize)]
struct ClientData {
    challenge: String,
}

/// Asks for a proof; answers what the browser's script passes on, as JSON. Nobody need be signed in, so addresses are slowed down.
pub async fn ask_passkey(ctx: &Ctx, caller: Option<&Caller>, from: &Visitor, purpose: PasskeyUse) -> Result<String, AppError> {
    Attempt::charge(ctx, &attempts::PASSKEY_FROM, &attempts::network(from.address)).await?;
    let options = match purpose {
        PasskeyUse::SignIn => ask(ctx, Purpose::SignIn, &browser_of(ctx), None).await?,
        PasskeyUse::SecondFactor => {
            let token = reply::sealed(ctx, links::SECOND_FACTOR).unwrap_or_default();
            let account = pending::find_pending(&ctx.db, &sha256(&token), ctx.clock.now()).await?.ok_or(AppError::Unauthenticated)?;
            ask(ctx, Purpose::SecondFactor, &token, Some(account)).await?
        }
        PasskeyUse::StepUp => {
            let caller = caller.ok_or(AppError::Unauthenticated)?;
            ask(ctx, Purpose::StepUp, &session_of(caller)?.to_string(), Some(caller.account)).await?
        }
    };
    Ok(options.to_string())
}

/// What ties a question to this browser before anybody is signed in: a sealed cookie, which lives on while questions are asked.
pub fn browser_of(ctx: &Ctx) -> String {
    let token = reply::sealed(ctx, links::PASSKEY).unwrap_or_else(|| ctx.rng.base62(43));
    reply::seal(ctx, links::PASSKEY, &token, 2 * LASTS.whole_seconds());
    token
}

/// Of whomever, with a passkey that its authenticator finds by itself; of a known account, with one of those that it has.
async fn ask(ctx: &Ctx, purpose: Purpose, holder: &str, account: Option<AccountId>) -> Result<Value, AppError> {
    let (asked, state) = relying_party(ctx)?.start_discoverable_authentication().map_err(AppError::internal)?;
    let mut options = serde_json::to_value(&asked.public_key).map_err(AppError::internal)?;
    if let Some(account) = account {
        let ids = passkeys::list_credential_ids(&ctx.db, account).await?;
        options["allowCredentials"] = ids.iter().map(|id| json!({ "type": "public-key", "id": BASE64URL_NOPAD.encode(id) })).collect();
    }
    keep(ctx, Question { purpose, holder, account, handle: None, challenge: &asked.public_key.challenge, state, options: &options }).await?;
    Ok(options)
}

pub(super) async fn keep<S: Serialize>(ctx: &Ctx, question: Question<'_, S>) -> Result<(), AppError> {
    let state = serde_json::to_value(&question.state).map_err(AppError::internal)?;
    let new = store::NewChallenge {
        challenge_hash: &sha256(question.challenge),
        holder: &sha256(question.holder),
        purpose: question.purpose.as_str(),
        account: question.account,
        handle: question.handle,
        state: &state,
        options: question.options,
        expires_at: ctx.clock.now() + LASTS,
    };
    Ok(store::insert_challenge(&ctx.db, new).await?)
}

/// The question that an answer names by its client data, once. None: it was asked elsewhere or for something else, was answered, or is
/// too old.
pub(super) async fn take<S: DeserializeOwned>(ctx: &Ctx, purpose: Purpose, holder: &str, client_data: &[u8]) -> Result<Option<Asked<S>>, AppError> {
    let Some(challenge) = named_by(client_data) else { return Ok(None) };
    asked(store::take_challenge(&ctx.db, &challenge, &sha256(holder), purpose.as_str(), ctx.clock.now()).await?)
}

/// The same for an answer whose form may be sent twice: as long as the question lives, it comes back for that form (`form`) and for no other.
pub(super) async fn take_for_form<S: DeserializeOwned>(
    ctx: &Ctx,
    purpose: Purpose,
    holder: &str,
    client_data: &[u8],
    form: &str,
) -> Result<Option<Asked<S>>, AppError> {
    let Some(challenge) = named_by(client_data) else { return Ok(None) };
    let form = sha256(form);
    asked(store::answer_challenge(&ctx.db, &challenge, &sha256(holder), purpose.as_str(), &form, ctx.clock.now()).await?)
}

/// The hash of the question.
fn named_by(client_data: &[u8]) -> Option<[u8; 32]> {
    let data = serde_json::from_slice::<ClientData>(client_data).ok()?;
    BASE64URL_NOPAD.decode(data.challenge.as_bytes()).ok().map(sha256)
}

fn asked<S: DeserializeOwned>(found: Option<store::Challenge>) -> Result<Option<Asked<S>>, AppError> {
    let Some(found) = found else { return Ok(None) };
    let state = serde_json::from_value(found.state).map_err(AppError::internal)?;
    Ok(Some(Asked { account: found.account, handle: found.handle, state }))
}

/// What the newest question of this browser tells it; none if none waits.
pub(super) async fn waiting(ctx: &Ctx, purpose: Purpose, holder: &str) -> Result<Option<Value>, AppError> {
    Ok(store::find_options(&ctx.db, &sha256(holder), purpose.as_str(), ctx.clock.now()).await?)
}
