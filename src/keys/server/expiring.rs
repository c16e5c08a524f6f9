//! The end that comes by the clock: nothing needs to run for it, since the gate compares; but the history and the events tell of it, once.
//!
//! A job looks every minute. What changes a key before it looked tells of what was over until then first, so that nothing is left out.

use super::{
    change::{self, Done},
    store::expiries,
};
use crate::{
    error::AppError,
    keys::model::{Act, Key},
    platform::Ctx,
    values::KeyId,
};
use sqlx::PgConnection;
use time::format_description::well_known::Rfc3339;

/// Keys of one look; the next goes on with the rest.
const AT_ONCE: i64 = 1_000;

/// Writes what ended since the last look: of each key one line for its expiry, and one for each old secret. Answers of how many keys.
pub async fn note_expiries(ctx: &Ctx) -> Result<usize, AppError> {
    let due = expiries::list_due(&ctx.db, ctx.clock.now(), AT_ONCE).await?;
    for id in &due {
        note_of(ctx, *id).await?;
    }
    Ok(due.len())
}

async fn note_of(ctx: &Ctx, id: KeyId) -> Result<(), AppError> {
    let Some((mut tx, key)) = change::open_as_system(ctx, id).await? else { return Ok(()) };
    note_expiry(ctx, &mut tx, &key).await?;
    note_ended_secrets(ctx, &mut tx, &key).await?;
    Ok(tx.commit().await?)
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
