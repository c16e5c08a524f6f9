//! Writing an export: one JSON document, put together piece by piece, so that a long history is never in memory whole. All in one
//! transaction: a job that died in the middle left nothing, and the next try begins anew.

use super::store;
use crate::{
    accounts::server::store::{accounts::find_account, avatars, fields, linked},
    error::AppError,
    platform::Ctx,
    values::{AccountId, EventId, WorkspaceId},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

/// A piece is written when it has grown to this.
const CHUNK_BYTES: usize = 256 * 1024;
/// So many events are read at once.
const EVENTS: i64 = 1_000;

/// Writes the export that this request asked for. False: a newer one took its place, or it is written already.
pub async fn write_export(ctx: &Ctx, account: AccountId, id: EventId) -> Result<bool, AppError> {
    let mut tx = ctx.db.begin().await?;
    if !store::lock_unwritten(&mut tx, account, id).await? {
        return Ok(false);
    }
    let Some(facts) = store::find_facts(&mut *tx, account).await? else { return Ok(false) };
    let workspace = find_account(&mut *tx, account).await?.and_then(|a| a.workspace).unwrap_or_else(|| WorkspaceId::new(Uuid::nil()));
    let mut file = Pieces { id, buffer: Vec::with_capacity(CHUNK_BYTES), number: 0, bytes: 0 };
    file.text("{\"account\":");
    file.json(&facts)?;
    file.text(",\"profile_fields\":");
    file.json(&fields::list_lines(&mut *tx, account).await?)?;
    file.text(",\"picture\":");
    file.json(&avatars::find_kept(&mut *tx, account).await?.map(PictureLine::of))?;
    file.text(",\"second_factors\":");
    file.json(&store::find_factors(&mut tx, account).await?)?;
    file.text(",\"linked_sign_ins\":");
    file.json(&linked::list_lines(&mut *tx, account).await?)?;
    file.text(",\"sessions\":");
    file.json(&store::list_sessions(&mut *tx, account).await?)?;
    file.text(",\"keys\":");
    file.json(&store::list_keys(&mut *tx, workspace).await?)?;
    file.text(",\"usage\":");
    file.json(&store::list_usage(&mut *tx, workspace).await?)?;
    file.text(",\"events\":[");
    let (mut after, mut is_first) = (None, true);
    loop {
        let events = store::list_events(&mut *tx, account, workspace, after, EVENTS).await?;
        for event in &events {
            file.text(if is_first { "" } else { "," });
            file.json(event)?;
            is_first = false;
        }
        file.flush(&mut tx, CHUNK_BYTES).await?;
        match events.last() {
            Some(last) => after = Some(last.id),
            None => break,
        }
    }
    file.text("]}\n");
    file.flush(&mut tx, 1).await?;
    store::update_written(&mut tx, id, file.bytes, ctx.clock.now()).await?;
    tx.commit().await?;
    Ok(true)
}

/// The picture as it is shown, a JPEG, in base64 (RFC 4648 §4).
#[derive(Serialize)]
struct PictureLine {
    #[serde(with = "time::serde::rfc3339")]
    set_at: OffsetDateTime,
    jpeg: String,
}

impl PictureLine {
    fn of(kept: avatars::Kept) -> Self {
        Self { set_at: kept.set_at, jpeg: STANDARD.encode(kept.large) }
    }
}

/// The file, as far as it is written.
struct Pieces {
    id: EventId,
    buffer: Vec<u8>,
    number: i32,
    bytes: i64,
}

impl Pieces {
    fn text(&mut self, text: &str) {
        self.buffer.extend_from_slice(text.as_bytes());
    }

    fn json(&mut self, value: &impl Serialize) -> Result<(), AppError> {
        serde_json::to_writer(&mut self.buffer, value).map_err(AppError::internal)
    }

    /// Writes the piece if it has so many bytes.
    async fn flush(&mut self, conn: &mut PgConnection, least: usize) -> sqlx::Result<()> {
        if self.buffer.len() >= least {
            store::insert_chunk(conn, self.id, self.number, &self.buffer).await?;
            self.number += 1;
            self.bytes += i64::try_from(self.buffer.len()).unwrap_or(0);
            self.buffer.clear();
        }
        Ok(())
    }
}
