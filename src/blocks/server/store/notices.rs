//! The SQL of mails to operators: what is to be told, what was told when, and whom.

use super::action;
use crate::{
    blocks::model::BlockAction,
    values::{AccountId, BlockId},
};
use sqlx::{PgConnection, PgExecutor, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

/// A finding is to be told.
pub async fn insert_notice(conn: &mut PgConnection, block: BlockId) -> sqlx::Result<()> {
    sqlx::query!("insert into block_notices (block_id) values ($1)", block.uuid()).execute(conn).await?;
    Ok(())
}

/// Marks all that waits as told now, unless something was told since then. Answers how many.
pub async fn mark_told(conn: &mut PgConnection, since: OffsetDateTime, now: OffsetDateTime) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "update block_notices set told_at = $2 where told_at is null and not exists (select from block_notices t where t.told_at > $1)",
        since,
        now,
    );
    Ok(done.execute(conn).await?.rows_affected())
}

/// What was told at this instant.
#[derive(Debug)]
pub struct Finding {
    /// As Postgres writes it; a key or a workspace has a name in its place.
    pub network: Option<String>,
    pub key_name: Option<String>,
    pub workspace_name: Option<String>,
    /// None: it only told.
    pub action: Option<BlockAction>,
    pub reason: String,
    pub since: OffsetDateTime,
    pub until: Option<OffsetDateTime>,
}

/// Findings of one mail, the newest first, and how many there are in all.
pub async fn list_told(db: &PgPool, at: OffsetDateTime, most: i64) -> sqlx::Result<(Vec<Finding>, u64)> {
    let rows = sqlx::query!(
        r#"select b.kind, b.network::text as "network?", k.name as "key_name?", w.name as "workspace_name?", b.per_second, b.reason, b.since, b.until,
             count(*) over () as "all!"
           from block_notices n join blocks b on b.id = n.block_id
             left join keys k on k.id = b.key_id left join workspaces w on w.id = b.workspace_id
           where n.told_at = $1 order by b.id desc limit $2"#,
        at,
        most,
    )
    .fetch_all(db)
    .await?;
    let all = rows.first().map_or(0, |row| u64::try_from(row.all).unwrap_or(0));
    let findings = rows.into_iter().map(|row| Finding {
        network: row.network,
        key_name: row.key_name,
        workspace_name: row.workspace_name,
        action: (row.kind == "block").then(|| action(row.per_second)),
        reason: row.reason,
        since: row.since,
        until: row.until,
    });
    Ok((findings.collect(), all))
}

/// Who may lift blocks, and so is told of them.
#[derive(Debug)]
pub struct Operator {
    pub id: Uuid,
    pub email: String,
    pub name: String,
    pub language: String,
    pub time_zone: String,
}

/// Operators that may come in; with an id only that one.
pub async fn list_operators(db: impl PgExecutor<'_>, only: Option<AccountId>, now: OffsetDateTime) -> sqlx::Result<Vec<Operator>> {
    sqlx::query_as!(
        Operator,
        "select a.id, a.email, a.name, a.language, a.time_zone from accounts a
         where ($1::uuid is null or a.id = $1) and a.verified_at is not null
           and exists (select from account_roles r join role_permissions p on p.role = r.role where r.account_id = a.id and p.permission = 'blocks:manage')
           and not exists (select from account_disablements d where d.account_id = a.id)
           and not exists (select from account_departures g where g.account_id = a.id)
           and not exists (select from bans b where b.account_id = a.id and b.lifted_at is null and b.ended_at is null and (b.until is null or b.until > $2))
         order by a.id",
        only.map(AccountId::uuid),
        now,
    )
    .fetch_all(db)
    .await
}
