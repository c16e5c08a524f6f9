//! Sessions, as lists show them and as other acts end them. Rows are made by `platform::session` at sign-in.

use crate::values::{AccountId, SessionId};
use sqlx::{PgExecutor, types::ipnet::IpNet};
use time::OffsetDateTime;

/// One signed-in browser.
#[derive(Debug, Clone)]
pub struct Session {
    pub id: SessionId,
    pub device: String,
    pub address: Option<IpNet>,
    pub created_at: OffsetDateTime,
    pub last_used_at: OffsetDateTime,
}

/// Those that still live, the one used last first.
pub async fn list_sessions(db: impl PgExecutor<'_>, account: AccountId, now: OffsetDateTime) -> sqlx::Result<Vec<Session>> {
    let rows = sqlx::query!(
        "select id, device, address, created_at, last_used_at from sessions
         where account_id = $1 and idle_expires_at > $2 and absolute_expires_at > $2
         order by last_used_at desc, id desc limit 200",
        account.uuid(),
        now,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| Session { id: SessionId::new(r.id), device: r.device, address: r.address, created_at: r.created_at, last_used_at: r.last_used_at })
        .collect())
}

pub async fn count_sessions(db: impl PgExecutor<'_>, account: AccountId, now: OffsetDateTime) -> sqlx::Result<u64> {
    let n = sqlx::query_scalar!(
        r#"select count(*) as "n!" from sessions where account_id = $1 and idle_expires_at > $2 and absolute_expires_at > $2"#,
        account.uuid(),
        now,
    );
    Ok(u64::try_from(n.fetch_one(db).await?).unwrap_or(0))
}

pub async fn delete_session(db: impl PgExecutor<'_>, account: AccountId, id: SessionId) -> sqlx::Result<bool> {
    let done = sqlx::query!("delete from sessions where id = $1 and account_id = $2", id.uuid(), account.uuid()).execute(db).await?;
    Ok(done.rows_affected() == 1)
}

/// Ends the oldest sessions of an account until `most` are left; says how many.
pub async fn delete_oldest_sessions(db: impl PgExecutor<'_>, account: AccountId, most: u32, now: OffsetDateTime) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "delete from sessions where id in (
           select id from sessions where account_id = $1 and idle_expires_at > $2 and absolute_expires_at > $2
           order by created_at desc, id desc offset $3)",
        account.uuid(),
        now,
        i64::from(most),
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// Ends the sessions of an account, all but `keep`; says how many.
pub async fn delete_sessions(db: impl PgExecutor<'_>, account: AccountId, keep: Option<SessionId>) -> sqlx::Result<u64> {
    let done = sqlx::query!("delete from sessions where account_id = $1 and ($2::uuid is null or id <> $2)", account.uuid(), keep.map(SessionId::uuid),)
        .execute(db)
        .await?;
    Ok(done.rows_affected())
}
