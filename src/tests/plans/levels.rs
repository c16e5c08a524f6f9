//! Which level holds a key, and for whom it is counted.

use super::{answers, held, holds, limit, plan, sibling};
use crate::{
    gate::{Given, Scene, key},
    support::{TestApp, until},
};
use futures_util::future::join_all;
use serde_json::json;
use sqlx::PgPool;
use time::macros::datetime;
use tollgate::{
    accounts::Caller,
    keys::{
        model::{KeyEdit, KeyLimit, KeyQuery, Level, Window},
        server::{edit_key, gate::Gate, key_detail, show_keys},
    },
    plans::{
        model::PlanEdit,
        server::{assign_plan, delete_plan, edit_plan, set_api_limits, set_workspace_limits},
    },
};

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_nearest_level_that_has_any_limit_holds_the_key_whole(db: PgPool) {
    let scene = Scene::new(db.clone()).await;
    let (ctx, cli, key, workspace) = (&scene.app.ctx, Caller::cli(), scene.key, scene.owner.workspace);
    let other = TestApp::start(db).await;
    plan(ctx, "free", vec![limit("hour", 10, Window::HOUR)]).await;
    plan(ctx, "pro", vec![limit("day", 1_000, Window::DAY), limit("minute", 60, Window::MINUTE)]).await;
    plan(ctx, "label", vec![]).await;
    let level = async || key_detail(ctx, &cli, key).await.unwrap().level();
    assert_eq!((level().await, held(ctx, key)), (Level::Default, vec![("default".to_owned(), 100)]));

    set_api_limits(ctx, &cli, "demo", vec![limit("api", 50, Window::HOUR)]).await.unwrap();
    assert_eq!((level().await, held(ctx, key)), (Level::Api, vec![("api".to_owned(), 50)]), "at once on this node");
    holds(&other.ctx, key, "api", 50).await;

    assign_plan(ctx, &cli, workspace, Some("free")).await.unwrap();
    assert_eq!(level().await, Level::WorkspacePlan);
    holds(&other.ctx, key, "hour", 10).await;

    set_workspace_limits(ctx, &cli, workspace, vec![limit("own", 7, Window::DAY)]).await.unwrap();
    assert_eq!(level().await, Level::Workspace);
    holds(&other.ctx, key, "own", 7).await;

    let planned = |plan: Option<&str>| KeyEdit { plan: Some(plan.map(str::to_owned)), ..KeyEdit::default() };
    edit_key(ctx, &cli, key, planned(Some("pro"))).await.unwrap();
    assert_eq!((level().await, held(ctx, key)), (Level::KeyPlan, vec![("day".to_owned(), 1_000), ("minute".to_owned(), 60)]), "all of its limits");
    edit_key(ctx, &cli, key, planned(Some("label"))).await.unwrap();
    assert_eq!(level().await, Level::Workspace, "a plan without limits changes none");

    let own = KeyEdit { limits: Some(vec![limit("default", 3, Window::HOUR)]), ..KeyEdit::default() };
    edit_key(ctx, &cli, key, own).await.unwrap();
    assert_eq!(level().await, Level::Key);
    let why = key_detail(ctx, &cli, key).await.unwrap().why;
    let told: Vec<_> = why.iter().map(|l| (l.level, l.name.as_str(), l.limits.len(), l.is_in_force)).collect();
    assert_eq!(
        told,
        [
            (Level::Key, "", 1, true),
            (Level::KeyPlan, "LABEL", 0, false),
            (Level::Workspace, "Mara", 1, false),
            (Level::WorkspacePlan, "FREE", 1, false),
            (Level::Api, "Demo", 1, false),
            (Level::Default, "", 1, false),
        ]
    );

    // A changed plan reaches every node, and so do levels that are taken away.
    edit_key(ctx, &cli, key, KeyEdit { limits: Some(vec![]), plan: Some(Some("pro".into())), ..KeyEdit::default() }).await.unwrap();
    edit_plan(ctx, &cli, "pro", PlanEdit { limits: Some(vec![limit("day", 2_000, Window::DAY)]), ..PlanEdit::default() }).await.unwrap();
    holds(&other.ctx, key, "day", 2_000).await;
    edit_key(ctx, &cli, key, planned(None)).await.unwrap();
    set_workspace_limits(ctx, &cli, workspace, vec![]).await.unwrap();
    assign_plan(ctx, &cli, workspace, None).await.unwrap();
    set_api_limits(ctx, &cli, "demo", vec![]).await.unwrap();
    holds(&other.ctx, key, "default", 100).await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_form_of_a_new_key_says_what_will_hold_it_at_each_api(db: PgPool) {
    let scene = Scene::new(db.clone()).await;
    let (ctx, cli, workspace) = (&scene.app.ctx, Caller::cli(), scene.owner.workspace);
    let owner = scene.app.caller_in_a_browser(scene.owner.account).await;
    // The limits that the form names, and those that hold a key which is made then.
    let says = async || {
        let form = show_keys(ctx, &owner, KeyQuery::default(), true).await.unwrap().form.choices.unwrap();
        let of = |slug: &str| form.apis.iter().position(|api| api.slug.as_str() == slug).map(|at| form.limits[at].clone()).unwrap();
        let (made, _) = key(&db, &scene.app, &scene.owner, Given::default()).await;
        let detail = key_detail(ctx, &cli, made).await.unwrap();
        let level = detail.why.iter().find(|level| level.is_in_force).unwrap();
        let held = level.limits.iter().map(KeyLimit::words).collect::<Vec<_>>().join(", ");
        assert_eq!(of("demo"), if level.level.is_shared() { format!("{held} for all keys together") } else { held });
        (of("demo"), of("tollgate"))
    };
    let default = "100 units an hour".to_owned();
    assert_eq!(says().await, (default.clone(), default.clone()));
    set_api_limits(ctx, &cli, "demo", vec![limit("hour", 50, Window::HOUR), limit("day", 200, Window::DAY)]).await.unwrap();
    assert_eq!(says().await, ("200 units a day, 50 units an hour".to_owned(), default.clone()), "of the API");
    plan(ctx, "free", vec![limit("hour", 10, Window::HOUR)]).await;
    assign_plan(ctx, &cli, workspace, Some("free")).await.unwrap();
    assert_eq!(says().await, ("10 units an hour for all keys together".to_owned(), default.clone()), "Tollgate's own API is nobody's product");
    set_workspace_limits(ctx, &cli, workspace, vec![limit("own", 7, Window::DAY)]).await.unwrap();
    assert_eq!(says().await, ("7 units a day for all keys together".to_owned(), default));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_workspace_is_counted_with_all_its_keys_together(db: PgPool) {
    let scene = Scene::new(db.clone()).await;
    let (ctx, cli) = (&scene.app.ctx, Caller::cli());
    let (_, second) = sibling(&scene, &db).await;
    plan(ctx, "small", vec![limit("hour", 40, Window::HOUR), limit("day", 100, Window::DAY)]).await;
    assign_plan(ctx, &cli, scene.owner.workspace, Some("small")).await.unwrap();
    let asks = (0..120).map(|n| scene.ask(json!({ "key": if n % 2 == 0 { &scene.secret } else { &second } })));
    let all = join_all(asks).await;
    let count = |code: &str| all.iter().filter(|(_, body)| body["code"] == code).count();
    assert_eq!((count("VALID"), count("RATE_LIMITED")), (40, 80), "exactly, whichever key it is");
    assert_eq!(all.iter().find(|(_, body)| body["valid"] == true).unwrap().1["plan"], "small");

    // The counters live on when records are replaced, and when a new key comes.
    let (_, third) = sibling(&scene, &db).await;
    scene.execute("update keys set name = 'renamed' where id = $1").await;
    assert_eq!(answers(&scene, &third, 1, 1).await, ["RATE_LIMITED"]);
    ctx.clock.advance(time::Duration::HOUR);
    assert_eq!(answers(&scene, &third, 1, 40).await, ["VALID"]);
    ctx.clock.advance(time::Duration::HOUR);
    assert_eq!(answers(&scene, &second, 1, 21).await, ["QUOTA_EXCEEDED"], "80 of 100 are used today");
    assert_eq!(answers(&scene, &second, 2, 10).await, ["VALID", "VALID"]);
    let (_, over) = scene.ask(json!({ "key": scene.secret })).await;
    assert_eq!((over["code"].as_str(), over["retry_after"].as_u64()), (Some("QUOTA_EXCEEDED"), Some(10 * 3_600)));

    // A key for Tollgate's own API does not use it up, nor is held by it.
    let asked = scene.app.http.get(scene.app.url("/api/v1/keys")).bearer_auth(&scene.service).send().await.unwrap();
    assert_eq!(asked.headers()["ratelimit-policy"], "\"default\";q=100;w=3600");

    // A key with a plan of its own counts alone.
    plan(ctx, "alone", vec![limit("hour", 2, Window::HOUR)]).await;
    edit_key(ctx, &cli, scene.key, KeyEdit { plan: Some(Some("alone".into())), ..KeyEdit::default() }).await.unwrap();
    assert_eq!(answers(&scene, &scene.secret, 3, 1).await, ["VALID", "VALID", "RATE_LIMITED"]);
    assert_eq!(answers(&scene, &second, 1, 1).await, ["QUOTA_EXCEEDED"]);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_restart_resumes_shared_and_calendar_windows(db: PgPool) {
    let mut scene = Scene::new(db.clone()).await;
    let (_, second) = sibling(&scene, &db).await;
    scene.app.ctx.clock.set(datetime!(2026-11-29 23:00 UTC));
    plan(&scene.app.ctx, "monthly", vec![limit("month", 100, Window::Month)]).await;
    assign_plan(&scene.app.ctx, &Caller::cli(), scene.owner.workspace, Some("monthly")).await.unwrap();
    assert_eq!(answers(&scene, &scene.secret, 2, 20).await, ["VALID", "VALID"]);
    assert_eq!(answers(&scene, &second, 1, 30).await, ["VALID"]);

    let Scene { app, owner, service, key, secret } = scene;
    app.stop().await;
    let app = TestApp::start(db.clone()).await;
    // The test's clock begins at its start again; a month before its end the window is the same.
    scene = Scene { app, owner, service, key, secret };
    let state = scene.app.ctx.part::<Gate>().unwrap().limit_state(key, scene.app.ctx.clock.now_micros());
    assert_eq!((state[0].used, state[0].window, state[0].length), (70, Window::Month, 30 * 86_400));
    scene.app.ctx.clock.set(datetime!(2026-11-30 23:59:59 UTC));
    let (_, over) = scene.ask(json!({ "key": scene.secret, "cost": 31 })).await;
    assert_eq!((over["code"].as_str(), over["retry_after"].as_u64()), (Some("QUOTA_EXCEEDED"), Some(1)));
    assert_eq!(answers(&scene, &second, 1, 30).await, ["VALID"]);
    scene.app.ctx.clock.set(datetime!(2026-12-01 0:00 UTC));
    assert_eq!(answers(&scene, &second, 1, 100).await, ["VALID"], "another month");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_new_limit_counts_what_was_used_of_its_window_before(db: PgPool) {
    let scene = Scene::new(db.clone()).await;
    let ctx = &scene.app.ctx;
    assert_eq!(answers(&scene, &scene.secret, 2, 30).await, ["VALID", "VALID"]);
    until("the calls are written", || async {
        sqlx::query_scalar::<_, i64>("select coalesce(sum(cost), 0)::bigint from usage_quarters").fetch_one(&db).await.unwrap() >= 60
    })
    .await;
    let own = KeyEdit { limits: Some(vec![limit("day", 100, Window::DAY)]), ..KeyEdit::default() };
    edit_key(ctx, &Caller::cli(), scene.key, own).await.unwrap();
    assert_eq!(answers(&scene, &scene.secret, 1, 41).await, ["QUOTA_EXCEEDED"], "60 units of today were used before the limit was set");
    let more = KeyEdit { limits: Some(vec![limit("day", 110, Window::DAY), limit("hour", 70, Window::HOUR)]), ..KeyEdit::default() };
    edit_key(ctx, &Caller::cli(), scene.key, more).await.unwrap();
    let (_, body) = scene.ask(json!({ "key": scene.secret, "cost": 11 })).await;
    assert_eq!(
        body["limits"],
        json!([{ "name": "day", "limit": 110, "remaining": 50, "reset_after": 43_200 }, { "name": "hour", "limit": 70, "remaining": 10, "reset_after": 3_600 }])
    );
    assert_eq!(body["code"], "RATE_LIMITED", "the day would have had room");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn who_joins_a_shared_counter_brings_what_was_used_and_so_does_a_plan_that_comes_back(db: PgPool) {
    let scene = Scene::new(db.clone()).await;
    let (ctx, cli, workspace) = (&scene.app.ctx, Caller::cli(), scene.owner.workspace);
    let (second, other) = sibling(&scene, &db).await;
    let used = || ctx.part::<Gate>().unwrap().limit_state(second, ctx.clock.now_micros())[0].used;
    let written = async |units: i64| {
        until("the calls are written", || async {
            sqlx::query_scalar::<_, i64>("select coalesce(sum(cost), 0)::bigint from usage_by_day('-infinity', 'infinity')").fetch_one(&db).await.unwrap()
                >= units
        })
        .await;
    };
    plan(ctx, "small", vec![limit("day", 100, Window::DAY)]).await;
    plan(ctx, "big", vec![limit("big", 1_000, Window::DAY)]).await;
    let own = |limits| KeyEdit { limits: Some(limits), ..KeyEdit::default() };
    edit_key(ctx, &cli, scene.key, own(vec![limit("own", 1_000, Window::DAY)])).await.unwrap();
    assert_eq!((answers(&scene, &scene.secret, 1, 30).await, answers(&scene, &other, 1, 20).await), (vec!["VALID".to_owned()], vec!["VALID".to_owned()]));
    written(50).await;
    assign_plan(ctx, &cli, workspace, Some("small")).await.unwrap();
    assert_eq!(used(), 20, "the first key counts alone");
    edit_key(ctx, &cli, scene.key, own(vec![])).await.unwrap();
    assert_eq!(used(), 50, "it joins with its 30");

    assign_plan(ctx, &cli, workspace, Some("big")).await.unwrap();
    assert_eq!(answers(&scene, &other, 1, 60).await, ["VALID"]);
    written(110).await;
    assign_plan(ctx, &cli, workspace, Some("small")).await.unwrap();
    assert_eq!(used(), 110, "more than it allows, as after a restart");
    assert_eq!(answers(&scene, &other, 1, 1).await, ["QUOTA_EXCEEDED"]);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_refusal_names_every_limit_that_it_would_have_broken(db: PgPool) {
    let scene = Scene::new(db).await;
    let limits = vec![limit("burst", 5, Window::MINUTE), limit("day", 6, Window::DAY), limit("month", 1_000, Window::Month)];
    edit_key(&scene.app.ctx, &Caller::cli(), scene.key, KeyEdit { limits: Some(limits), ..KeyEdit::default() }).await.unwrap();
    let ask = |cost: u32| scene.app.http.get(scene.app.url(&format!("/forward-auth/demo?cost={cost}"))).bearer_auth(&scene.secret).send();
    let passed = ask(4).await.unwrap();
    assert_eq!(passed.headers()["ratelimit-policy"], "\"burst\";q=5;w=60,\"day\";q=6;w=86400,\"month\";q=1000;w=2592000", "November has 30 days");
    assert_eq!(passed.headers()["x-key-plan"], "default");
    let refused = ask(2).await.unwrap();
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (429, "60"));
    let body: serde_json::Value = refused.json().await.unwrap();
    assert_eq!((&body["code"], &body["violated-policies"]), (&json!("RATE_LIMITED"), &json!(["burst"])));
    let refused = ask(3).await.unwrap();
    let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((43_200..43_260).contains(&wait), "not before the last of them renews, and not all keys in one second: {wait}");
    let body: serde_json::Value = refused.json().await.unwrap();
    assert_eq!((&body["code"], &body["violated-policies"]), (&json!("QUOTA_EXCEEDED"), &json!(["burst", "day"])));
    assert_eq!(ask(1).await.unwrap().status(), 200, "refused calls charged nothing");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn keys_of_one_plan_share_what_it_allows(db: PgPool) {
    let scene = Scene::new(db.clone()).await;
    let (ctx, cli, key) = (&scene.app.ctx, Caller::cli(), scene.key);
    let (second, _) = sibling(&scene, &db).await;
    // The follower reads what this node has read already, and holds it for a moment.
    let keeps = async |many: usize, why: &str| until(why, || async { ctx.part::<Gate>().unwrap().shared_limits() == many }).await;
    keeps(0, "nothing is shared").await;
    plan(ctx, "pro", vec![limit("day", 1_000, Window::DAY), limit("minute", 60, Window::MINUTE)]).await;
    let planned = |plan: Option<&str>| KeyEdit { plan: Some(plan.map(str::to_owned)), ..KeyEdit::default() };
    for id in [key, second] {
        edit_key(ctx, &cli, id, planned(Some("pro"))).await.unwrap();
    }
    assert_eq!((held(ctx, key).len(), held(ctx, second).len()), (2, 2));
    keeps(2, "two limits for both keys").await;
    edit_plan(ctx, &cli, "pro", PlanEdit { limits: Some(vec![limit("day", 900, Window::DAY)]), ..PlanEdit::default() }).await.unwrap();
    assert_eq!(held(ctx, key), held(ctx, second));
    keeps(1, "also when the plan changes").await;

    let own = KeyEdit { limits: Some(vec![limit("day", 900, Window::DAY)]), plan: Some(None), ..KeyEdit::default() };
    edit_key(ctx, &cli, second, own).await.unwrap();
    keeps(1, "a key's own limits are not among them, though they say the same").await;
    edit_key(ctx, &cli, key, planned(None)).await.unwrap();
    keeps(1, "what a plan gives is known as long as there is the plan").await;
    delete_plan(ctx, &cli, "pro").await.unwrap();
    keeps(0, "with the plan it goes").await;
}
