//! Forgetting what is old, a bounded number of rows at a time, so that no statement runs long and no lock is held long.

use sqlx::PgPool;
use time::OffsetDateTime;

/// Each deletes at most `most` rows and answers how many it did.
pub async fn delete_minutes(db: &PgPool, before: OffsetDateTime, most: i64) -> sqlx::Result<u64> {
    let done = sqlx::query!("delete from usage_minutes where ctid in (select ctid from usage_minutes where minute < $1 limit $2)", before, most);
    Ok(done.execute(db).await?.rows_affected())
}

pub async fn delete_quarters(db: &PgPool, before: OffsetDateTime, most: i64) -> sqlx::Result<u64> {
    let done = sqlx::query!("delete from usage_quarters where ctid in (select ctid from usage_quarters where quarter < $1 limit $2)", before, most);
    Ok(done.execute(db).await?.rows_affected())
}

pub async fn delete_hours(db: &PgPool, before: OffsetDateTime, most: i64) -> sqlx::Result<u64> {
    let done = sqlx::query!("delete from usage_hours where ctid in (select ctid from usage_hours where hour < $1 limit $2)", before, most);
    Ok(done.execute(db).await?.rows_affected())
}

pub async fn delete_shared_hours(db: &PgPool, before: OffsetDateTime, most: i64) -> sqlx::Result<u64> {
    let done = sqlx::query!("delete from usage_shared_hours where ctid in (select ctid from usage_shared_hours where hour < $1 limit $2)", before, most);
    Ok(done.execute(db).await?.rows_affected())
}

pub async fn delete_days(db: &PgPool, before: OffsetDateTime, most: i64) -> sqlx::Result<u64> {
    let done = sqlx::query!("delete from usage_days where ctid in (select ctid from usage_days where day < $1 limit $2)", before, most);
    Ok(done.execute(db).await?.rows_affected())
}

pub async fn delete_latency_quarters(db: &PgPool, before: OffsetDateTime, most: i64) -> sqlx::Result<u64> {
    let done = sqlx::query!("delete from latency_quarters where ctid in (select ctid from latency_quarters where quarter < $1 limit $2)", before, most);
    Ok(done.execute(db).await?.rows_affected())
}

pub async fn delete_latency_days(db: &PgPool, before: OffsetDateTime, most: i64) -> sqlx::Result<u64> {
    let done = sqlx::query!("delete from latency_days where ctid in (select ctid from latency_days where day < $1 limit $2)", before, most);
    Ok(done.execute(db).await?.rows_affected())
}

pub async fn delete_samples(db: &PgPool, before: OffsetDateTime, most: i64) -> sqlx::Result<u64> {
    let done = sqlx::query!("delete from refusal_samples where ctid in (select ctid from refusal_samples where at < $1 limit $2)", before, most);
    Ok(done.execute(db).await?.rows_affected())
}

pub async fn delete_attempts(db: &PgPool, before: OffsetDateTime, most: i64) -> sqlx::Result<u64> {
    let done = sqlx::query!("delete from unknown_attempts where ctid in (select ctid from unknown_attempts where minute < $1 limit $2)", before, most);
    Ok(done.execute(db).await?.rows_affected())
}

pub async fn delete_batches(db: &PgPool, before: OffsetDateTime, most: i64) -> sqlx::Result<u64> {
    let done = sqlx::query!("delete from usage_batches where ctid in (select ctid from usage_batches where at < $1 limit $2)", before, most);
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
