//! Counters of attempts. A charge and its check are one statement, so that parallel guesses can't slip past (S38).

use sqlx::PgExecutor;
use time::OffsetDateTime;

/// How a bucket counts; see `attempts::Rule`.
#[derive(Debug, Clone, Copy)]
pub struct Charge<'a> {
    pub bucket: &'a str,
    pub free: i32,
    pub first: i32,
    pub longest: i32,
    /// From this failure on it is blocked for good.
    pub stops_at: i32,
    /// A bucket that was left alone since then starts anew.
    pub forget_before: OffsetDateTime,
    pub now: OffsetDateTime,
}

/// Counts one attempt and says until when the bucket is blocked from now on. None: it is blocked already, and nothing was counted.
pub async fn charge(db: impl PgExecutor<'_>, c: Charge<'_>) -> sqlx::Result<Option<OffsetDateTime>> {
    sqlx::query_scalar!(
        "insert into attempt_counters as a (bucket, failures, last_at, blocked_until) values ($1, 1, $2::timestamptz, $2::timestamptz + attempt_wait(1, $3, $4, $5, $7))
         on conflict (bucket) do update
           set failures = case when a.last_at < $6::timestamptz then 1 else a.failures + 1 end,
             last_at = $2,
             blocked_until = $2::timestamptz + attempt_wait(case when a.last_at < $6::timestamptz then 1 else a.failures + 1 end, $3, $4, $5, $7)
           -- Where the clock went back, what did not have to wait does not have to wait for it either.
           where a.blocked_until <= greatest($2, a.last_at)
         returning blocked_until",
        c.bucket,
        c.now,
        c.free,
        c.first,
        c.longest,
        c.forget_before,
        c.stops_at,
    )
    .fetch_optional(db)
    .await
}

/// What was counted under an older name counts under the new one.
pub async fn move_bucket(db: impl PgExecutor<'_>, before: &str, bucket: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "with gone as (delete from attempt_counters where bucket = $1 returning failures, last_at, blocked_until)
         insert into attempt_counters as a (bucket, failures, last_at, blocked_until) select $2, failures, last_at, blocked_until from gone
         on conflict (bucket) do update set failures = a.failures + excluded.failures, last_at = greatest(a.last_at, excluded.last_at),
           blocked_until = greatest(a.blocked_until, excluded.blocked_until)",
        before,
        bucket,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub async fn find_blocked_until(db: impl PgExecutor<'_>, bucket: &str) -> sqlx::Result<Option<OffsetDateTime>> {
    sqlx::query_scalar!("select blocked_until from attempt_counters where bucket = $1", bucket).fetch_optional(db).await
}

/// How many failures in a row a bucket has, and until when it is blocked.
pub async fn find_counter(db: impl PgExecutor<'_>, bucket: &str) -> sqlx::Result<Option<(u64, OffsetDateTime)>> {
    let row = sqlx::query!("select failures, blocked_until from attempt_counters where bucket = $1", bucket).fetch_optional(db).await?;
    Ok(row.map(|r| (u64::try_from(r.failures).unwrap_or(0), r.blocked_until)))
}

/// Takes back one attempt that turned out well.
pub async fn refund(db: impl PgExecutor<'_>, bucket: &str, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("update attempt_counters set failures = greatest(failures - 1, 0), blocked_until = least(blocked_until, $2) where bucket = $1", bucket, now,)
        .execute(db)
        .await?;
    Ok(())
}

/// The same for those that are not blocked beyond `stopped`.
pub async fn delete_open_buckets(db: impl PgExecutor<'_>, buckets: &[String], stopped: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("delete from attempt_counters where bucket = any($1) and blocked_until < $2", buckets, stopped).execute(db).await?;
    Ok(())
}

pub async fn delete_buckets(db: impl PgExecutor<'_>, buckets: &[String]) -> sqlx::Result<()> {
    sqlx::query!("delete from attempt_counters where bucket = any($1)", buckets).execute(db).await?;
    Ok(())
}
