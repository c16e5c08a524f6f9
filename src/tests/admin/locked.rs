//! What whoever runs the server has locked (T15): operators change nothing of it on pages or over REST, the command line does.

use super::access;
use crate::{
    keys::{json as answer, person_with},
    plans::{limit, plan},
    support::TestApp,
};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;
use std::collections::BTreeSet;
use tollgate::{
    accounts::{Caller, Reach},
    boot::locked,
    error::AppError,
    keys::{
        model::{ApiEdit, Window},
        server::edit_api,
    },
    plans::{
        api,
        model::{NewGroup, PlanEdit},
        server::{create_group, edit_plan, find_group},
    },
    values::Area,
};

const PERMISSIONS: &[&str] = &["apis:manage", "plans:manage", "blocks:manage", "accounts:manage", "admin:read", "keys:read", "keys:write"];

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn t15_what_is_locked_is_changed_by_no_rest_call(db: PgPool) {
    let app = TestApp::start_with(db.clone(), |config| config.admin.locked = Area::ALL.to_vec()).await;
    plan(&app.ctx, "pro", vec![limit("day", 1_000, Window::DAY)]).await;
    let ops = person_with(&app, &db, "ops@example.com", "operator", PERMISSIONS).await;
    let limits = json!({ "limits": [{ "name": "day", "limit": 1, "window": "day" }] });
    let routes = json!({ "routes": [{ "path": "/*", "permission": "orders:read" }] });
    for (method, path, body) in [
        (Method::POST, "plans", json!({ "slug": "gold", "name": "Gold" })),
        (Method::PATCH, "plans/pro", json!({ "name": "Other" })),
        (Method::DELETE, "plans/pro", json!({})),
        (Method::POST, "groups", json!({ "slug": "partners", "name": "Partners" })),
        (Method::POST, "apis", json!({ "slug": "shop", "name": "Shop" })),
        (Method::PATCH, "apis/demo", json!({ "name": "Other" })),
        (Method::PUT, "apis/demo/routes", routes),
        (Method::PUT, "apis/demo/bundles/desk", json!({ "permissions": ["orders:read"] })),
        (Method::DELETE, "apis/demo/bundles/desk", json!({})),
        (Method::PUT, "apis/demo/limits", limits),
        (Method::PATCH, "block-rules/spread", json!({ "most": 20 })),
        (Method::PUT, "block-exemptions", json!({ "networks": [] })),
        (Method::PUT, "session-policies/role/operator", json!({ "session_count": 3 })),
    ] {
        let (status, problem) = answer(ops.call(&app, method.clone(), &format!("/api/v1/{path}"), Some(body)).await).await;
        assert_eq!((status, &problem["code"]), (403, &json!("config_locked")), "{method} {path}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains("tollgate config unlock "), "the next step: {problem}");
    }
    // What is no description of it stays open: who has a plan, and what would become of limits.
    let workspace = format!("/api/v1/workspaces/{}/plan", ops.owner.workspace);
    assert_eq!(ops.call(&app, Method::PUT, &workspace, Some(json!({ "plan": "pro" }))).await.status(), 200);
    assert_eq!(ops.post(&app, "/api/v1/plans/pro/dry-run", json!({})).await.status(), 200);

    let edit = PlanEdit { name: Some("Professional".to_owned()), ..PlanEdit::default() };
    assert_eq!(edit_plan(&app.ctx, &Caller::cli(), "pro", edit).await.unwrap().name, "Professional", "the server's own shell may");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn t15_pages_know_every_form_that_is_refused_and_no_other(db: PgPool) {
    let app = TestApp::start_with(db, |config| config.admin.locked = Area::ALL.to_vec()).await;
    let (developer, operator) = (app.sign_in_as("developer").await, app.sign_in_as("operator").await);
    let mut refused = BTreeSet::new();
    for function in access::functions(&app, &developer).await {
        let answer = access::call(&operator.browser, &function).await;
        if answer.status() == 403 {
            let error: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
            let area = Some(&error).filter(|error| error["error"] == "locked").and_then(|error| Area::parse(error["area"].as_str()?));
            refused.insert((function.0, area.unwrap_or_else(|| panic!("{}: {error}", function.0))));
        }
    }
    assert_eq!(refused, locked::forms(&app.ctx.config).0.into_iter().collect());
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn t15_a_form_that_pages_do_not_know_of_an_area_changes_nothing_of_it(db: PgPool) {
    let app = TestApp::start(db).await;
    plan(&app.ctx, "pro", vec![limit("day", 1_000, Window::DAY)]).await;
    let edit = |name: &str| PlanEdit { name: Some(name.to_owned()), ..PlanEdit::default() };
    let by = |reach| Caller { reach, ..Caller::cli() };
    for reach in [Reach::Form(None), Reach::Form(Some(Area::Apis))] {
        let refused = edit_plan(&app.ctx, &by(reach), "pro", edit("Other")).await;
        assert!(matches!(refused, Err(AppError::Internal { .. })), "{refused:?}: nothing is locked here");
    }
    for (reach, name) in [(Reach::Form(Some(Area::Plans)), "Form"), (Reach::Everywhere, "REST")] {
        assert_eq!(edit_plan(&app.ctx, &by(reach), "pro", edit(name)).await.unwrap().name, name);
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn t15_who_has_a_plan_stays_open_also_of_groups(db: PgPool) {
    let app = TestApp::start_with(db.clone(), |config| config.admin.locked = vec![Area::Plans]).await;
    plan(&app.ctx, "pro", vec![limit("day", 1_000, Window::DAY)]).await;
    let group = NewGroup { slug: "partners".to_owned(), name: "Partners".to_owned(), ..NewGroup::default() };
    let id = create_group(&app.ctx, &Caller::cli(), group).await.unwrap().id.to_string();
    let plan_of = async || find_group(&app.ctx, &Caller::cli(), "partners").await.unwrap().plan.map(|plan| plan.slug.to_string());
    let (operator, page) = (app.sign_in_as("operator").await, "/admin/plans?edit=pro");
    assert_eq!(operator.browser.post::<api::AssignPlan>(page, &[("slug", "pro"), ("to", "partners")]).await.status(), 303);
    assert_eq!(plan_of().await.as_deref(), Some("pro"));
    assert_eq!(operator.browser.post::<api::TakePlan>(page, &[("from", &id)]).await.status(), 303);
    assert_eq!(plan_of().await, None);

    let ops = person_with(&app, &db, "ops@example.com", "operator", PERMISSIONS).await;
    for (body, status) in [(json!({ "plan": "pro" }), 200), (json!({ "plan": null, "name": "Other" }), 403)] {
        assert_eq!(ops.call(&app, Method::PATCH, "/api/v1/groups/partners", Some(body.clone())).await.status(), status, "{body}");
    }
    assert_eq!(plan_of().await.as_deref(), Some("pro"));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn t15_pages_say_what_is_locked_in_place_of_its_forms(db: PgPool) {
    let app = TestApp::start_with(db, |config| config.admin.locked = vec![Area::Plans, Area::Fields]).await;
    plan(&app.ctx, "pro", vec![limit("day", 1_000, Window::DAY)]).await;
    let edit = ApiEdit { needs_grant: vec![("orders:write".to_owned(), true)], ..ApiEdit::default() };
    edit_api(&app.ctx, &Caller::cli(), "demo", edit).await.unwrap();
    let operator = app.sign_in_as("operator").await;
    for (page, words) in [
        ("/admin/plans", "Plans and groups are locked"),
        ("/admin/plans?edit=pro", "Plans and groups are locked"),
        ("/admin/groups", "Plans and groups are locked"),
        ("/admin/fields", "The fields of profiles are locked"),
    ] {
        let html = operator.browser.page(page).await;
        assert!(html.contains(words), "{page}: {html}");
        for action in ["create_plan", "save_plan", "delete_plan", "set_plan_limit", "set_plan_grants", "create_group", "create_field"] {
            assert!(!html.contains(&format!("/{action}\"")), "{action} on {page}");
        }
    }
    let assigns = operator.browser.page("/admin/plans?edit=pro").await;
    assert!(assigns.contains("/assign_plan\""), "who has it stays open: {assigns}");
    let page = operator.browser.page("/admin/sessions").await;
    assert!(!page.contains("locked in the server"), "this is not locked");
    // A form that was open before says it, too.
    let sent = operator.browser.post::<api::DeletePlan>("/admin/plans?edit=pro", &[("slug", "pro")]).await;
    assert_eq!(sent.status(), 403);
    assert_eq!(sqlx::query_scalar::<_, i64>("select count(*) from plans").fetch_one(&app.ctx.db).await.unwrap(), 1);
}
