//! A change of what many keys share holds for all of them at once: no key is read, what was counted goes on, and nodes confirm it.

use super::{Given, Scene, key, known, owner};
use crate::{
    plans::{limit, plan},
    support::{TestApp, until},
};
use sqlx::{AssertSqlSafe, PgPool};
use tokio::time::Instant;
use tollgate::{
    accounts::Caller,
    keys::{
        model::{Level, Window},
        server::{
            gate::{Gate, Question},
            nodes::spread_of_holders,
        },
    },
    plans::server::{assign_plan, set_api_limits, set_workspace_limits},
    values::KeyId,
};
use uuid::Uuid;

async fn execute(db: &PgPool, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(db).await.unwrap();
}

/// From now on rows of keys say "disabled", without a word to the nodes: who reads one shows it.
async fn hide(db: &PgPool) {
    let mut tx = db.begin().await.unwrap();
    sqlx::query("set local session_replication_role = replica").execute(&mut *tx).await.unwrap();
    sqlx::query("update keys set state = 'disabled'").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
}

/// What holds the key: the level, the name of each limit, how much it allows and what is used of it.
fn held(app: &TestApp, key: KeyId) -> (Option<Level>, Vec<(String, u64, u64)>) {
    let gate = app.ctx.part::<Gate>().unwrap();
    let limits = gate.limit_state(key, app.ctx.clock.now_micros());
    (gate.level(key), limits.into_iter().map(|limit| (limit.name.to_string(), limit.limit, limit.used)).collect())
}

fn one(level: Level, name: &str, max: u64, used: u64) -> (Option<Level>, Vec<(String, u64, u64)>) {
    (Some(level), vec![(name.to_owned(), max, used)])
}

async fn holds(app: &TestApp, key: KeyId, expected: (Option<Level>, Vec<(String, u64, u64)>)) {
    until(&format!("{expected:?}"), || async { held(app, key) == expected }).await;
}

fn outcome(app: &TestApp, secret: &str) -> String {
    let question = Question { secret, cost: Some(0), ..Question::default() };
    app.ctx.part::<Gate>().unwrap().verify(question).unwrap().outcome.to_string()
}

const MARA: &str = "(select w.id from workspaces w join accounts a on a.id = w.personal_of where a.email = 'mara@example.com')";

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_change_of_each_level_reaches_the_keys_below_without_reading_one(db: PgPool) {
    let Scene { app, key, secret, .. } = Scene::new(db.clone()).await;
    execute(
        &db,
        &format!(
            "insert into plans (id, slug, name, created_at, updated_at)
               select gen_random_uuid(), slug, slug, now(), now() from unnest('{{key,shop,group}}'::text[]) slug;
             insert into groups (id, slug, name, plan_id, created_at, updated_at)
               select gen_random_uuid(), 'partners', 'P', id, now(), now() from plans where slug = 'group';
             insert into group_members (workspace_id, group_id, added_at) select {MARA}, id, now() from groups;
             insert into workspace_plans (workspace_id, plan_id, assigned_at) select {MARA}, id, now() from plans where slug = 'shop';
             update keys set plan_id = (select id from plans where slug = 'key') where id = '{}'",
            key.uuid(),
        ),
    )
    .await;
    app.stop().await;
    // Nothing of all this is to be read any more.
    let nodes = [TestApp::start(db.clone()).await, TestApp::start(db.clone()).await];
    hide(&db).await;

    // From the furthest to the nearest, which then takes its limits back; those of a workspace are another matter.
    let of_plan = |slug: &str| format!("plan_limits (plan_id, name, max_calls, window_seconds) select id, 'hour', $, 3600 from plans where slug = '{slug}'");
    let levels = [
        (Level::Api, "api_limits (api_id, name, max_calls, window_seconds) select id, 'hour', $, 3600 from apis where slug = 'demo'".to_owned()),
        (Level::GroupPlan, of_plan("group")),
        (Level::WorkspacePlan, of_plan("shop")),
        (Level::Group, "group_limits (group_id, name, max_calls, window_seconds) select id, 'hour', $, 3600 from groups".to_owned()),
        (Level::KeyPlan, of_plan("key")),
    ];
    for (n, (level, insert)) in (50..).zip(&levels) {
        execute(&db, &format!("insert into {}", insert.replace('$', &n.to_string()))).await;
        for app in &nodes {
            holds(app, key, one(*level, "hour", n, 0)).await;
        }
        let table = insert.split(' ').next().unwrap();
        execute(&db, &format!("update {table} set max_calls = {} where max_calls = {n}", n + 100)).await;
        for app in &nodes {
            holds(app, key, one(*level, "hour", n + 100, 0)).await;
        }
    }
    for (sql, expected) in [
        ("delete from plan_limits", one(Level::Group, "hour", 153, 0)),
        ("delete from group_limits; update groups set plan_id = (select id from plans where slug = 'shop')", one(Level::Api, "hour", 150, 0)),
        ("delete from api_limits", one(Level::Default, "default", 100, 0)),
    ] {
        execute(&db, sql).await;
        for app in &nodes {
            holds(app, key, expected.clone()).await;
        }
    }
    assert_eq!(nodes.each_ref().map(|app| outcome(app, &secret)), ["VALID", "VALID"], "its row was never read");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_was_counted_goes_on_under_another_limit(db: PgPool) {
    let scene = Scene::new(db.clone()).await;
    let (app, cli) = (&scene.app, Caller::cli());
    let hour = |max| limit("hour", max, Window::HOUR);
    set_api_limits(&app.ctx, &cli, "demo", vec![hour(5)]).await.unwrap();
    assert_eq!(held(app, scene.key), one(Level::Api, "hour", 5, 0));
    assert_eq!([scene.code().await, scene.code().await, scene.code().await], ["VALID"; 3]);
    set_api_limits(&app.ctx, &cli, "demo", vec![hour(4)]).await.unwrap();
    assert_eq!(held(app, scene.key), one(Level::Api, "hour", 4, 3));
    assert_eq!([scene.code().await, scene.code().await], ["VALID", "RATE_LIMITED"]);
    set_api_limits(&app.ctx, &cli, "demo", vec![hour(6)]).await.unwrap();
    assert_eq!(held(app, scene.key), one(Level::Api, "hour", 6, 4));

    // One that is new counts what was used before it.
    until("the calls are written", || async {
        let used = sqlx::query_scalar::<_, i64>(
            "select coalesce(sum(cost), 0)::bigint from usage_by_day('-infinity', 'infinity') where outcome = 'VALID' and key_id = $1",
        );
        used.bind(scene.key.uuid()).fetch_one(&db).await.unwrap() >= 4
    })
    .await;
    set_api_limits(&app.ctx, &cli, "demo", vec![hour(6), limit("day", 5, Window::DAY)]).await.unwrap();
    assert_eq!(held(app, scene.key), (Some(Level::Api), vec![("day".to_owned(), 5, 4), ("hour".to_owned(), 6, 4)]));
    assert_eq!([scene.code().await, scene.code().await], ["VALID", "QUOTA_EXCEEDED"]);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn nodes_confirm_a_change_of_an_apis_default_when_it_holds_for_its_keys(db: PgPool) {
    let scene = Scene::new(db.clone()).await;
    let other = TestApp::start(db.clone()).await;
    let api: Uuid = sqlx::query_scalar("select id from apis where slug = 'demo'").fetch_one(&db).await.unwrap();
    for max in [7_i64, 0, 9, 0] {
        let since = Instant::now();
        sqlx::query(
            "insert into api_limits (api_id, name, max_calls, window_seconds) values ($1, 'default', $2, 3600) on conflict (api_id, name) do update set max_calls = $2",
        )
        .bind(api)
        .bind(max)
        .execute(&db)
        .await
        .unwrap();
        let spread = spread_of_holders(&scene.app.ctx, &[api], since).await;
        assert_eq!((spread.nodes, spread.confirmed, spread.is_whole()), (2, 2, true));
        for app in [&scene.app, &other] {
            assert_eq!(held(app, scene.key).1[0].1, u64::try_from(max).unwrap(), "at once, wherever it is asked");
        }
    }
    assert_eq!(scene.code().await, "RATE_LIMITED", "nothing passes");
}

/// More keys than are read for a change of their workspace.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn keys_of_a_large_workspace_are_moved_without_reading_them(db: PgPool) {
    let scene = Scene::new(db.clone()).await;
    let app = &scene.app;
    let stranger = owner(app, "ilse@example.com", "developer").await;
    let (theirs, _) = key(&db, app, &stranger, Given::default()).await;
    let (alone, _) = key(&db, app, &scene.owner, Given { limit: Some((3, 3_600)), ..Given::default() }).await;
    known(app, theirs).await;
    known(app, alone).await;
    execute(
        &db,
        &format!(
            "insert into keys (id, workspace_id, api_id, name, permissions, created_at, updated_at)
             select gen_random_uuid(), {MARA}, a.id, 'k' || n, '{{}}', now(), now() from apis a, generate_series(1, 1100) n where a.slug = 'demo'"
        ),
    )
    .await;
    let gate = app.ctx.part::<Gate>().unwrap();
    until("all are known", || async { gate.len() >= 1_100 + 4 }).await;
    let keys: Vec<Uuid> = sqlx::query_scalar("select id from keys where name ~ '^k[0-9]+$'").fetch_all(&db).await.unwrap();
    hide(&db).await;

    let (ctx, cli, workspace) = (&app.ctx, Caller::cli(), scene.owner.workspace);
    let all = |expected: (Option<Level>, Vec<(String, u64, u64)>)| keys.iter().for_each(|key| assert_eq!(held(app, KeyId::new(*key)), expected));
    plan(ctx, "big", vec![limit("hour", 9, Window::HOUR)]).await;
    assign_plan(ctx, &cli, workspace, Some("big")).await.unwrap();
    all(one(Level::WorkspacePlan, "hour", 9, 0));
    assert_eq!(scene.code().await, "VALID", "its row was not read");
    all(one(Level::WorkspacePlan, "hour", 9, 1));
    assert_eq!((held(app, alone), held(app, theirs)), (one(Level::Key, "default", 3, 0), one(Level::Default, "default", 100, 0)));
    let answer = gate.verify(Question { secret: &scene.secret, cost: Some(0), ..Question::default() }).unwrap();
    assert_eq!(answer.facts().unwrap().plan(), "big");

    let own = |max| vec![limit("hour", max, Window::HOUR)];
    set_workspace_limits(ctx, &cli, workspace, own(4)).await.unwrap();
    all(one(Level::Workspace, "hour", 4, 1));
    set_workspace_limits(ctx, &cli, workspace, own(2)).await.unwrap();
    all(one(Level::Workspace, "hour", 2, 1));
    assert_eq!([scene.code().await, scene.code().await], ["VALID", "RATE_LIMITED"]);
    set_workspace_limits(ctx, &cli, workspace, vec![]).await.unwrap();
    all(one(Level::WorkspacePlan, "hour", 9, 2));
    assign_plan(ctx, &cli, workspace, None).await.unwrap();
    all(one(Level::Default, "default", 100, 0));
}
