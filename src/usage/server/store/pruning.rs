//! Forgetting what is old in the tables that are not cut by time (`partitions`), a bounded number of rows at a time, so that no statement
//! runs long and no lock is held long.

use sqlx::PgPool;
use time::OffsetDateTime;

/// Each deletes at most `most` rows and answers how many it did.
pub async fn delete_shared_hours(db: &PgPool, before: OffsetDateTime, most: i64) -> sqlx::Result<u64> {
    let done = sqlx::query!("delete from usage_shared_hours where ctid in (select ctid from usage_shared_hours where hour < $1 limit $2)", before, most);
    Ok(done.execute(db).await?.rows_affected())
}

pub async fn delete_days(db: &PgPool, before: OffsetDateTime, most: i64) -> sqlx::Result<u64> {
    let done = sqlx::query!("delete from usage_days where ctid in (select ctid from usage_days where day < $1 limit $2)", before, most);
    Ok(done.execute(db).await?.rows_affected())
}

pub async fn delete_latency_days(db: &PgPool, before: OffsetDateTime, most: i64) -> sqlx::Result<u64> {
    let done = sqlx::query!("delete from latency_days where ctid in (select ctid from latency_days where day < $1 limit $2)", before, most);
    Ok(done.execute(db).await?.rows_affected())
}

/// Ids of batches: those that no file holds any more, and, from longer ago, the rest.
pub async fn delete_batches(db: &PgPool, closed_before: OffsetDateTime, open_before: OffsetDateTime, most: i64) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "delete from usage_batches where ctid in (
           select ctid from usage_batches where is_closed and at < $1 or not is_closed and at < $2 limit $3)",
        closed_before,
        open_before,
        most,
    );
    Ok(done.execute(db).await?.rows_affected())
}

/// What is told of secrets that are no more.
pub async fn delete_uses(db: &PgPool, most: i64) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "delete from key_secret_uses where secret_id in (
           select u.secret_id from key_secret_uses u where not exists (select from key_secrets s where s.id = u.secret_id) limit $1)",
        most,
    );
    Ok(done.execute(db).await?.rows_affected())
}
