//! What is blocked is refused: at once on every node, until the end, and nobody else.

use super::{answer, block, code, execute, listed, says};
use crate::{
    gate::{Given, Scene, key, known, owner},
    support::TestApp,
};
use serde_json::json;
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::Caller,
    blocks::{
        model::BlockState,
        server::{forget_old_blocks, lift_block, set_exemptions},
    },
};

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_blocked_address_is_refused_on_every_node_until_it_is_lifted(db: PgPool) {
    let scene = Scene::new(db.clone()).await;
    let other = TestApp::start(db).await;
    let (ctx, secret) = (&scene.app.ctx, &scene.secret);
    assert_eq!(code(&other.ctx, secret, "203.0.113.7"), "VALID");

    let added = block(ctx, "203.0.113.0/24", None).await.unwrap();
    assert_eq!((added.spread.confirmed, added.spread.nodes, added.is_new), (2, 2, true));
    for node in [ctx, &other.ctx] {
        assert_eq!(code(node, secret, "203.0.113.7"), "IP_DENIED", "when the answer is there");
        assert_eq!(code(node, "demo_live_nonsense", "203.0.113.7"), "IP_DENIED", "before anybody looks for the key");
        assert_eq!(code(node, secret, "203.0.114.7"), "VALID");
    }
    let refused = answer(ctx, secret, "::ffff:203.0.113.7");
    assert_eq!((refused.why.as_deref(), refused.retry_after), (Some("Calls from this address are blocked until an operator lifts the block."), None));
    assert!(refused.facts().is_none(), "whose key it is was not looked up");

    let lifted = lift_block(ctx, &Caller::cli(), added.block.id, "enough").await.unwrap();
    assert_eq!((lifted.spread.confirmed, lifted.block.state), (2, BlockState::Lifted));
    for node in [ctx, &other.ctx] {
        assert_eq!(code(node, secret, "203.0.113.7"), "VALID");
    }
    let twice = lift_block(ctx, &Caller::cli(), added.block.id, "again").await.unwrap();
    assert_eq!((twice.is_new, twice.block.lifted.unwrap().note), (false, "enough".to_owned()));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_block_ends_by_the_clock(db: PgPool) {
    let scene = Scene::new(db).await;
    let (ctx, secret) = (&scene.app.ctx, &scene.secret);
    block(ctx, "2001:db8:1:2::7", Some(600)).await.unwrap();
    let refused = answer(ctx, secret, "2001:db8:1:2:ffff::1");
    assert_eq!((refused.outcome.as_str(), refused.retry_after), ("IP_DENIED", Some(600)), "one address of IPv6 is its /64");
    assert_eq!(refused.why.as_deref(), Some("Calls from this address are blocked until 2026-11-20 12:10:00 UTC."));
    assert_eq!(code(ctx, secret, "2001:db8:1:3::7"), "VALID");
    ctx.clock.advance(Duration::seconds(599));
    assert_eq!(answer(ctx, secret, "2001:db8:1:2::7").retry_after, Some(1));
    ctx.clock.advance(Duration::SECOND);
    assert_eq!(code(ctx, secret, "2001:db8:1:2::7"), "VALID", "nothing ran");
    assert_eq!(listed(ctx, "past").await[0].state, BlockState::Ended);

    ctx.clock.advance(Duration::days(30));
    assert_eq!(forget_old_blocks(ctx).await.unwrap(), 0);
    ctx.clock.advance(Duration::SECOND);
    assert_eq!(forget_old_blocks(ctx).await.unwrap(), 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn blocked_keys_and_workspaces_are_banned(db: PgPool) {
    let scene = Scene::new(db.clone()).await;
    let ctx = &scene.app.ctx;
    let stranger = owner(&scene.app, "nia@example.com", "developer").await;
    let (id, secret) = key(&db, &scene.app, &stranger, Given::default()).await;
    known(&scene.app, id).await;

    block(ctx, &scene.key.to_string(), Some(60)).await.unwrap();
    block(ctx, &stranger.workspace.to_string(), None).await.unwrap();
    let (_, body) = scene.ask(json!({ "key": scene.secret, "api": "demo" })).await;
    assert_eq!((&body["code"], &body["retry_after"], &body["key_id"]), (&json!("BANNED"), &json!(60), &json!(scene.key)));
    assert_eq!((&body["detail"], &body["violated"]), (&json!("Calls of this key are blocked until 2026-11-20 12:01:00 UTC."), &json!(["block-key"])));
    let (_, body) = scene.ask(json!({ "key": secret })).await;
    assert_eq!((&body["code"], body.get("retry_after")), (&json!("BANNED"), None));
    let words = "Calls of this key's workspace are blocked until an operator lifts the block.";
    assert_eq!((&body["detail"], &body["violated"]), (&json!(words), &json!(["block-workspace"])));
    let proxied = scene.app.http.get(scene.app.url("/forward-auth/demo")).bearer_auth(&secret).send().await.unwrap();
    let problem: serde_json::Value = proxied.json().await.unwrap();
    assert_eq!((&problem["detail"], &problem["violated-policies"]), (&json!(words), &json!(["block-workspace"])));
    block(ctx, "203.0.113.7", Some(90)).await.unwrap();
    let (_, body) = scene.ask(json!({ "key": secret, "ip": "203.0.113.7" })).await;
    assert_eq!((&body["code"], &body["violated"], &body["retry_after"]), (&json!("IP_DENIED"), &json!(["block-address"]), &json!(90)));

    let proxied = scene.app.http.get(scene.app.url("/forward-auth/demo")).bearer_auth(&scene.secret).send().await.unwrap();
    assert_eq!((proxied.status().as_u16(), proxied.headers()["retry-after"].to_str().unwrap()), (403, "60"));
    ctx.clock.advance(Duration::MINUTE);
    scene.execute("update keys set addresses = '{192.0.2.1/32}' where id = $1").await;
    crate::support::until("it is refused for its own list", || async { scene.code().await == "IP_DENIED" }).await;
    let (_, body) = scene.ask(json!({ "key": scene.secret })).await;
    assert_eq!(body.get("violated"), None, "and by no block");
    scene.execute("update keys set state = 'revoked' where id = $1").await;
    says(&scene.app, &scene.secret, "203.0.113.8", "REVOKED").await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_proxy_is_told_until_when(db: PgPool) {
    let app = TestApp::start_with(db, |config| config.server.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()]).await;
    block(&app.ctx, "198.51.100.9", Some(90)).await.unwrap();
    let ask = async |path: &str, from: &str, key: Option<&str>| {
        let request = app.http.get(app.url(path)).header("x-forwarded-for", from);
        key.into_iter().fold(request, |r, key| r.bearer_auth(key)).send().await.unwrap()
    };
    for key in [Some("demo_live_nonsense"), None] {
        let refused = ask("/forward-auth/demo", "198.51.100.9", key).await;
        assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (403, "90"), "{key:?}");
        let body: serde_json::Value = refused.json().await.unwrap();
        assert_eq!((body["code"].as_str(), body["detail"].as_str().map(|d| d.contains("blocked until"))), (Some("IP_DENIED"), Some(true)));
    }
    let nginx = ask("/forward-auth/demo/nginx", "198.51.100.9", None).await;
    let told = |name: &str| nginx.headers()[name].to_str().unwrap();
    assert_eq!((nginx.status().as_u16(), told("x-auth-status"), told("x-auth-violated")), (403, "403", "[\"block-address\"]"));
    assert!(told("x-auth-type").ends_with("#abnormal-usage-detected"));
    assert_eq!(ask("/forward-auth/demo", "198.51.100.8", None).await.status(), 401);
    let rest = ask("/api/v1/keys", "198.51.100.9", Some("tg_live_nonsense")).await;
    assert_eq!(rest.status(), 403, "Tollgate's own API as well");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn whoever_is_blocked_is_told_until_when_and_by_which_policy(db: PgPool) {
    let app = TestApp::start_with(db.clone(), |config| config.server.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()]).await;
    let owner = owner(&app, "mara@example.com", "operator").await;
    let (asking, service) = key(&db, &app, &owner, Given { api: "tollgate", permissions: &["keys:verify"], limit: None }).await;
    let (id, secret) = key(&db, &app, &owner, Given::default()).await;
    for key in [asking, id] {
        known(&app, key).await;
    }
    let told = async |path: &str, from: &str, key: &str| {
        let request = match path {
            "/api/v1/keys/verify" => app.http.post(app.url(path)).json(&json!({ "key": secret })),
            "/api/v1/keys/release" => app.http.post(app.url(path)).json(&json!({ "hold": "hold_x" })),
            _ => app.http.get(app.url(path)),
        };
        let answer = request.header("x-forwarded-for", from).bearer_auth(key).send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        assert!(!headers.contains_key("www-authenticate"), "{path}: another key or permission would not help");
        let retry_after = headers.get("retry-after").map(|seconds| seconds.to_str().unwrap().to_owned());
        let problem: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(problem["type"], "https://iana.org/assignments/http-problem-types#abnormal-usage-detected", "{path}: {problem}");
        (status, retry_after, problem["violated-policies"][0].as_str().unwrap().to_owned(), problem["detail"].as_str().unwrap().to_owned())
    };
    let own = ["/api/v1/keys", "/api/v1/keys/verify", "/api/v1/keys/release"];

    block(&app.ctx, "198.51.100.9", Some(90)).await.unwrap();
    let words = "Calls from this address are blocked until 2026-11-20 12:01:30 UTC.";
    for (path, key) in own.map(|path| (path, service.as_str())).into_iter().chain([("/forward-auth/demo", secret.as_str())]) {
        let expected = (403, Some("90".to_owned()), "block-address".to_owned(), words.to_owned());
        assert_eq!(told(path, "198.51.100.9", key).await, expected, "{path}");
    }

    block(&app.ctx, &asking.to_string(), None).await.unwrap();
    block(&app.ctx, &id.to_string(), Some(60)).await.unwrap();
    for path in own {
        let words = "Calls of this key are blocked until an operator lifts the block.";
        assert_eq!(told(path, "198.51.100.8", service.as_str()).await, (403, None, "block-key".to_owned(), words.to_owned()), "{path}: no time helps");
    }
    let words = "Calls of this key are blocked until 2026-11-20 12:01:00 UTC.";
    assert_eq!(told("/forward-auth/demo", "198.51.100.8", secret.as_str()).await, (403, Some("60".to_owned()), "block-key".to_owned(), words.to_owned()));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn some_networks_are_never_refused(db: PgPool) {
    let scene = Scene::new(db).await;
    let (ctx, secret) = (&scene.app.ctx, &scene.secret);
    set_exemptions(ctx, &Caller::cli(), "203.0.113.64/26\n", None).await.unwrap();
    let refused = block(ctx, "203.0.113.65", None).await.unwrap_err();
    assert!(refused.field("target").is_some_and(|words| words.contains("never blocked")), "{refused}");
    for loopback in ["127.0.0.1", "127.0.0.0/8", "::1", "127.9.9.9"] {
        assert!(block(ctx, loopback, None).await.is_err_and(|e| e.field("target").is_some()), "{loopback}");
    }
    // Not even if the row is there.
    execute(&scene, "insert into blocks (id, network, since, reason, by_name) values (gen_random_uuid(), '127.0.0.0/8', '2026-11-20', 'x', 'x'), (gen_random_uuid(), '203.0.113.0/24', '2026-11-20', 'x', 'x')").await;
    says(&scene.app, secret, "203.0.113.1", "IP_DENIED").await;
    assert_eq!((code(ctx, secret, "127.0.0.1"), code(ctx, secret, "203.0.113.65")), ("VALID".to_owned(), "VALID".to_owned()));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_block_whose_notification_was_lost_is_found_by_the_poll(db: PgPool) {
    let scene = Scene::new(db).await;
    let mut tx = scene.app.ctx.db.begin().await.unwrap();
    sqlx::query("set local session_replication_role = replica").execute(&mut *tx).await.unwrap();
    sqlx::query("insert into blocks (id, network, since, reason, by_name) values (gen_random_uuid(), '203.0.113.7', '2026-11-20', 'x', 'x')")
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    says(&scene.app, &scene.secret, "203.0.113.7", "IP_DENIED").await;
    let started_later = TestApp::start(scene.app.ctx.db.clone()).await;
    assert_eq!(code(&started_later.ctx, &scene.secret, "203.0.113.7"), "IP_DENIED");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn of_one_target_one_block_is_in_force(db: PgPool) {
    let scene = Scene::new(db).await;
    let ctx = &scene.app.ctx;
    let all = futures_util::future::join_all((0..8).map(|_| block(ctx, "203.0.113.7", Some(600)))).await;
    assert_eq!(all.iter().filter(|added| added.as_ref().unwrap().is_new).count(), 1);
    let longer = block(ctx, "203.0.113.7/32", Some(3_600)).await.unwrap();
    let shorter = block(ctx, "203.0.113.7", Some(60)).await.unwrap();
    assert_eq!((longer.is_new, shorter.block.until), (false, longer.block.until));
    assert_eq!(listed(ctx, "all").await.len(), 1);
    assert_eq!(answer(ctx, &scene.secret, "203.0.113.7").retry_after, Some(3_600));
    let missing = block(ctx, &ctx.new_id::<tollgate::values::KeyId>().to_string(), None).await;
    assert!(missing.is_err_and(|e| e.field("target").is_some()));
}
