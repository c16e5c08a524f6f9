//! What was used when, for the forecast of rolling windows.

use crate::values::KeyId;
use sqlx::PgPool;
use time::OffsetDateTime;

/// Cost units of what passed in one piece of time.
#[derive(Debug)]
pub struct PieceRow {
    /// Where the piece begins.
    pub at: OffsetDateTime,
    pub units: i64,
}

/// What a key used in each quarter of an hour since then, or `by_days` in each day (UTC), in order of time: of each route 673 quarters or 32
/// days at most.
pub async fn list_pieces(db: &PgPool, key: KeyId, since: OffsetDateTime, by_days: bool) -> sqlx::Result<Vec<PieceRow>> {
    sqlx::query_as!(
        PieceRow,
        r#"with pieces as (
             select d.day as at, d.cost as units from usage_days d where $3 and d.key_id = $1 and d.day >= $2 and d.outcome = 'VALID'
             union all
             select q.quarter, coalesce(q.cost, q.count) from usage_quarters q where not $3 and q.key_id = $1 and q.quarter >= $2 and q.outcome = 'VALID'
           )
           select at as "at!", sum(units)::bigint as "units!" from pieces group by at order by at"#,
        key.uuid(),
        since,
        by_days,
    )
    .fetch_all(db)
    .await
}

/// What all keys that share the limits of this key's workspace used in each hour since then, in order of time: 745 rows at most, however many
/// keys there are.
pub async fn list_shared_pieces(db: &PgPool, key: KeyId, since: OffsetDateTime) -> sqlx::Result<Vec<PieceRow>> {
    sqlx::query_as!(
        PieceRow,
        "select u.hour as at, u.units from usage_shared_hours u
         where u.workspace_id = (select k.workspace_id from keys k where k.id = $1) and u.hour >= $2 order by u.hour",
        key.uuid(),
        since,
    )
    .fetch_all(db)
    .await
}
