//! Addresses that wait for their proof, and ways back to addresses that were left.

use crate::values::{AccountId, EventId, WorkspaceId};
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;

/// The way back to an address.
#[derive(Debug, Clone)]
pub struct Undo {
    pub id: EventId,
    pub account: AccountId,
    pub old_email: String,
    pub until: OffsetDateTime,
    /// When whoever asked for the change came in.
    pub since: OffsetDateTime,
}

/// The address that an account waits for from now on. `since`: when whoever asks came in.
pub async fn replace_change(
    conn: &mut PgConnection,
    account: AccountId,
    id: EventId,
    email: &str,
    now: OffsetDateTime,
    since: OffsetDateTime,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into email_changes (account_id, id, new_email, asked_at, since) values ($1, $2, $3, $4, $5)
         on conflict (account_id) do update
           set id = excluded.id, new_email = excluded.new_email, asked_at = excluded.asked_at, since = excluded.since",
        account.uuid(),
        id.uuid(),
        email,
        now,
        since,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The address that an account waits for, unless it asked before `since`.
pub async fn find_change(db: impl PgExecutor<'_>, account: AccountId, since: OffsetDateTime) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!("select new_email from email_changes where account_id = $1 and asked_at > $2", account.uuid(), since).fetch_optional(db).await
}

/// The address of exactly this request, and nobody replaces it before this transaction ends.
pub async fn lock_change(conn: &mut PgConnection, account: AccountId, id: EventId) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!("select new_email from email_changes where account_id = $1 and id = $2 for update", account.uuid(), id.uuid())
        .fetch_optional(conn)
        .await
}

/// Takes the address of exactly this request out, with when whoever asked for it came in.
pub async fn take_change(conn: &mut PgConnection, account: AccountId, id: EventId) -> sqlx::Result<Option<(String, Option<OffsetDateTime>)>> {
    let row = sqlx::query!("delete from email_changes where account_id = $1 and id = $2 returning new_email, since", account.uuid(), id.uuid());
    Ok(row.fetch_optional(conn).await?.map(|r| (r.new_email, r.since)))
}

/// False if nothing waited.
pub async fn delete_change(conn: &mut PgConnection, account: AccountId) -> sqlx::Result<bool> {
    let done = sqlx::query!("delete from email_changes where account_id = $1", account.uuid()).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}

/// The sign-up at this address that nobody proved, with its workspace; nobody proves it before this transaction ends.
pub async fn lock_unproven(conn: &mut PgConnection, email_key: &str) -> sqlx::Result<Option<(AccountId, Option<WorkspaceId>)>> {
    let row = sqlx::query!(
        r#"select a.id, w.id as "workspace?" from accounts a left join workspaces w on w.personal_of = a.id
           where a.email_key = $1 and a.verified_at is null for update of a"#,
        email_key,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|r| (AccountId::new(r.id), r.workspace.map(WorkspaceId::new))))
}

pub async fn insert_undo(conn: &mut PgConnection, undo: &Undo, token_hash: &[u8]) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into email_undos (id, account_id, old_email, token_hash, until, since) values ($1, $2, $3, $4, $5, $6)",
        undo.id.uuid(),
        undo.account.uuid(),
        undo.old_email,
        token_hash,
        undo.until,
        undo.since,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The way back that a link stands for, while there is one.
pub async fn find_undo(db: impl PgExecutor<'_>, token_hash: &[u8], now: OffsetDateTime) -> sqlx::Result<Option<Undo>> {
    let row = sqlx::query!(
        r#"select id, account_id, old_email, until, coalesce(since, until - interval '7 days') as "since!" from email_undos where token_hash = $1 and until > $2"#,
        token_hash,
        now
    );
    let row = row.fetch_optional(db).await?;
    Ok(row.map(|r| Undo { id: EventId::new(r.id), account: AccountId::new(r.account_id), old_email: r.old_email, until: r.until, since: r.since }))
}

/// The way back that an event opened, for the mail that tells of it.
pub async fn find_undo_of(db: impl PgExecutor<'_>, id: EventId) -> sqlx::Result<Option<Undo>> {
    let row = sqlx::query!(
        r#"select id, account_id, old_email, until, coalesce(since, until - interval '7 days') as "since!" from email_undos where id = $1"#,
        id.uuid()
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|r| Undo { id: EventId::new(r.id), account: AccountId::new(r.account_id), old_email: r.old_email, until: r.until, since: r.since }))
}

/// The way back from the first change after an event, while there is one: to the address that the account had then.
pub async fn find_undo_since(db: impl PgExecutor<'_>, account: AccountId, since: EventId, now: OffsetDateTime) -> sqlx::Result<Option<Undo>> {
    let row = sqlx::query!(
        r#"select id, account_id, old_email, until, coalesce(since, until - interval '7 days') as "since!"
           from email_undos where account_id = $1 and id > $2 and until > $3 order by id limit 1"#,
        account.uuid(),
        since.uuid(),
        now,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|r| Undo { id: EventId::new(r.id), account: AccountId::new(r.account_id), old_email: r.old_email, until: r.until, since: r.since }))
}

/// Goes it: this way back and those of every later change end. False if somebody was quicker.
pub async fn use_undo(conn: &mut PgConnection, undo: &Undo) -> sqlx::Result<bool> {
    let found = sqlx::query!("delete from email_undos where id = $1 returning id", undo.id.uuid()).fetch_optional(&mut *conn).await?;
    sqlx::query!("delete from email_undos where account_id = $1 and until >= $2", undo.account.uuid(), undo.until).execute(conn).await?;
    Ok(found.is_some())
}
