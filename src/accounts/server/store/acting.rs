//! The SQL of operators in accounts of others. Which of them a request stands under is part of the one statement of callers (`callers`).

use crate::values::{AccountId, ActingId, SessionId};
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;

/// One that begins.
#[derive(Debug, Clone, Copy)]
pub struct NewActing<'a> {
    pub id: ActingId,
    pub session: SessionId,
    pub operator: AccountId,
    pub account: AccountId,
    pub reason: &'a str,
    pub minutes: u16,
    pub now: OffsetDateTime,
    pub until: OffsetDateTime,
}

/// One that began, as mails and lists tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acting {
    pub account: AccountId,
    pub reason: String,
    pub minutes: i16,
    pub began_at: OffsetDateTime,
    /// The operator is in it still.
    pub is_running: bool,
}

/// False if this session acts as somebody already, or has ended.
pub async fn insert_acting(conn: &mut PgConnection, new: NewActing<'_>) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "insert into actings (id, session_id, operator_id, account_id, reason, minutes, began_at, until)
         select $1, s.id, $3, $4, $5, $6, $7, $8 from sessions s where s.id = $2 and s.account_id = $3 on conflict (session_id) do nothing",
        new.id.uuid(),
        new.session.uuid(),
        new.operator.uuid(),
        new.account.uuid(),
        new.reason,
        i16::try_from(new.minutes).unwrap_or(0),
        new.now,
        new.until,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends what this session of an operator is in; answers as whom it acted, none if it does not act (any more).
pub async fn end_acting(conn: &mut PgConnection, session: SessionId, now: OffsetDateTime) -> sqlx::Result<Option<AccountId>> {
    let ended = sqlx::query_scalar!("update actings set ended_at = $2, session_id = null where session_id = $1 returning account_id", session.uuid(), now);
    Ok(ended.fetch_optional(conn).await?.map(AccountId::new))
}

/// One of them.
pub async fn find_acting(db: impl PgExecutor<'_>, id: ActingId, now: OffsetDateTime) -> sqlx::Result<Option<Acting>> {
    sqlx::query_as!(
        Acting,
        r#"select account_id as "account: AccountId", reason, minutes, began_at, session_id is not null and until > $2 as "is_running!"
           from actings where id = $1"#,
        id.uuid(),
        now,
    )
    .fetch_optional(db)
    .await
}

/// When operators were in this account, the last time first.
pub async fn list_actings(db: impl PgExecutor<'_>, account: AccountId, now: OffsetDateTime, most: i64) -> sqlx::Result<Vec<Acting>> {
    sqlx::query_as!(
        Acting,
        r#"select account_id as "account: AccountId", reason, minutes, began_at, session_id is not null and until > $2 as "is_running!"
           from actings where account_id = $1 order by began_at desc, id desc limit $3"#,
        account.uuid(),
        now,
        most,
    )
    .fetch_all(db)
    .await
}

/// Those that nobody needs to know of any more.
pub async fn delete_old(db: impl PgExecutor<'_>, before: OffsetDateTime) -> sqlx::Result<u64> {
    Ok(sqlx::query!("delete from actings where began_at < $1", before).execute(db).await?.rows_affected())
}
