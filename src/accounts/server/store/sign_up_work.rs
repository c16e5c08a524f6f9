//! How many sign up, by the hour, and which challenges were used.

use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;
use uuid::Uuid;

/// The most that one of the hours since then saw, of each bucket; those without any are left out.
pub async fn list_counts(db: impl PgExecutor<'_>, buckets: &[String], since: OffsetDateTime) -> sqlx::Result<Vec<(String, u32)>> {
    let rows =
        sqlx::query!(r#"select bucket, max(sign_ups) as "most!" from sign_up_counts where bucket = any($1) and hour >= $2 group by bucket"#, buckets, since,);
    Ok(rows.fetch_all(db).await?.into_iter().map(|r| (r.bucket, u32::try_from(r.most).unwrap_or(0))).collect())
}

/// Counts one in each of these.
pub async fn add_counts(db: impl PgExecutor<'_>, buckets: &[String], hour: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!(
        // In one order, so that two at once wait for each other and do not deadlock.
        "insert into sign_up_counts as c (bucket, hour, sign_ups) select b, $2, 1 from unnest($1::text[]) b order by b
         on conflict (bucket, hour) do update set sign_ups = c.sign_ups + 1",
        buckets,
        hour,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Uses up a challenge; of several uses at once, one gets true.
pub async fn spend(conn: &mut PgConnection, id: Uuid, expires_at: OffsetDateTime) -> sqlx::Result<bool> {
    let done = sqlx::query!("insert into spent_challenges (id, expires_at) values ($1, $2) on conflict do nothing", id, expires_at);
    Ok(done.execute(conn).await?.rows_affected() == 1)
}

/// What is over by then, and hours before `since`.
pub async fn delete_old(db: &sqlx::PgPool, since: OffsetDateTime, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("delete from sign_up_counts where hour < $1", since).execute(db).await?;
    sqlx::query!("delete from spent_challenges where expires_at < $1", now).execute(db).await?;
    Ok(())
}
