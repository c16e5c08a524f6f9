//! Rolling windows: never more than the limit in any window of that length, through time, restarts and several nodes.

use super::{
    Given, Scene, key, known,
    leases::{call, exhaust, secret},
};
use crate::{
    keys::{json, person},
    support::{TestApp, until},
};
use reqwest::Method;
use serde_json::json;
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::Caller,
    keys::{
        model::{KeyEdit, KeyLimit},
        server::{edit_key, gate::Gate, jobs::ForgetLeases},
    },
    platform::jobs::Job,
};

/// A scene whose key may make so many calls in any hour.
async fn scene(db: PgPool, limit: u64) -> Scene {
    let scene = Scene::with(db, Given::default()).await;
    let limits = vec![KeyLimit::new("hour", limit, "rolling:hour".parse().unwrap())];
    edit_key(&scene.app.ctx, &Caller::cli(), scene.key, KeyEdit { limits: Some(limits), ..KeyEdit::default() }).await.unwrap();
    scene
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_is_older_than_the_window_comes_back_and_a_restart_knows_it(db: PgPool) {
    let scene = scene(db, 3).await;
    let ask = async |cost: u32| scene.ask(json!({ "key": scene.secret, "api": "demo", "cost": cost })).await.1;
    let clock = &scene.app.ctx.clock;

    // At 12:00, 12:30 and 12:40.
    let body = ask(1).await;
    assert_eq!((&body["limits"][0]["remaining"], &body["limits"][0]["reset_after"]), (&json!(2), &json!(3_660)));
    clock.advance(Duration::minutes(30));
    assert_eq!(ask(1).await["limits"][0]["remaining"], 1);
    clock.advance(Duration::minutes(10));
    let body = ask(1).await;
    assert_eq!((&body["limits"][0]["remaining"], &body["limits"][0]["reset_after"]), (&json!(0), &json!(21 * 60)), "at 13:01");
    for (cost, retry_after) in [(1, Some(21 * 60)), (2, Some(51 * 60)), (3, Some(61 * 60)), (4, None)] {
        let body = ask(cost).await;
        assert_eq!((&body["code"], body.get("retry_after")), (&json!("RATE_LIMITED"), retry_after.map(|seconds| json!(seconds)).as_ref()), "cost {cost}");
    }
    let answer = scene.app.http.get(scene.app.url("/forward-auth/demo")).bearer_auth(&scene.secret).send().await.unwrap();
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!((header("ratelimit-policy"), header("ratelimit")), (r#""hour";q=3;w=3600"#.to_owned(), r#""hour";r=0;t=1260"#.to_owned()));

    let app = scene.app.restart().await;
    let state = app.ctx.part::<Gate>().unwrap().limit_state(scene.key, app.ctx.clock.now_micros()).remove(0);
    assert_eq!((state.used, state.remaining, state.reset_after), (3, 0, 21 * 60));
    app.ctx.clock.advance(Duration::seconds(21 * 60 - 1));
    assert!(!call(&app, &scene.secret, 1).await, "the end of 13:00 is within the hour after 12:00's last");
    app.ctx.clock.advance(Duration::SECOND);
    assert!(call(&app, &scene.secret, 1).await && !call(&app, &scene.secret, 1).await, "only what was used at 12:00 is back");
    app.ctx.clock.advance(Duration::minutes(30));
    assert!(call(&app, &scene.secret, 1).await && !call(&app, &scene.secret, 1).await);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn long_windows_know_after_a_restart_what_was_used(db: PgPool) {
    let scene = Scene::with(db, Given::default()).await;
    let limits = ["day", "month"].map(|name| KeyLimit::new(name, 10, format!("rolling:{name}").parse().unwrap()));
    edit_key(&scene.app.ctx, &Caller::cli(), scene.key, KeyEdit { limits: Some(limits.to_vec()), ..KeyEdit::default() }).await.unwrap();
    assert!(call(&scene.app, &scene.secret, 2).await);
    scene.app.ctx.clock.advance(Duration::hours(20));
    assert!(call(&scene.app, &scene.secret, 3).await);
    let app = scene.app.restart().await;
    let used = || app.ctx.part::<Gate>().unwrap().limit_state(scene.key, app.ctx.clock.now_micros()).iter().map(|l| l.used).collect::<Vec<_>>();
    assert_eq!(used(), [5, 5]);
    app.ctx.clock.advance(Duration::hours(5));
    assert_eq!(used(), [3, 5], "25 hours after the first");
    app.ctx.clock.advance(Duration::hours(20));
    assert_eq!(used(), [0, 5]);
    app.ctx.clock.advance(Duration::days(31));
    assert_eq!(used(), [0, 0]);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn it_is_set_over_rest_and_told_as_it_was_set(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "operator").await;
    let (id, _) = mara.new_key(&app, "rolling").await;
    let path = format!("/api/v1/keys/{id}");
    let set = async |window: &str| {
        let limits = json!({ "limits": [{ "name": "shift", "limit": 5, "window": window }] });
        json(mara.call(&app, Method::PATCH, &path, Some(limits)).await).await
    };
    for window in ["rolling:90", "rolling:30", "rolling:2678460", "rolling:second", "rolling:"] {
        let (status, body) = set(window).await;
        assert!((400..=422).contains(&status), "{window} {status} {body}");
    }
    let (status, body) = set("rolling:28800").await;
    assert_eq!((status, &body["limits"][0]["window"]), (200, &json!("rolling:28800")), "{body}");
    assert_eq!(set("rolling:hour").await.1["limits"][0]["window"], "rolling:3600");
}

/// Ends one of two nodes; then the other counts alone, and takes over with its next question what it has leased.
async fn leaves(goes: TestApp, stays: &TestApp) {
    goes.stop().await;
    let gate = stays.ctx.part::<Gate>().unwrap();
    until("it counts alone", async || gate.counts_alone()).await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn several_nodes_share_a_rolling_hour(db: PgPool) {
    let secret = secret(&db, 20).await;
    sqlx::query("update key_limits set kind = 'rolling', window_seconds = 3600 where max_calls = 20").execute(&db).await.unwrap();
    let rows = async || sqlx::query_scalar::<_, i64>("select count(*) from rolling_leases").fetch_one(&db).await.unwrap();
    let a = TestApp::start(db.clone()).await;
    for _ in 0..7 {
        assert!(call(&a, &secret, 1).await);
    }
    assert_eq!(rows().await, 0, "alone it asks nobody");

    let b = TestApp::start(db.clone()).await;
    assert_eq!(exhaust(&[&a, &b], &secret).await, 13, "what the first counted alone counts");
    let granted: i64 = sqlx::query_scalar("select sum(part)::bigint from rolling_leases, unnest(parts) part").fetch_one(&db).await.unwrap();
    assert_eq!((rows().await, granted), (1, 20));
    for minutes in [59, 1] {
        [&a, &b].iter().for_each(|app| app.ctx.clock.advance(Duration::minutes(minutes)));
        assert_eq!(exhaust(&[&a, &b], &secret).await, 0, "within the hour");
    }
    [&a, &b].iter().for_each(|app| app.ctx.clock.advance(Duration::MINUTE));
    assert_eq!(exhaust(&[&a, &b], &secret).await, 20, "61 minutes after the first burst");

    leaves(a, &b).await;
    b.ctx.clock.advance(Duration::minutes(60));
    assert_eq!(exhaust(&[&b], &secret).await, 0);
    b.ctx.clock.advance(Duration::MINUTE);
    assert_eq!(exhaust(&[&b], &secret).await, 20, "who is left alone has all of it");
}

/// What the table says was given out of the only rolling limit, part by part, and which part is the last.
async fn row(db: &PgPool) -> (i64, Vec<i64>) {
    sqlx::query_as("select newest, parts from rolling_leases").fetch_one(db).await.unwrap()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_lone_node_counts_a_busy_limit_alone_again_without_waiting_for_its_window(db: PgPool) {
    let secret = secret(&db, 20).await;
    sqlx::query("update key_limits set kind = 'rolling', window_seconds = 3600 where max_calls = 20").execute(&db).await.unwrap();
    let (a, b) = (TestApp::start(db.clone()).await, TestApp::start(db.clone()).await);
    for _ in 0..4 {
        assert!(call(&a, &secret, 1).await && call(&b, &secret, 1).await);
    }
    [&a, &b].iter().for_each(|app| app.ctx.clock.advance(Duration::minutes(30)));
    assert!(call(&a, &secret, 1).await && call(&b, &secret, 1).await);
    leaves(b, &a).await;
    assert_eq!(exhaust(&[&a], &secret).await, 10, "what both used counts, what the other one held came back");

    // It asks nobody any more, though the limit was never idle: the row stays as it was taken over.
    let taken = row(&db).await;
    for (minutes, passes) in [(30, 0), (1, 8), (29, 0), (1, 12)] {
        a.ctx.clock.advance(Duration::minutes(minutes));
        assert_eq!(exhaust(&[&a], &secret).await, passes, "{minutes} minutes later");
    }
    assert_eq!(row(&db).await, taken);

    // Who comes then finds all of it, by its own clock or by that of the other.
    let c = TestApp::start(db.clone()).await;
    assert_eq!(exhaust(&[&a, &c], &secret).await, 0, "the new node's clock is an hour and a half behind");
    assert_eq!(row(&db).await.1.iter().sum::<i64>(), 20);
    let (behind, last) = (a.ctx.clock.now() - c.ctx.clock.now(), Duration::minutes(61));
    c.ctx.clock.advance(behind + last);
    a.ctx.clock.advance(last);
    assert_eq!(exhaust(&[&a, &c], &secret).await, 20);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_a_dead_node_held_counts_as_used_when_a_limit_is_taken_over(db: PgPool) {
    let secret = secret(&db, 20).await;
    sqlx::query("update key_limits set kind = 'rolling', window_seconds = 3600 where max_calls = 20").execute(&db).await.unwrap();
    let (a, b) = (TestApp::start(db.clone()).await, TestApp::start(db.clone()).await);
    for _ in 0..3 {
        assert!(call(&a, &secret, 1).await && call(&b, &secret, 1).await);
    }
    // As one leaves it that is killed with four units that it has not used.
    sqlx::query("update rolling_leases set parts[61] = parts[61] + 4").execute(&db).await.unwrap();
    leaves(b, &a).await;
    assert_eq!(exhaust(&[&a], &secret).await, 10);
    a.ctx.clock.advance(Duration::minutes(60));
    assert_eq!(exhaust(&[&a], &secret).await, 0);
    a.ctx.clock.advance(Duration::MINUTE);
    assert_eq!(exhaust(&[&a], &secret).await, 20, "then it is a window old");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_limit_that_was_taken_over_survives_a_restart(db: PgPool) {
    let secret = secret(&db, 20).await;
    sqlx::query("update key_limits set kind = 'rolling', window_seconds = 3600 where max_calls = 20").execute(&db).await.unwrap();
    let (a, b) = (TestApp::start(db.clone()).await, TestApp::start(db.clone()).await);
    assert!(call(&a, &secret, 3).await && call(&b, &secret, 3).await);
    leaves(b, &a).await;
    assert_eq!(exhaust(&[&a], &secret).await, 14);
    a.ctx.clock.advance(Duration::minutes(61));
    assert!(call(&a, &secret, 12).await, "counted alone: the row knows nothing of it");
    let a = a.restart().await;
    assert_eq!(exhaust(&[&a], &secret).await, 8, "usage does");
    a.ctx.clock.advance(Duration::minutes(61));
    assert_eq!(exhaust(&[&a], &secret).await, 20);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_node_whose_clock_is_behind_gives_nothing_twice(db: PgPool) {
    let secret = secret(&db, 20).await;
    sqlx::query("update key_limits set kind = 'rolling', window_seconds = 60 where max_calls = 20").execute(&db).await.unwrap();
    let (a, b) = (TestApp::start(db.clone()).await, TestApp::start(db.clone()).await);
    a.ctx.clock.advance(Duration::seconds(30));
    assert_eq!(exhaust(&[&a, &b], &secret).await, 20);
    b.ctx.clock.advance(Duration::seconds(61));
    assert_eq!(exhaust(&[&b], &secret).await, 0, "what was leased counts by the clock that is ahead");
    b.ctx.clock.advance(Duration::seconds(30));
    assert_eq!(exhaust(&[&b], &secret).await, 20);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_keys_of_a_workspace_roll_together(db: PgPool) {
    let scene = scene(db.clone(), 100).await;
    let ctx = &scene.app.ctx;
    let limits = vec![KeyLimit::new("all", 4, "rolling:hour".parse().unwrap())];
    tollgate::plans::server::set_workspace_limits(ctx, &Caller::cli(), scene.owner.workspace, limits).await.unwrap();
    let keys = [key(&db, &scene.app, &scene.owner, Given::default()).await, key(&db, &scene.app, &scene.owner, Given::default()).await];
    for (id, secret) in &keys {
        known(&scene.app, *id).await;
        assert!(call(&scene.app, secret, 1).await);
    }
    let app = scene.app.restart().await;
    let used = app.ctx.part::<Gate>().unwrap().limit_state(keys[0].0, app.ctx.clock.now_micros()).remove(0).used;
    assert_eq!(used, 2, "both are taken up");
    assert!(call(&app, &keys[0].1, 2).await && !call(&app, &keys[1].1, 1).await);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn rolling_leases_that_are_over_are_forgotten(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    for (name, ended) in [("old", 11), ("new", 9), ("present", -5)] {
        sqlx::query(
            "insert into rolling_leases (holder, name, window_seconds, newest, parts, ends_at) values ($1, $2, 3600, 1, array_fill(0::bigint, array[61]), $3)",
        )
        .bind(uuid::Uuid::nil())
        .bind(name)
        .bind(app.ctx.clock.now() - Duration::minutes(ended))
        .execute(&db)
        .await
        .unwrap();
    }
    ForgetLeases::default().run(&app.ctx).await.unwrap();
    let left: Vec<String> = sqlx::query_scalar("select name from rolling_leases order by name").fetch_all(&db).await.unwrap();
    assert_eq!(left, ["new", "present"]);
}
