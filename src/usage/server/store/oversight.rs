//! Attempts without a known key, for operators.

use sqlx::PgPool;
use time::OffsetDateTime;

#[derive(Debug)]
pub struct AttemptRow {
    pub address: String,
    pub reason: String,
    pub count: i64,
}

/// Sums since `from` by address and reason, the most first; without calls of slowed keys and workspaces, which stand there by their ids.
pub async fn list_attempts_by_address(db: &PgPool, from: OffsetDateTime, most: i64) -> sqlx::Result<Vec<AttemptRow>> {
    sqlx::query_as!(
        AttemptRow,
        r#"select address, reason, sum(count)::bigint as "count!" from unknown_attempts where minute >= $1 and strpos(address, '_') = 0 group by 1, 2 order by 3 desc, 1, 2 limit $2"#,
        from,
        most,
    )
    .fetch_all(db)
    .await
}
