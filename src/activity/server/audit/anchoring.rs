//! Telling the head outside the database: without that, nobody can see that the last entries were cut off.

use super::{
    head::{Head, heads},
    sealing::seal,
    store::{self, State},
};
use crate::{error::AppError, platform::Ctx};
use std::{
    fs::OpenOptions,
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// The last link once everything is sealed, and when it was made; none while nothing has happened yet.
pub async fn head(ctx: &Ctx) -> Result<Option<(Head, OffsetDateTime)>, AppError> {
    seal(ctx).await?;
    Ok(store::find_head(&ctx.db).await?)
}

/// How the log stands: the last link, and what was verified and told last.
pub async fn state(ctx: &Ctx) -> Result<(Option<(Head, OffsetDateTime)>, State), AppError> {
    Ok(tokio::try_join!(store::find_head(&ctx.db), store::find_state(&ctx.db))?)
}

/// Writes the head into the log and, where one is set, as a line of the anchor file, unless it was told already. A file that can't be
/// written is said in the log and in Admin, and tried again the next time.
pub async fn anchor(ctx: &Ctx) -> Result<(), AppError> {
    // Before the head is read: the chain only grows.
    let before = store::find_state(&ctx.db).await?;
    let head = store::find_head(&ctx.db).await?.map(|(head, _)| head);
    let last = head.as_ref().map_or(0, |head| head.number);
    if last < before.anchored_to {
        // What was told stays, so that verifying names it, too.
        tracing::error!(last, told = before.anchored_to, "the end of the audit log was removed: run `tollgate audit verify`");
        return Ok(());
    }
    let Some(head) = head else { return Ok(()) };
    if before.anchored_to == head.number && before.trouble.is_none() {
        return Ok(());
    }
    let now = ctx.clock.now();
    if let Some(path) = ctx.config.audit.anchor_file.clone()
        && let Err(error) = write(path.clone(), now, &head).await
    {
        let trouble = format!("{} can't be written: {error}.", path.display());
        if before.trouble.as_ref() != Some(&trouble) {
            tracing::error!("the head of the audit log is only in this log: {trouble}");
        }
        tracing::info!(%head, "the head of the audit log");
        return Ok(store::update_trouble(&ctx.db, &trouble).await?);
    }
    tracing::info!(%head, "the head of the audit log");
    Ok(store::update_anchored(&ctx.db, now, head.number).await?)
}

/// One line, on the disk when this returns.
async fn write(path: PathBuf, now: OffsetDateTime, head: &Head) -> std::io::Result<()> {
    let line = format!("{} {head}\n", now.format(&Rfc3339).unwrap_or_default());
    let writing = move || {
        let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path)?;
        file.write_all(line.as_bytes())?;
        file.sync_all()
    };
    tokio::task::spawn_blocking(writing).await.map_err(std::io::Error::other)?
}

/// The heads in the anchor file; none where there is no file, or it can't be read here (it may take appends alone).
pub async fn told(ctx: &Ctx) -> Vec<Head> {
    let Some(path) = ctx.config.audit.anchor_file.clone() else { return Vec::new() };
    let shown = path.display().to_string();
    let reading = move || match std::fs::read_to_string(&path) {
        Ok(text) => heads(&text),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error.to_string()),
    };
    match tokio::task::spawn_blocking(reading).await {
        Ok(Ok(heads)) => heads,
        Ok(Err(error)) => {
            tracing::warn!("the audit log is verified without the heads in {shown}: {error}");
            Vec::new()
        }
        Err(error) => {
            tracing::error!("reading {shown} ended badly: {error}");
            Vec::new()
        }
    }
}
