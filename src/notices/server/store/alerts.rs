//! Rules on errors: kept, listed, and fired when the counters say so.

use crate::values::{AccountId, AlertRuleId, KeyId, WorkspaceId};
use sqlx::{PgConnection, PgExecutor, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

#[derive(Debug)]
pub struct RuleRow {
    pub id: Uuid,
    pub account_id: Uuid,
    pub key_id: Option<Uuid>,
    pub key_name: Option<String>,
    pub codes: Vec<String>,
    pub more_than: i64,
    pub minutes: i32,
    pub quiet_minutes: i32,
    pub fired_at: Option<OffsetDateTime>,
    pub fired_calls: Option<i64>,
}

/// The rules of a workspace, oldest first.
pub async fn list_rules(db: impl PgExecutor<'_>, workspace: WorkspaceId) -> sqlx::Result<Vec<RuleRow>> {
    sqlx::query_as!(
        RuleRow,
        r#"select r.id, r.account_id, r.key_id, k.name as "key_name?", r.codes, r.more_than, r.minutes, r.quiet_minutes, r.fired_at, r.fired_calls
           from alert_rules r left join keys k on k.id = r.key_id where r.workspace_id = $1 order by r.created_at, r.id"#,
        workspace.uuid(),
    )
    .fetch_all(db)
    .await
}

pub async fn find_rule(db: impl PgExecutor<'_>, id: AlertRuleId) -> sqlx::Result<Option<RuleRow>> {
    sqlx::query_as!(
        RuleRow,
        r#"select r.id, r.account_id, r.key_id, k.name as "key_name?", r.codes, r.more_than, r.minutes, r.quiet_minutes, r.fired_at, r.fired_calls
           from alert_rules r left join keys k on k.id = r.key_id where r.id = $1"#,
        id.uuid(),
    )
    .fetch_optional(db)
    .await
}

/// A rule on its way in.
#[derive(Debug)]
pub struct NewRule {
    pub id: AlertRuleId,
    pub account: AccountId,
    pub workspace: WorkspaceId,
    pub key: Option<KeyId>,
    pub codes: Vec<String>,
    pub more_than: i64,
    pub minutes: i32,
    pub quiet_minutes: i32,
}

/// Locks the rules of a workspace against another one at the same time; answers how many there are and whether the same is there.
pub async fn count_rules(conn: &mut PgConnection, rule: &NewRule) -> sqlx::Result<(i64, bool)> {
    sqlx::query!("select id from workspaces where id = $1 for update", rule.workspace.uuid()).fetch_optional(&mut *conn).await?;
    let row = sqlx::query!(
        r#"select count(*) as "all!", coalesce(bool_or(key_id is not distinct from $2 and codes = $3 and more_than = $4 and minutes = $5 and quiet_minutes = $6), false) as "same!"
           from alert_rules where workspace_id = $1"#,
        rule.workspace.uuid(),
        rule.key.map(KeyId::uuid),
        &rule.codes,
        rule.more_than,
        rule.minutes,
        rule.quiet_minutes,
    )
    .fetch_one(conn)
    .await?;
    Ok((row.all, row.same))
}

pub async fn insert_rule(conn: &mut PgConnection, rule: &NewRule, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into alert_rules (id, account_id, workspace_id, key_id, codes, more_than, minutes, quiet_minutes, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        rule.id.uuid(),
        rule.account.uuid(),
        rule.workspace.uuid(),
        rule.key.map(KeyId::uuid),
        &rule.codes,
        rule.more_than,
        rule.minutes,
        rule.quiet_minutes,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// False if it was not there.
pub async fn delete_rule(conn: &mut PgConnection, workspace: WorkspaceId, id: AlertRuleId) -> sqlx::Result<bool> {
    let done = sqlx::query!("delete from alert_rules where id = $1 and workspace_id = $2", id.uuid(), workspace.uuid()).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}

/// Whether this key belongs to the workspace.
pub async fn find_key(conn: &mut PgConnection, workspace: WorkspaceId, key: KeyId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select exists (select from keys where id = $1 and workspace_id = $2) as "is!""#, key.uuid(), workspace.uuid()).fetch_one(conn).await
}

/// Fires every rule that is not silent and whose calls are more than it allows: the minutes that ended, and the present one. Rows are
/// locked, so of several nodes one fires. `errors` are the codes of a rule without codes.
pub async fn fire_rules(conn: &mut PgConnection, errors: &[String], now: OffsetDateTime) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        r#"with awake as (
             select * from alert_rules where fired_at is null or fired_at <= $1::timestamptz - make_interval(mins => quiet_minutes)
             order by id for update skip locked
           ), counted as (
             select r.id, c.calls from awake r
             cross join lateral (
               select coalesce(sum(m.count), 0)::bigint as calls from usage_minutes m
               where m.workspace_id = r.workspace_id and m.minute > $1::timestamptz - make_interval(mins => r.minutes) and m.minute <= $1
                 and (r.key_id is null or m.key_id = r.key_id) and m.outcome = any(case when r.codes = '{}' then $2::text[] else r.codes end)
             ) c where c.calls > r.more_than
           )
           update alert_rules r set fired_at = $1, fired_calls = counted.calls from counted where r.id = counted.id returning r.id"#,
        now,
        errors,
    )
    .fetch_all(conn)
    .await
}

/// Keys with these calls in the time before, the most first: what the mail names.
pub async fn list_keys_of_alert(db: &PgPool, rule: AlertRuleId, errors: &[String], at: OffsetDateTime, most: i64) -> sqlx::Result<Vec<(String, String, i64)>> {
    let rows = sqlx::query!(
        r#"select k.name, m.outcome, sum(m.count)::bigint as "calls!"
           from alert_rules r join usage_minutes m on m.workspace_id = r.workspace_id and m.minute > $3::timestamptz - make_interval(mins => r.minutes) and m.minute <= $3
             and (r.key_id is null or m.key_id = r.key_id) and m.outcome = any(case when r.codes = '{}' then $2::text[] else r.codes end)
           join keys k on k.id = m.key_id
           where r.id = $1 group by 1, 2 order by 3 desc, 1, 2 limit $4"#,
        rule.uuid(),
        errors,
        at,
        most,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|r| (r.name, r.outcome, r.calls)).collect())
}
