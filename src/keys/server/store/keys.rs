//! Keys themselves.

use super::{
    bundles::bundles_of,
    limits::{limits_of, plans_of},
};
use crate::{
    keys::model::{Environment, Key, KeyCount, KeyState},
    values::{AccountId, ApiId, KeyId, Permission, Slug, WorkspaceId},
};
use sqlx::{PgConnection, PgPool};
use std::collections::BTreeMap;
use time::OffsetDateTime;
use uuid::Uuid;

/// A key row as it is joined everywhere.
pub(super) struct Row {
    pub id: Uuid,
    pub workspace_id: Uuid,
    pub slug: String,
    pub api_name: String,
    pub name: String,
    pub environment: Environment,
    pub start: String,
    pub permissions: Vec<String>,
    pub addresses: Vec<String>,
    pub origins: Vec<String>,
    pub routes: Vec<String>,
    pub tags: Vec<String>,
    pub external_id: Option<String>,
    pub meta: Option<String>,
    pub state: KeyState,
    pub expires_at: Option<OffsetDateTime>,
    pub created_at: OffsetDateTime,
    pub last_used_at: Option<OffsetDateTime>,
}

impl Row {
    /// Limits, plan and bundles are read beside it. A slug always parses, and so does metadata: the table checks them.
    pub fn key(self) -> Option<Key> {
        let permissions: Vec<Permission> = self.permissions.iter().filter_map(|p| p.parse::<Permission>().ok()).collect();
        Some(Key {
            id: KeyId::new(self.id),
            workspace: WorkspaceId::new(self.workspace_id),
            api: self.slug.parse::<Slug>().ok()?,
            api_name: self.api_name,
            name: self.name,
            environment: self.environment,
            start: self.start,
            effective: permissions.clone(),
            permissions,
            bundles: Vec::new(),
            addresses: self.addresses,
            origins: self.origins,
            routes: self.routes,
            tags: self.tags,
            external_id: self.external_id,
            meta: self.meta.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
            state: self.state,
            expires_at: self.expires_at,
            created_at: self.created_at,
            last_used_at: self.last_used_at,
            limits: Vec::new(),
            plan: None,
        })
    }
}

/// One key with its limits, plan and bundles.
pub async fn find_key(conn: &mut PgConnection, workspace: Option<WorkspaceId>, id: KeyId) -> sqlx::Result<Option<Key>> {
    Ok(find_keys(conn, workspace, &[id]).await?.pop())
}

/// The same of many, by id; those that are not there are left out.
pub async fn find_keys(conn: &mut PgConnection, workspace: Option<WorkspaceId>, ids: &[KeyId]) -> sqlx::Result<Vec<Key>> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"select k.id, k.workspace_id, a.slug, a.name as api_name, k.name, k.environment as "environment: Environment", k.permissions,
             k.addresses::text[] as "addresses!", k.origins, k.routes, k.tags, k.external_id, k.meta, k.state as "state: KeyState", k.expires_at, k.created_at,
             (select u.last_used_at from key_activity u where u.key_id = k.id) as "last_used_at?",
             coalesce((select s.start from key_secrets s where s.key_id = k.id order by s.expires_at desc, s.created_at desc, s.id desc limit 1), '') as "start!"
           from keys k join apis a on a.id = k.api_id
           where k.id = any($1) and ($2::uuid is null or k.workspace_id = $2)"#,
        &ids,
        workspace.map(WorkspaceId::uuid),
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut keys: BTreeMap<KeyId, Key> = rows.into_iter().filter_map(Row::key).map(|key| (key.id, key)).collect();
    let ids: Vec<KeyId> = keys.keys().copied().collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    for (id, limit) in limits_of(conn, &ids).await? {
        if let Some(key) = keys.get_mut(&id) {
            key.limits.push(limit);
        }
    }
    for (id, plan) in plans_of(conn, &ids).await? {
        if let Some(key) = keys.get_mut(&id) {
            key.plan = Some(plan);
        }
    }
    for (id, bundle, gives) in bundles_of(conn, &ids).await? {
        if let Some(key) = keys.get_mut(&id) {
            key.hold(bundle, gives);
        }
    }
    Ok(keys.into_values().collect())
}

/// The same, and nobody else changes them until the transaction ends. They are locked and answered in the order of their ids, so that two who lock
/// some of the same wait for each other and don't deadlock.
pub async fn lock_keys(conn: &mut PgConnection, workspace: Option<WorkspaceId>, ids: &[KeyId]) -> sqlx::Result<Vec<Key>> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let locked = sqlx::query_scalar!(
        "select id from keys where id = any($1) and ($2::uuid is null or workspace_id = $2) order by id for update",
        &ids,
        workspace.map(WorkspaceId::uuid),
    )
    .fetch_all(&mut *conn)
    .await?;
    match locked.is_empty() {
        true => Ok(Vec::new()),
        false => find_keys(conn, workspace, &locked.into_iter().map(KeyId::new).collect::<Vec<_>>()).await,
    }
}

/// What a page shows beside the key: the workspace's name and who made the key.
pub struct Provenance {
    pub owner: String,
    pub created_by: Option<String>,
    /// That is the name of an account.
    pub is_account: bool,
}

pub async fn find_provenance(db: &PgPool, workspace: Option<WorkspaceId>, id: KeyId) -> sqlx::Result<Option<Provenance>> {
    sqlx::query_as!(
        Provenance,
        r#"select w.name as owner, c.actor as "created_by?", c.actor_id is not null as "is_account!"
           from keys k join workspaces w on w.id = k.workspace_id
             left join lateral (select c.actor, c.actor_id from key_state_changes c where c.key_id = k.id and c.act = 'created' order by c.number limit 1) c on true
           where k.id = $1 and ($2::uuid is null or k.workspace_id = $2)"#,
        id.uuid(),
        workspace.map(WorkspaceId::uuid),
    )
    .fetch_optional(db)
    .await
}

/// A key on its way in.
pub struct NewRow<'a> {
    pub id: KeyId,
    pub workspace: WorkspaceId,
    pub api: ApiId,
    pub name: &'a str,
    pub environment: Environment,
    pub permissions: &'a [Permission],
    pub addresses: &'a [String],
    pub origins: &'a [String],
    pub routes: &'a [String],
    pub tags: &'a [String],
    pub external_id: Option<&'a str>,
    /// As it is answered.
    pub meta: Option<String>,
    pub expires_at: Option<OffsetDateTime>,
    pub created_by: Option<AccountId>,
    pub request_key: Option<&'a str>,
}

/// False if the request was answered before: then there is a key with its `request_key`.
pub async fn insert_key(conn: &mut PgConnection, row: &NewRow<'_>, now: OffsetDateTime) -> sqlx::Result<bool> {
    let permissions: Vec<String> = row.permissions.iter().map(ToString::to_string).collect();
    let done = sqlx::query!(
        "insert into keys (id, workspace_id, api_id, name, environment, permissions, expires_at, created_by, request_key, created_at, updated_at, addresses, tags, origins, external_id, meta, routes)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11::text[]::cidr[], $12, $13, $14, $15, $16) on conflict (workspace_id, request_key) do nothing",
        row.id.uuid(),
        row.workspace.uuid(),
        row.api.uuid(),
        row.name,
        row.environment.as_str(),
        &permissions,
        row.expires_at,
        row.created_by.map(AccountId::uuid),
        row.request_key,
        now,
        row.addresses,
        row.tags,
        row.origins,
        row.external_id,
        row.meta.as_deref(),
        row.routes,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The key that a request made before.
pub async fn find_key_of_request(db: &PgPool, workspace: WorkspaceId, request_key: &str) -> sqlx::Result<Option<KeyId>> {
    let id = sqlx::query_scalar!("select id from keys where workspace_id = $1 and request_key = $2", workspace.uuid(), request_key).fetch_optional(db).await?;
    Ok(id.map(KeyId::new))
}

pub async fn update_name(conn: &mut PgConnection, id: KeyId, name: &str, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("update keys set name = $2, updated_at = $3 where id = $1", id.uuid(), name, now).execute(conn).await?;
    Ok(())
}

pub async fn update_expiry(conn: &mut PgConnection, id: KeyId, expires_at: Option<OffsetDateTime>, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("update keys set expires_at = $2, updated_at = $3 where id = $1", id.uuid(), expires_at, now).execute(conn).await?;
    Ok(())
}

pub async fn update_permissions(conn: &mut PgConnection, id: KeyId, permissions: &[Permission], now: OffsetDateTime) -> sqlx::Result<()> {
    let permissions: Vec<String> = permissions.iter().map(ToString::to_string).collect();
    sqlx::query!("update keys set permissions = $2, updated_at = $3 where id = $1", id.uuid(), &permissions, now).execute(conn).await?;
    Ok(())
}

pub async fn update_addresses(conn: &mut PgConnection, id: KeyId, addresses: &[String], now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("update keys set addresses = $2::text[]::cidr[], updated_at = $3 where id = $1", id.uuid(), addresses, now).execute(conn).await?;
    Ok(())
}

pub async fn update_origins(conn: &mut PgConnection, id: KeyId, origins: &[String], now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("update keys set origins = $2, updated_at = $3 where id = $1", id.uuid(), origins, now).execute(conn).await?;
    Ok(())
}

pub async fn update_routes(conn: &mut PgConnection, id: KeyId, routes: &[String], now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("update keys set routes = $2, updated_at = $3 where id = $1", id.uuid(), routes, now).execute(conn).await?;
    Ok(())
}

pub async fn update_tags(conn: &mut PgConnection, id: KeyId, tags: &[String], now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("update keys set tags = $2, updated_at = $3 where id = $1", id.uuid(), tags, now).execute(conn).await?;
    Ok(())
}

/// Who uses it, and what services are told of it, as it is answered.
pub async fn update_about(conn: &mut PgConnection, id: KeyId, external_id: Option<&str>, meta: Option<&str>, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("update keys set external_id = $2, meta = $3, updated_at = $4 where id = $1", id.uuid(), external_id, meta, now).execute(conn).await?;
    Ok(())
}

pub async fn update_state(conn: &mut PgConnection, id: KeyId, state: KeyState, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("update keys set state = $2, updated_at = $3 where id = $1", id.uuid(), state.as_str(), now).execute(conn).await?;
    Ok(())
}

/// How many keys there are, and how many of them live.
pub async fn count_keys(db: &PgPool, workspace: Option<WorkspaceId>, now: OffsetDateTime) -> sqlx::Result<KeyCount> {
    let n = sqlx::query!(
        r#"select count(*) as "all!", count(*) filter (where state = 'active' and (expires_at is null or expires_at > $2)) as "live!"
           from keys where ($1::uuid is null or workspace_id = $1)"#,
        workspace.map(WorkspaceId::uuid),
        now,
    )
    .fetch_one(db)
    .await?;
    Ok(KeyCount { all: u64::try_from(n.all).unwrap_or(0), live: u64::try_from(n.live).unwrap_or(0) })
}

pub async fn count_keys_by_api(db: &PgPool) -> sqlx::Result<Vec<(ApiId, u64)>> {
    let rows = sqlx::query!(r#"select api_id, count(*) as "n!" from keys group by api_id"#).fetch_all(db).await?;
    Ok(rows.into_iter().map(|r| (ApiId::new(r.api_id), u64::try_from(r.n).unwrap_or(0))).collect())
}

/// What the owners of workspaces may: the most that a key for Tollgate itself can get there.
pub async fn list_owner_permissions(conn: &mut PgConnection, workspaces: &[WorkspaceId]) -> sqlx::Result<Vec<(WorkspaceId, Permission)>> {
    let ids: Vec<Uuid> = workspaces.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query!(
        "select distinct w.id, p.permission
         from workspaces w join account_roles r on r.account_id = w.personal_of join role_permissions p on p.role = r.role where w.id = any($1)",
        &ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().filter_map(|r| Some((WorkspaceId::new(r.id), r.permission.parse::<Permission>().ok()?))).collect())
}
