//! Lists of keys that wait to be made, and the keys that came of them.

use crate::values::{BatchId, WorkspaceId};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

pub struct BatchRow {
    pub api: String,
    pub list: String,
    pub done_at: Option<OffsetDateTime>,
}

pub async fn insert_batch(db: &PgPool, id: BatchId, workspace: WorkspaceId, api: &str, list: &str, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("insert into key_batches (id, workspace_id, api, list, created_at) values ($1, $2, $3, $4, $5)", id.uuid(), workspace.uuid(), api, list, now)
        .execute(db)
        .await?;
    Ok(())
}

pub async fn find_batch(db: &PgPool, workspace: WorkspaceId, id: BatchId) -> sqlx::Result<Option<BatchRow>> {
    sqlx::query_as!(BatchRow, "select api, list, done_at from key_batches where id = $1 and workspace_id = $2", id.uuid(), workspace.uuid())
        .fetch_optional(db)
        .await
}

/// False if somebody did it before; who does it at this moment is waited for.
pub async fn finish_batch(conn: &mut PgConnection, id: BatchId, now: OffsetDateTime) -> sqlx::Result<bool> {
    let done = sqlx::query!("update key_batches set done_at = $2 where id = $1 and done_at is null", id.uuid(), now).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}

pub async fn delete_batches(db: &PgPool, before: OffsetDateTime) -> sqlx::Result<u64> {
    Ok(sqlx::query!("delete from key_batches where created_at < $1", before).execute(db).await?.rows_affected())
}

/// A key that a request made before.
pub struct MadeRow {
    pub id: Uuid,
    pub request_key: Option<String>,
    pub created_at: OffsetDateTime,
}

/// The keys of these workspaces that these requests made.
pub async fn list_made(db: &PgPool, workspaces: &[Uuid], request_keys: &[String]) -> sqlx::Result<Vec<MadeRow>> {
    sqlx::query_as!(MadeRow, "select id, request_key, created_at from keys where workspace_id = any($1) and request_key = any($2)", workspaces, request_keys,)
        .fetch_all(db)
        .await
}

/// The personal workspaces of the accounts that may come in, by the addresses given.
pub async fn list_workspaces(db: &PgPool, email_keys: &[String]) -> sqlx::Result<Vec<(String, WorkspaceId)>> {
    let rows = sqlx::query!(
        "select a.email_key, w.id from accounts a join workspaces w on w.personal_of = a.id
         where a.email_key = any($1) and a.verified_at is not null and not exists (select from account_disablements d where d.account_id = a.id)",
        email_keys,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|r| (r.email_key, WorkspaceId::new(r.id))).collect())
}
