//! Accounts that their owners left, until they come back or are erased.

use crate::values::{AccountId, WorkspaceId};
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;

/// Since when an account is left, and when it is erased, if it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Departure {
    pub at: OffsetDateTime,
    pub erase_at: Option<OffsetDateTime>,
}

/// One act of leaving, coming back or coming in with a second factor at a time; false if the account is gone.
pub async fn lock_account(conn: &mut PgConnection, account: AccountId) -> sqlx::Result<bool> {
    Ok(sqlx::query!("select from accounts where id = $1 for update", account.uuid()).fetch_optional(conn).await?.is_some())
}

pub async fn find_departure(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<Option<Departure>> {
    sqlx::query_as!(Departure, "select at, erase_at from account_departures where account_id = $1", account.uuid()).fetch_optional(db).await
}

/// False if it is left already.
pub async fn insert_departure(conn: &mut PgConnection, account: AccountId, departure: Departure) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "insert into account_departures (account_id, at, erase_at) values ($1, $2, $3) on conflict do nothing",
        account.uuid(),
        departure.at,
        departure.erase_at,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// False if it was not left, or its time is over.
pub async fn delete_departure(conn: &mut PgConnection, account: AccountId, now: OffsetDateTime) -> sqlx::Result<bool> {
    let done = sqlx::query!("delete from account_departures where account_id = $1 and (erase_at is null or erase_at > $2)", account.uuid(), now);
    Ok(done.execute(conn).await?.rows_affected() == 1)
}

/// One whose time is over, with its workspace; nobody else gets it before this transaction ends.
pub async fn lock_due(conn: &mut PgConnection, now: OffsetDateTime) -> sqlx::Result<Option<(AccountId, Option<WorkspaceId>)>> {
    let row = sqlx::query!(
        r#"select d.account_id, w.id as "workspace?" from account_departures d left join workspaces w on w.personal_of = d.account_id
           where d.erase_at <= $1 order by d.erase_at, d.account_id limit 1 for update of d skip locked"#,
        now,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|r| (AccountId::new(r.account_id), r.workspace.map(WorkspaceId::new))))
}

/// Another name in the place of this account's, in what belongs to others: histories of their keys, reports of leaks, blocks, invitations. What
/// tables these are says the database (0090).
pub async fn replace_actor_name(conn: &mut PgConnection, account: AccountId, name: &str) -> sqlx::Result<()> {
    sqlx::query!("select replace_actor_name($1, $2)::text as replaced", account.uuid(), name).fetch_one(conn).await?;
    Ok(())
}

/// The account with its workspace, its keys, its sessions and all that hangs on them.
pub async fn delete_account(conn: &mut PgConnection, account: AccountId) -> sqlx::Result<()> {
    sqlx::query!("delete from accounts where id = $1", account.uuid()).execute(conn).await?;
    Ok(())
}
