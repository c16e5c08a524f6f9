//! Keys of everybody. The rules are those of the keys feature; here stands who may.

use crate::{
    accounts::Caller,
    admin::model::AllKeys,
    error::AppError,
    keys::{
        model::{KeyQuery, ManyPreview, ManyQuery, TypedLimit},
        server::{self as keys, Changed, forms},
    },
    platform::Ctx,
    values::{KeyId, permission_names as may},
};

/// What `/admin/keys` shows; `chosen` is the id of the key beside the list.
pub async fn list_keys(ctx: &Ctx, caller: &Caller, query: KeyQuery, chosen: Option<&str>) -> Result<AllKeys, AppError> {
    caller.require(&may::KEYS_MANAGE)?;
    let list = keys::list_keys(ctx, caller, KeyQuery { everywhere: true, ..query }).await?;
    let chosen = match chosen {
        Some(id) => Some(keys::key_detail(ctx, caller, id.parse().map_err(|_| AppError::NotFound)?).await?),
        None => None,
    };
    Ok(AllKeys { list, chosen })
}

pub async fn disable_key(ctx: &Ctx, caller: &Caller, id: KeyId, reason: &str) -> Result<Changed, AppError> {
    caller.require(&may::KEYS_MANAGE)?;
    keys::disable_key(ctx, caller, id, reason).await
}

pub async fn enable_key(ctx: &Ctx, caller: &Caller, id: KeyId, reason: &str) -> Result<Changed, AppError> {
    caller.require(&may::KEYS_MANAGE)?;
    keys::enable_key(ctx, caller, id, reason).await
}

/// Ends a key for good; `typed` is its name, as the person typed it.
pub async fn revoke_key(ctx: &Ctx, caller: &Caller, id: KeyId, typed: &str, reason: &str) -> Result<Changed, AppError> {
    caller.require(&may::KEYS_MANAGE)?;
    forms::must_be_named(ctx, caller, id, typed).await?;
    keys::revoke_key(ctx, caller, id, reason).await
}

/// What an act on many keys will do.
pub async fn preview_many_keys(ctx: &Ctx, caller: &Caller, query: ManyQuery) -> Result<Option<ManyPreview>, AppError> {
    caller.require(&may::KEYS_MANAGE)?;
    keys::preview_many(ctx, caller, &of_everybody(query)).await
}

/// Does it, if no more keys change than the `seen` ones; answers in words.
pub async fn change_many_keys(ctx: &Ctx, caller: &Caller, query: ManyQuery, reason: &str, seen: u64, typed: &str) -> Result<String, AppError> {
    caller.require(&may::KEYS_MANAGE)?;
    forms::change_many(ctx, caller, &of_everybody(query), reason, seen, typed).await
}

fn of_everybody(query: ManyQuery) -> ManyQuery {
    ManyQuery { filters: KeyQuery { everywhere: true, ..query.filters }, ..query }
}

/// Sets one limit of a key, or takes it away; what was done in words.
pub async fn set_limit(ctx: &Ctx, caller: &Caller, id: KeyId, typed: &TypedLimit) -> Result<(&'static str, Changed), AppError> {
    caller.require(&may::KEYS_MANAGE)?;
    keys::set_limit(ctx, caller, id, typed).await
}
