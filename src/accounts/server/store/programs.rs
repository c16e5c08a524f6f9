//! Programs that are signed in: families of tokens, and the tokens.

use crate::values::{AccountId, SessionId};
use sqlx::{PgConnection, PgExecutor, PgPool, types::ipnet::IpNet};
use std::net::IpAddr;
use time::OffsetDateTime;

/// A row to write.
#[derive(Debug, Clone, Copy)]
pub struct NewFamily<'a> {
    pub id: SessionId,
    pub account: AccountId,
    pub program: &'a str,
    pub device: &'a str,
    pub address: IpAddr,
    pub repeat: &'a [u8],
    pub now: OffsetDateTime,
    pub proved_at: Option<OffsetDateTime>,
    pub idle_expires_at: OffsetDateTime,
    pub absolute_expires_at: OffsetDateTime,
}

/// A token to write.
#[derive(Debug, Clone, Copy)]
pub struct NewToken<'a> {
    pub hash: &'a [u8],
    pub family: SessionId,
    pub is_refresh: bool,
    pub generation: i32,
    pub expires_at: OffsetDateTime,
}

/// Whose access token it is.
#[derive(Debug, Clone, Copy)]
pub struct Access {
    pub family: SessionId,
    pub account: AccountId,
    pub last_used_at: OffsetDateTime,
}

/// A refresh token with its family as it is now.
#[derive(Debug, Clone)]
pub struct Refresh {
    pub family: SessionId,
    pub account: AccountId,
    pub program: String,
    /// Of the token.
    pub generation: i32,
    /// Of the newest one.
    pub newest: i32,
    pub rotated_at: OffsetDateTime,
    pub repeat: Vec<u8>,
    pub absolute_expires_at: OffsetDateTime,
}

pub async fn insert_family(conn: &mut PgConnection, new: NewFamily<'_>) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into token_families
           (id, account_id, program, device, address, rotated_at, repeat, created_at, last_used_at, proved_at, idle_expires_at, absolute_expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $6, $6, $8, $9, $10)",
        new.id.uuid(),
        new.account.uuid(),
        new.program,
        new.device,
        IpNet::from(new.address),
        new.now,
        new.repeat,
        new.proved_at,
        new.idle_expires_at,
        new.absolute_expires_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn insert_token(conn: &mut PgConnection, new: NewToken<'_>) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into program_tokens (hash, family_id, is_refresh, generation, expires_at) values ($1, $2, $3, $4, $5)",
        new.hash,
        new.family.uuid(),
        new.is_refresh,
        new.generation,
        new.expires_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The access token of this hash, while it works.
pub async fn find_access(db: &PgPool, hash: &[u8], now: OffsetDateTime) -> sqlx::Result<Option<Access>> {
    let row = sqlx::query!(
        "select f.id, f.account_id, f.last_used_at from program_tokens t join token_families f on f.id = t.family_id, session_policy(f.account_id) p
         where t.hash = $1 and not t.is_refresh and t.expires_at > $2 and f.absolute_expires_at > $2
           and lasts(f.created_at, p.longest, $2) and lasts(f.last_used_at, p.idle, $2)",
        hash,
        now,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|r| Access { family: SessionId::new(r.id), account: AccountId::new(r.account_id), last_used_at: r.last_used_at }))
}

pub async fn update_used(db: &PgPool, family: SessionId, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("update token_families set last_used_at = $2 where id = $1", family.uuid(), now).execute(db).await?;
    Ok(())
}

/// The refresh token of this hash, in a family that has not run out. Whoever else refreshes the family waits until this transaction
/// ends, and then sees what it left.
pub async fn lock_refresh(conn: &mut PgConnection, hash: &[u8], now: OffsetDateTime) -> sqlx::Result<Option<Refresh>> {
    let row = sqlx::query!(
        "select f.id, f.account_id, f.program, t.generation, f.generation as newest, f.rotated_at, f.repeat, f.absolute_expires_at
         from program_tokens t join token_families f on f.id = t.family_id
         where t.hash = $1 and t.is_refresh and f.idle_expires_at > $2 and f.absolute_expires_at > $2
           and (select lasts(f.created_at, p.longest, $2) and lasts(f.last_used_at, p.idle, $2) from session_policy(f.account_id) p)
         for update of f",
        hash,
        now,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|r| Refresh {
        family: SessionId::new(r.id),
        account: AccountId::new(r.account_id),
        program: r.program,
        generation: r.generation,
        newest: r.newest,
        rotated_at: r.rotated_at,
        repeat: r.repeat,
        absolute_expires_at: r.absolute_expires_at,
    }))
}

/// The family goes on to this generation.
pub async fn update_rotated(
    conn: &mut PgConnection,
    family: SessionId,
    generation: i32,
    repeat: &[u8],
    now: OffsetDateTime,
    idle_expires_at: OffsetDateTime,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update token_families set generation = $2, repeat = $3, rotated_at = $4, last_used_at = $4, idle_expires_at = $5 where id = $1",
        family.uuid(),
        generation,
        repeat,
        now,
        idle_expires_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends a family; false: it has ended already.
pub async fn delete_family(conn: &mut PgConnection, account: AccountId, id: SessionId) -> sqlx::Result<bool> {
    let done = sqlx::query!("delete from token_families where id = $1 and account_id = $2", id.uuid(), account.uuid()).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}

/// The family of a token of either kind, run out or not.
pub async fn find_family(db: &PgPool, hash: &[u8]) -> sqlx::Result<Option<(SessionId, AccountId)>> {
    let row = sqlx::query!("select f.id, f.account_id from program_tokens t join token_families f on f.id = t.family_id where t.hash = $1", hash)
        .fetch_optional(db)
        .await?;
    Ok(row.map(|r| (SessionId::new(r.id), AccountId::new(r.account_id))))
}

/// Ends the oldest programs of an account until `most` are left.
pub async fn delete_oldest_families(conn: &mut PgConnection, account: AccountId, most: u32) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from token_families where id in (select id from token_families where account_id = $1 order by created_at desc, id desc offset $2)",
        account.uuid(),
        i64::from(most),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// True if the account has a program signed in that says the same of itself, from the same network (IPv4 whole, IPv6 by its /64): what it
/// says anybody may say.
pub async fn has_family_like(conn: &mut PgConnection, account: AccountId, program: &str, device: &str, address: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (
             select from token_families f where f.account_id = $1 and f.program = $2 and f.device = $3
               and network(set_masklen(f.address::inet, case family(f.address::inet) when 4 then 32 else 64 end)) >>= $4::text::inet
           ) as "has!""#,
        account.uuid(),
        program,
        device,
        address,
    )
    .fetch_one(conn)
    .await
}

/// True if credentials were shown for this family at that time or later.
pub async fn is_proven_since(db: impl PgExecutor<'_>, account: AccountId, family: SessionId, since: OffsetDateTime) -> sqlx::Result<bool> {
    let found = sqlx::query_scalar!(
        r#"select coalesce(proved_at >= $3, false) as "is!" from token_families where id = $1 and account_id = $2"#,
        family.uuid(),
        account.uuid(),
        since,
    );
    Ok(found.fetch_optional(db).await?.unwrap_or(false))
}

/// What has run out; says how many families that were.
pub async fn delete_ended(db: &PgPool, now: OffsetDateTime) -> sqlx::Result<u64> {
    sqlx::query!("delete from program_tokens where not is_refresh and expires_at <= $1", now).execute(db).await?;
    sqlx::query!("delete from device_requests where expires_at <= $1", now).execute(db).await?;
    let done = sqlx::query!("delete from token_families where least(idle_expires_at, absolute_expires_at) <= $1", now).execute(db).await?;
    Ok(done.rows_affected())
}
