//! What whoever runs the server has locked (T15): operators change nothing of it on pages or over REST, the command line does.

use crate::{
    keys::{json as answer, person_with},
    plans::{limit, plan},
    support::TestApp,
};
use reqwest::Method;
use serde_json::json;
use sqlx::PgPool;
use tollgate::{
    accounts::Caller,
    keys::{
        model::{ApiEdit, Window},
        server::edit_api,
    },
    plans::{api, model::PlanEdit, server::edit_plan},
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
