//! Samples of refusals, newest first, by keyset.

use crate::{
    usage::model::KeyChoice,
    values::{ApiId, KeyId, WorkspaceId},
};
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
    /// None: kept by an earlier version.
    pub ground: Option<String>,
    pub limit_name: String,
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
    /// The one that was missing.
    pub permission: Option<String>,
    pub api: Option<ApiId>,
    pub request: Option<String>,
    pub limit: Option<String>,
    pub ground: Option<String>,
    pub from: OffsetDateTime,
    pub before: (OffsetDateTime, Uuid),
}

/// Of one workspace, or (for operators) of every one and of no known key. Its own statement for each: a plan for both would read all of them
/// by time.
pub async fn list_samples(db: &PgPool, workspace: Option<WorkspaceId>, scope: &SampleScope, most: i64) -> sqlx::Result<Vec<SampleRow>> {
    macro_rules! list {
        ($whose:tt) => {
            sqlx::query_as!(
                SampleRow,
                r#"select s.id, s.at, s.key_id, k.name as "key_name?", a.name as "api_name?", s.code, s.ground, s.limit_name, s.route, s.address, s.request_id, s.detail
                   from refusal_samples s left join keys k on k.id = s.key_id left join apis a on a.id = s.api_id
                   where "# + $whose + r#" and (s.at, s.id) < ($2, $3) and s.at >= $4
                     and ($5::uuid is null or s.key_id = $5) and ($6::text is null or s.code = $6)
                     and ($7::text is null or s.route = $7) and ($8::text is null or s.address = $8) and ($9::text is null or s.permission = $9)
                     and ($10::uuid is null or s.api_id = $10) and ($11::text is null or s.request_id = $11) and ($12::text is null or s.limit_name = $12)
                     and ($13::text is null or s.ground = $13)
                   order by s.at desc, s.id desc limit $14"#,
                workspace.map(WorkspaceId::uuid),
                scope.before.0,
                scope.before.1,
                scope.from,
                scope.key.map(KeyId::uuid),
                scope.code,
                scope.route,
                scope.address,
                scope.permission,
                scope.api.map(ApiId::uuid),
                scope.request,
                scope.limit,
                scope.ground,
                most,
            )
            .fetch_all(db)
            .await
        };
    }
    if workspace.is_some() { list!("s.workspace_id = $1") } else { list!("$1::uuid is null") }
}

/// How many there are, of one workspace or (for operators) in all. Its own statement for each, as for the list.
pub async fn count_samples(db: &PgPool, workspace: Option<WorkspaceId>, scope: &SampleScope) -> sqlx::Result<i64> {
    macro_rules! count {
        ($whose:tt) => {
            sqlx::query_scalar!(
                r#"select count(*) as "n!" from refusal_samples s
                   where "# + $whose + r#" and (s.at, s.id) < ($2, $3) and s.at >= $4
                     and ($5::uuid is null or s.key_id = $5) and ($6::text is null or s.code = $6)
                     and ($7::text is null or s.route = $7) and ($8::text is null or s.address = $8) and ($9::text is null or s.permission = $9)
                     and ($10::uuid is null or s.api_id = $10) and ($11::text is null or s.request_id = $11) and ($12::text is null or s.limit_name = $12)
                     and ($13::text is null or s.ground = $13)"#,
                workspace.map(WorkspaceId::uuid),
                scope.before.0,
                scope.before.1,
                scope.from,
                scope.key.map(KeyId::uuid),
                scope.code,
                scope.route,
                scope.address,
                scope.permission,
                scope.api.map(ApiId::uuid),
                scope.request,
                scope.limit,
                scope.ground,
            )
            .fetch_one(db)
            .await
        };
    }
    if workspace.is_some() { count!("s.workspace_id = $1") } else { count!("$1::uuid is null") }
}

/// One sample, of this workspace or (for operators) of any and of none.
pub async fn find_sample(db: &PgPool, workspace: Option<WorkspaceId>, id: Uuid) -> sqlx::Result<Option<SampleRow>> {
    sqlx::query_as!(
        SampleRow,
        r#"select s.id, s.at, s.key_id, k.name as "key_name?", a.name as "api_name?", s.code, s.ground, s.limit_name, s.route, s.address, s.request_id, s.detail
           from refusal_samples s left join keys k on k.id = s.key_id left join apis a on a.id = s.api_id
           where s.id = $1 and ($2::uuid is null or s.workspace_id = $2)"#,
        id,
        workspace.map(WorkspaceId::uuid),
    )
    .fetch_optional(db)
    .await
}

/// Keys of the newest samples of a time, whoever's they are, to choose from.
pub async fn list_sampled_keys(db: &PgPool, from: OffsetDateTime, to: OffsetDateTime) -> sqlx::Result<Vec<KeyChoice>> {
    let rows = sqlx::query!(
        r#"select k.id, k.name, a.id as api_id, a.slug, a.name as api_name
           from (select distinct key_id from (select key_id from refusal_samples where at >= $1 and at < $2 order by at desc limit 5000) newest) s
           join keys k on k.id = s.key_id join apis a on a.id = k.api_id
           order by k.name, k.id limit 200"#,
        from,
        to,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|r| KeyChoice { id: KeyId::new(r.id), name: r.name, api: ApiId::new(r.api_id), api_slug: r.slug, api_name: r.api_name }).collect())
}

/// The workspace of the person with this address.
pub async fn find_workspace_of_owner(db: &PgPool, email_key: &str) -> sqlx::Result<Option<WorkspaceId>> {
    let id = sqlx::query_scalar!("select w.id from workspaces w join accounts a on a.id = w.personal_of where a.email_key = $1", email_key);
    Ok(id.fetch_optional(db).await?.map(WorkspaceId::new))
}
