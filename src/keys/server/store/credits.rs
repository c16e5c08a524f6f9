//! What operators add to credits.

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

/// Units that are added to a bucket.
pub struct TopUp<'a> {
    pub id: Uuid,
    /// A key, or the workspace whose keys draw from it together.
    pub holder: Uuid,
    pub name: &'a str,
    pub units: i64,
    pub reason: &'a str,
    pub added_by: Option<Uuid>,
    /// The request's own name: it makes it once.
    pub request_key: Option<&'a str>,
}

/// Notes it; false if an earlier request of this name did.
pub async fn insert_top_up(conn: &mut PgConnection, top_up: &TopUp<'_>, now: OffsetDateTime) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "insert into credit_top_ups (id, holder, name, units, reason, added_by, request_key, added_at) values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (holder, name, request_key) where request_key is not null do nothing",
        top_up.id,
        top_up.holder,
        top_up.name,
        top_up.units,
        top_up.reason,
        top_up.added_by,
        top_up.request_key,
        now,
    );
    Ok(done.execute(conn).await?.rows_affected() == 1)
}

/// How much a request of this name added before.
pub async fn find_top_up(conn: &mut PgConnection, holder: Uuid, name: &str, request_key: &str) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar!("select units from credit_top_ups where holder = $1 and name = $2 and request_key = $3", holder, name, request_key)
        .fetch_optional(conn)
        .await
}

/// How a bucket is refilled, and how much it holds.
pub struct Shape {
    pub max: i64,
    pub seconds: i32,
    pub refill: i64,
    /// Of the last refill, counted from 1970.
    pub number: i64,
}

/// Adds so much (0: nothing) and tells what is left then.
pub async fn add_units(conn: &mut PgConnection, holder: Uuid, name: &str, shape: &Shape, units: i64, now: OffsetDateTime) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"select add_credits($1, $2, $3, $4, $5, $6, $7, $8) as "left!""#,
        holder,
        name,
        shape.seconds,
        shape.refill,
        shape.number,
        units,
        shape.max,
        now,
    )
    .fetch_one(conn)
    .await
}
