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

/// What a key used in each quarter of an hour since then, or `by_days` in each day (UTC), in order of time. With `is_shared` all keys that
/// share the limits of its workspace: those without limits of their own or of a plan of their own, and not for Tollgate's own API. Rows are
/// bounded by 673 quarters or 32 days.
pub async fn list_pieces(db: &PgPool, key: KeyId, is_shared: bool, since: OffsetDateTime, by_days: bool) -> sqlx::Result<Vec<PieceRow>> {
    sqlx::query_as!(
        PieceRow,
        r#"with held as (
             select k.id from keys k where k.id = $1 and not $2
             union all
             select k.id from keys k join apis i on i.id = k.api_id and i.slug <> 'tollgate'
             where $2 and k.workspace_id = (select o.workspace_id from keys o where o.id = $1)
               and not exists (select from key_limits l where l.key_id = k.id) and not exists (select from plan_limits l where l.plan_id = k.plan_id)
           ), pieces as (
             select d.day as at, d.cost as units from held h join usage_days d on d.key_id = h.id where $4 and d.day >= $3 and d.outcome = 'VALID'
             union all
             select q.quarter, coalesce(q.cost, q.count) from held h join usage_quarters q on q.key_id = h.id
             where not $4 and q.quarter >= $3 and q.outcome = 'VALID'
           )
           select at as "at!", sum(units)::bigint as "units!" from pieces group by at order by at"#,
        key.uuid(),
        is_shared,
        since,
        by_days,
    )
    .fetch_all(db)
    .await
}
