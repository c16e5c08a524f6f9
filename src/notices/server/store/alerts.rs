//! Rules on errors: kept, listed, and fired when the counters say so.

use crate::values::{AccountId, AlertRuleId, ApiId, KeyId, WorkspaceId};
use sqlx::{PgConnection, PgExecutor, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

#[derive(Debug, Clone)]
pub struct RuleRow {
    pub id: Uuid,
    pub workspace_id: Uuid,
    pub account_id: Uuid,
    pub key_id: Option<Uuid>,
    pub key_name: Option<String>,
    pub api_slug: Option<String>,
    pub api_name: Option<String>,
    pub route: Option<String>,
    pub codes: Vec<String>,
    pub more_than: i64,
    pub percent: Option<i16>,
    pub minutes: i32,
    pub quiet_minutes: i32,
    pub fired_at: Option<OffsetDateTime>,
    pub fired_calls: Option<i64>,
    pub created_at: OffsetDateTime,
}

/// The rules of a workspace, oldest first.
pub async fn list_rules(db: impl PgExecutor<'_>, workspace: WorkspaceId) -> sqlx::Result<Vec<RuleRow>> {
    sqlx::query_as!(
        RuleRow,
        r#"select r.id, r.workspace_id, r.account_id, r.key_id, k.name as "key_name?", a.slug as "api_slug?", a.name as "api_name?", r.route, r.codes,
             r.more_than, r.percent, r.minutes, r.quiet_minutes, r.fired_at, r.fired_calls, r.created_at
           from alert_rules r left join keys k on k.id = r.key_id left join apis a on a.id = r.api_id
           where r.workspace_id = $1 order by r.created_at, r.id"#,
        workspace.uuid(),
    )
    .fetch_all(db)
    .await
}

pub async fn find_rule(db: impl PgExecutor<'_>, id: AlertRuleId) -> sqlx::Result<Option<RuleRow>> {
    sqlx::query_as!(
        RuleRow,
        r#"select r.id, r.workspace_id, r.account_id, r.key_id, k.name as "key_name?", a.slug as "api_slug?", a.name as "api_name?", r.route, r.codes,
             r.more_than, r.percent, r.minutes, r.quiet_minutes, r.fired_at, r.fired_calls, r.created_at
           from alert_rules r left join keys k on k.id = r.key_id left join apis a on a.id = r.api_id
           where r.id = $1"#,
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
    pub api: Option<ApiId>,
    pub route: Option<String>,
    pub codes: Vec<String>,
    pub more_than: i64,
    pub percent: Option<i16>,
    pub minutes: i32,
    pub quiet_minutes: i32,
}

/// Whoever adds or changes a rule of a workspace waits for who does so at the same time.
pub async fn lock_rules(conn: &mut PgConnection, workspace: WorkspaceId) -> sqlx::Result<()> {
    sqlx::query!("select id from workspaces where id = $1 for update", workspace.uuid()).fetch_optional(conn).await?;
    Ok(())
}

/// How many rules the workspace has, and another one that says the same.
pub async fn count_rules(conn: &mut PgConnection, rule: &NewRule) -> sqlx::Result<(i64, Option<AlertRuleId>)> {
    let row = sqlx::query!(
        r#"select count(*) as "all!", (array_agg(id) filter (
             where id <> $2 and key_id is not distinct from $3 and api_id is not distinct from $4 and route is not distinct from $5 and codes = $6
               and more_than = $7 and percent is not distinct from $8 and minutes = $9 and quiet_minutes = $10))[1] as same
           from alert_rules where workspace_id = $1"#,
        rule.workspace.uuid(),
        rule.id.uuid(),
        rule.key.map(KeyId::uuid),
        rule.api.map(ApiId::uuid),
        rule.route.as_deref(),
        &rule.codes,
        rule.more_than,
        rule.percent,
        rule.minutes,
        rule.quiet_minutes,
    )
    .fetch_one(conn)
    .await?;
    Ok((row.all, row.same.map(AlertRuleId::new)))
}

pub async fn insert_rule(conn: &mut PgConnection, rule: &NewRule, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into alert_rules (id, account_id, workspace_id, key_id, api_id, route, codes, more_than, percent, minutes, quiet_minutes, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        rule.id.uuid(),
        rule.account.uuid(),
        rule.workspace.uuid(),
        rule.key.map(KeyId::uuid),
        rule.api.map(ApiId::uuid),
        rule.route.as_deref(),
        &rule.codes,
        rule.more_than,
        rule.percent,
        rule.minutes,
        rule.quiet_minutes,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// False if it says the same already.
pub async fn update_rule(conn: &mut PgConnection, rule: &NewRule) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update alert_rules set key_id = $3, api_id = $4, route = $5, codes = $6, more_than = $7, percent = $8, minutes = $9, quiet_minutes = $10
         where id = $1 and workspace_id = $2 and not (key_id is not distinct from $3 and api_id is not distinct from $4 and route is not distinct from $5
           and codes = $6 and more_than = $7 and percent is not distinct from $8 and minutes = $9 and quiet_minutes = $10)",
        rule.id.uuid(),
        rule.workspace.uuid(),
        rule.key.map(KeyId::uuid),
        rule.api.map(ApiId::uuid),
        rule.route.as_deref(),
        &rule.codes,
        rule.more_than,
        rule.percent,
        rule.minutes,
        rule.quiet_minutes,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// False if it was not there.
pub async fn delete_rule(conn: &mut PgConnection, workspace: WorkspaceId, id: AlertRuleId) -> sqlx::Result<bool> {
    let done = sqlx::query!("delete from alert_rules where id = $1 and workspace_id = $2", id.uuid(), workspace.uuid()).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}

/// The API of a key, if the key belongs to the workspace.
pub async fn find_api_of_key(conn: &mut PgConnection, workspace: WorkspaceId, key: KeyId) -> sqlx::Result<Option<ApiId>> {
    let api = sqlx::query_scalar!("select api_id from keys where id = $1 and workspace_id = $2", key.uuid(), workspace.uuid()).fetch_optional(conn).await?;
    Ok(api.map(ApiId::new))
}

pub async fn find_api(conn: &mut PgConnection, slug: &str) -> sqlx::Result<Option<ApiId>> {
    Ok(sqlx::query_scalar!("select id from apis where slug = $1", slug).fetch_optional(conn).await?.map(ApiId::new))
}

/// Fires every rule that is not silent and whose calls are more than it allows, in number and in share: the minutes that ended, and the
/// present one. Rows are locked, so of several nodes one fires. `errors` are the codes of a rule without codes.
pub async fn fire_rules(conn: &mut PgConnection, errors: &[String], now: OffsetDateTime) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        r#"with awake as (
             select *, case when codes = '{}' then $2::text[] else codes end as watched from alert_rules
             where fired_at is null or fired_at <= $1::timestamptz - make_interval(mins => quiet_minutes)
             order by id for update skip locked
           ), counted as (
             select r.id, c.calls from awake r
             cross join lateral (
               select coalesce(sum(m.count) filter (where m.outcome = any(r.watched)), 0)::bigint as calls, coalesce(sum(m.count), 0)::bigint as of_calls
               from usage_minutes m
               where m.workspace_id = r.workspace_id and m.minute > $1::timestamptz - make_interval(mins => r.minutes) and m.minute <= $1
                 and (r.key_id is null or m.key_id = r.key_id) and (r.api_id is null or m.api_id = r.api_id) and (r.route is null or m.route = r.route)
                 and (r.percent is not null or m.outcome = any(r.watched))
             ) c where c.calls > r.more_than and (r.percent is null or c.calls * 100 > r.percent * c.of_calls)
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
             and (r.key_id is null or m.key_id = r.key_id) and (r.api_id is null or m.api_id = r.api_id) and (r.route is null or m.route = r.route)
             and m.outcome = any(case when r.codes = '{}' then $2::text[] else r.codes end)
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
