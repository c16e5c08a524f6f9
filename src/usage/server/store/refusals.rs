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
    pub api_name: Option<String>,
    pub code: String,
    pub route: String,
    pub address: String,
    pub request_id: String,
    pub detail: String,
}

/// Which samples: what the filters leave from `from` on, and before the keyset (`at`, `id`).
#[derive(Debug, Clone)]
pub struct SampleScope {
    pub key: Option<KeyId>,
    pub code: Option<String>,
    pub route: Option<String>,
    pub address: Option<String>,
    /// The whole detail.
    pub detail: Option<String>,
    pub from: OffsetDateTime,
    pub before: (OffsetDateTime, Uuid),
}

pub async fn list_samples(db: &PgPool, workspace: WorkspaceId, scope: &SampleScope, most: i64) -> sqlx::Result<Vec<SampleRow>> {
    sqlx::query_as!(
        SampleRow,
        r#"select s.id, s.at, s.key_id, k.name as "key_name?", a.name as "api_name?", s.code, s.route, s.address, s.request_id, s.detail
           from refusal_samples s left join keys k on k.id = s.key_id left join apis a on a.id = s.api_id
           where s.workspace_id = $1 and (s.at, s.id) < ($2, $3) and s.at >= $4
             and ($5::uuid is null or s.key_id = $5) and ($6::text is null or s.code = $6)
             and ($7::text is null or s.route = $7) and ($8::text is null or s.address = $8) and ($10::text is null or s.detail = $10)
           order by s.at desc, s.id desc limit $9"#,
        workspace.uuid(),
        scope.before.0,
        scope.before.1,
        scope.from,
        scope.key.map(KeyId::uuid),
        scope.code,
        scope.route,
        scope.address,
        most,
        scope.detail,
    )
    .fetch_all(db)
    .await
}

/// How many there are.
pub async fn count_samples(db: &PgPool, workspace: WorkspaceId, scope: &SampleScope) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"select count(*) as "n!" from refusal_samples s
           where s.workspace_id = $1 and (s.at, s.id) < ($2, $3) and s.at >= $4
             and ($5::uuid is null or s.key_id = $5) and ($6::text is null or s.code = $6)
             and ($7::text is null or s.route = $7) and ($8::text is null or s.address = $8) and ($9::text is null or s.detail = $9)"#,
        workspace.uuid(),
        scope.before.0,
        scope.before.1,
        scope.from,
        scope.key.map(KeyId::uuid),
        scope.code,
        scope.route,
        scope.address,
        scope.detail,
    )
    .fetch_one(db)
    .await
}

/// Of every workspace, and of no known key: for operators.
pub async fn list_all_samples(db: &PgPool, scope: &SampleScope, most: i64) -> sqlx::Result<Vec<SampleRow>> {
    sqlx::query_as!(
        SampleRow,
        r#"select s.id, s.at, s.key_id, k.name as "key_name?", a.name as "api_name?", s.code, s.route, s.address, s.request_id, s.detail
           from refusal_samples s left join keys k on k.id = s.key_id left join apis a on a.id = s.api_id
           where (s.at, s.id) < ($1, $2) and s.at >= $3
             and ($4::uuid is null or s.key_id = $4) and ($5::text is null or s.code = $5)
             and ($6::text is null or s.route = $6) and ($7::text is null or s.address = $7) and ($9::text is null or s.detail = $9)
           order by s.at desc, s.id desc limit $8"#,
        scope.before.0,
        scope.before.1,
        scope.from,
        scope.key.map(KeyId::uuid),
        scope.code,
        scope.route,
        scope.address,
        most,
        scope.detail,
    )
    .fetch_all(db)
    .await
}

/// One sample, of this workspace or (for operators) of any and of none.
pub async fn find_sample(db: &PgPool, workspace: Option<WorkspaceId>, id: Uuid) -> sqlx::Result<Option<SampleRow>> {
    sqlx::query_as!(
        SampleRow,
        r#"select s.id, s.at, s.key_id, k.name as "key_name?", a.name as "api_name?", s.code, s.route, s.address, s.request_id, s.detail
           from refusal_samples s left join keys k on k.id = s.key_id left join apis a on a.id = s.api_id
           where s.id = $1 and ($2::uuid is null or s.workspace_id = $2)"#,
        id,
        workspace.map(WorkspaceId::uuid),
    )
    .fetch_optional(db)
    .await
}
