//! Pictures of people: set, taken away, looked at (R79). What is kept is drawn by us (`drawing`), a few at a time (`queue`); nobody
//! but its owner sets it, operators may take it away, and whoever knows its address, which nobody can guess, sees it.

mod drawing;
pub mod http;
mod queue;

pub use queue::{Place, Queue};

use super::{
    Visitor,
    administration::done_to,
    attempts::{self, Attempt},
    sessions::must_still_be_in,
    sign_up::about,
    store::{administration::find_account, avatars as store, departures::lock_account},
};
use crate::{
    accounts::model::Caller,
    activity::server::{Change, record},
    error::AppError,
    platform::{Ctx, crypto::sha256},
    values::{AccountId, Picture, permission_names as may},
};
use serde_json::Value;

/// The largest file that is read, in bytes.
pub const MOST_BYTES: usize = 8 * 1024 * 1024;

/// The field of the form that holds the file, where errors about it stand.
pub const FIELD: &str = "picture";

/// A file as it was sent.
#[derive(Debug)]
pub struct SentFile {
    /// What its sender calls it; read for its end only.
    pub name: String,
    pub bytes: Vec<u8>,
    /// It went on after `MOST_BYTES`.
    pub is_too_long: bool,
}

/// Lets the caller send a picture: a place for it, or 503 where there is none, or 429 beside others of theirs or after many. To be asked
/// before a byte of the file is kept.
pub async fn expect_picture(ctx: &Ctx, caller: &Caller) -> Result<Place, AppError> {
    caller.require(&may::ACCOUNT_WRITE)?;
    let place = Place::take(ctx, caller.account)?;
    Attempt::charge(ctx, &attempts::PICTURE, &caller.account.to_string()).await?;
    Ok(place)
}

/// Sets the caller's picture. The one that it has already is no change: nothing is written and nothing recorded (F07).
pub async fn set_avatar(ctx: &Ctx, caller: &Caller, from: &Visitor, place: Place, file: SentFile) -> Result<(), AppError> {
    caller.require(&may::ACCOUNT_WRITE)?;
    if file.is_too_long {
        return Err(AppError::invalid(FIELD, "This file is too large. It can have at most 8 MB. Make it smaller and try again."));
    }
    let drawn = place.draw(file.bytes, file.name).await?.map_err(|flaw| AppError::invalid(FIELD, flaw.to_string()))?;
    let hash = sha256([caller.account.uuid().as_bytes().as_slice(), &drawn.large].concat());
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await?;
    if !lock_account(&mut tx, caller.account).await? {
        return Err(AppError::NotFound);
    }
    // A file is read piece by piece, long after its sender was known.
    must_still_be_in(&mut tx, caller).await?;
    if store::find_hash(&mut *tx, caller.account).await?.is_some_and(|kept| kept == hash) {
        return Ok(());
    }
    let new = store::NewAvatar { account: caller.account, hash: &hash, small: &drawn.small, large: &drawn.large, now };
    store::replace_avatar(&mut tx, new).await?;
    let change = Change { kind: "account.picture_set", workspace: Some(caller.workspace), ..about(caller.account, &caller.name, from) };
    record(ctx, &mut tx, change).await?;
    Ok(tx.commit().await?)
}

/// Takes the caller's picture away; without one nothing happens.
pub async fn remove_avatar(ctx: &Ctx, caller: &Caller, from: &Visitor) -> Result<(), AppError> {
    caller.require(&may::ACCOUNT_WRITE)?;
    let mut tx = ctx.db.begin().await?;
    if store::delete_avatar(&mut tx, caller.account, ctx.clock.now()).await? {
        let change = Change { kind: "account.picture_removed", workspace: Some(caller.workspace), ..about(caller.account, &caller.name, from) };
        record(ctx, &mut tx, change).await?;
    }
    Ok(tx.commit().await?)
}

/// Takes somebody's picture away, for operators; without one nothing happens.
pub async fn remove_avatar_of(ctx: &Ctx, caller: &Caller, from: &Visitor, id: AccountId) -> Result<(), AppError> {
    caller.require(&may::ACCOUNTS_MANAGE)?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await?;
    let account = find_account(&mut *tx, id, now).await?.ok_or(AppError::NotFound)?;
    if store::delete_avatar(&mut tx, id, now).await? {
        record(ctx, &mut tx, Change { kind: "account.picture_removed", ..done_to(&account, caller, from, Value::Null) }).await?;
    }
    Ok(tx.commit().await?)
}

/// The picture of any account, for operators.
pub async fn picture_of(ctx: &Ctx, caller: &Caller, account: AccountId) -> Result<Option<Picture>, AppError> {
    caller.require(&may::ADMIN_READ)?;
    find_picture(ctx, account).await
}

/// The picture of an account; whether it may be shown is the caller's to know.
pub(super) async fn find_picture(ctx: &Ctx, account: AccountId) -> Result<Option<Picture>, AppError> {
    Ok(store::find_hash(&ctx.db, account).await?.as_deref().and_then(Picture::from_bytes))
}
