//! The admin PIN, and the sessions in which it was given.

use crate::values::SessionId;
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;

/// The hash, as a PHC string; none if no PIN is set.
pub async fn find_pin(db: impl PgExecutor<'_>) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!("select hash from admin_pin").fetch_optional(db).await
}

/// Sets another PIN; what was proven by the one before counts no more.
pub async fn replace_pin(conn: &mut PgConnection, hash: &str, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("insert into admin_pin (hash, set_at) values ($1, $2) on conflict (one) do update set hash = $1, set_at = $2", hash, now)
        .execute(&mut *conn)
        .await?;
    delete_proofs(conn).await
}

/// False if there was none.
pub async fn delete_pin(conn: &mut PgConnection) -> sqlx::Result<bool> {
    let done = sqlx::query!("delete from admin_pin").execute(&mut *conn).await?;
    delete_proofs(conn).await?;
    Ok(done.rows_affected() == 1)
}

async fn delete_proofs(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("delete from admin_pin_proofs").execute(conn).await?;
    Ok(())
}

/// Notes that the PIN with this hash was given in a session. False: it is another one by now. The row is held, so that a change at the same
/// time comes before or after, and ends the proof if it comes after.
pub async fn upsert_proof(conn: &mut PgConnection, session: SessionId, hash: &str, now: OffsetDateTime) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "insert into admin_pin_proofs (session_id, proved_at) select $1::uuid, $3::timestamptz from (select from admin_pin where hash = $2 for share) as held
         on conflict (session_id) do update set proved_at = excluded.proved_at",
        session.uuid(),
        hash,
        now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// True if the PIN was given in this session at that time or later.
pub async fn is_pin_proven_since(db: impl PgExecutor<'_>, session: SessionId, since: OffsetDateTime) -> sqlx::Result<bool> {
    let found =
        sqlx::query_scalar!(r#"select exists (select from admin_pin_proofs where session_id = $1 and proved_at >= $2) as "is!""#, session.uuid(), since,);
    found.fetch_one(db).await
}
