//! Sessions, as lists show them and as other acts end them: those of browsers, whose rows are made by `platform::session` at sign-in, and
//! those of programs (`programs`). They are listed and ended together, so that no act that ends one kind forgets the other.

use crate::values::{AccountId, SessionId};
use sqlx::{PgExecutor, types::ipnet::IpNet};
use time::OffsetDateTime;

/// One signed-in browser or program.
#[derive(Debug, Clone)]
pub struct Session {
    pub id: SessionId,
    pub device: String,
    /// What a program calls itself; none for a browser.
    pub program: Option<String>,
    pub address: Option<IpNet>,
    pub created_at: OffsetDateTime,
    pub last_used_at: OffsetDateTime,
}

/// Those that still live, the one used last first. A row that was not used since a policy ended it is over, whatever it says itself.
pub async fn list_sessions(db: impl PgExecutor<'_>, account: AccountId, now: OffsetDateTime) -> sqlx::Result<Vec<Session>> {
    let rows = sqlx::query!(
        r#"select id as "id!", device as "device!", null::text as program, address, created_at as "created_at!", last_used_at as "last_used_at!" from sessions
           where account_id = $1 and idle_expires_at > $2 and absolute_expires_at > $2
             and (select lasts(created_at, p.longest, $2) and lasts(last_used_at, p.idle, $2) from session_policy($1) p)
           union all
           select id, device, program, address, created_at, last_used_at from token_families
           where account_id = $1 and idle_expires_at > $2 and absolute_expires_at > $2
             and (select lasts(created_at, p.longest, $2) and lasts(last_used_at, p.idle, $2) from session_policy($1) p)
           order by 6 desc, 1 desc limit 200"#,
        account.uuid(),
        now,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| Session {
            id: SessionId::new(r.id),
            device: r.device,
            program: r.program,
            address: r.address,
            created_at: r.created_at,
            last_used_at: r.last_used_at,
        })
        .collect())
}

/// When this session of a browser or a program began; none if it has ended.
pub async fn find_begun(db: impl PgExecutor<'_>, account: AccountId, id: SessionId) -> sqlx::Result<Option<OffsetDateTime>> {
    sqlx::query_scalar!(
        r#"select created_at as "at!" from sessions where id = $1 and account_id = $2
           union all select created_at from token_families where id = $1 and account_id = $2"#,
        id.uuid(),
        account.uuid(),
    )
    .fetch_optional(db)
    .await
}

/// Browsers only.
pub async fn count_sessions(db: impl PgExecutor<'_>, account: AccountId, now: OffsetDateTime) -> sqlx::Result<u64> {
    let n = sqlx::query_scalar!(
        r#"select count(*) as "n!" from sessions where account_id = $1 and idle_expires_at > $2 and absolute_expires_at > $2
             and (select lasts(created_at, p.longest, $2) and lasts(last_used_at, p.idle, $2) from session_policy($1) p)"#,
        account.uuid(),
        now,
    );
    Ok(u64::try_from(n.fetch_one(db).await?).unwrap_or(0))
}

/// Ends one session, of a browser or of a program.
pub async fn delete_session(db: impl PgExecutor<'_>, account: AccountId, id: SessionId) -> sqlx::Result<bool> {
    let ended = sqlx::query_scalar!(
        r#"with browser as (delete from sessions where id = $1 and account_id = $2 returning 1),
             program as (delete from token_families where id = $1 and account_id = $2 returning 1)
           select (select count(*) from browser) + (select count(*) from program) as "n!""#,
        id.uuid(),
        account.uuid(),
    )
    .fetch_one(db)
    .await?;
    Ok(ended > 0)
}

/// Ends the oldest browser sessions of an account until `most` are left; says how many.
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

/// Ends the sessions of an account, all but `keep`, those of programs too, and the programs that were let in and have not come for their
/// tokens yet; says how many sessions that were. The time of operators who act as the account is over with them.
pub async fn delete_sessions(db: impl PgExecutor<'_>, account: AccountId, keep: Option<SessionId>) -> sqlx::Result<u64> {
    let ended = sqlx::query_scalar!(
        r#"with browsers as (delete from sessions where account_id = $1 and ($2::uuid is null or id <> $2) returning 1),
             programs as (delete from token_families where account_id = $1 and ($2::uuid is null or id <> $2) returning 1),
             let_in as (delete from device_requests where account_id = $1 and is_approved),
             acted as (update actings set until = began_at where account_id = $1 and session_id is not null)
           select (select count(*) from browsers) + (select count(*) from programs) as "n!""#,
        account.uuid(),
        keep.map(SessionId::uuid),
    )
    .fetch_one(db)
    .await?;
    Ok(u64::try_from(ended).unwrap_or(0))
}
