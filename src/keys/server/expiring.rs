//! The end that comes by the clock: nothing needs to run for it, since the gate compares; but the history and the events tell of it, once.
//!
//! A job looks every minute and goes on until all is told, some keys in a transaction; between slices of time it stands at the end of the
//! queue, so that other jobs have their turn. What changes a key before it looked tells of what was over until then first, so that nothing
//! is left out.

use super::{
    change::{self, Done},
    jobs::NoteExpiries,
    store::{expiries, keys},
};
use crate::{
    error::AppError,
    keys::model::{Act, Key, KeyState},
    platform::{Ctx, jobs},
};
use sqlx::PgConnection;
use time::{Duration, format_description::well_known::Rfc3339};

/// Keys of one transaction.
const AT_ONCE: i64 = 200;
/// So long one job goes on; the rest is another one's.
const SLICE: Duration = Duration::seconds(10);

/// Writes what ended since the last look: of each key one line for its expiry, and one for each old secret. Answers of how many keys.
pub async fn note_expiries(ctx: &Ctx) -> Result<usize, AppError> {
    let (begun, mut told, mut before) = (ctx.clock.now(), 0, Vec::new());
    loop {
        let mut tx = ctx.db.begin().await?;
        if !expiries::lock_looking(&mut tx).await? {
            // Somebody else is at it, and goes on.
            tx.rollback().await?;
            return Ok(told);
        }
        let due = expiries::list_due(&mut tx, ctx.clock.now(), AT_ONCE).await?;
        // Those that are being changed are told of by their change, or by the next look.
        if due.is_empty() || due == before {
            // Said, not left to the end of the connection's turn: whoever looks next finds the lock free.
            tx.rollback().await?;
            return Ok(told);
        }
        let free = expiries::lock_free(&mut tx, &due).await?;
        for key in keys::lock_keys(&mut tx, None, &free).await? {
            told += usize::from(note_of(ctx, &mut tx, &key).await?);
        }
        let is_over = ctx.clock.now() - begun > SLICE;
        if is_over {
            jobs::enqueue(ctx, &mut tx, &NoteExpiries::default()).await?;
        }
        tx.commit().await?;
        if is_over {
            return Ok(told);
        }
        before = due;
    }
}

/// False if it is revoked: then nothing is told, and its old secrets are done with, so that no look finds them again.
async fn note_of(ctx: &Ctx, conn: &mut PgConnection, key: &Key) -> Result<bool, AppError> {
    let lives = key.state != KeyState::Revoked;
    if lives {
        note_expiry(ctx, conn, key).await?;
        note_ended_secrets(ctx, conn, key).await?;
    } else {
        expiries::mark_ended_secrets(conn, key.id, ctx.clock.now()).await?;
    }
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
