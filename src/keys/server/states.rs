//! On, off, and off for good. Each is safe to send twice: what is so already is not done again, nor written into the history. Each
//! answers when every live node has applied it, or names who has not.

use super::{
    change::{self, Changed, Done},
    store::keys,
};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::model::{Act, KeyState},
    platform::Ctx,
    values::KeyId,
};

/// From now on every call is answered DISABLED, until the key is enabled again.
pub async fn disable_key(ctx: &Ctx, caller: &Caller, id: KeyId, reason: &str) -> Result<Changed, AppError> {
    put(ctx, caller, id, KeyState::Disabled, Act::Disabled, reason).await
}

/// Calls may pass again.
pub async fn enable_key(ctx: &Ctx, caller: &Caller, id: KeyId, reason: &str) -> Result<Changed, AppError> {
    put(ctx, caller, id, KeyState::Active, Act::Enabled, reason).await
}

/// Ends the key for good; its history and its usage stay.
pub async fn revoke_key(ctx: &Ctx, caller: &Caller, id: KeyId, reason: &str) -> Result<Changed, AppError> {
    put(ctx, caller, id, KeyState::Revoked, Act::Revoked, reason).await
}

async fn put(ctx: &Ctx, caller: &Caller, id: KeyId, state: KeyState, act: Act, reason: &str) -> Result<Changed, AppError> {
    let reason = change::reason(reason)?;
    let (mut tx, key) = change::open(ctx, caller, id).await?;
    if key.state == state {
        return change::unchanged(ctx, tx, key).await;
    }
    change::must_live(&key)?;
    keys::update_state(&mut tx, id, state, ctx.clock.now()).await?;
    let data = serde_json::json!({ "name": key.name, "from": key.state.as_str() });
    change::note(ctx, &mut tx, caller, &key, Done { act, reason: &reason, detail: String::new(), data }).await?;
    change::close(ctx, tx, id).await
}
