//! The end that comes by the clock: nothing needs to run for it, since the gate compares; but the history and the events tell of it, once.
//!
//! A job looks every minute. What changes a key before it looked tells of what was over until then first, so that nothing is left out.

use super::{
    change::{self, Done},
    store::{expiries, keys},
};
use crate::{
    error::AppError,
    keys::model::{Act, Key, KeyState},
    platform::Ctx,
    values::KeyId,
};
use sqlx::PgConnection;
use time::format_description::well_known::Rfc3339;

/// Keys of one look; the next goes on with the rest.
const AT_ONCE: i64 = 1_000;

/// Writes what ended since the last look: of each key one line for its expiry, and one for each old secret. Answers of how many keys.
pub async fn note_expiries(ctx: &Ctx) -> Result<usize, AppError> {
    let mut told = 0;
    for id in expiries::list_due(&ctx.db, ctx.clock.now(), AT_ONCE).await? {
        told += usize::from(note_of(ctx, id).await?);
    }
    Ok(told)
}

/// False if it is gone or revoked: then nothing is told, and its old secrets are done with, so that no look finds them again.
async fn note_of(ctx: &Ctx, id: KeyId) -> Result<bool, AppError> {
    let mut tx = ctx.db.begin().await?;
    let Some(key) = keys::lock_key(&mut tx, None, id).await? else { return Ok(false) };
    let lives = key.state != KeyState::Revoked;
    if lives {
        note_expiry(ctx, &mut tx, &key).await?;
        note_ended_secrets(ctx, &mut tx, &key).await?;
    } else {
        expiries::mark_ended_secrets(&mut tx, key.id, ctx.clock.now()).await?;
    }
    tx.commit().await?;
    Ok(lives)
}

/// In a transaction that holds the key: that it has expired, if that is news.
pub(super) async fn note_expiry(ctx: &Ctx, conn: &mut PgConnection, key: &Key) -> Result<(), AppError> {
    let Some(at) = expiries::mark_expiry(conn, key.id, ctx.clock.now()).await? else { return Ok(()) };
    let data = serde_json::json!({ "name": key.name, "expires_at": at.format(&Rfc3339).unwrap_or_default() });
    let detail = format!("{}, {:02}:{:02} UTC", at.date(), at.hour(), at.minute());
    change::note_as_system(ctx, conn, key, Done { data, ..Done::new(Act::Expired, detail) }).await
}

/// The same of its old secrets.
pub(super) async fn note_ended_secrets(ctx: &Ctx, conn: &mut PgConnection, key: &Key) -> Result<(), AppError> {
    for start in expiries::mark_ended_secrets(conn, key.id, ctx.clock.now()).await? {
        let data = serde_json::json!({ "name": key.name, "start": start });
        change::note_as_system(ctx, conn, key, Done { data, ..Done::new(Act::SecretEnded, format!("{start}…")) }).await?;
    }
    Ok(())
}
