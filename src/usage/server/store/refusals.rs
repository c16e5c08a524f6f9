//! Samples of refusals, newest first, by keyset.

use crate::values::{KeyId, WorkspaceId};
use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

#[derive(Debug)]
pub struct SampleRow {
    pub id: Uuid,
    pub at: OffsetDateTime,
    pub key_id: Option<Uuid>,
    pub key_name: Option<String>,
    pub code: String,
    pub route: String,
    pub address: String,
    pub request_id: String,
    pub detail: String,
}

/// Which samples: everything before the keyset (`at`, `id`).
#[derive(Debug, Clone)]
pub struct SampleScope {
    pub key: Option<KeyId>,
    pub code: Option<String>,
    pub before: (OffsetDateTime, Uuid),
}

pub async fn list_samples(db: &PgPool, workspace: WorkspaceId, scope: &SampleScope, most: i64) -> sqlx::Result<Vec<SampleRow>> {
    sqlx::query_as!(
        SampleRow,
        r#"select s.id, s.at, s.key_id, k.name as "key_name?", s.code, s.route, s.address, s.request_id, s.detail
           from refusal_samples s left join keys k on k.id = s.key_id
           where s.workspace_id = $1 and (s.at, s.id) < ($2, $3) and ($4::uuid is null or s.key_id = $4) and ($5::text is null or s.code = $5)
           order by s.at desc, s.id desc limit $6"#,
        workspace.uuid(),
        scope.before.0,
        scope.before.1,
        scope.key.map(KeyId::uuid),
        scope.code,
        most,
    )
    .fetch_all(db)
    .await
}

/// Of every workspace, and of no known key: for operators.
pub async fn list_all_samples(db: &PgPool, scope: &SampleScope, most: i64) -> sqlx::Result<Vec<SampleRow>> {
    sqlx::query_as!(
        SampleRow,
        r#"select s.id, s.at, s.key_id, k.name as "key_name?", s.code, s.route, s.address, s.request_id, s.detail
           from refusal_samples s left join keys k on k.id = s.key_id
           where (s.at, s.id) < ($1, $2) and ($3::uuid is null or s.key_id = $3) and ($4::text is null or s.code = $4)
           order by s.at desc, s.id desc limit $5"#,
        scope.before.0,
        scope.before.1,
        scope.key.map(KeyId::uuid),
        scope.code,
        most,
    )
    .fetch_all(db)
    .await
}
