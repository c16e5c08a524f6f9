//! The history of keys.

use crate::{
    keys::model::Act,
    values::{AccountId, KeyId},
};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

pub struct ChangeRow {
    pub number: i64,
    pub act: Act,
    pub actor: String,
    pub at: OffsetDateTime,
    pub reason: String,
    pub detail: String,
}

/// The newest changes of a key first, of those before this number.
pub async fn list_changes(db: &PgPool, key: KeyId, before: i64, most: i64) -> sqlx::Result<Vec<ChangeRow>> {
    sqlx::query_as!(
        ChangeRow,
        r#"select number, act as "act: Act", actor, at, reason, detail from key_state_changes where key_id = $1 and number < $2 order by number desc limit $3"#,
        key.uuid(),
        before,
        most,
    )
    .fetch_all(db)
    .await
}

/// Why the key is in this state: what was said when it was last put there.
pub async fn find_reason(db: &PgPool, key: KeyId, act: Act) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!("select reason from key_state_changes where key_id = $1 and act = $2 order by number desc limit 1", key.uuid(), act.as_str())
        .fetch_optional(db)
        .await
}

/// A change on its way in.
pub struct NewChange<'a> {
    pub id: Uuid,
    pub key: KeyId,
    pub act: Act,
    pub actor_id: Option<AccountId>,
    pub actor: &'a str,
    pub reason: &'a str,
    pub detail: &'a str,
}

pub async fn insert_change(conn: &mut PgConnection, change: &NewChange<'_>, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into key_state_changes (id, key_id, at, act, actor_id, actor, reason, detail) values ($1, $2, $3, $4, $5, $6, $7, $8)",
        change.id,
        change.key.uuid(),
        now,
        change.act.as_str(),
        change.actor_id.map(AccountId::uuid),
        change.actor,
        change.reason,
        change.detail,
    )
    .execute(conn)
    .await?;
    Ok(())
}
