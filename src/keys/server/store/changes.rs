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
    pub is_account: bool,
    pub at: OffsetDateTime,
    pub reason: String,
    pub detail: String,
}

/// The newest changes of a key first, of those before this instant and number; among them bans of its owner and blocks of it or of its
/// workspace since it was made, which have numbers below all others; who blocked and why only if `tells_blocks` (that is the operators'). A block is known for 30 days after its end.
pub async fn list_changes(
    db: &PgPool,
    key: KeyId,
    now: OffsetDateTime,
    before: Option<(OffsetDateTime, i64)>,
    most: i64,
    tells_blocks: bool,
) -> sqlx::Result<Vec<ChangeRow>> {
    let (before_at, before_number) = before.unzip();
    sqlx::query_as!(
        ChangeRow,
        r#"with this as (
             select k.id, k.workspace_id, k.created_at, w.personal_of as owner from keys k join workspaces w on w.id = k.workspace_id where k.id = $1
           ), held as (
             select b.at, b.until, b.reason, b.by_name, b.by_account is not null as is_account, b.lifted_at, b.lifter, b.lifted_by is not null as lifter_is_account,
               'banned' as act, 'unbanned' as undone,
               coalesce(to_char(b.until at time zone 'UTC', '"until "YYYY-MM-DD, HH24:MI" UTC"'), '') as detail, '' as undo_reason
             from bans b join this t on t.owner = b.account_id
             union all
             select b.since, b.until, case when $6::boolean then b.reason else '' end, case when $6 then b.by_name else 'system' end,
               $6 and b.by_account is not null, b.lifted_at, case when $6 then b.lifted_name else 'system' end, $6 and b.lifted_by is not null,
               'blocked', 'unblocked',
               concat_ws(' ', case when b.per_second is not null then 'to ' || b.per_second || ' calls a second' end,
                 case when b.workspace_id is not null then 'with all keys of its workspace' end,
                 to_char(b.until at time zone 'UTC', '"until "YYYY-MM-DD, HH24:MI" UTC"')),
               case when $6 and b.lifted_at is not null then b.lift_note else '' end
             from blocks b join this t on b.key_id = t.id or b.workspace_id = t.workspace_id
             where b.kind = 'block'
           ), told as (
             select act, by_name as actor, is_account, at, reason, detail, 0 as is_end from held
             union all
             select undone, case when lifted_at is null then 'system' else lifter end, lifter_is_account, coalesce(lifted_at, until), undo_reason, '', 1
             from held where lifted_at is not null or until <= $2
           )
           select h.number as "number!", h.act as "act!: Act", h.actor as "actor!", h.is_account as "is_account!", h.at as "at!",
             h.reason as "reason!", h.detail as "detail!"
           from (
             select number, act, actor, actor_id is not null as is_account, at, reason, detail from key_state_changes where key_id = $1
             union all
             select row_number() over (order by at, is_end, act, actor) - 1000000, act, actor, is_account, at, reason, detail
             from told where at >= (select created_at from this)
           ) h
           where $3::timestamptz is null or (h.at, h.number) < ($3, $4::bigint)
           order by h.at desc, h.number desc limit $5"#,
        key.uuid(),
        now,
        before_at,
        before_number,
        most,
        tells_blocks,
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
