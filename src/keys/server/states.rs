//! On, off, and off for good. Each is safe to send twice: what is so already is not done again, nor written into the history. Each
//! answers when every live node has applied it, or names who has not.

use super::{
    change::{self, Changed, Done},
    proof,
    store::keys,
};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::model::{Act, Key, KeyState},
    platform::Ctx,
    values::KeyId,
};
use sqlx::PgConnection;

/// From now on every call is answered DISABLED, until the key is enabled again.
pub async fn disable_key(ctx: &Ctx, caller: &Caller, id: KeyId, reason: &str) -> Result<Changed, AppError> {
    put(ctx, caller, id, KeyState::Disabled, Act::Disabled, reason).await
}

/// Calls may pass again. A key for Tollgate itself takes a proof for that, as a new one does.
pub async fn enable_key(ctx: &Ctx, caller: &Caller, id: KeyId, reason: &str) -> Result<Changed, AppError> {
    put(ctx, caller, id, KeyState::Active, Act::Enabled, reason).await
}

/// Ends the key for good; its history and its usage stay. Here and to disable a key of others the admin PIN is asked, if there is one.
pub async fn revoke_key(ctx: &Ctx, caller: &Caller, id: KeyId, reason: &str) -> Result<Changed, AppError> {
    put(ctx, caller, id, KeyState::Revoked, Act::Revoked, reason).await
}

impl Changed {
    /// Which state the key was put into, and where that holds: for who did it.
    pub fn state_words(&self) -> String {
        let (state, held) = match self.key.state {
            KeyState::Active => ("enabled. Its calls may pass again.", "In force"),
            KeyState::Disabled => ("disabled. Its calls are answered DISABLED.", "Refused"),
            KeyState::Revoked => ("revoked. Its calls are answered REVOKED.", "Refused"),
        };
        format!("{} is {state} {}", self.key.name, self.spread.words(held))
    }
}

async fn put(ctx: &Ctx, caller: &Caller, id: KeyId, state: KeyState, act: Act, reason: &str) -> Result<Changed, AppError> {
    let reason = change::reason(reason)?;
    let (mut tx, key) = change::open(ctx, caller, id).await?;
    if key.state == state {
        return change::unchanged(ctx, tx, key).await;
    }
    change::must_live(&key)?;
    match state {
        KeyState::Active => proof::to_widen(ctx, caller, &key, &key.effective).await?,
        KeyState::Disabled | KeyState::Revoked => proof::to_take_from(ctx, caller, &key).await?,
    }
    put_in(ctx, &mut tx, caller, &key, (state, act), &reason).await?;
    change::close(ctx, tx, id).await
}

/// The change itself, in a transaction that holds the key.
pub(super) async fn put_in(ctx: &Ctx, conn: &mut PgConnection, caller: &Caller, key: &Key, put: (KeyState, Act), reason: &str) -> Result<(), AppError> {
    let (state, act) = put;
    keys::update_state(conn, key.id, state, ctx.clock.now()).await?;
    let data = serde_json::json!({ "name": key.name, "from": key.state.as_str() });
    change::note(ctx, conn, caller, key, Done { act, reason, detail: String::new(), data }).await
}
