//! The gate over real HTTP: outcomes, limits, forward-auth, nodes, metering.

mod credits;
mod credits_beyond;
mod forward_auth;
mod grants;
mod leases;
mod levels;
mod loading;
mod metrics;
mod model;
mod nodes;
mod outage;
mod over;
mod process;
mod proxies;
mod resuming;
mod revocation;
mod rolling;
mod routes;
mod shown;
mod signed;
mod slow;
mod spool;
mod stopping;
mod together;
mod too_small;
mod units;
mod verify;
mod zones;

use crate::support::TestApp;
use serde_json::{Value, json};
use sqlx::PgPool;
use tollgate::{
    keys::server::secret,
    platform::crypto::sha256,
    values::{AccountId, KeyId, KeyPrefix, SecretId, WorkspaceId},
};

/// A workspace whose owner has a role, to put keys into.
pub struct Owner {
    pub account: AccountId,
    pub workspace: WorkspaceId,
}

pub async fn owner(app: &TestApp, email: &str, role: &str) -> Owner {
    let (account, workspace): (AccountId, WorkspaceId) = (app.ctx.new_id(), app.ctx.new_id());
    let now = app.ctx.clock.now();
    let mut tx = app.ctx.db.begin().await.unwrap();
    sqlx::query("insert into accounts (id, email, email_key, name, verified_at, created_at, updated_at) values ($1, $2, $2, 'Mara', $3, $3, $3)")
        .bind(account.uuid())
        .bind(email)
        .bind(now)
        .execute(&mut *tx)
        .await
        .unwrap();
    sqlx::query("insert into workspaces (id, name, personal_of, created_at) values ($1, 'Mara', $2, $3)")
        .bind(workspace.uuid())
        .bind(account.uuid())
        .bind(now)
        .execute(&mut *tx)
        .await
        .unwrap();
    sqlx::query("insert into account_roles (account_id, role, granted_at) values ($1, $2, $3)")
        .bind(account.uuid())
        .bind(role)
        .bind(now)
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    Owner { account, workspace }
}

/// A key as the tests want it; inserted directly, so that the gate hears of it only as any node would.
pub struct Given<'a> {
    pub api: &'a str,
    pub permissions: &'a [&'a str],
    pub limit: Option<(i64, i32)>,
}

impl Default for Given<'_> {
    fn default() -> Self {
        Self { api: "demo", permissions: &["orders:read"], limit: None }
    }
}

/// Returns the key's id and secret.
pub async fn key(db: &PgPool, app: &TestApp, owner: &Owner, given: Given<'_>) -> (KeyId, String) {
    let id: KeyId = app.ctx.new_id();
    let prefix: String = sqlx::query_scalar("select key_prefix from apis where slug = $1").bind(given.api).fetch_one(db).await.unwrap();
    let secret = secret::mint(&app.ctx.rng, &prefix.parse::<KeyPrefix>().unwrap(), "live");
    let now = app.ctx.clock.now();
    let mut tx = db.begin().await.unwrap();
    sqlx::query("insert into keys (id, workspace_id, api_id, name, permissions, created_at, updated_at) select $1, $2, a.id, 'a key', $3, $4, $4 from apis a where a.slug = $5")
        .bind(id.uuid()).bind(owner.workspace.uuid()).bind(given.permissions).bind(now).bind(given.api).execute(&mut *tx).await.unwrap();
    sqlx::query("insert into key_secrets (id, key_id, hash, start, created_at) values ($1, $2, $3, 'demo_live_abcd', $4)")
        .bind(app.ctx.new_id::<SecretId>().uuid())
        .bind(id.uuid())
        .bind(&sha256(&secret)[..])
        .bind(now)
        .execute(&mut *tx)
        .await
        .unwrap();
    if let Some((max, window)) = given.limit {
        sqlx::query("insert into key_limits (key_id, name, max_calls, window_seconds) values ($1, 'default', $2, $3)")
            .bind(id.uuid())
            .bind(max)
            .bind(window)
            .execute(&mut *tx)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    (id, secret)
}

/// A service that may ask, and a key of the demo API for it to ask about.
pub struct Scene {
    pub app: TestApp,
    pub owner: Owner,
    pub service: String,
    pub key: KeyId,
    pub secret: String,
}

impl Scene {
    pub async fn new(db: PgPool) -> Self {
        Self::with(db, Given::default()).await
    }

    pub async fn with(db: PgPool, given: Given<'_>) -> Self {
        let app = TestApp::start(db.clone()).await;
        let owner = owner(&app, "mara@example.com", "operator").await;
        let (service_key, service) = self::key(&db, &app, &owner, Given { api: "tollgate", permissions: &["keys:verify"], limit: None }).await;
        let (key, secret) = self::key(&db, &app, &owner, given).await;
        for id in [service_key, key] {
            known(&app, id).await;
        }
        Self { app, owner, service, key, secret }
    }

    /// Asks; the answer's status and body.
    pub async fn ask(&self, question: Value) -> (u16, Value) {
        let answer = self.app.http.post(self.app.url("/api/v1/keys/verify")).bearer_auth(&self.service).json(&question).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// The code for the scene's key.
    pub async fn code(&self) -> String {
        let (status, body) = self.ask(json!({ "key": self.secret, "api": "demo" })).await;
        assert_eq!(status, 200, "{body}");
        body["code"].as_str().unwrap().to_owned()
    }

    pub async fn execute(&self, sql: &str) {
        sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).bind(self.key.uuid()).execute(&self.app.ctx.db).await.unwrap();
    }
}

/// Waits until the gate knows the key as the database has it, as another node would: by notification.
pub async fn known(app: &TestApp, key: KeyId) {
    let gate = app.ctx.part::<tollgate::keys::server::gate::Gate>().unwrap();
    crate::support::until("the gate knows the key", || async { !gate.limit_state(key, 0).is_empty() }).await;
}
