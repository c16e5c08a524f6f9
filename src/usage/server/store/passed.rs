//! Samples of calls that passed, newest first, by keyset; and which APIs keep some.

use super::refusals::SampleScope;
use crate::{
    keys::model::LimitLeft,
    usage::model::KeyChoice,
    values::{ApiId, KeyId, WorkspaceId},
};
use sqlx::{PgConnection, PgPool, types::Json};
use time::OffsetDateTime;
use uuid::Uuid;

#[derive(Debug)]
pub struct PassedRow {
    pub id: Uuid,
    pub at: OffsetDateTime,
    pub key_id: Uuid,
    pub key_name: Option<String>,
    pub api_name: Option<String>,
    pub route: String,
    pub address: String,
    pub request_id: String,
    pub cost: i64,
    pub one_in: i32,
    pub limits: Json<Vec<LimitLeft>>,
}

/// Samples as columns, for `unnest`.
#[derive(Debug, Default)]
pub struct PassedColumns {
    pub id: Vec<Uuid>,
    pub at: Vec<OffsetDateTime>,
    pub key: Vec<Uuid>,
    pub workspace: Vec<Uuid>,
    pub api: Vec<Uuid>,
    pub route: Vec<String>,
    pub address: Vec<String>,
    pub request_id: Vec<String>,
    pub cost: Vec<i64>,
    pub one_in: Vec<i32>,
    /// As JSON.
    pub limits: Vec<String>,
}

pub async fn insert_passed(conn: &mut PgConnection, rows: &PassedColumns) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into passed_samples (id, at, key_id, workspace_id, api_id, route, address, request_id, cost, one_in, limits)
         select s.id, s.at, s.key_id, s.workspace_id, s.api_id, s.route, s.address, s.request_id, s.cost, s.one_in, s.limits::jsonb
         from unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::bigint[], $10::integer[], $11::text[])
           as s (id, at, key_id, workspace_id, api_id, route, address, request_id, cost, one_in, limits)
         on conflict do nothing",
        &rows.id,
        &rows.at,
        &rows.key,
        &rows.workspace,
        &rows.api,
        &rows.route,
        &rows.address,
        &rows.request_id,
        &rows.cost,
        &rows.one_in,
        &rows.limits,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Of one workspace, or (for operators) of every one. Its own statement for each: a plan for both would read all of them by time.
pub async fn list_passed(db: &PgPool, workspace: Option<WorkspaceId>, scope: &SampleScope, most: i64) -> sqlx::Result<Vec<PassedRow>> {
    macro_rules! list {
        ($whose:tt) => {
            sqlx::query_as!(
                PassedRow,
                r#"select s.id, s.at, s.key_id, k.name as "key_name?", a.name as "api_name?", s.route, s.address, s.request_id, s.cost, s.one_in,
                     s.limits as "limits: Json<Vec<LimitLeft>>"
                   from passed_samples s left join keys k on k.id = s.key_id left join apis a on a.id = s.api_id
                   where "#
                    + $whose
                    + r#" and (s.at, s.id) < ($2, $3) and s.at >= $4
                     and ($5::uuid is null or s.key_id = $5) and ($6::text is null or s.route = $6) and ($7::text is null or s.address = $7)
                     and ($8::uuid is null or s.api_id = $8) and ($9::text is null or s.request_id = $9)
                   order by s.at desc, s.id desc limit $10"#,
                workspace.map(WorkspaceId::uuid),
                scope.before.0,
                scope.before.1,
                scope.from,
                scope.key.map(KeyId::uuid),
                scope.route,
                scope.address,
                scope.api.map(ApiId::uuid),
                scope.request,
                most,
            )
            .fetch_all(db)
            .await
        };
    }
    if workspace.is_some() { list!("s.workspace_id = $1") } else { list!("$1::uuid is null") }
}

/// How many there are, of one workspace or (for operators) in all.
pub async fn count_passed(db: &PgPool, workspace: Option<WorkspaceId>, scope: &SampleScope) -> sqlx::Result<i64> {
    macro_rules! count {
        ($whose:tt) => {
            sqlx::query_scalar!(
                r#"select count(*) as "n!" from passed_samples s
                   where "#
                    + $whose
                    + r#" and (s.at, s.id) < ($2, $3) and s.at >= $4
                     and ($5::uuid is null or s.key_id = $5) and ($6::text is null or s.route = $6) and ($7::text is null or s.address = $7)
                     and ($8::uuid is null or s.api_id = $8) and ($9::text is null or s.request_id = $9)"#,
                workspace.map(WorkspaceId::uuid),
                scope.before.0,
                scope.before.1,
                scope.from,
                scope.key.map(KeyId::uuid),
                scope.route,
                scope.address,
                scope.api.map(ApiId::uuid),
                scope.request,
            )
            .fetch_one(db)
            .await
        };
    }
    if workspace.is_some() { count!("s.workspace_id = $1") } else { count!("$1::uuid is null") }
}

/// One sample, of this workspace or (for operators) of any; `at` is its moment, so that one partition is looked into.
pub async fn find_passed(db: &PgPool, workspace: Option<WorkspaceId>, at: OffsetDateTime, id: Uuid) -> sqlx::Result<Option<PassedRow>> {
    sqlx::query_as!(
        PassedRow,
        r#"select s.id, s.at, s.key_id, k.name as "key_name?", a.name as "api_name?", s.route, s.address, s.request_id, s.cost, s.one_in,
             s.limits as "limits: Json<Vec<LimitLeft>>"
           from passed_samples s left join keys k on k.id = s.key_id left join apis a on a.id = s.api_id
           where s.id = $1 and s.at = $2 and ($3::uuid is null or s.workspace_id = $3)"#,
        id,
        at,
        workspace.map(WorkspaceId::uuid),
    )
    .fetch_optional(db)
    .await
}

/// The APIs that keep samples of what passes, by name, with the n of their 1 in n: those that the workspace has keys of, or all.
pub async fn list_sampling(db: &PgPool, workspace: Option<WorkspaceId>) -> sqlx::Result<Vec<(String, u32)>> {
    let rows = sqlx::query!(
        "select a.name, a.sample_one_in from apis a
         where a.sample_one_in > 0 and ($1::uuid is null or exists (select from keys k where k.api_id = a.id and k.workspace_id = $1))
         order by lower(a.name), a.id limit 20",
        workspace.map(WorkspaceId::uuid),
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.name, u32::try_from(row.sample_one_in).unwrap_or(0))).collect())
}

/// Keys of the newest samples of a time, whoever's they are, to choose from.
pub async fn list_sampled_keys(db: &PgPool, from: OffsetDateTime, to: OffsetDateTime) -> sqlx::Result<Vec<KeyChoice>> {
    let rows = sqlx::query!(
        r#"select k.id, k.name, a.id as api_id, a.slug, a.name as api_name
           from (select distinct key_id from (select key_id from passed_samples where at >= $1 and at < $2 order by at desc, id desc limit 5000) newest) s
           join keys k on k.id = s.key_id join apis a on a.id = k.api_id
           order by k.name, k.id limit 200"#,
        from,
        to,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|r| KeyChoice { id: KeyId::new(r.id), name: r.name, api: ApiId::new(r.api_id), api_slug: r.slug, api_name: r.api_name }).collect())
}
