//! Groups: where they stand among the levels, for whom they count, who is in them, and what operators do about it.

use super::{answers, held, holds, limit, plan, sibling};
use crate::{
    gate::{Given, Scene, key, known, owner},
    keys::events,
    support::TestApp,
};
use sqlx::PgPool;
use tollgate::{
    accounts::{Caller, Via, server::caller_of_account},
    error::AppError,
    keys::{
        model::{Level, Window},
        server::key_detail,
    },
    plans::{
        model::{Group, GroupEdit, NewGroup, PlanEdit},
        server::{
            add_member, assign_plan, create_group, delete_group, delete_plan, dry_run_group, edit_group, edit_plan, find_plan, list_groups, list_members,
            remove_member, set_api_limits, workspace_hold,
        },
    },
    platform::Ctx,
};

/// A group made by the operation, on the command line's word.
async fn group(ctx: &Ctx, slug: &str, plan: Option<&str>) -> Group {
    let new = NewGroup { slug: slug.to_owned(), name: slug.to_uppercase(), plan: plan.map(str::to_owned), ..NewGroup::default() };
    create_group(ctx, &Caller::cli(), new).await.unwrap()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_groups_limits_stand_before_the_workspaces_plan_and_its_plan_behind_it(db: PgPool) {
    let scene = Scene::new(db.clone()).await;
    let (ctx, cli, key, workspace) = (&scene.app.ctx, Caller::cli(), scene.key, scene.owner.workspace);
    let other = TestApp::start(db).await;
    plan(ctx, "free", vec![limit("hour", 10, Window::HOUR)]).await;
    plan(ctx, "pro", vec![limit("day", 1_000, Window::DAY)]).await;
    let level = async || key_detail(ctx, &cli, key).await.unwrap().level();
    set_api_limits(ctx, &cli, "demo", vec![limit("api", 50, Window::HOUR)]).await.unwrap();
    group(ctx, "partners", Some("free")).await;
    assert_eq!(level().await, Level::Api, "nobody is in it yet");
    assert_eq!(key_detail(ctx, &cli, key).await.unwrap().why.len(), 6, "who is in no group reads nothing of groups");

    add_member(ctx, &cli, "partners", workspace).await.unwrap();
    assert_eq!((level().await, held(ctx, key)), (Level::GroupPlan, vec![("hour".to_owned(), 10)]), "at once on this node");
    holds(&other.ctx, key, "hour", 10).await;
    let (_, body) = scene.ask(serde_json::json!({ "key": scene.secret })).await;
    assert_eq!(body["plan"], "free", "its plan is told");

    let own = GroupEdit { limits: Some(vec![limit("own", 7, Window::DAY)]), ..GroupEdit::default() };
    edit_group(ctx, &cli, "partners", own).await.unwrap();
    assert_eq!(level().await, Level::Group);
    holds(&other.ctx, key, "own", 7).await;

    assign_plan(ctx, &cli, workspace, Some("pro")).await.unwrap();
    assert_eq!(level().await, Level::Group, "what is the group's own is nearer than any plan of a workspace");
    let why = key_detail(ctx, &cli, key).await.unwrap().why;
    let told: Vec<_> = why.iter().map(|l| (l.level, l.name.as_str(), l.limits.len())).filter(|l| l.0 >= Level::Group).collect();
    let expected =
        [(Level::Group, "PARTNERS", 1), (Level::WorkspacePlan, "PRO", 1), (Level::GroupPlan, "FREE", 1), (Level::Api, "Demo", 1), (Level::Default, "", 1)];
    assert_eq!(told, expected);

    // A changed plan reaches every node through the group, and so does leaving it.
    edit_group(ctx, &cli, "partners", GroupEdit { limits: Some(vec![]), ..GroupEdit::default() }).await.unwrap();
    assert_eq!(level().await, Level::WorkspacePlan, "nearer than the plan of the group");
    holds(&other.ctx, key, "day", 1_000).await;
    assign_plan(ctx, &cli, workspace, None).await.unwrap();
    edit_group(ctx, &cli, "partners", GroupEdit { limits: Some(vec![]), ..GroupEdit::default() }).await.unwrap();
    edit_plan(ctx, &cli, "free", PlanEdit { limits: Some(vec![limit("hour", 20, Window::HOUR)]), ..PlanEdit::default() }).await.unwrap();
    holds(&other.ctx, key, "hour", 20).await;
    edit_group(ctx, &cli, "partners", GroupEdit { plan: Some(None), ..GroupEdit::default() }).await.unwrap();
    holds(&other.ctx, key, "api", 50).await;
    edit_group(ctx, &cli, "partners", GroupEdit { plan: Some(Some("pro".into())), ..GroupEdit::default() }).await.unwrap();
    holds(&other.ctx, key, "day", 1_000).await;
    remove_member(ctx, &cli, "partners", workspace).await.unwrap();
    assert_eq!(held(ctx, key), [("api".to_owned(), 50)]);
    holds(&other.ctx, key, "api", 50).await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn each_workspace_of_a_group_is_counted_by_itself_with_all_its_keys(db: PgPool) {
    let scene = Scene::new(db.clone()).await;
    let (app, cli) = (&scene.app, Caller::cli());
    let (_, second) = sibling(&scene, &db).await;
    let stranger = owner(app, "ilse@example.com", "developer").await;
    let (theirs, their_secret) = key(&db, app, &stranger, Given::default()).await;
    known(app, theirs).await;
    group(&app.ctx, "partners", None).await;
    for workspace in [scene.owner.workspace, stranger.workspace] {
        add_member(&app.ctx, &cli, "partners", workspace).await.unwrap();
    }
    let limits = GroupEdit { limits: Some(vec![limit("hour", 5, Window::HOUR)]), ..GroupEdit::default() };
    edit_group(&app.ctx, &cli, "partners", limits).await.unwrap();
    assert_eq!(answers(&scene, &scene.secret, 3, 1).await, ["VALID"; 3]);
    assert_eq!(answers(&scene, &second, 3, 1).await, ["VALID", "VALID", "RATE_LIMITED"], "together with the first key");
    assert_eq!(answers(&scene, &their_secret, 6, 1).await.last().unwrap(), "RATE_LIMITED", "five of its own");
    assert_eq!(answers(&scene, &scene.secret, 1, 1).await, ["RATE_LIMITED"]);
    // A key for Tollgate's own API is not held by its workspace's group.
    let asked = app.http.get(app.url("/api/v1/keys")).bearer_auth(&scene.service).send().await.unwrap();
    assert_eq!(asked.headers()["ratelimit-policy"], "\"default\";q=100;w=3600");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_workspace_is_in_one_group_at_most(db: PgPool) {
    let scene = Scene::new(db.clone()).await;
    let (ctx, cli, workspace) = (&scene.app.ctx, Caller::cli(), scene.owner.workspace);
    group(ctx, "partners", None).await;
    group(ctx, "testers", None).await;
    let (one, other) = tokio::join!(add_member(ctx, &cli, "partners", workspace), add_member(ctx, &cli, "testers", workspace));
    let (into, refused) = if one.is_ok() { ("partners", other) } else { ("testers", one) };
    let error = refused.unwrap_err().to_string();
    assert_eq!(error, format!("Mara is in the group {0}, and a workspace is in one group at most. Take it out of {0} first.", into.to_uppercase()));
    add_member(ctx, &cli, into, workspace).await.unwrap();
    assert_eq!(events(&db, "workspace.grouped").await, 1, "twice is once");
    assert_eq!(workspace_hold(ctx, &cli, workspace).await.unwrap().group.map(String::from), Some(into.to_owned()));

    let stuck = delete_group(ctx, &cli, into).await.unwrap_err();
    assert_eq!(stuck.to_string(), "1 workspace is in this group. Take them out first.");
    for _ in 0..2 {
        remove_member(ctx, &cli, into, workspace).await.unwrap();
    }
    assert_eq!(events(&db, "workspace.ungrouped").await, 1);
    delete_group(ctx, &cli, into).await.unwrap();
    assert_eq!(delete_group(ctx, &cli, into).await.unwrap_err(), AppError::NotFound);
    assert_eq!(add_member(ctx, &cli, into, workspace).await.unwrap_err(), AppError::NotFound);
    assert_eq!(add_member(ctx, &cli, "nobody", ctx.new_id()).await.unwrap_err(), AppError::NotFound);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_is_wrong_with_a_group_is_named_and_its_plan_stays(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (ctx, cli) = (&app.ctx, Caller::cli());
    let wrong = NewGroup { slug: "Partners!".into(), name: " ".into(), description: "x".repeat(401), ..NewGroup::default() };
    let error = create_group(ctx, &cli, wrong).await.unwrap_err();
    assert!(["slug", "name", "description"].iter().all(|field| error.field(field).is_some()), "{error:?}");
    plan(ctx, "pro", vec![]).await;
    group(ctx, "partners", Some("pro")).await;
    let new = |plan: &str| NewGroup { slug: "partners".into(), name: "P".into(), plan: Some(plan.into()), ..NewGroup::default() };
    assert!(create_group(ctx, &cli, new("gold")).await.unwrap_err().field("plan").is_some());
    assert!(create_group(ctx, &cli, new("pro")).await.unwrap_err().field("slug").is_some(), "taken");
    assert_eq!(find_plan(ctx, &cli, "pro").await.unwrap().groups, 1);
    assert_eq!(delete_plan(ctx, &cli, "pro").await.unwrap_err().to_string(), "1 group, 0 workspaces and 0 keys have this plan. Assign them another one first.");
    for _ in 0..2 {
        edit_group(ctx, &cli, "partners", GroupEdit { plan: Some(None), ..GroupEdit::default() }).await.unwrap();
    }
    assert_eq!(events(&db, "group.changed").await, 1);
    delete_plan(ctx, &cli, "pro").await.unwrap();

    let person = owner(&app, "dev@example.com", "developer").await;
    let caller = caller_of_account(ctx, person.account, Via::Cli).await.unwrap().unwrap();
    let refused = [
        list_groups(ctx, &caller).await.err(),
        create_group(ctx, &caller, NewGroup::default()).await.err(),
        edit_group(ctx, &caller, "partners", GroupEdit::default()).await.err(),
        delete_group(ctx, &caller, "partners").await.err(),
        add_member(ctx, &caller, "partners", person.workspace).await.err(),
        remove_member(ctx, &caller, "partners", person.workspace).await.err(),
        list_members(ctx, &caller, "partners", None, 10).await.err(),
        dry_run_group(ctx, &caller, "partners").await.err(),
    ];
    for error in refused {
        assert!(matches!(error, Some(AppError::Forbidden { .. })), "{error:?}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_dry_run_of_a_group_looks_at_those_whom_it_holds(db: PgPool) {
    let scene = Scene::new(db.clone()).await;
    let (app, cli) = (&scene.app, Caller::cli());
    let ctx = &app.ctx;
    let mut keys = vec![(scene.key, scene.owner.workspace)];
    for email in ["planned@example.com", "outside@example.com"] {
        let person = owner(app, email, "developer").await;
        keys.push((key(&db, app, &person, Given::default()).await.0, person.workspace));
    }
    for (key, _) in &keys {
        let used = "insert into usage_quarters (key_id, quarter, route, outcome, workspace_id, api_id, count, cost)
             select id, '2026-11-10 09:00Z', '-', 'VALID', workspace_id, api_id, 30, 30 from keys where id = $1";
        sqlx::query(used).bind(key.uuid()).execute(&db).await.unwrap();
    }
    plan(ctx, "hourly", vec![limit("hour", 20, Window::HOUR)]).await;
    group(ctx, "partners", Some("hourly")).await;
    for (_, workspace) in &keys[..2] {
        add_member(ctx, &cli, "partners", *workspace).await.unwrap();
    }
    assert_eq!(dry_run_group(ctx, &cli, "partners").await.unwrap().count, 2, "its members, by its plan");
    assign_plan(ctx, &cli, keys[1].1, Some("hourly")).await.unwrap();
    let run = dry_run_group(ctx, &cli, "partners").await.unwrap();
    assert_eq!((run.count, run.limited[0].workspace, run.limited[0].beyond), (1, scene.owner.workspace, 10), "a plan of its own holds the second");
    let own = GroupEdit { limits: Some(vec![limit("hour", 100, Window::HOUR)]), ..GroupEdit::default() };
    edit_group(ctx, &cli, "partners", own).await.unwrap();
    assert_eq!(dry_run_group(ctx, &cli, "partners").await.unwrap().count, 0, "its own limits stand before its plan's");
    let own = GroupEdit { limits: Some(vec![limit("hour", 10, Window::HOUR)]), ..GroupEdit::default() };
    edit_group(ctx, &cli, "partners", own).await.unwrap();
    assert_eq!(dry_run_group(ctx, &cli, "partners").await.unwrap().count, 2, "and before the plans of its workspaces");
    let first = list_members(ctx, &cli, "partners", None, 1).await.unwrap();
    let second = list_members(ctx, &cli, "partners", first.next, 1).await.unwrap();
    assert_eq!((first.rows.len(), second.rows.len(), second.next), (1, 1, None));
    assert_ne!(first.rows[0].workspace, second.rows[0].workspace);
}
