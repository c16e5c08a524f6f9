//! The rules: they fire once, whoever counts, and only when they are on.

use super::{answer, code, guess, listed, looked_at_all_before, says};
use crate::{
    gate::Scene,
    keys::events,
    support::{TestApp, locks::Held, until},
};
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::Caller,
    blocks::{
        model::{BlockAction, BlockState, RuleSetting, exempt_version},
        server::{fire, set_exemptions, set_rule},
    },
    error::AppError,
    keys::server::gate::{Gate, Suspicion, Target},
    platform::Ctx,
    values::AbuseRule,
};

async fn rule(ctx: &Ctx, rule: AbuseRule, most: u32, blocks: bool) {
    let then = blocks.then_some(BlockAction::Refuse);
    set_rule(ctx, &Caller::cli(), RuleSetting { rule, is_on: true, most, minutes: 10, then, seconds: 3_600, mails: false }, None).await.unwrap();
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn who_tries_keys_is_blocked_once_for_all_nodes(db: PgPool) {
    let scene = Scene::new(db.clone()).await;
    let other = TestApp::start(db.clone()).await;
    let ctx = &scene.app.ctx;
    for node in [ctx, &other.ctx] {
        until("both know of each other", || async { node.part::<Gate>().unwrap().nodes() == 2 }).await;
        guess(node, "198.51.100.8", 50);
    }
    for node in [ctx, &other.ctx] {
        guess(node, "198.51.100.9", 150);
    }
    for node in [&scene.app, &other] {
        says(node, &scene.secret, "198.51.100.9", "IP_DENIED").await;
    }
    for (node, address) in [(&scene.app, "198.51.100.10"), (&other, "198.51.100.11")] {
        looked_at_all_before(node, address).await;
        assert_eq!(code(&node.ctx, &scene.secret, "198.51.100.8"), "VALID", "a hundred are allowed, half of them on each");
    }
    let blocks = listed(ctx, "all").await;
    assert_eq!(blocks.len(), 3, "{blocks:?}");
    let block = blocks.iter().find(|b| b.target.words() == "198.51.100.9").unwrap();
    let reason = "More than 100 unknown keys in 1 minute (more than 50 on one of 2 nodes)";
    assert_eq!((block.reason.as_str(), block.by.as_str(), block.rule), (reason, "system", Some(AbuseRule::UnknownKeys)));
    assert_eq!(events(&db, "block.added").await, 3);
    ctx.clock.advance(Duration::minutes(10));
    assert_eq!(code(ctx, &scene.secret, "198.51.100.9"), "VALID");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn fired_everywhere_at_once_it_writes_one_row(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let suspicion = Suspicion { rule: AbuseRule::UnknownKeys, target: Target::Network("2001:db8:1:2::/64".parse().unwrap()), nodes: 1 };
    let fired = futures_util::future::join_all((0..12).map(|_| fire(&app.ctx, suspicion))).await;
    assert_eq!(fired.into_iter().filter(|done| done.as_ref().unwrap().is_some()).count(), 1);
    assert_eq!((listed(&app.ctx, "all").await.len(), events(&db, "block.added").await), (1, 1));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_key_whose_calls_are_refused_too_often_is_blocked(db: PgPool) {
    let scene = Scene::new(db).await;
    let ctx = &scene.app.ctx;
    let refused = |times: usize| {
        for _ in 0..times {
            scene
                .app
                .ctx
                .part::<tollgate::keys::server::gate::Gate>()
                .unwrap()
                .verify(tollgate::keys::server::gate::Question { secret: &scene.secret, permission: Some("orders:write"), ..Default::default() })
                .unwrap();
        }
    };
    refused(50);
    looked_at_all_before(&scene.app, "198.51.100.9").await;
    assert_eq!(code(ctx, &scene.secret, "203.0.113.7"), "VALID", "the rule is off until somebody sets it");
    rule(ctx, AbuseRule::Refusals, 5, true).await;
    refused(5);
    looked_at_all_before(&scene.app, "198.51.100.10").await;
    assert_eq!(code(ctx, &scene.secret, "203.0.113.7"), "VALID");
    refused(1);
    says(&scene.app, &scene.secret, "203.0.113.7", "BANNED").await;
    assert_eq!(answer(ctx, &scene.secret, "203.0.113.7").retry_after, Some(3_600));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn who_has_only_a_dead_secret_gets_nobody_blocked(db: PgPool) {
    let scene = Scene::new(db).await;
    let ctx = &scene.app.ctx;
    rule(ctx, AbuseRule::Refusals, 5, true).await;
    rule(ctx, AbuseRule::Spread, 3, true).await;
    scene.execute("update key_secrets set expires_at = '2026-11-20 12:00Z' where key_id = $1").await;
    says(&scene.app, &scene.secret, "203.0.113.7", "EXPIRED").await;
    for n in 0..20 {
        assert_eq!(code(ctx, &scene.secret, &format!("203.0.{n}.7")), "EXPIRED");
    }
    nothing_before(&scene.app).await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn who_still_sends_a_dropped_secret_is_no_guesser(db: PgPool) {
    let scene = Scene::new(db).await;
    let ctx = &scene.app.ctx;
    scene.execute("update key_secrets set ended = true, end_noted = true, expires_at = '2026-11-30 12:00Z' where key_id = $1").await;
    says(&scene.app, &scene.secret, "203.0.113.7", "EXPIRED").await;
    for _ in 0..200 {
        assert_eq!(code(ctx, &scene.secret, "203.0.113.7"), "EXPIRED");
    }
    nothing_before(&scene.app).await;
}

/// Nobody was blocked so far.
async fn nothing_before(app: &TestApp) {
    looked_at_all_before(app, "198.51.100.9").await;
    assert_eq!(listed(&app.ctx, "all").await.len(), 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_address_that_may_be_a_proxys_is_not_suspected(db: PgPool) {
    let app = TestApp::start(db).await;
    for address in ["172.18.0.5", "100.64.1.1", "fd00::5", "fe80::1", "::ffff:192.168.1.7"] {
        guess(&app.ctx, address, 200);
    }
    nothing_before(&app).await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_key_that_is_everywhere_is_told_of_once_and_passes(db: PgPool) {
    let scene = Scene::new(db.clone()).await;
    let ctx = &scene.app.ctx;
    rule(ctx, AbuseRule::Spread, 3, false).await;
    let everywhere = || (0..9).map(|n| code(ctx, &scene.secret, &format!("203.0.{n}.7"))).collect::<Vec<_>>();
    assert!(everywhere().iter().all(|code| code == "VALID"));
    until("it is told", || async { events(&db, "block.noticed").await == 1 }).await;
    ctx.clock.advance(Duration::minutes(10));
    assert!(everywhere().iter().all(|code| code == "VALID"));
    let suspicion = Suspicion { rule: AbuseRule::Spread, target: Target::Key(scene.key), nodes: 1 };
    assert!(fire(ctx, suspicion).await.unwrap().is_none(), "not told again within the hour");
    let told = listed(ctx, "past").await;
    assert_eq!((told.len(), told[0].state), (1, BlockState::Notice));
    ctx.clock.advance(Duration::minutes(51));
    fire(ctx, suspicion).await.unwrap();
    assert_eq!(listed(ctx, "past").await.len(), 2, "an hour later again");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn some_are_never_blocked_by_a_rule(db: PgPool) {
    let app = TestApp::start_with(db, |config| config.server.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()]).await;
    set_exemptions(&app.ctx, &Caller::cli(), "203.0.113.0/24", None).await.unwrap();
    for address in ["127.0.0.1", "10.1.2.3", "203.0.113.7"] {
        guess(&app.ctx, address, 200);
        let network = format!("{address}/32").parse().unwrap();
        assert!(fire(&app.ctx, Suspicion { rule: AbuseRule::UnknownKeys, target: Target::Network(network), nodes: 1 }).await.unwrap().is_none(), "{address}");
    }
    let off = RuleSetting { rule: AbuseRule::UnknownKeys, is_on: false, most: 100, minutes: 1, then: Some(BlockAction::Refuse), seconds: 600, mails: false };
    set_rule(&app.ctx, &Caller::cli(), off, None).await.unwrap();
    guess(&app.ctx, "198.51.100.8", 200);
    set_rule(&app.ctx, &Caller::cli(), RuleSetting { is_on: true, ..off }, None).await.unwrap();
    nothing_before(&app).await; // a rule that is off suspects nobody
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn of_two_lists_of_networks_saved_at_once_the_second_is_told(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let seen = exempt_version(&[]);
    let save = async |network: &str| set_exemptions(&app.ctx, &Caller::cli(), network, Some(seen.as_str())).await;
    let held = Held::by(&db, "select from block_exemptions for update").await;
    let (one, other, ()) = tokio::join!(save("203.0.113.0/24"), save("198.51.100.0/24"), held.release_to(2));
    let told = [one, other].into_iter().filter(|saved| matches!(saved, Err(AppError::Changed { .. }))).count();
    assert_eq!((told, events(&db, "block.exempted").await), (1, 1));
}
