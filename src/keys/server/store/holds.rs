//! What operators and rules hold of a key's calls: read from the blocks, which another feature writes.

use crate::values::{KeyId, WorkspaceId};
use sqlx::PgExecutor;
use time::OffsetDateTime;
use uuid::Uuid;

/// A block of the key or of its workspace that is in force. Why is for operators, and not read.
#[derive(Debug)]
pub struct HoldRow {
    pub is_workspace: bool,
    /// None: no call passes.
    pub per_second: Option<i32>,
    pub until: Option<OffsetDateTime>,
}

/// The strictest first.
pub async fn list_holds(db: impl PgExecutor<'_>, key: KeyId, workspace: WorkspaceId, now: OffsetDateTime) -> sqlx::Result<Vec<HoldRow>> {
    sqlx::query_as!(
        HoldRow,
        r#"select key_id is null as "is_workspace!", per_second, until from blocks
           where (key_id = $1 or workspace_id = $2) and kind = 'block' and lifted_at is null and (until is null or until > $3)
           order by per_second nulls first, until desc nulls first"#,
        key.uuid(),
        workspace.uuid(),
        now,
    )
    .fetch_all(db)
    .await
}

/// A block of a whole workspace.
#[derive(Debug)]
pub struct WorkspaceHold {
    pub workspace: WorkspaceId,
    pub hold: HoldRow,
}

/// Of these workspaces; the strictest of each first.
pub async fn list_workspace_holds(db: impl PgExecutor<'_>, workspaces: &[WorkspaceId], now: OffsetDateTime) -> sqlx::Result<Vec<WorkspaceHold>> {
    let ids: Vec<Uuid> = workspaces.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query!(
        r#"select workspace_id as "workspace_id!", per_second, until from blocks
           where workspace_id = any($1) and kind = 'block' and lifted_at is null and (until is null or until > $2)
           order by per_second nulls first, until desc nulls first"#,
        &ids,
        now,
    );
    let rows = rows.fetch_all(db).await?.into_iter();
    let hold = |per_second, until| HoldRow { is_workspace: true, per_second, until };
    Ok(rows.map(|row| WorkspaceHold { workspace: WorkspaceId::new(row.workspace_id), hold: hold(row.per_second, row.until) }).collect())
}
