//! What is shown of limits: the same on every node, after a change of a limit and after a restart.

use super::{
    Given, Scene, key, known,
    leases::{call, exhaust},
};
use crate::support::{TestApp, until};
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::{Caller, Via, server::caller_of_account},
    keys::{
        model::{KeyEdit, KeyLimit, LimitUnit, Over, StandingKind, TryCall},
        server::{
            edit_key,
            gate::{Gate, LimitState},
            key_detail, list_standings, try_call,
        },
    },
    plans::server::set_workspace_limits,
    values::{KeyId, Outcome, SessionId},
};

fn limit(most: u64, window: &str) -> KeyLimit {
    KeyLimit::new("default", most, window.parse().unwrap())
}

async fn set(app: &TestApp, key: KeyId, limits: Vec<KeyLimit>) {
    edit_key(&app.ctx, &Caller::cli(), key, KeyEdit { limits: Some(limits), ..KeyEdit::default() }).await.unwrap();
}

/// A scene whose key has these limits, and another node.
async fn two_nodes(db: PgPool, limits: Vec<KeyLimit>) -> (Scene, TestApp) {
    let scene = Scene::with(db.clone(), Given::default()).await;
    set(&scene.app, scene.key, limits).await;
    (scene, TestApp::start(db).await)
}

async fn states(app: &TestApp, key: KeyId) -> Vec<LimitState> {
    let gate = app.ctx.part::<Gate>().unwrap();
    gate.standings(&app.ctx.db, &[key], app.ctx.clock.now_micros()).await.unwrap().remove(&key).unwrap()
}

/// What is used of each limit, and what is left.
async fn shown(app: &TestApp, key: KeyId) -> Vec<(u64, u64)> {
    states(app, key).await.iter().map(|limit| (limit.used, limit.remaining)).collect()
}

/// Tries a call in so long.
async fn trial(app: &TestApp, key: KeyId, later: Duration) -> Outcome {
    let at = Some(app.ctx.clock.now() + later);
    let call = TryCall { method: "GET".into(), path: "/orders".into(), at, ..TryCall::default() };
    try_call(&app.ctx, &Caller::cli(), key, call).await.unwrap().outcome
}

/// What the page of the key and REST show of its first limit.
async fn detailed(app: &TestApp, key: KeyId) -> (u64, u64) {
    let limits = key_detail(&app.ctx, &Caller::cli(), key).await.unwrap().limits;
    (limits[0].used, limits[0].remaining)
}

/// One of two nodes ends; then the other is alone, and what both leased goes on by lease.
async fn leaves(goes: TestApp, stays: &TestApp) {
    goes.stop().await;
    let gate = stays.ctx.part::<Gate>().unwrap();
    until("it counts alone", async || gate.counts_alone()).await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn every_node_shows_what_all_have_let_pass(db: PgPool) {
    let calls = KeyLimit { name: "calls".into(), unit: LimitUnit::Calls, ..limit(1_000, "rolling:hour") };
    let (scene, other) = two_nodes(db, vec![calls, limit(500, "day")]).await;
    let Scene { app, key, secret, .. } = &scene;
    for _ in 0..20 {
        assert!(call(app, secret, 3).await);
    }
    assert_eq!(shown(app, *key).await[1].0, 60, "what it let pass itself, written or not");
    app.flush().await;
    assert_eq!(shown(&other, *key).await, [(20, 980), (60, 440)], "it let nothing pass");
    for _ in 0..10 {
        assert!(call(&other, secret, 3).await);
    }
    other.flush().await;
    for node in [app, &other] {
        assert_eq!(shown(node, *key).await, [(30, 970), (90, 410)], "what they hold and have not used is not used");
        assert_eq!(detailed(node, *key).await, (30, 970));
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_changed_limit_shows_what_was_used_of_it_before_the_next_call(db: PgPool) {
    const DAY: &str = "day@Europe/Stockholm";
    let (scene, other) = two_nodes(db, vec![limit(5_000, DAY)]).await;
    let Scene { app, key, secret, .. } = scene;
    for node in [&app, &other] {
        assert!(call(node, &secret, 420).await);
        node.flush().await;
    }
    for (most, left, outcome) in [(2_000, 1_160, Outcome::Valid), (840, 0, Outcome::QuotaExceeded), (6_000, 5_160, Outcome::Valid)] {
        set(&app, key, vec![limit(most, DAY)]).await;
        until("the other node has heard of it", async || states(&other, key).await[0].limit == most).await;
        for node in [&app, &other] {
            assert_eq!((shown(node, key).await, detailed(node, key).await), (vec![(840, left)], (840, left)), "of {most}");
            assert_eq!(trial(node, key, Duration::ZERO).await, outcome, "of {most}");
        }
    }

    leaves(other, &app).await;
    assert_eq!(shown(&app, key).await, [(840, 5_160)], "what the other held went back");
    set(&app, key, vec![limit(840, DAY)]).await;
    assert_eq!((shown(&app, key).await, trial(&app, key, Duration::ZERO).await), (vec![(840, 0)], Outcome::QuotaExceeded));
    assert_eq!(trial(&app, key, Duration::DAY).await, Outcome::Valid, "another day");
    set(&app, key, vec![limit(850, DAY)]).await;
    assert_eq!(shown(&app, key).await, [(840, 10)]);
    assert_eq!(exhaust(&[&app], &secret).await, 10, "and so it is");

    let app = app.restart().await;
    assert_eq!((shown(&app, key).await, detailed(&app, key).await), (vec![(850, 0)], (850, 0)));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn after_a_restart_a_rolling_limit_is_as_used_as_it_was(db: PgPool) {
    let (scene, other) = two_nodes(db.clone(), vec![limit(20, "rolling:hour")]).await;
    let Scene { app, owner, key, secret, .. } = scene;
    assert_eq!(exhaust(&[&app, &other], &secret).await, 20);
    other.stop().await;
    let app = app.restart().await;
    let next = TestApp::start(db).await;
    for node in [&app, &next] {
        let state = states(node, key).await.remove(0);
        assert_eq!((state.used, state.remaining, state.reset_after), (20, 0, 3_660), "and no call was made since");
        assert_eq!(trial(node, key, Duration::ZERO).await, Outcome::RateLimited);
        assert_eq!(trial(node, key, Duration::seconds(3_660)).await, Outcome::Valid);
        // The badge of the key, and what the first page says of it.
        let caller = caller_of_account(&node.ctx, owner.account, Via::Session(node.ctx.new_id::<SessionId>())).await.unwrap().unwrap();
        let (held, _) = list_standings(&node.ctx, &caller, &[StandingKind::Held], 5).await.unwrap();
        let [(_, standing)] = &held[..] else { panic!("{held:?}") };
        assert!(standing.why.contains(" at 20 units in any hour. Calls pass again "), "{standing:?}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_restart_that_finds_rows_of_leases_shows_what_was_used(db: PgPool) {
    let (scene, other) = two_nodes(db, vec![limit(20, "rolling:hour")]).await;
    let Scene { app, key, secret, .. } = scene;
    assert!(call(&app, &secret, 4).await && call(&other, &secret, 4).await);
    other.stop().await;
    let app = app.restart().await;
    until("it counts alone", async || app.ctx.part::<Gate>().unwrap().counts_alone()).await;
    assert_eq!((shown(&app, key).await, detailed(&app, key).await), (vec![(8, 12)], (8, 12)));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_is_tried_for_a_later_time_changes_nothing(db: PgPool) {
    let scene = Scene::with(db, Given::default()).await;
    set(&scene.app, scene.key, vec![limit(3, "rolling:hour")]).await;
    assert!(call(&scene.app, &scene.secret, 3).await);
    assert_eq!(trial(&scene.app, scene.key, Duration::hours(3)).await, Outcome::Valid, "by then all has come back");
    assert_eq!(trial(&scene.app, scene.key, Duration::ZERO).await, Outcome::RateLimited);
    assert!(!call(&scene.app, &scene.secret, 1).await, "but not now");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_keys_of_a_workspace_share_is_shown_with_what_each_used_anywhere(db: PgPool) {
    let (scene, other) = two_nodes(db.clone(), Vec::new()).await;
    let Scene { app, owner, .. } = &scene;
    let (second, secret) = key(&db, app, owner, Given::default()).await;
    let (alone, own) = key(&db, app, owner, Given { limit: Some((10, 86_400)), ..Given::default() }).await;
    for node in [app, &other] {
        for id in [second, alone] {
            known(node, id).await;
        }
    }
    set_workspace_limits(&app.ctx, &Caller::cli(), owner.workspace, vec![limit(90, "day")]).await.unwrap();
    until("the other node has heard of it", async || states(&other, second).await[0].limit == 90).await;
    assert!(call(app, &scene.secret, 30).await && call(&other, &secret, 20).await && call(&other, &own, 7).await);
    for node in [app, &other] {
        node.flush().await;
    }
    let of_workspace = async |node: &TestApp| {
        let gate = node.ctx.part::<Gate>().unwrap();
        let shared = gate.shared_standings(&node.ctx.db, owner.workspace, node.ctx.clock.now_micros()).await.unwrap();
        shared.iter().map(|limit| (limit.used, limit.remaining)).collect::<Vec<_>>()
    };
    for node in [app, &other] {
        let gate = node.ctx.part::<Gate>().unwrap();
        let standings = gate.standings(&node.ctx.db, &[scene.key, second, alone], node.ctx.clock.now_micros()).await.unwrap();
        let used = |key: KeyId| standings[&key].iter().map(|limit| (limit.used, limit.remaining)).collect::<Vec<_>>();
        assert_eq!([used(scene.key), used(second), used(alone)], [vec![(50, 40)], vec![(50, 40)], vec![(7, 3)]]);
        assert_eq!(of_workspace(node).await, [(50, 40)], "asked for by the workspace");
    }
    for (limits, left) in [(vec![limit(120, "day")], vec![(50, 70)]), (Vec::new(), Vec::new())] {
        set_workspace_limits(&app.ctx, &Caller::cli(), owner.workspace, limits).await.unwrap();
        assert_eq!(of_workspace(app).await, left, "by the limits that hold now, before every key is under them");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_passed_beyond_a_limit_is_shown_on_every_node(db: PgPool) {
    let (scene, other) = two_nodes(db, vec![KeyLimit { over: Over::MARK, ..limit(10, "day") }]).await;
    for _ in 0..12 {
        assert!(call(&scene.app, &scene.secret, 1).await && call(&other, &scene.secret, 1).await);
    }
    for node in [&scene.app, &other] {
        node.flush().await;
    }
    for node in [&scene.app, &other] {
        assert_eq!(shown(node, scene.key).await, [(24, 0)]);
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn of_credits_every_node_shows_what_the_bucket_has(db: PgPool) {
    let (scene, other) = two_nodes(db.clone(), vec![limit(100, "credits")]).await;
    let Scene { app, key, secret, .. } = scene;
    assert!(call(&app, &secret, 10).await && call(&other, &secret, 5).await);
    leaves(other, &app).await;
    assert_eq!(shown(&app, key).await, [(15, 85)], "what the other used since this one asked, without what it held");
    // As the command line does beside a server.
    sqlx::query("update credit_buckets set used = used - 50 where holder = $1").bind(key.uuid()).execute(&db).await.unwrap();
    assert_eq!(shown(&app, key).await, [(0, 135)], "and what was added elsewhere");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn calls_that_go_on_are_shown_on_every_node_and_after_a_restart(db: PgPool) {
    let (scene, other) = two_nodes(db, vec![limit(2, "concurrent:600")]).await;
    let Scene { app, key, secret, .. } = scene;
    assert!(call(&app, &secret, 1).await);
    assert_eq!((shown(&app, key).await, shown(&other, key).await), (vec![(1, 1)], vec![(1, 1)]));
    assert!(call(&other, &secret, 1).await);
    until("what was lent and is not needed went back", async || shown(&app, key).await == [(2, 0)]).await;
    other.stop().await;
    let app = app.restart().await;
    assert_eq!((shown(&app, key).await, detailed(&app, key).await), (vec![(2, 0)], (2, 0)), "they have not ended with their nodes");
    assert_eq!([trial(&app, key, Duration::ZERO).await, trial(&app, key, Duration::hours(1)).await], [Outcome::RateLimited, Outcome::Valid]);
}
