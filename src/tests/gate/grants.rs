//! Permissions that need a grant: what nobody grants is withheld from keys that have it, on every node, without reading a key.

use super::{Given, Scene, key, known, owner};
use crate::{
    plans::plan,
    support::{TestApp, until},
};
use serde_json::json;
use sqlx::{AssertSqlSafe, PgPool};
use tollgate::{
    accounts::Caller,
    keys::{
        model::{ApiEdit, Unmatched},
        server::{
            edit_api,
            gate::{Gate, Question},
        },
    },
    plans::{
        model::PlanEdit,
        server::{assign_plan, edit_plan, set_workspace_grants},
    },
    platform::Ctx,
};

async fn execute(db: &PgPool, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(db).await.unwrap();
}

/// Rows of keys say "disabled" from now on, without a word to the nodes: who reads one shows it.
async fn hide(db: &PgPool) {
    let mut tx = db.begin().await.unwrap();
    sqlx::query("set local session_replication_role = replica").execute(&mut *tx).await.unwrap();
    sqlx::query("update keys set state = 'disabled'").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
}

async fn need(ctx: &Ctx, permission: &str, needs_grant: bool) {
    let edit = ApiEdit { needs_grant: vec![(permission.to_owned(), needs_grant)], ..ApiEdit::default() };
    assert!(edit_api(ctx, &Caller::cli(), "demo", edit).await.unwrap().spread.is_whole());
}

async fn grant(ctx: &Ctx, plan: &str, grants: &[&str]) {
    let grants = grants.iter().map(|grant| (*grant).to_owned()).collect();
    edit_plan(ctx, &Caller::cli(), plan, PlanEdit { grants: Some(grants), ..PlanEdit::default() }).await.unwrap();
}

fn outcome(app: &TestApp, secret: &str, permission: &str) -> String {
    let question = Question { secret, permission: Some(permission), cost: Some(0), ..Question::default() };
    app.ctx.part::<Gate>().unwrap().verify(question).unwrap().outcome.to_string()
}

/// What the gate tells a service that the key may.
fn told(app: &TestApp, secret: &str) -> Option<Vec<String>> {
    let answer = app.ctx.part::<Gate>().unwrap().verify(Question { secret, cost: Some(0), ..Question::default() }).unwrap();
    answer.facts().map(|facts| facts.permissions().iter().map(ToString::to_string).collect())
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_grant_that_goes_takes_the_permission_on_every_node_without_reading_a_key(db: PgPool) {
    let scene = Scene::with(db.clone(), Given { permissions: &["orders:read", "orders:write"], ..Given::default() }).await;
    let other = TestApp::start(db.clone()).await;
    let both = |scene: &Scene, other: &TestApp, permission: &str| [&scene.app, other].map(|app| outcome(app, &scene.secret, permission));
    assert_eq!(both(&scene, &other, "orders:write"), ["VALID", "VALID"]);
    need(&scene.app.ctx, "orders:write", true).await;
    assert_eq!(both(&scene, &other, "orders:write"), ["FORBIDDEN", "FORBIDDEN"]);
    assert_eq!(both(&scene, &other, "orders:read"), ["VALID", "VALID"]);
    plan(&scene.app.ctx, "pro", vec![]).await;
    grant(&scene.app.ctx, "pro", &["demo/orders:write"]).await;
    assign_plan(&scene.app.ctx, &Caller::cli(), scene.owner.workspace, Some("pro")).await.unwrap();
    assert_eq!(both(&scene, &other, "orders:write"), ["VALID", "VALID"]);

    // Whose workspace got a plan is read; nothing is to be read any more.
    let Scene { app, owner, service, key, secret } = scene;
    app.stop().await;
    other.stop().await;
    let scene = Scene { app: TestApp::start(db.clone()).await, owner, service, key, secret };
    let other = TestApp::start(db.clone()).await;
    let ctx = &scene.app.ctx;
    let on_both = |permission: &str| both(&scene, &other, permission);
    hide(&db).await;
    grant(ctx, "pro", &[]).await;
    assert_eq!(on_both("orders:write"), ["FORBIDDEN", "FORBIDDEN"], "when it is answered");
    assert_eq!(on_both("orders:read"), ["VALID", "VALID"]);
    let (_, body) = scene.ask(json!({ "key": scene.secret, "permission": "orders:write" })).await;
    assert_eq!(body["code"], "FORBIDDEN");
    assert_eq!(body["detail"], "This call needs orders:write, which takes a grant. The plan pro does not grant it, nor do the key's workspace and its group.");
    let (_, body) = scene.ask(json!({ "key": scene.secret })).await;
    assert_eq!(body["permissions"], json!(["orders:read"]), "services are told what it may now");
    grant(ctx, "pro", &["demo/orders:read", "demo/orders:write"]).await;
    assert_eq!(on_both("orders:write"), ["VALID", "VALID"]);
    let (_, body) = scene.ask(json!({ "key": scene.secret })).await;
    assert_eq!(body["permissions"], json!(["orders:read", "orders:write"]));
    grant(ctx, "pro", &[]).await;
    need(ctx, "orders:write", false).await;
    assert_eq!(on_both("orders:write"), ["VALID", "VALID"], "free for everybody again; and its row was never read");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_mark_is_confirmed_by_who_has_read_the_api_too(db: PgPool) {
    let scene = Scene::with(db.clone(), Given { permissions: &["orders:read", "orders:write"], ..Given::default() }).await;
    // With the change the routes are lost: who reads the API fails, who reads what its keys are granted does not.
    execute(
        &db,
        "create function lose_routes() returns trigger language plpgsql as $$ begin alter table api_routes rename to api_routes_lost; return null; end $$;
         create trigger lose_routes after insert on events for each row when (new.kind = 'api.changed') execute function lose_routes();",
    )
    .await;
    let edit = ApiEdit { needs_grant: vec![("orders:write".to_owned(), true)], unmatched: Some(Unmatched::Refuse), ..ApiEdit::default() };
    let spread = edit_api(&scene.app.ctx, &Caller::cli(), "demo", edit).await.unwrap().spread;
    assert_eq!(outcome(&scene.app, &scene.secret, "orders:write"), "FORBIDDEN");
    assert_eq!((spread.nodes, spread.confirmed), (1, 0), "{spread:?}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_workspace_without_a_plan_is_granted_and_loses_it_at_once(db: PgPool) {
    let scene = Scene::with(db.clone(), Given { permissions: &["orders:write"], limit: Some((1_000, 3_600)), ..Given::default() }).await;
    let other = TestApp::start(db.clone()).await;
    let (ctx, cli, workspace) = (&scene.app.ctx, Caller::cli(), scene.owner.workspace);
    let on_both = || [&scene.app, &other].map(|app| outcome(app, &scene.secret, "orders:write"));
    need(ctx, "orders:write", true).await;
    let (_, body) = scene.ask(json!({ "key": scene.secret, "permission": "orders:write" })).await;
    assert_eq!(body["detail"], "This call needs orders:write, which takes a grant, and nothing grants it to the key's workspace.");
    for _ in 0..2 {
        set_workspace_grants(ctx, &cli, workspace, &["demo/orders:write".to_owned()]).await.unwrap();
        assert_eq!(on_both(), ["VALID", "VALID"]);
        set_workspace_grants(ctx, &cli, workspace, &[]).await.unwrap();
        assert_eq!(on_both(), ["FORBIDDEN", "FORBIDDEN"]);
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_gate_withholds_what_the_database_says(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mut people = Vec::new();
    for email in ["mara@example.com", "nina@example.com", "jon@example.com", "ivo@example.com"] {
        people.push(owner(&app, email, "developer").await);
    }
    execute(
        &db,
        "insert into api_permissions (api_id, permission, needs_grant)
           select id, p, true from apis, unnest(array['reports:export', 'stock:read', 'stock:write']) p where slug = 'demo';
         update api_permissions set needs_grant = true where permission = 'orders:write';
         insert into plans (id, slug, name, created_at, updated_at) select gen_random_uuid(), p, p, now(), now() from unnest(array['pro', 'team', 'own']) p;
         insert into groups (id, slug, name, plan_id, created_at, updated_at) select gen_random_uuid(), 'partners', 'P', id, now(), now() from plans where slug = 'team';
         insert into group_members (workspace_id, group_id, added_at)
           select w.id, g.id, now() from groups g, workspaces w join accounts a on a.id = w.personal_of where a.email in ('nina@example.com', 'ivo@example.com');
         insert into workspace_plans (workspace_id, plan_id, assigned_at)
           select w.id, p.id, now() from plans p, workspaces w join accounts a on a.id = w.personal_of
           where p.slug = 'pro' and a.email in ('mara@example.com', 'ivo@example.com');
         insert into plan_grants (plan_id, api_id, permission)
           select p.id, a.id, v.permission from (values ('pro', 'reports:export'), ('team', 'stock:read'), ('own', 'orders:write')) v (plan, permission)
             join plans p on p.slug = v.plan join apis a on a.slug = 'demo';
         insert into group_grants (group_id, api_id, permission) select g.id, a.id, 'stock:write' from groups g join apis a on a.slug = 'demo';
         insert into workspace_grants (workspace_id, api_id, permission)
           select w.id, i.id, p from unnest(array['orders:write', 'stock:read']) p join apis i on i.slug = 'demo',
             workspaces w join accounts a on a.id = w.personal_of where a.email in ('jon@example.com', 'ivo@example.com')",
    )
    .await;
    let permissions = &["orders:read", "orders:write", "reports:export", "stock:read", "stock:write"];
    let mut secrets = Vec::new();
    for person in &people {
        for (has_plan, limit) in [(false, None), (true, None), (true, Some((5, 60)))] {
            let (id, secret) = key(&db, &app, person, Given { permissions, limit, ..Given::default() }).await;
            known(&app, id).await;
            if has_plan {
                execute(&db, &format!("update keys set plan_id = (select id from plans where slug = 'own') where id = '{}'", id.uuid())).await;
            }
            secrets.push((id, secret));
        }
    }
    let later = TestApp::start(db.clone()).await;
    let mut seen = std::collections::BTreeSet::new();
    for (id, secret) in &secrets {
        let expected: Vec<String> = sqlx::query_scalar(
            "select array(select p from unnest(k.permissions) p where p not in (select withheld_permissions(k.api_id, k.workspace_id, k.plan_id)))
             from keys k where k.id = $1",
        )
        .bind(id.uuid())
        .fetch_one(&db)
        .await
        .unwrap();
        assert_eq!(told(&later, secret).as_ref(), Some(&expected), "read at a start");
        until(&format!("{expected:?}"), || async { told(&app, secret).as_ref() == Some(&expected) }).await;
        seen.insert(expected);
    }
    assert!(seen.len() >= 6, "{seen:?}");
}
