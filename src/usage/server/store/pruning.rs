//! Forgetting what is old, a bounded number of rows at a time, so that no statement runs long and no lock is held long.

use sqlx::PgPool;
use time::OffsetDateTime;

pub const MINUTES: &str = "delete from usage_minutes where ctid in (select ctid from usage_minutes where minute < $1 limit $2)";
pub const QUARTERS: &str = "delete from usage_quarters where ctid in (select ctid from usage_quarters where quarter < $1 limit $2)";
pub const HOURS: &str = "delete from usage_hours where ctid in (select ctid from usage_hours where hour < $1 limit $2)";
pub const DAYS: &str = "delete from usage_days where ctid in (select ctid from usage_days where day < $1 limit $2)";
pub const LATENCY_QUARTERS: &str = "delete from latency_quarters where ctid in (select ctid from latency_quarters where quarter < $1 limit $2)";
pub const LATENCY_DAYS: &str = "delete from latency_days where ctid in (select ctid from latency_days where day < $1 limit $2)";
pub const SAMPLES: &str = "delete from refusal_samples where ctid in (select ctid from refusal_samples where at < $1 limit $2)";
pub const ATTEMPTS: &str = "delete from unknown_attempts where ctid in (select ctid from unknown_attempts where minute < $1 limit $2)";
pub const ADDRESSES: &str = "delete from usage_addresses where ctid in (select ctid from usage_addresses where quarter < $1 limit $2)";
pub const BATCHES: &str = "delete from usage_batches where ctid in (select ctid from usage_batches where at < $1 limit $2)";

/// Deletes at most `most` of these rows that are from before then, and answers how many it did. The statements are one in all but their
/// table and its column, so they are not checked one by one; each run runs them all.
pub async fn delete_old(db: &PgPool, rows: &'static str, before: OffsetDateTime, most: i64) -> sqlx::Result<u64> {
    Ok(sqlx::query(rows).bind(before).bind(most).execute(db).await?.rows_affected())
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
