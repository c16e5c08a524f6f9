//! What is forgotten by the clock, each kind at the edge of its time: kept at the last instant, gone a second later.

use crate::support::TestApp;
use sqlx::{AssertSqlSafe, PgPool};
use time::Duration;
use tollgate::{
    accounts::server::jobs::ForgetExpired,
    blocks::server::jobs::ForgetOldBlocks,
    keys::server::jobs::ForgetNonces,
    platform::jobs::{CleanUp, Job},
    usage::server::forget_old_usage,
};

/// What it is, its table, a row of it (`$1` is an id of its own, `$2` an account, `$3` now), and how long it is kept from then on.
const KINDS: [(&str, &str, &str, Duration); 15] = [
    (
        "a mailed proof that is too old",
        "auth_tokens",
        "insert into auth_tokens (id, account_id, kind, token_hash, created_at, expires_at, code_expires_at) values ($1, $2, 'reset_password', '\\x01', $3, $3, $3)",
        Duration::days(8),
    ),
    (
        "an invitation that has ended",
        "invites",
        "insert into invites (id, token_hash, created_by, uses_left, created_at, expires_at) values ($1, '\\x02', $2, 1, $3, $3)",
        Duration::days(30),
    ),
    (
        "a counter of attempts",
        "attempt_counters",
        "insert into attempt_counters (bucket, failures, last_at, blocked_until) select 'x:' || $1::text || $2::text, 1, $3, $3",
        Duration::days(8),
    ),
    (
        "a browser that was not used again",
        "known_devices",
        "insert into known_devices (id, account_id, created_at, last_used_at) values ($1, $2, $3, $3)",
        Duration::days(400),
    ),
    (
        "the link of a mail about a new device",
        "device_alarms",
        "insert into device_alarms (id, account_id, token_hash, expires_at) values ($1, $2, '\\x03', $3)",
        Duration::days(8),
    ),
    (
        "a sign-in that is on its way to a provider",
        "sign_in_flows",
        "insert into sign_in_flows (state_hash, expires_at) select decode(md5($1::text || $2::text), 'hex'), $3",
        Duration::ZERO,
    ),
    (
        "a sign-up that nobody proved",
        "accounts where verified_at is null",
        "with made as (insert into accounts (id, email, email_key, name, created_at, updated_at) values ($1, $1::text, $1::text, 'Nia', $3, $3) returning id)
         insert into events (id, at, kind, actor, subject_id) select $2, $3, 'account.signed_up', 'Nia', id from made",
        Duration::days(7),
    ),
    (
        "a job that is done",
        "jobs where kind = 'test.done'",
        "insert into jobs (id, kind, payload, max_attempts, state, run_at, created_at, finished_at)
         select $1, 'test.done', jsonb_build_object('account', $2::text), 1, 'done', $3, $3, $3",
        Duration::days(7),
    ),
    (
        "a nonce of a signature",
        "signing_nonces",
        "insert into signing_nonces (key_id, nonce, expires_at) select $1, sha256(convert_to($2::text, 'UTF8')), $3",
        Duration::ZERO,
    ),
    (
        "a block that has ended",
        "blocks",
        "insert into blocks (id, network, since, until, reason, by_account, by_name) values ($1, '192.0.2.0/24', $3::timestamptz - interval '1 hour', $3, 'a test', $2, 'Mara')",
        Duration::days(30),
    ),
    (
        "a sample of a refusal",
        "refusal_samples",
        "insert into refusal_samples (id, at, workspace_id, code, route) values ($1, $3, $2, 'UNKNOWN', 'GET /orders')",
        Duration::days(30),
    ),
    (
        "a sample of a call that passed",
        "passed_samples",
        "insert into passed_samples (id, at, key_id, workspace_id, api_id, route, cost, one_in) select $1, $3, $2, $2, $2, 'GET /orders', 1, 100",
        Duration::days(30),
    ),
    (
        "the memory of a written batch of usage",
        "usage_batches",
        "insert into usage_batches (id, at, is_closed) select $1, $3, true where $2::uuid is not null",
        Duration::days(2),
    ),
    (
        "the answer of a request that has a name",
        "sent_requests",
        "insert into sent_requests (request, account_id, said, attempt, begun_at) values (sha256('\\x01'), $2, sha256('\\x01'), $1, $3)",
        Duration::days(1),
    ),
    (
        "the memory of a written batch that a file may still hold",
        "usage_batches",
        "insert into usage_batches (id, at) select $1, $3 where $2::uuid is not null",
        Duration::days(732),
    ),
];

async fn forget(app: &TestApp) {
    CleanUp::default().run(&app.ctx).await.unwrap();
    ForgetExpired::default().run(&app.ctx).await.unwrap();
    ForgetNonces::default().run(&app.ctx).await.unwrap();
    ForgetOldBlocks::default().run(&app.ctx).await.unwrap();
    forget_old_usage(&app.ctx).await.unwrap();
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s86_every_kind_is_kept_to_its_last_instant_and_gone_a_second_later(db: PgPool) {
    let app = TestApp::start(db).await;
    let account = app.account("mara@example.com", "Mara", "developer").await;
    for (what, table, row, kept) in KINDS {
        let left = async || -> i64 { sqlx::query_scalar(AssertSqlSafe(format!("select count(*) from {table}"))).fetch_one(&app.ctx.db).await.unwrap() };
        assert_eq!(left().await, 0, "{what}: nothing stands there yet");
        // A sign-up that nobody proved has an event; its id is no account's.
        let second = if what.contains("sign-up") { app.ctx.new_id::<tollgate::values::EventId>().uuid() } else { account.uuid() };
        let id = app.ctx.new_id::<tollgate::values::EventId>().uuid();
        sqlx::query(row).bind(id).bind(second).bind(app.ctx.clock.now()).execute(&app.ctx.db).await.unwrap();
        app.ctx.clock.advance(kept);
        forget(&app).await;
        assert_eq!(left().await, 1, "{what}: kept for {kept}");
        app.ctx.clock.advance(Duration::seconds(1));
        forget(&app).await;
        assert_eq!(left().await, 0, "{what}: gone after {kept}");
    }
    assert_eq!(super::count(&app, "select count(*) from accounts").await, 1, "who proved the address stays");
}
