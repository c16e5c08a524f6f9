//! How every change of a key goes: lock it, change it, write history and event in the same transaction, commit, then wait until every
//! node has applied it (`nodes::spread`).

use super::{
    nodes,
    reach::{Reach, actor},
    store::{changes, keys},
};
use crate::{
    accounts::Caller,
    activity::server::{Change, record},
    error::AppError,
    keys::model::{Act, Key, KeyState, Spread},
    platform::{Ctx, db, once},
    values::{AccountId, KeyId, WorkspaceId, permission_names as may},
};
use serde::Serialize;
use serde_json::Value;
use sqlx::{PgConnection, Postgres, Transaction};
use tokio::time::Instant;

/// A key as it is after a change, and how far the change has got.
#[derive(Debug, Clone, Serialize)]
pub struct Changed {
    #[serde(flatten)]
    pub key: Key,
    pub spread: Spread,
    /// False: it was so before.
    #[serde(skip)]
    pub is_new: bool,
}

/// What was done, in the words of the history.
#[derive(Debug, Clone)]
pub struct Done<'a> {
    pub act: Act,
    pub reason: &'a str,
    pub detail: String,
    /// Facts for the event; never a secret.
    pub data: Value,
}

impl Done<'_> {
    pub fn new(act: Act, detail: impl Into<String>) -> Self {
        Self { act, reason: "", detail: detail.into(), data: Value::Null }
    }
}

/// Opens the transaction and locks the key, if the caller may write it.
pub async fn open(ctx: &Ctx, caller: &Caller, id: KeyId) -> Result<(Transaction<'static, Postgres>, Key), AppError> {
    caller.require(&may::KEYS_WRITE)?;
    let (tx, mut found) = lock(ctx, Reach::of(caller).workspace(), &[id]).await?;
    Ok((tx, found.pop().ok_or(AppError::NotFound)?))
}

/// A transaction that holds those of these keys that are there. Whoever held one of them for as long as one waits is a node that stands still:
/// Postgres is about to end its transaction, and those that queue behind it. So it is tried once more.
pub async fn lock(ctx: &Ctx, workspace: Option<WorkspaceId>, ids: &[KeyId]) -> sqlx::Result<(Transaction<'static, Postgres>, Vec<Key>)> {
    let mut tx = ctx.db.begin().await?;
    match keys::lock_keys(&mut tx, workspace, ids).await {
        Ok(found) => return Ok((tx, found)),
        Err(error) if db::is_held_up(&error) => tx.rollback().await?,
        Err(error) => return Err(error),
    }
    let mut tx = ctx.db.begin().await?;
    let found = keys::lock_keys(&mut tx, workspace, ids).await?;
    Ok((tx, found))
}

/// The same for what Tollgate does by itself; none if the key is gone or revoked meanwhile.
pub async fn open_as_system(ctx: &Ctx, id: KeyId) -> Result<Option<(Transaction<'static, Postgres>, Key)>, AppError> {
    let (tx, mut found) = lock(ctx, None, &[id]).await?;
    Ok(found.pop().filter(|key| key.state != KeyState::Revoked).map(|key| (tx, key)))
}

/// A revoked key changes no more.
pub fn must_live(key: &Key) -> Result<(), AppError> {
    match key.state {
        KeyState::Revoked => Err(AppError::conflict("This key was revoked, and that is final. Create a new key.")),
        KeyState::Active | KeyState::Disabled => Ok(()),
    }
}

/// Writes the line of the history and the event.
pub async fn note(ctx: &Ctx, conn: &mut PgConnection, caller: &Caller, key: &Key, done: Done<'_>) -> Result<(), AppError> {
    write(ctx, conn, actor(caller), key, done).await
}

/// The same for somebody without an account, by a fixed name.
pub async fn note_as(ctx: &Ctx, conn: &mut PgConnection, name: &str, key: &Key, done: Done<'_>) -> Result<(), AppError> {
    write(ctx, conn, (None, name), key, done).await
}

/// The same for what Tollgate does by itself.
pub async fn note_as_system(ctx: &Ctx, conn: &mut PgConnection, key: &Key, done: Done<'_>) -> Result<(), AppError> {
    write(ctx, conn, (None, "system"), key, done).await
}

async fn write(ctx: &Ctx, conn: &mut PgConnection, (actor_id, actor): (Option<AccountId>, &str), key: &Key, done: Done<'_>) -> Result<(), AppError> {
    let change = changes::NewChange { id: ctx.new_id(), key: key.id, act: done.act, actor_id, actor, reason: done.reason, detail: &done.detail };
    changes::insert_change(conn, &change, ctx.clock.now()).await?;
    record(
        ctx,
        conn,
        Change {
            kind: &format!("key.{}", done.act.as_str()),
            workspace: Some(key.workspace),
            actor: actor_id,
            actor_name: actor,
            subject: Some(key.id.uuid()),
            reason: done.reason,
            data: done.data,
        },
    )
    .await?;
    Ok(())
}

/// Commits, waits until every live node has applied it (two seconds at most), and answers with the key as it is now.
pub async fn close(ctx: &Ctx, mut tx: Transaction<'static, Postgres>, id: KeyId) -> Result<Changed, AppError> {
    let key = keys::find_key(&mut tx, None, id).await?.ok_or(AppError::NotFound)?;
    once::done(ctx, &mut tx).await?;
    let since = Instant::now();
    tx.commit().await?;
    Ok(Changed { spread: nodes::spread(ctx, &[id], since).await, key, is_new: true })
}

/// Nothing is to be changed: an earlier request did it. Whether that has reached every node is worth the same answer.
pub async fn unchanged(ctx: &Ctx, tx: Transaction<'static, Postgres>, key: Key) -> Result<Changed, AppError> {
    tx.rollback().await?; // nobody waits for the key meanwhile
    Ok(Changed { spread: nodes::spread(ctx, &[key.id], Instant::now()).await, key, is_new: false })
}

/// A reason as people give it: at most 200 characters, one line.
pub fn reason(text: &str) -> Result<String, AppError> {
    let text = text.trim();
    if text.chars().count() > 200 {
        return Err(AppError::invalid("reason", "A reason has at most 200 characters."));
    }
    Ok(text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect())
}
