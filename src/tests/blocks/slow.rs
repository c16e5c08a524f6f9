//! What is slowed: so many calls a second pass, and nobody else notices.

use super::{block, code, guess, listed, says, slow};
use crate::{
    gate::{Given, Scene, key, known},
    support::{TestApp, until},
};
use serde_json::json;
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::Caller,
    blocks::{
        model::{BlockAction, BlockQuery, BlockTarget, RuleSetting},
        server::{block_page, lift_block, set_exemptions, set_rule},
    },
    keys::server::gate::{self, Answer, Gate, Question},
    platform::Ctx,
    usage::server::unknown_attempts_today,
    values::{AbuseRule, Outcome},
};

const ADDRESS: &str = "203.0.113.7";

async fn scene(db: &PgPool) -> Scene {
    Scene::with(db.clone(), Given { limit: Some((10_000, 3_600)), ..Given::default() }).await
}

/// A call that is charged.
async fn call(ctx: &Ctx, secret: &str, address: &str) -> Answer {
    let address = Some(address.parse().unwrap());
    ctx.part::<Gate>().unwrap().ask(Question { secret, address, route: "GET /orders", ..Question::default() }).await.unwrap()
}

/// How many of so many calls pass; the others are RATE_LIMITED.
async fn passing(ctx: &Ctx, secret: &str, address: &str, times: usize) -> usize {
    let answers = futures_util::future::join_all((0..times).map(|_| call(ctx, secret, address))).await;
    assert!(answers.iter().all(|a| matches!(a.outcome, Outcome::Valid | Outcome::RateLimited)));
    answers.iter().filter(|a| a.passes()).count()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn exactly_the_rate_passes_in_each_second(db: PgPool) {
    let scene = scene(&db).await;
    let (ctx, secret) = (&scene.app.ctx, &scene.secret);
    let added = slow(ctx, &scene.key.to_string(), 5, Some(600)).await.unwrap();
    assert_eq!((added.is_new, added.spread.confirmed, added.block.action), (true, 1, BlockAction::Slow { per_second: 5 }));
    for _ in 0..3 {
        assert_eq!(passing(ctx, secret, ADDRESS, 40).await, 5);
        assert_eq!(code(ctx, secret, ADDRESS), "RATE_LIMITED", "who asks without a charge hears it too");
        ctx.clock.advance(Duration::SECOND);
        assert_eq!(code(ctx, secret, ADDRESS), "VALID", "and takes no place");
    }
    let micros = ctx.clock.now().unix_timestamp() * 1_000_000;
    assert_eq!(ctx.part::<Gate>().unwrap().limit_state(scene.key, micros)[0].used, 15, "what did not pass was not charged");

    assert_eq!(passing(ctx, secret, ADDRESS, 5).await, 5);
    let refused = call(ctx, secret, ADDRESS).await;
    assert_eq!((refused.retry_after, refused.violated().map(|l| &*l.name).collect::<Vec<_>>()), (Some(1), vec!["slow-key"]));
    assert_eq!(refused.why.as_deref(), Some("Calls of this key are slowed to 5 a second until 2026-11-20 12:10:00 UTC."));
    ctx.clock.advance(Duration::minutes(10));
    assert_eq!(passing(ctx, secret, ADDRESS, 40).await, 40, "it ended by the clock");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_limit_that_refuses_takes_no_place(db: PgPool) {
    let scene = Scene::with(db, Given { limit: Some((2, 3_600)), ..Given::default() }).await;
    let (ctx, secret) = (&scene.app.ctx, &scene.secret);
    slow(ctx, &scene.key.to_string(), 3, None).await.unwrap();
    for _ in 0..9 {
        call(ctx, secret, ADDRESS).await;
    }
    let refused = call(ctx, secret, ADDRESS).await;
    assert_eq!(refused.violated().map(|l| &*l.name).collect::<Vec<_>>(), ["default"], "two passed in this second, and three may");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn callers_are_told_the_usual_way(db: PgPool) {
    let scene = scene(&db).await;
    slow(&scene.app.ctx, &scene.key.to_string(), 1, None).await.unwrap();
    let (_, body) = scene.ask(json!({ "key": scene.secret, "api": "demo" })).await;
    let slowed = |remaining: u32| json!({ "name": "slow-key", "limit": 1, "remaining": remaining, "reset_after": 1 });
    assert_eq!((&body["code"], &body["limits"][1]), (&json!("VALID"), &slowed(0)));
    let (_, body) = scene.ask(json!({ "key": scene.secret, "api": "demo" })).await;
    assert_eq!((&body["code"], &body["retry_after"], &body["limits"]), (&json!("RATE_LIMITED"), &json!(1), &json!([slowed(0)])));
    assert_eq!(body["detail"], "Calls of this key are slowed to 1 a second until an operator lifts the block.");
    let proxied = scene.app.http.get(scene.app.url("/forward-auth/demo")).bearer_auth(&scene.secret).send().await.unwrap();
    assert_eq!((proxied.status().as_u16(), proxied.headers()["retry-after"].to_str().unwrap()), (429, "1"));
    let problem: serde_json::Value = proxied.json().await.unwrap();
    assert_eq!(problem["violated-policies"], json!(["slow-key"]));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn of_a_slowed_address_guesses_count_too(db: PgPool) {
    let scene = scene(&db).await;
    let (ctx, secret) = (&scene.app.ctx, &scene.secret);
    set_exemptions(ctx, &Caller::cli(), "203.0.113.128/25", None).await.unwrap();
    slow(ctx, "203.0.113.0/24", 2, None).await.unwrap();
    let outcomes = async |address: &str| {
        let mut all = Vec::new();
        for secret in ["demo_live_nonsense", "demo_live_nonsense", "demo_live_nonsense", secret.as_str()] {
            all.push(call(ctx, secret, address).await);
        }
        all
    };
    let slowed = outcomes("203.0.113.9").await;
    assert_eq!(slowed.iter().map(|a| a.outcome.as_str()).collect::<Vec<_>>(), ["MALFORMED", "MALFORMED", "RATE_LIMITED", "RATE_LIMITED"]);
    assert!(slowed[3].facts().is_none(), "whose key it is was not looked up");
    assert_eq!(slowed[3].violated().map(|l| &*l.name).collect::<Vec<_>>(), ["slow-address"]);
    for free in ["203.0.113.200", "203.0.112.9"] {
        assert!(outcomes(free).await[3].passes(), "{free}: exempt, or not held at all");
    }
    ctx.clock.advance(Duration::SECOND);
    assert_eq!(passing(ctx, secret, "203.0.113.9", 9).await, 2);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_account_is_its_workspace(db: PgPool) {
    let scene = scene(&db).await;
    let ctx = &scene.app.ctx;
    let (id, second) = key(&db, &scene.app, &scene.owner, Given { limit: Some((10_000, 3_600)), ..Given::default() }).await;
    known(&scene.app, id).await;
    let added = slow(ctx, "Mara@example.com", 3, None).await.unwrap();
    assert!(matches!(added.block.target, BlockTarget::Workspace { id, .. } if id == scene.owner.workspace));
    assert!(!slow(ctx, &scene.owner.account.to_string(), 3, None).await.unwrap().is_new, "the same");
    assert_eq!(passing(ctx, &scene.secret, ADDRESS, 2).await + passing(ctx, &second, ADDRESS, 9).await, 3, "its keys together");
    let refused = call(ctx, &second, ADDRESS).await;
    assert_eq!(refused.violated().map(|l| &*l.name).collect::<Vec<_>>(), ["slow-workspace"]);
    // The asking service's key is of this workspace, too.
    for (path, question) in [("verify", json!({ "key": scene.secret })), ("release", json!({ "hold": "hold_x" }))] {
        let asked = scene.app.http.post(scene.app.url(&format!("/api/v1/keys/{path}"))).bearer_auth(&scene.service).json(&question);
        let refused = asked.send().await.unwrap();
        let field = |name: &str| refused.headers()[name].to_str().unwrap().to_owned();
        assert_eq!((refused.status().as_u16(), field("retry-after").as_str()), (429, "1"), "{path}");
        assert_eq!(
            (field("ratelimit-policy").as_str(), field("ratelimit").as_str()),
            ("\"slow-workspace\";q=3;w=1;qu=\"requests\"", "\"slow-workspace\";r=0;t=1")
        );
        assert_eq!(refused.json::<serde_json::Value>().await.unwrap()["violated-policies"], json!(["slow-workspace"]), "{path}");
    }
    for nobody in ["nobody@example.com".to_owned(), ctx.new_id::<tollgate::values::AccountId>().to_string()] {
        assert!(slow(ctx, &nobody, 3, None).await.is_err_and(|e| e.field("target").is_some()), "{nobody}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn nodes_share_the_rate_also_where_it_is_smaller_than_their_number(db: PgPool) {
    let scene = scene(&db).await;
    let other = TestApp::start(db).await;
    let nodes = [&scene.app, &other];
    for node in nodes {
        until("both know of each other", || async { node.ctx.part::<Gate>().unwrap().nodes() == 2 }).await;
    }
    for rate in [11, 1] {
        let added = slow(&scene.app.ctx, &scene.key.to_string(), rate, None).await.unwrap();
        assert_eq!((added.spread.nodes, added.spread.confirmed), (2, 2));
        for _ in 0..4 {
            let mut passed = 0;
            for node in nodes {
                node.ctx.clock.advance(Duration::SECOND);
                passed += passing(&node.ctx, &scene.secret, ADDRESS, 20).await;
            }
            assert_eq!(passed, usize::try_from(rate).unwrap(), "in each second");
        }
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn refusing_wins_and_slowing_goes_on(db: PgPool) {
    let scene = scene(&db).await;
    let (ctx, key) = (&scene.app.ctx, scene.key.to_string());
    let slowed = slow(ctx, &key, 1, Some(600)).await.unwrap();
    assert!(block(ctx, &key, Some(60)).await.unwrap().is_new, "one of each");
    assert_eq!(code(ctx, &scene.secret, ADDRESS), "BANNED");
    ctx.clock.advance(Duration::minutes(1));
    assert_eq!(passing(ctx, &scene.secret, ADDRESS, 9).await, 1);

    let faster = slow(ctx, &key, 4, Some(60)).await.unwrap();
    assert_eq!((faster.is_new, faster.block.id, faster.block.until), (false, slowed.block.id, slowed.block.until), "never shorter");
    assert_eq!(passing(ctx, &scene.secret, ADDRESS, 9).await, 3, "the same second goes on at the new rate");
    assert_eq!(listed(ctx, "active").await.len(), 1);
    assert!(slow(ctx, &key, 0, None).await.is_err_and(|e| e.field("per_second").is_some()));
    lift_block(ctx, &Caller::cli(), slowed.block.id, "").await.unwrap();
    assert_eq!(passing(ctx, &scene.secret, ADDRESS, 9).await, 9);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_rule_may_slow(db: PgPool) {
    let scene = scene(&db).await;
    let ctx = &scene.app.ctx;
    let then = Some(BlockAction::Slow { per_second: 3 });
    for (rule, most) in [(AbuseRule::UnknownKeys, 100), (AbuseRule::Refusals, 5)] {
        set_rule(ctx, &Caller::cli(), RuleSetting { rule, is_on: true, most, minutes: 10, then, seconds: 600, mails: false }, None).await.unwrap();
    }
    guess(ctx, "198.51.100.9", 150);
    until("it is slowed", || async { !listed(ctx, "active").await.is_empty() }).await;
    // It is written before the gate knows of it.
    assert!(gate::blocks_refreshed(ctx).await);
    says(&scene.app, &scene.secret, "198.51.100.9", "VALID").await;
    assert_eq!(passing(ctx, &scene.secret, "198.51.100.9", 40).await, 3);

    // What a block refuses is not suspected again: the key's own rule would fire.
    slow(ctx, &scene.key.to_string(), 1, None).await.unwrap();
    passing(ctx, &scene.secret, ADDRESS, 40).await;
    guess(ctx, "198.51.100.10", 150);
    until("what came later is slowed", || async { listed(ctx, "active").await.len() == 3 }).await;
    assert!(listed(ctx, "active").await.iter().all(|b| b.rule != Some(AbuseRule::Refusals)));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_list_says_how_many_calls_a_block_slowed_and_limits_are_none_of_them(db: PgPool) {
    let scene = Scene::with(db.clone(), Given { limit: Some((2, 3_600)), ..Given::default() }).await;
    let (ctx, secret) = (&scene.app.ctx, &scene.secret);
    let sums = async || sqlx::query_scalar::<_, i64>("select coalesce(sum(count), 0)::bigint from usage_quarters").fetch_one(&db).await.unwrap();
    let refused = async || {
        let page = block_page(ctx, &Caller::cli(), BlockQuery::default()).await.unwrap();
        page.rows.iter().map(|row| row.refused).collect::<Vec<_>>()
    };
    // Of four one passes; in the next seconds the limit refuses two more.
    slow(ctx, &scene.key.to_string(), 1, None).await.unwrap();
    for _ in 0..4 {
        call(ctx, secret, ADDRESS).await;
    }
    for _ in 0..3 {
        ctx.clock.advance(Duration::SECOND);
        call(ctx, secret, ADDRESS).await;
    }
    until("the calls are written", || async { sums().await == 7 }).await;
    assert_eq!(refused().await, [Some(3)]);
    let strangers: Vec<_> = unknown_attempts_today(ctx, &Caller::cli()).await.unwrap();
    assert!(strangers.is_empty(), "they are calls of a known key: {strangers:?}");

    lift_block(ctx, &Caller::cli(), listed(ctx, "active").await[0].id, "").await.unwrap();
    ctx.clock.advance(Duration::hours(1));
    slow(ctx, &scene.owner.workspace.to_string(), 1, None).await.unwrap();
    for _ in 0..3 {
        call(ctx, secret, ADDRESS).await;
    }
    until("these are written, too", || async { sums().await == 10 }).await;
    assert_eq!(refused().await, [Some(2)], "of the workspace");
}
