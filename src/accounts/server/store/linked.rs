//! Sign-ins at providers that are linked to accounts, and those that are on their way there and back.

use crate::values::{AccountId, LinkId};
use serde::Serialize;
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;

/// One sign-in elsewhere.
#[derive(Debug, Clone)]
pub struct Link {
    pub id: LinkId,
    /// The provider's slug when it was linked.
    pub provider: String,
    pub issuer: String,
    pub email: Option<String>,
    pub created_at: OffsetDateTime,
    pub last_used_at: Option<OffsetDateTime>,
}

/// A row to write.
#[derive(Debug, Clone, Copy)]
pub struct NewLink<'a> {
    pub id: LinkId,
    pub account: AccountId,
    pub provider: &'a str,
    pub issuer: &'a str,
    pub subject: &'a str,
    pub email: Option<&'a str>,
    pub now: OffsetDateTime,
}

/// The same for an export of all data.
#[derive(Debug, Serialize)]
pub struct LinkLine {
    pub provider: String,
    pub issuer: String,
    pub subject: String,
    pub email: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_used_at: Option<OffsetDateTime>,
}

/// Whose sign-in this is.
pub async fn find_linked(db: impl PgExecutor<'_>, issuer: &str, subject: &str) -> sqlx::Result<Option<AccountId>> {
    let id = sqlx::query_scalar!("select account_id from linked_sign_ins where issuer = $1 and subject = $2", issuer, subject);
    Ok(id.fetch_optional(db).await?.map(AccountId::new))
}

/// False: it is somebody's already.
pub async fn insert_link(conn: &mut PgConnection, new: NewLink<'_>) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "insert into linked_sign_ins (id, account_id, provider, issuer, subject, email, created_at) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (issuer, subject) do nothing",
        new.id.uuid(),
        new.account.uuid(),
        new.provider,
        new.issuer,
        new.subject,
        new.email,
        new.now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// False: it is not linked to this account any more.
pub async fn update_link_used(db: impl PgExecutor<'_>, account: AccountId, issuer: &str, subject: &str, now: OffsetDateTime) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update linked_sign_ins set last_used_at = $4 where account_id = $1 and issuer = $2 and subject = $3",
        account.uuid(),
        issuer,
        subject,
        now,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Those of an account, the oldest first.
pub async fn list_links(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<Vec<Link>> {
    sqlx::query_as!(
        Link,
        r#"select id as "id: LinkId", provider, issuer, email, created_at, last_used_at from linked_sign_ins where account_id = $1
           order by created_at, id"#,
        account.uuid(),
    )
    .fetch_all(db)
    .await
}

pub async fn list_lines(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<Vec<LinkLine>> {
    sqlx::query_as!(
        LinkLine,
        "select provider, issuer, subject, email, created_at, last_used_at from linked_sign_ins where account_id = $1 order by created_at, id",
        account.uuid(),
    )
    .fetch_all(db)
    .await
}

pub async fn delete_link(conn: &mut PgConnection, account: AccountId, id: LinkId) -> sqlx::Result<bool> {
    let done = sqlx::query!("delete from linked_sign_ins where id = $1 and account_id = $2", id.uuid(), account.uuid()).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}

pub async fn delete_links_of(conn: &mut PgConnection, account: AccountId) -> sqlx::Result<()> {
    sqlx::query!("delete from linked_sign_ins where account_id = $1", account.uuid()).execute(conn).await?;
    Ok(())
}

/// Those that were linked since then, or came in by since `used_since`; true if there were any.
pub async fn delete_links_since(conn: &mut PgConnection, account: AccountId, since: OffsetDateTime, used_since: OffsetDateTime) -> sqlx::Result<bool> {
    let done =
        sqlx::query!("delete from linked_sign_ins where account_id = $1 and (created_at >= $2 or last_used_at >= $3)", account.uuid(), since, used_since,);
    Ok(done.execute(conn).await?.rows_affected() > 0)
}

pub async fn insert_flow(db: impl PgExecutor<'_>, state_hash: &[u8], expires_at: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("insert into sign_in_flows (state_hash, expires_at) values ($1, $2)", state_hash, expires_at).execute(db).await?;
    Ok(())
}

/// Ends a flow; of several returns of one, one does.
pub async fn take_flow(db: impl PgExecutor<'_>, state_hash: &[u8], now: OffsetDateTime) -> sqlx::Result<bool> {
    let done = sqlx::query!("delete from sign_in_flows where state_hash = $1 and expires_at > $2", state_hash, now).execute(db).await?;
    Ok(done.rows_affected() == 1)
}
