//! The partitions of the large tables, by functions of migration 0051: their names are made of the table's and the day they begin.

use sqlx::PgPool;
use time::OffsetDateTime;

/// Makes the partition of `table` that this time falls into, a `step` ("week", "month") long; false if there is one.
pub async fn make_partition(db: &PgPool, table: &str, column: &str, step: &str, at: OffsetDateTime) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select usage_make_partition($1, $2, $3, $4) as "made!""#, table, column, step, at).fetch_one(db).await
}

/// Drops the partitions that ended before that; answers how many.
pub async fn drop_partitions(db: &PgPool, table: &str, before: OffsetDateTime) -> sqlx::Result<i32> {
    sqlx::query_scalar!(r#"select usage_drop_partitions($1, $2) as "dropped!""#, table, before).fetch_one(db).await
}

/// Deletes at most `most` older rows of each partition that no date drops, and with `cut` of the one that this date cuts; answers how many
/// it did in the fullest of them.
pub async fn delete_rows(db: &PgPool, table: &str, column: &str, before: OffsetDateTime, cut: bool, most: i64) -> sqlx::Result<u64> {
    let deleted = sqlx::query_scalar!(r#"select usage_delete_rows($1, $2, $3, $4, $5) as "deleted!""#, table, column, before, cut, most).fetch_one(db).await?;
    Ok(deleted.unsigned_abs())
}
