//! Programs that wait for a person to say yes (RFC 8628).

use crate::values::AccountId;
use sqlx::{PgConnection, PgExecutor, types::ipnet::IpNet};
use std::net::IpAddr;
use time::OffsetDateTime;
use uuid::Uuid;

/// A row to write.
#[derive(Debug, Clone, Copy)]
pub struct NewRequest<'a> {
    pub id: Uuid,
    pub device_hash: &'a [u8],
    pub user_hash: &'a [u8],
    pub program: &'a str,
    pub device: &'a str,
    pub address: IpAddr,
    pub now: OffsetDateTime,
    pub expires_at: OffsetDateTime,
    /// Seconds.
    pub interval: i32,
}

/// What the person is shown.
#[derive(Debug, Clone)]
pub struct Request {
    pub id: Uuid,
    pub program: String,
    pub device: String,
    pub address: IpNet,
    pub created_at: OffsetDateTime,
    /// Whose decision, and which.
    pub decided: Option<(AccountId, bool)>,
}

/// What the program is told.
#[derive(Debug, Clone)]
pub struct Polled {
    pub id: Uuid,
    pub program: String,
    pub expires_at: OffsetDateTime,
    /// Whose decision, and which.
    pub decided: Option<(AccountId, bool)>,
    /// It asked again before its interval was over.
    pub is_too_fast: bool,
}

pub async fn insert_request(db: impl PgExecutor<'_>, new: NewRequest<'_>) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into device_requests (id, device_hash, user_hash, program, device, address, created_at, expires_at, poll_interval)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        new.id,
        new.device_hash,
        new.user_hash,
        new.program,
        new.device,
        IpNet::from(new.address),
        new.now,
        new.expires_at,
        new.interval,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The request behind a typed code, decided or not, until its time is over.
pub async fn find_request(db: impl PgExecutor<'_>, user_hashes: &[Vec<u8>], now: OffsetDateTime) -> sqlx::Result<Option<Request>> {
    let row = sqlx::query!(
        "select id, program, device, address, created_at, account_id, is_approved from device_requests where user_hash = any($1) and expires_at > $2",
        user_hashes,
        now,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|r| Request {
        id: r.id,
        program: r.program,
        device: r.device,
        address: r.address,
        created_at: r.created_at,
        decided: r.account_id.map(AccountId::new).zip(r.is_approved),
    }))
}

/// Writes down what the person decided; false: it does not wait any more.
pub async fn update_decided(conn: &mut PgConnection, id: Uuid, account: AccountId, is_approved: bool, now: OffsetDateTime) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update device_requests set account_id = $2, is_approved = $3 where id = $1 and expires_at > $4 and is_approved is null",
        id,
        account.uuid(),
        is_approved,
        now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes that the program asked. Who asks too early has to wait `longer` seconds more from then on.
pub async fn poll(db: impl PgExecutor<'_>, device_hash: &[u8], longer: i32, now: OffsetDateTime) -> sqlx::Result<Option<Polled>> {
    let row = sqlx::query!(
        r#"with before as (
             select id, coalesce(polled_at + make_interval(secs => poll_interval) > $3, false) as too_fast
             from device_requests where device_hash = $1 for update
           )
           update device_requests d set polled_at = $3, poll_interval = d.poll_interval + case when b.too_fast then $2 else 0 end
           from before b where d.id = b.id
           returning d.id, d.program, d.expires_at, d.account_id, d.is_approved, b.too_fast as "too_fast!""#,
        device_hash,
        longer,
        now,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|r| Polled {
        id: r.id,
        program: r.program,
        expires_at: r.expires_at,
        decided: r.account_id.map(AccountId::new).zip(r.is_approved),
        is_too_fast: r.too_fast,
    }))
}

/// Takes what was approved; of several at once, one gets it.
pub async fn take_approved(conn: &mut PgConnection, id: Uuid, now: OffsetDateTime) -> sqlx::Result<bool> {
    let done = sqlx::query!("delete from device_requests where id = $1 and is_approved and expires_at > $2", id, now).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}
