//! A start reads the whole table in another way than a change reads a key. What is known is the same.

use super::{Given, Owner, key, known, owner};
use crate::support::{T0, TestApp, until};
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    keys::server::gate::{Answer, Gate, Question},
    platform::crypto::{sha256, sha512},
    values::KeyId,
};

fn asked(app: &TestApp, secret: &str) -> Answer {
    app.ctx.part::<Gate>().unwrap().verify(Question { secret, cost: Some(0), ..Question::default() }).unwrap()
}

/// One more secret of a key; `hash` as `origin` says.
async fn add_secret(db: &PgPool, key: KeyId, hash: &[u8], origin: &str, phc: Option<&str>) {
    sqlx::query(
        "insert into key_secrets (id, key_id, hash, start, created_at, origin, phc, expires_at) values (gen_random_uuid(), $1, $2, 'legacy_abc', $3, $4, $5, $6)",
    )
    .bind(key.uuid())
    .bind(hash)
    .bind(T0)
    .bind(origin)
    .bind(phc)
    .bind((origin == "own").then_some(T0 + Duration::HOUR))
    .execute(db)
    .await
    .unwrap();
}

async fn change(db: &PgPool, key: KeyId, sql: &'static str) {
    sqlx::query(sql).bind(key.uuid()).execute(db).await.unwrap();
}

/// A key for each thing that can be different about one; its secrets.
async fn many_kinds(db: &PgPool, app: &TestApp, [mara, banned, nina]: [&Owner; 3]) -> Vec<String> {
    let mut secrets = Vec::new();
    for sql in [
        "select $1::uuid",
        "update keys set state = 'disabled' where id = $1",
        "update keys set state = 'revoked' where id = $1",
        "update keys set expires_at = '2026-12-24 18:00:00.123456Z' where id = $1",
        "update keys set permissions = '{}' where id = $1",
        "update keys set permissions = '{orders:write,orders:read}', addresses = '{192.0.2.0/24,2001:db8::/32}' where id = $1",
        "update keys set origins = '{https://app.example.com,https://*.example.org}' where id = $1",
        "update keys set routes = '{\"GET /orders/{id}\",\"* /reports/*\"}' where id = $1",
        "update keys set plan_id = (select id from plans) where id = $1",
        "update keys set external_id = 'user_42' where id = $1",
        "update keys set meta = '{\"team\":\"checkout\"}' where id = $1",
        "insert into key_limits (key_id, name, max_calls, kind, window_seconds, zone, refill, over)
           values ($1, 'two', 9, 'fixed', 86400, 'Europe/Stockholm', 0, 'refuse'), ($1, 'one', 5, 'fixed', 60, 'UTC', 0, 'throttle:3'),
             ($1, 'Three', 7, 'rolling', 3600, 'UTC', 0, 'mark'), ($1, 'four', 20, 'credits', 3600, 'UTC', 5, 'refuse'),
             ($1, 'five', 40, 'credits', 0, 'UTC', 0, 'refuse'), ($1, 'six', 3, 'concurrent', 30, 'UTC', 0, 'refuse')",
        "insert into key_limits (key_id, name, max_calls, window_seconds, unit) values ($1, 'calls', 5, 60, 'calls')",
        "insert into key_signings (key_id, algorithm, public_key, fingerprint, created_at)
           values ($1, 'ed25519', decode(repeat('07', 32), 'hex'), sha256(decode(repeat('07', 32), 'hex')), now())",
        "insert into key_bundles (key_id, bundle_id) select $1, id from api_bundles",
        "update key_secrets set until_first_use = true, expires_at = '2026-11-21 00:00Z' where key_id = $1",
        "update key_secrets set ended = true, end_noted = true, expires_at = '2026-11-21 00:00Z' where key_id = $1",
    ] {
        let (id, secret) = key(db, app, mara, Given::default()).await;
        change(db, id, sql).await;
        secrets.push(secret);
    }
    let (id, secret) = key(db, app, mara, Given { limit: Some((4, 3_600)), ..Given::default() }).await;
    add_secret(db, id, &sha256("an older one"), "own", None).await;
    add_secret(db, id, &sha256("made elsewhere"), "sha256", None).await;
    add_secret(db, id, &sha512("made elsewhere too"), "sha512", None).await;
    secrets.extend([secret, "made elsewhere".to_owned(), "made elsewhere too".to_owned()]);
    for (owner, api, permissions) in
        [(mara, "tollgate", ["keys:verify", "jobs:manage"]), (banned, "demo", ["orders:read", "orders:write"]), (nina, "demo", ["orders:write", "orders:read"])]
    {
        secrets.push(key(db, app, owner, Given { api, permissions: &permissions, limit: None }).await.1);
    }
    secrets
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_start_knows_of_every_key_what_its_changes_told(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    // Not an operator: a key of hers for Tollgate itself may not do everything that it was given.
    let (mara, banned) = (owner(&app, "mara@example.com", "developer").await, owner(&app, "banned@example.com", "developer").await);
    let nina = owner(&app, "nina@example.com", "developer").await;
    sqlx::query("insert into bans (id, account_id, reason, at, by_name, until) values (gen_random_uuid(), $1, 'spam', $2, 'cli', $3)")
        .bind(banned.account.uuid())
        .bind(T0)
        .bind(T0 + Duration::DAY)
        .execute(&db)
        .await
        .unwrap();
    for sql in [
        "insert into plans (id, slug, name, created_at, updated_at) values (gen_random_uuid(), 'gold', 'Gold', now(), now())",
        "insert into plan_limits (plan_id, name, max_calls, window_seconds) select id, 'month', 1000, 0 from plans",
        "insert into plan_limits (plan_id, name, max_calls, kind, window_seconds, refill) select id, 'credits', 300, 'credits', 86400, 100 from plans",
        "insert into workspace_limits (workspace_id, name, max_calls, kind, window_seconds)
           select w.id, v.* from (values ('together', 500, 'fixed', 3600), ('at once', 8, 'concurrent', 60)) v, workspaces w join accounts a on a.id = w.personal_of where a.email = 'mara@example.com'",
        "insert into workspace_plans (workspace_id, plan_id, assigned_at)
           select w.id, p.id, now() from plans p, workspaces w join accounts a on a.id = w.personal_of where a.email = 'banned@example.com'",
        "insert into groups (id, slug, name, plan_id, created_at, updated_at) select gen_random_uuid(), 'partners', 'Partners', id, now(), now() from plans",
        "insert into group_members (workspace_id, group_id, added_at)
           select w.id, g.id, now() from groups g, workspaces w join accounts a on a.id = w.personal_of where a.email = 'nina@example.com'",
        "update api_permissions set needs_grant = true where permission = 'orders:write'",
        "insert into group_grants (group_id, api_id, permission) select g.id, a.id, 'orders:write' from groups g, apis a where a.slug = 'demo'",
        "insert into plan_grants (plan_id, api_id, permission) select p.id, a.id, 'orders:read' from plans p, apis a where a.slug = 'demo'",
        "insert into api_bundles (id, api_id, name, created_at, updated_at) select gen_random_uuid(), id, 'writer', now(), now() from apis where slug = 'demo'",
        "insert into api_bundle_grants (bundle_id, permission) select id, 'orders:write' from api_bundles",
    ] {
        sqlx::query(sql).execute(&db).await.unwrap();
    }
    let secrets = many_kinds(&db, &app, [&mara, &banned, &nina]).await;
    let (salted, _) = key(&db, &app, &mara, Given::default()).await;
    add_secret(&db, salted, &sha256("what it was"), "salted", Some("$2b$04$abcdefghijklmnopqrstuu")).await;
    known(&app, salted).await;

    let other = TestApp::start(db).await;
    for (n, secret) in secrets.iter().enumerate() {
        let by_start = asked(&other, secret);
        assert!(by_start.facts().is_some(), "{n}: {by_start:?}");
        until(&format!("{n}: {:?}", by_start.facts()), || async { asked(&app, secret).facts() == by_start.facts() }).await;
    }
    let salted = |app: &TestApp| app.ctx.part::<Gate>().unwrap().salted("legacy_abcdef", None);
    assert_eq!(salted(&other).len(), 1);
    until("both know the salted one", || async { salted(&app) == salted(&other) }).await;
}
