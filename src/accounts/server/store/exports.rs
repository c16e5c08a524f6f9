//! Exports of all that is kept of an account, and what goes into them. Rows hold what may leave: no hash, no secret (F26).

use crate::values::{AccountId, EventId, KeyId, WorkspaceId};
use serde::Serialize;
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;

/// The export of an account.
#[derive(Debug, Clone)]
pub struct Export {
    pub id: EventId,
    pub asked_at: OffsetDateTime,
    pub done_at: Option<OffsetDateTime>,
    pub bytes: i64,
}

/// What the account itself is.
#[derive(Debug, Serialize)]
pub struct Facts {
    pub email: String,
    pub name: String,
    pub handle: Option<String>,
    pub language: String,
    pub time_zone: String,
    pub published: Vec<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub verified_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_sign_in_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub password_set_at: Option<OffsetDateTime>,
}

/// What it has besides the password: neither the seed nor codes.
#[derive(Debug, Serialize)]
pub struct FactorFacts {
    #[serde(with = "time::serde::rfc3339::option")]
    pub app_since: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub app_last_used_at: Option<OffsetDateTime>,
    pub recovery_codes_left: i64,
    pub passkeys: Vec<PasskeyLine>,
    /// When an operator's reset takes them away.
    #[serde(with = "time::serde::rfc3339::option")]
    pub removed_at: Option<OffsetDateTime>,
}

/// A passkey without its key.
#[derive(Debug, Serialize)]
pub struct PasskeyLine {
    pub name: String,
    pub is_synced: bool,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_used_at: Option<OffsetDateTime>,
}

#[derive(Debug, Serialize)]
pub struct SessionLine {
    pub device: String,
    pub address: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub last_used_at: OffsetDateTime,
}

#[derive(Debug, Serialize)]
pub struct KeyLine {
    pub id: KeyId,
    pub api: String,
    pub name: String,
    pub environment: String,
    pub state: String,
    pub permissions: Vec<String>,
    /// Sets of permissions that it holds beside its own, by name.
    pub bundles: Vec<String>,
    pub addresses: Vec<String>,
    pub tags: Vec<String>,
    pub external_id: Option<String>,
    pub meta: Option<serde_json::Value>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub expires_at: Option<OffsetDateTime>,
}

/// Calls of one key with one outcome in one month, UTC.
#[derive(Debug, Serialize)]
pub struct UsageLine {
    pub month: String,
    pub key_id: KeyId,
    pub outcome: String,
    pub calls: i64,
}

#[derive(Debug, Serialize)]
pub struct EventLine {
    pub id: EventId,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    pub kind: String,
    pub actor: String,
    pub reason: String,
    pub data: serde_json::Value,
}

/// Asks for an export in the place of the one before, if there was one.
pub async fn replace_export(conn: &mut PgConnection, account: AccountId, id: EventId, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("delete from account_exports where account_id = $1", account.uuid()).execute(&mut *conn).await?;
    sqlx::query!("insert into account_exports (account_id, id, asked_at) values ($1, $2, $3)", account.uuid(), id.uuid(), now).execute(conn).await?;
    Ok(())
}

pub async fn find_export(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<Option<Export>> {
    let row = sqlx::query!("select id, asked_at, done_at, bytes from account_exports where account_id = $1", account.uuid()).fetch_optional(db).await?;
    Ok(row.map(|r| Export { id: EventId::new(r.id), asked_at: r.asked_at, done_at: r.done_at, bytes: r.bytes }))
}

/// The export that this request asked for, unless a newer one took its place or it is written; nobody else writes it meanwhile.
pub async fn lock_unwritten(conn: &mut PgConnection, account: AccountId, id: EventId) -> sqlx::Result<bool> {
    let found = sqlx::query!("select id from account_exports where account_id = $1 and id = $2 and done_at is null for update", account.uuid(), id.uuid());
    Ok(found.fetch_optional(conn).await?.is_some())
}

pub async fn insert_chunk(conn: &mut PgConnection, export: EventId, number: i32, bytes: &[u8]) -> sqlx::Result<()> {
    sqlx::query!("insert into account_export_chunks (export_id, number, bytes) values ($1, $2, $3)", export.uuid(), number, bytes).execute(conn).await?;
    Ok(())
}

pub async fn find_chunk(db: impl PgExecutor<'_>, export: EventId, number: i32) -> sqlx::Result<Option<Vec<u8>>> {
    sqlx::query_scalar!("select bytes from account_export_chunks where export_id = $1 and number = $2", export.uuid(), number).fetch_optional(db).await
}

pub async fn update_written(conn: &mut PgConnection, id: EventId, bytes: i64, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("update account_exports set done_at = $2, bytes = $3 where id = $1", id.uuid(), now, bytes).execute(conn).await?;
    Ok(())
}

pub async fn find_facts(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<Option<Facts>> {
    sqlx::query_as!(
        Facts,
        "select email, name, handle, language, time_zone, published, created_at, verified_at, last_sign_in_at, password_set_at from accounts where id = $1",
        account.uuid(),
    )
    .fetch_optional(db)
    .await
}

pub async fn find_factors(conn: &mut PgConnection, account: AccountId) -> sqlx::Result<FactorFacts> {
    let facts = super::factors::find_facts(&mut *conn, account).await?;
    let passkeys = super::factors::passkeys::list_passkeys(conn, account).await?;
    Ok(FactorFacts {
        app_since: facts.totp_since,
        app_last_used_at: facts.totp_used,
        recovery_codes_left: facts.codes_left,
        passkeys: passkeys
            .into_iter()
            .map(|p| PasskeyLine { name: p.name, is_synced: p.is_synced, created_at: p.created_at, last_used_at: p.last_used_at })
            .collect(),
        removed_at: facts.reset_due,
    })
}

pub async fn list_sessions(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<Vec<SessionLine>> {
    sqlx::query_as!(
        SessionLine,
        r#"select device as "device!", host(address) as "address?", created_at as "created_at!", last_used_at as "last_used_at!" from sessions where account_id = $1
           union all
           select coalesce(nullif(program, ''), device), host(address), created_at, last_used_at from token_families where account_id = $1
           order by 3"#,
        account.uuid(),
    )
    .fetch_all(db)
    .await
}

pub async fn list_keys(db: impl PgExecutor<'_>, workspace: WorkspaceId) -> sqlx::Result<Vec<KeyLine>> {
    sqlx::query_as!(
        KeyLine,
        r#"select k.id as "id: KeyId", a.slug as api, k.name, k.environment, k.state, k.permissions,
             array(select b.name from key_bundles h join api_bundles b on b.id = h.bundle_id where h.key_id = k.id order by b.name) as "bundles!", k.addresses::text[] as "addresses!", k.tags,
             k.external_id, k.meta::json as "meta?", k.created_at, k.expires_at
           from keys k join apis a on a.id = k.api_id where k.workspace_id = $1 order by k.created_at, k.id"#,
        workspace.uuid(),
    )
    .fetch_all(db)
    .await
}

pub async fn list_usage(db: impl PgExecutor<'_>, workspace: WorkspaceId) -> sqlx::Result<Vec<UsageLine>> {
    sqlx::query_as!(
        UsageLine,
        r#"select to_char(day at time zone 'UTC', 'YYYY-MM') as "month!", key_id as "key_id!: KeyId", outcome as "outcome!", sum(count)::bigint as "calls!"
           from usage_by_day('-infinity', 'infinity') where workspace_id = $1 group by 1, 2, 3 order by 1, 2, 3"#,
        workspace.uuid(),
    )
    .fetch_all(db)
    .await
}

/// What the person did and what was done to their account and in their workspace, the oldest first; those after `after`. Where somebody
/// else sat who did it is theirs and left out.
pub async fn list_events(
    db: impl PgExecutor<'_>,
    account: AccountId,
    workspace: WorkspaceId,
    after: Option<EventId>,
    most: i64,
) -> sqlx::Result<Vec<EventLine>> {
    sqlx::query_as!(
        EventLine,
        r#"select id as "id: EventId", at, kind, actor, reason,
             case when actor_id = $1 then data else data - 'address' - 'device' end as "data!"
           from events
           where (actor_id = $1 or subject_id = $1 or workspace_id = $2) and ($3::uuid is null or id > $3) order by id limit $4"#,
        account.uuid(),
        workspace.uuid(),
        after.map(EventId::uuid),
        most,
    )
    .fetch_all(db)
    .await
}

/// Those that nobody can fetch any more.
pub async fn delete_old(db: impl PgExecutor<'_>, before: OffsetDateTime) -> sqlx::Result<u64> {
    Ok(sqlx::query!("delete from account_exports where asked_at < $1", before).execute(db).await?.rows_affected())
}
