//! Plain pages of keys, newest first: for REST, files and the command line. A page goes on where the one before ended and counts nothing, so it
//! reads as many rows as it has, whatever else there is; how many keys the filters leave is asked once, apart.

use super::listing::{SOON_DAYS, Wanted};
use crate::{
    keys::model::Review,
    values::{KeyId, WorkspaceId},
};
use sqlx::PgExecutor;
use time::OffsetDateTime;
use uuid::Uuid;

/// A place in the list: behind this key.
pub type Place = (OffsetDateTime, KeyId);

/// The keys that are wanted behind `wanted.from`, up to the key at `until` and with it; at most `wanted.most`, newest first. `since` is from
/// when calls count for how a key stands: they are read only where that is asked for. What is known of them is read apart (`keys::find_keys`): so
/// this costs little by what Postgres knows of a page, and it never takes a plan that fits no page in particular, and reads every key.
pub async fn list_page(
    db: impl PgExecutor<'_>,
    wanted: &Wanted<'_>,
    until: Option<Place>,
    now: OffsetDateTime,
    since: OffsetDateTime,
) -> sqlx::Result<Vec<Place>> {
    let ((from_at, from_id), (until_at, until_id)) = (wanted.from.unzip(), until.unzip());
    let ids: Option<Vec<Uuid>> = wanted.ids.map(|ids| ids.iter().map(|id| id.uuid()).collect());
    let kinds = wanted.words_of_kinds();
    let rows = sqlx::query!(
        r#"select k.created_at as "created_at!", k.id as "id!"
           from keys_left($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) k
             left join lateral (
               select coalesce(sum(q.count) filter (where q.outcome in ('RATE_LIMITED', 'QUOTA_EXCEEDED')), 0)::bigint as limited,
                 coalesce(sum(q.count) filter (where q.outcome not in ('VALID', 'RATE_LIMITED', 'QUOTA_EXCEEDED')), 0)::bigint as refused
               from usage_quarters q where $12::text[] is not null and q.key_id = k.id and q.quarter >= $13
             ) t on true
           where ($15::timestamptz is null or (k.created_at, k.id) < ($15, $16::uuid))
             and ($17::timestamptz is null or (k.created_at, k.id) >= ($17, $18::uuid))
             and ($12::text[] is null or key_standing(k.state, k.expires_at, k.created_at, k.last_used_at, t.limited, t.refused, $11, $14) = any($12))
           order by k.created_at desc, k.id desc limit $19"#,
        wanted.workspace.map(WorkspaceId::uuid),
        wanted.id.map(KeyId::uuid),
        ids.as_deref(),
        wanted.hashes.as_deref(),
        wanted.external_id,
        wanted.api,
        wanted.search,
        wanted.review.map(Review::word),
        wanted.tag,
        wanted.owner,
        now,
        kinds.as_deref() as _,
        since,
        i32::try_from(SOON_DAYS).unwrap_or(7),
        from_at,
        from_id.map(KeyId::uuid),
        until_at,
        until_id.map(KeyId::uuid),
        wanted.most,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.created_at, KeyId::new(row.id))).collect())
}

/// The place so many keys behind another, whatever they are; none: so many are not left. Of everybody by `keys_by_age`, whose condition is named.
pub async fn find_place(db: impl PgExecutor<'_>, workspace: Option<WorkspaceId>, from: Option<Place>, keys: i64) -> sqlx::Result<Option<Place>> {
    let (from_at, from_id) = from.unzip();
    let found = sqlx::query!(
        "select created_at, id from keys
         where ($1::uuid is null or workspace_id = $1) and ($1 is not null or id > '00000000-0000-0000-0000-000000000000') and ($2::timestamptz is null or (created_at, id) < ($2, $3::uuid))
         order by created_at desc, id desc offset $4 limit 1",
        workspace.map(WorkspaceId::uuid),
        from_at,
        from_id.map(KeyId::uuid),
        (keys - 1).max(0),
    );
    Ok(found.fetch_optional(db).await?.map(|row| (row.created_at, KeyId::new(row.id))))
}

/// How many keys the filters leave, counted up to `most` if it is said. `since` as for a page.
pub async fn count_keys(db: impl PgExecutor<'_>, wanted: &Wanted<'_>, most: Option<i64>, now: OffsetDateTime, since: OffsetDateTime) -> sqlx::Result<u64> {
    let ids: Option<Vec<Uuid>> = wanted.ids.map(|ids| ids.iter().map(|id| id.uuid()).collect());
    let kinds = wanted.words_of_kinds();
    let found = sqlx::query_scalar!(
        r#"with today as (
             select key_id, coalesce(sum(count) filter (where outcome in ('RATE_LIMITED', 'QUOTA_EXCEEDED')), 0)::bigint as limited,
               coalesce(sum(count) filter (where outcome not in ('VALID', 'RATE_LIMITED', 'QUOTA_EXCEEDED')), 0)::bigint as refused
             from usage_quarters where $12::text[] is not null and quarter >= $13 and ($1::uuid is null or workspace_id = $1) group by key_id
           )
           select count(*) as "n!" from (
             select from keys_left($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) k left join today t on t.key_id = k.id
             where $12::text[] is null or key_standing(k.state, k.expires_at, k.created_at, k.last_used_at, t.limited, t.refused, $11, $14) = any($12)
             limit $15
           ) found"#,
        wanted.workspace.map(WorkspaceId::uuid),
        wanted.id.map(KeyId::uuid),
        ids.as_deref(),
        wanted.hashes.as_deref(),
        wanted.external_id,
        wanted.api,
        wanted.search,
        wanted.review.map(Review::word),
        wanted.tag,
        wanted.owner,
        now,
        kinds.as_deref() as _,
        since,
        i32::try_from(SOON_DAYS).unwrap_or(7),
        most,
    )
    .fetch_one(db)
    .await?;
    Ok(u64::try_from(found).unwrap_or(0))
}
