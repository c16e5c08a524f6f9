//! Lists of keys that wait to be imported.

use crate::values::{ImportId, WorkspaceId};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

pub struct ListRow {
    pub api: String,
    pub list: String,
}

pub async fn insert_list(conn: &mut PgConnection, id: ImportId, workspace: WorkspaceId, api: &str, list: &str, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("insert into key_imports (id, workspace_id, api, list, created_at) values ($1, $2, $3, $4, $5)", id.uuid(), workspace.uuid(), api, list, now)
        .execute(conn)
        .await?;
    Ok(())
}

/// Leaves the newest ones of a workspace.
pub async fn delete_older_lists(conn: &mut PgConnection, workspace: WorkspaceId, most: i64) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from key_imports where workspace_id = $1 and id not in (
           select i.id from key_imports i where i.workspace_id = $1 order by i.created_at desc, i.id desc limit $2
         )",
        workspace.uuid(),
        most,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn find_list(db: &PgPool, workspace: WorkspaceId, id: ImportId) -> sqlx::Result<Option<ListRow>> {
    sqlx::query_as!(ListRow, "select api, list from key_imports where id = $1 and workspace_id = $2", id.uuid(), workspace.uuid()).fetch_optional(db).await
}

pub async fn delete_list(db: &PgPool, id: ImportId) -> sqlx::Result<()> {
    sqlx::query!("delete from key_imports where id = $1", id.uuid()).execute(db).await?;
    Ok(())
}

pub async fn delete_lists(db: &PgPool, before: OffsetDateTime) -> sqlx::Result<u64> {
    Ok(sqlx::query!("delete from key_imports where created_at < $1", before).execute(db).await?.rows_affected())
}
