//! Keys to choose from: of a workspace with many of them the ones that somebody looks for.

use crate::{
    usage::model::KeyChoice,
    values::{ApiId, KeyId, WorkspaceId},
};
use sqlx::PgPool;
use uuid::Uuid;

/// So many keys are offered at once.
pub const MOST: usize = 500;

/// A text is looked for at the beginning of all names, and within those of so many keys, the newest.
const LOOKED: i64 = 10_000;

/// How many secrets are looked at that begin with a text.
const STARTS: i64 = 1_000;

/// A key that is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Sought<'a> {
    /// Part of its name.
    pub text: &'a str,
    /// The text is its id.
    pub id: Option<KeyId>,
    /// One of its secrets begins so.
    pub start: Option<&'a str>,
}

/// Keys to choose from, oldest first, and whether the workspace has more that are not offered.
#[derive(Debug, Default)]
pub struct KeyChoices {
    pub keys: Vec<KeyChoice>,
    pub has_more: bool,
}

/// The keys of a workspace that were used or made last, and always the chosen one; or those that are looked for, by name, start or id.
/// Rows are bounded: a text is looked for at the beginning of all names, and within those of the newest keys. What was used last is read from its newest
/// hours, and from the quarters of an hour that are not rolled up: both columns are compared and sorted by, since only the index by workspace and hour serves that (one by hour alone would be read
/// until enough rows of the workspace came). Of what is found only as many keys as are offered are looked up, one by one (`lateral`), and a
/// hundred more for those that are deleted.
pub async fn list_key_choices(db: &PgPool, workspace: WorkspaceId, chosen: Option<KeyId>, sought: Option<Sought<'_>>) -> sqlx::Result<KeyChoices> {
    let rows = sqlx::query!(
        r#"with used as (
             select key_id, max(hour) as at from (
               (select key_id, hour, workspace_id from usage_hours where (workspace_id, hour) <= ($1, 'infinity') order by workspace_id desc, hour desc limit 2000)
               union all
               (select key_id, quarter, workspace_id from usage_quarters
                 where (workspace_id, quarter) <= ($1, 'infinity') and (workspace_id, quarter) >= ($1, (select until from usage_rollups))
                 order by workspace_id desc, quarter desc limit 2000)
             ) newest where workspace_id = $1 group by 1
           ), made as (
             (select id, created_at as at, false as is_sure from keys where workspace_id = $1 and $3::text is null order by created_at desc, id desc limit $4)
             union all
             (select id, at, false from (
               select id, name, created_at as at from keys where workspace_id = $1 and $3::text is not null order by created_at desc, id desc limit $5
             ) newest where strpos(lower(name), lower($3)) > 0)
             union all
             (select id, created_at as at, false from keys
               where workspace_id = $1 and lower(name) collate "C" >= lower($3) collate "C" and lower(name) collate "C" < (lower($3) || chr(1114111)) collate "C"
               order by lower(name) collate "C", created_at desc, id desc limit $4)
             union all
             (select id, created_at as at, true from keys where id = $6 and workspace_id = $1)
             union all
             (select k.id, k.created_at as at, true from (
               select key_id from key_secrets where start collate "C" >= $7 collate "C" and start collate "C" < ($7 || chr(1114111)) collate "C"
               order by start collate "C" limit $8
             ) s join keys k on k.id = s.key_id where k.workspace_id = $1)
           ), found as (
             select id, max(at) as at, bool_or(is_sure) as is_sure
             from (select key_id as id, at, false as is_sure from used union all select id, at, is_sure from made union all select $2::uuid, null, false) every
             group by 1 order by (id is not distinct from $2) desc, max(at) desc nulls last, id limit case when $3::text is null then $4 + 100 end
           )
           select k.id as "id!", k.name as "name!", k.created_at as "created_at!", a.id as "api_id!", a.slug as "slug!", a.name as "api_name!"
           from found f cross join lateral (select * from keys where id = f.id limit 1) k join apis a on a.id = k.api_id
           where k.workspace_id = $1 and (k.id = $2 or $3::text is null or f.is_sure or strpos(lower(k.name), lower($3)) > 0)
           order by (k.id is not distinct from $2) desc, f.at desc nulls last, k.id limit $4"#,
        workspace.uuid(),
        chosen.map(KeyId::uuid),
        sought.map(|sought| sought.text),
        i64::try_from(MOST + 1).unwrap_or(i64::MAX),
        LOOKED,
        sought.and_then(|sought| sought.id).map(KeyId::uuid),
        sought.and_then(|sought| sought.start),
        STARTS,
    )
    .fetch_all(db)
    .await?;
    let has_more = rows.len() > MOST;
    let mut rows: Vec<_> = rows.into_iter().take(MOST).collect();
    rows.sort_by_key(|r| (r.created_at, r.id));
    let keys = rows.into_iter().map(|r| KeyChoice { id: KeyId::new(r.id), name: r.name, api: ApiId::new(r.api_id), api_slug: r.slug, api_name: r.api_name });
    Ok(KeyChoices { keys: keys.collect(), has_more })
}

#[derive(Debug)]
pub struct NamedRow {
    pub id: Uuid,
    /// The text is its whole name, or its id.
    pub is_exact: bool,
    pub is_chosen: bool,
}

/// At most two keys that are looked for: the chosen one first, then those that have no other name. As far as a name is looked for.
pub async fn list_named(db: &PgPool, workspace: WorkspaceId, sought: Sought<'_>, chosen: Option<KeyId>) -> sqlx::Result<Vec<NamedRow>> {
    sqlx::query_as!(
        NamedRow,
        r#"select id as "id!", (lower(name) = lower($2) or id is not distinct from $5::uuid) as "is_exact!", id is not distinct from $3::uuid as "is_chosen!"
           from (
             (select id, name, created_at from keys where workspace_id = $1 and id = $3 and strpos(lower(name), lower($2)) > 0)
             union
             (select id, name, created_at from keys where workspace_id = $1 and id = $5)
             union
             (select id, name, created_at from keys where workspace_id = $1 and lower(name) collate "C" = lower($2) collate "C"
               order by created_at desc, id desc limit 2)
             union
             (select id, name, created_at from keys
               where workspace_id = $1 and lower(name) collate "C" >= lower($2) collate "C" and lower(name) collate "C" < (lower($2) || chr(1114111)) collate "C"
               order by lower(name) collate "C", created_at desc, id desc limit 2)
             union
             (select id, name, created_at from (
               select id, name, created_at from keys where workspace_id = $1 order by created_at desc, id desc limit $4
             ) newest where strpos(lower(name), lower($2)) > 0)
             union
             (select k.id, k.name, k.created_at from (
               select key_id from key_secrets where start collate "C" >= $6 collate "C" and start collate "C" < ($6 || chr(1114111)) collate "C"
               order by start collate "C" limit $7
             ) s join keys k on k.id = s.key_id where k.workspace_id = $1)
           ) found
           order by 3 desc, 2 desc, created_at desc, id limit 2"#,
        workspace.uuid(),
        sought.text,
        chosen.map(KeyId::uuid),
        LOOKED,
        sought.id.map(KeyId::uuid),
        sought.start,
        STARTS,
    )
    .fetch_all(db)
    .await
}

#[derive(Debug)]
struct AnyRow {
    id: Uuid,
    name: String,
    api_id: Uuid,
    slug: String,
    api_name: String,
    is_exact: bool,
    is_chosen: bool,
}

/// Keys of every workspace that are looked for, in the order of `list_named`; names within those of the newest keys, and at their beginning.
async fn list_of_all(db: &PgPool, sought: Sought<'_>, chosen: Option<KeyId>, most: usize) -> sqlx::Result<Vec<AnyRow>> {
    sqlx::query_as!(
        AnyRow,
        r#"select k.id, k.name, a.id as api_id, a.slug, a.name as api_name,
             (lower(k.name) = lower($1) or k.id is not distinct from $2::uuid) as "is_exact!", k.id is not distinct from $3::uuid as "is_chosen!"
           from (
             (select id from keys where id = $2)
             union
             (select id from keys where id = $3 and strpos(lower(name), lower($1)) > 0)
             union
             (select id from keys where lower(name) collate "C" >= lower($1) collate "C" and lower(name) collate "C" < (lower($1) || chr(1114111)) collate "C"
               order by lower(name) collate "C", created_at desc, id desc limit $6)
             union
             (select id from (select id, name from keys order by id desc limit $4) newest where strpos(lower(name), lower($1)) > 0)
             union
             (select key_id from (
               select key_id from key_secrets where start collate "C" >= $5 collate "C" and start collate "C" < ($5 || chr(1114111)) collate "C"
               order by start collate "C" limit $7
             ) s)
           ) found join keys k on k.id = found.id join apis a on a.id = k.api_id
           order by 7 desc, 6 desc, k.created_at desc, k.id limit $6"#,
        sought.text,
        sought.id.map(KeyId::uuid),
        chosen.map(KeyId::uuid),
        LOOKED,
        sought.start,
        i64::try_from(most).unwrap_or(i64::MAX),
        STARTS,
    )
    .fetch_all(db)
    .await
}

/// As `list_named`, in every workspace: for operators.
pub async fn list_named_of_all(db: &PgPool, sought: Sought<'_>, chosen: Option<KeyId>) -> sqlx::Result<Vec<NamedRow>> {
    let rows = list_of_all(db, sought, chosen, 2).await?;
    Ok(rows.into_iter().map(|row| NamedRow { id: row.id, is_exact: row.is_exact, is_chosen: row.is_chosen }).collect())
}

/// The keys of every workspace that are looked for: for operators.
pub async fn list_choices_of_all(db: &PgPool, sought: Sought<'_>) -> sqlx::Result<KeyChoices> {
    let rows = list_of_all(db, sought, None, MOST + 1).await?;
    let has_more = rows.len() > MOST;
    let choice = |r: AnyRow| KeyChoice { id: KeyId::new(r.id), name: r.name, api: ApiId::new(r.api_id), api_slug: r.slug, api_name: r.api_name };
    Ok(KeyChoices { keys: rows.into_iter().take(MOST).map(choice).collect(), has_more })
}

/// One key to choose from, whoever's it is: for operators.
pub async fn find_key_choice(db: &PgPool, key: KeyId) -> sqlx::Result<Option<KeyChoice>> {
    let row =
        sqlx::query!("select k.id, k.name, a.id as api_id, a.slug, a.name as api_name from keys k join apis a on a.id = k.api_id where k.id = $1", key.uuid());
    let choice = row.fetch_optional(db).await?;
    Ok(choice.map(|r| KeyChoice { id: KeyId::new(r.id), name: r.name, api: ApiId::new(r.api_id), api_slug: r.slug, api_name: r.api_name }))
}
