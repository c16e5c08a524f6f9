//! Lists and counts of blocks.

use super::Row;
use crate::{
    blocks::model::Block,
    values::{BlockId, KeyId},
};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

/// Which blocks; a word that is none stands for every one.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// True: in force; false: those that have ended, and notices.
    pub active: Option<bool>,
    /// `address`, `key` or `workspace`.
    pub of: Option<String>,
    /// `operator`, or the name of a rule.
    pub by: Option<String>,
    /// That meet this network.
    pub network: Option<String>,
    /// Of this key or workspace.
    pub id: Option<Uuid>,
}

/// Where the list goes on, and how far.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub after: Option<BlockId>,
    pub most: i64,
}

/// Blocks, newest first.
pub async fn list_blocks(db: &PgPool, filter: &Filter, place: Place, now: OffsetDateTime) -> sqlx::Result<Vec<Block>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select b.id, b.kind, b.network::text as "network?", b.key_id, k.name as "key_name?", b.workspace_id, w.name as "workspace_name?", b.since, b.until, b.per_second,
             b.reason, b.rule, b.by_name, b.lifted_at, b.lifted_name, b.lift_note
           from blocks b left join keys k on k.id = b.key_id left join workspaces w on w.id = b.workspace_id
           where ($1::boolean is null or $1 = (b.kind = 'block' and b.lifted_at is null and (b.until is null or b.until > $2)))
             and ($3::text is null or case $3 when 'address' then b.network is not null when 'key' then b.key_id is not null else b.workspace_id is not null end)
             and ($4::text is null or $4 = coalesce(b.rule, 'operator'))
             and ($5::text is null or b.network && $5::text::inet)
             and ($6::uuid is null or $6 in (b.key_id, b.workspace_id))
             and ($7::uuid is null or b.id < $7)
           order by b.id desc limit $8"#,
        filter.active,
        now,
        filter.of,
        filter.by,
        filter.network,
        filter.id,
        place.after.map(BlockId::uuid),
        place.most,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().filter_map(|row| row.block(now)).collect())
}

/// How many blocks are in force; `by_rules`: of those that rules made.
pub async fn count_active(conn: &mut PgConnection, by_rules: bool, now: OffsetDateTime) -> sqlx::Result<u64> {
    let n = sqlx::query_scalar!(
        r#"select count(*) as "n!" from blocks
           where kind = 'block' and lifted_at is null and (until is null or until > $1) and (rule is not null or not $2)"#,
        now,
        by_rules,
    );
    Ok(u64::try_from(n.fetch_one(conn).await?).unwrap_or(0))
}

/// Whose refused calls to count, and from when to when.
#[derive(Debug, Clone)]
pub struct Refused {
    /// As attempts are counted: IPv4 whole, IPv6 by its /64; or the id of a key or workspace that is slowed.
    pub address: Option<String>,
    pub key: Option<KeyId>,
    /// Beyond a rate; else whatever came.
    pub slows: bool,
    pub since: OffsetDateTime,
    pub until: OffsetDateTime,
}

/// Calls that were refused: from an address for its block (`IP_DENIED`, or `RATE_LIMITED` before its key was looked up), of a key as
/// `BANNED`, or beyond what slows it or its workspace. In the order asked; beginnings and ends taken whole by the minute and by the quarter of
/// an hour.
pub async fn count_refused(db: &PgPool, asked: &[Refused]) -> sqlx::Result<Vec<u64>> {
    let addresses: Vec<Option<String>> = asked.iter().map(|a| a.address.clone()).collect();
    let keys: Vec<Option<Uuid>> = asked.iter().map(|a| a.key.map(KeyId::uuid)).collect();
    let slows: Vec<bool> = asked.iter().map(|a| a.slows).collect();
    let since: Vec<OffsetDateTime> = asked.iter().map(|a| a.since).collect();
    let until: Vec<OffsetDateTime> = asked.iter().map(|a| a.until).collect();
    let counts = sqlx::query_scalar!(
        r#"select coalesce(
             case when a.key is not null then
               (select sum(u.count) from usage_quarters u
                where u.key_id = a.key and u.outcome = 'BANNED' and u.quarter > a.since - interval '15 minutes' and u.quarter <= a.until)
             when a.slows then
               (select sum(t.count) from unknown_attempts t
                where t.reason = 'RATE_LIMITED' and t.address = a.address and t.minute > a.since - interval '1 minute' and t.minute <= a.until)
             else
               (select sum(t.count) from unknown_attempts t
                where t.reason = 'IP_DENIED' and t.address = a.address and t.minute > a.since - interval '1 minute' and t.minute <= a.until)
             end, 0)::bigint as "n!"
           from unnest($1::text[], $2::uuid[], $3::timestamptz[], $4::timestamptz[], $5::boolean[])
             with ordinality as a (address, key, since, until, slows, place) order by a.place"#,
        &addresses as &[Option<String>],
        &keys as &[Option<Uuid>],
        &since,
        &until,
        &slows,
    );
    Ok(counts.fetch_all(db).await?.into_iter().map(|n| u64::try_from(n).unwrap_or(0)).collect())
}
