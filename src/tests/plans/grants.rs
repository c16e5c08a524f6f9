//! What plans, groups and workspaces grant: over REST, on the pages of operators and on the command line.

use super::cli::{json as parsed, run};
use crate::{
    keys::{events, json as answer, person_with},
    support::{TestApp, browser::location, folder::Folder},
};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;
use tollgate::{
    accounts::Caller,
    admin::api::SetAccountGrants,
    keys::{model::ApiEdit, server::edit_api},
    plans::{
        api::{SetGroupGrants, SetPlanGrants},
        model::NewGroup,
        server::{create_group, find_group, find_plan, workspace_hold},
    },
    values::WorkspaceId,
};

async fn need(app: &TestApp) {
    let edit = ApiEdit { needs_grant: vec![("orders:write".to_owned(), true)], ..ApiEdit::default() };
    edit_api(&app.ctx, &Caller::cli(), "demo", edit).await.unwrap();
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn grants_over_rest(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    need(&app).await;
    let ops = person_with(&app, &db, "ops@example.com", "operator", &["keys:read", "keys:write", "plans:manage"]).await;
    let of = json!(["demo/orders:write"]);
    let (status, pro) = answer(ops.post(&app, "/api/v1/plans", json!({ "slug": "pro", "name": "Pro", "grants": of })).await).await;
    assert_eq!((status, &pro["grants"]), (201, &of), "{pro}");
    let patch = async |path: &str, body: Value| answer(ops.call(&app, Method::PATCH, path, Some(body)).await).await;
    assert_eq!(patch("/api/v1/plans/pro", json!({ "name": "Pro 2" })).await.1["grants"], of, "what is left out stays");
    for wrong in ["orders:write", "demo/orders:burn", "nothing/orders:write", "tollgate/keys:manage", "demo/"] {
        let (status, body) = patch("/api/v1/plans/pro", json!({ "grants": [wrong] })).await;
        assert_eq!((status, &body["errors"][0]["pointer"]), (422, &json!("#/grants")), "{wrong} → {body}");
    }
    let changed = patch("/api/v1/plans/pro", json!({ "grants": ["demo/orders:write", "demo/orders:read", "demo/orders:write"] })).await.1;
    assert_eq!(changed["grants"], json!(["demo/orders:read", "demo/orders:write"]), "each once");
    let before = events(&db, "plan.changed").await;
    patch("/api/v1/plans/pro", json!({ "grants": ["demo/orders:write", "demo/orders:read"] })).await;
    assert_eq!(events(&db, "plan.changed").await, before, "the same again changes nothing");
    assert_eq!(patch("/api/v1/plans/pro", json!({ "grants": [] })).await.1["grants"], json!([]));

    let (status, partners) = answer(ops.post(&app, "/api/v1/groups", json!({ "slug": "partners", "name": "Partners", "grants": of })).await).await;
    assert_eq!((status, &partners["grants"]), (201, &of), "{partners}");
    assert_eq!(patch("/api/v1/groups/partners", json!({ "grants": [] })).await.1["grants"], json!([]));

    let path = format!("/api/v1/workspaces/{}/grants", ops.owner.workspace);
    let put = async |grants: Value| answer(ops.call(&app, Method::PUT, &path, Some(json!({ "grants": grants }))).await).await;
    for _ in 0..2 {
        let (status, hold) = put(of.clone()).await;
        assert_eq!((status, &hold["grants"]), (200, &of), "{hold}");
        assert!(hold["spread"].is_object(), "on which nodes it holds: {hold}");
    }
    assert_eq!(events(&db, "workspace.granted").await, 1, "sent twice");
    let new = json!({ "name": "x", "permissions": ["orders:write"] });
    assert_eq!(ops.post(&app, "/api/v1/keys", new.clone()).await.status(), 201);
    assert_eq!(put(json!([])).await.1["grants"], json!([]));
    assert_eq!(ops.post(&app, "/api/v1/keys", new).await.status(), 422);
    assert_eq!(put(json!(["demo/orders:burn"])).await.0, 422);
    let dev = person_with(&app, &db, "dev@example.com", "developer", &["keys:read", "keys:write"]).await;
    assert_eq!(dev.call(&app, Method::PUT, &path, Some(json!({ "grants": of }))).await.status(), 403);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn grants_on_the_pages_of_operators(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (person, operator) = (app.sign_in_as("developer").await, app.sign_in_as("operator").await);
    let (browser, cli) = (&operator.browser, Caller::cli());
    super::plan(&app.ctx, "pro", vec![]).await;
    create_group(&app.ctx, &cli, NewGroup { slug: "partners".into(), name: "Partners".into(), ..NewGroup::default() }).await.unwrap();
    let account = format!("/admin/accounts/{}", person.account);
    let pages = ["/admin/plans?edit=pro", "/admin/groups?edit=partners", account.as_str()];
    for page in pages {
        assert!(browser.page(page).await.contains("No permission needs a grant"), "{page}");
    }
    need(&app).await;
    for page in pages {
        assert!(browser.page(page).await.contains("value=\"demo/orders:write\""), "{page}");
    }
    let ticked = ("grants[]", "demo/orders:write");
    assert_eq!(location(&browser.post::<SetPlanGrants>(pages[0], &[("slug", "pro"), ticked]).await), pages[0]);
    assert_eq!(location(&browser.post::<SetGroupGrants>(pages[1], &[("slug", "partners"), ticked]).await), pages[1]);
    let id = person.account.to_string();
    assert_eq!(location(&browser.post::<SetAccountGrants>(pages[2], &[("id", id.as_str()), ticked]).await), pages[2]);
    let workspace: uuid::Uuid = sqlx::query_scalar("select workspace_id from workspace_grants").fetch_one(&db).await.unwrap();
    let workspace = WorkspaceId::new(workspace);
    let granted = async || {
        let plan = find_plan(&app.ctx, &cli, "pro").await.unwrap().grants;
        let (group, hold) = (find_group(&app.ctx, &cli, "partners").await.unwrap().grants, workspace_hold(&app.ctx, &cli, workspace).await.unwrap().grants);
        [plan, group, hold].map(|grants| grants.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
    };
    assert_eq!(granted().await, ["demo/orders:write"; 3]);
    assert!(browser.page(&account).await.contains("set the grants of"), "its history tells");
    // Nothing is ticked: nothing is granted.
    browser.post::<SetPlanGrants>(pages[0], &[("slug", "pro")]).await;
    browser.post::<SetGroupGrants>(pages[1], &[("slug", "partners")]).await;
    browser.post::<SetAccountGrants>(pages[2], &[("id", id.as_str())]).await;
    assert_eq!(granted().await, [""; 3]);
    let wrong = browser.post::<SetPlanGrants>(pages[0], &[("slug", "pro"), ("grants[]", "demo/orders:burn")]).await;
    assert!(wrong.text().await.unwrap().contains("knows no permission orders:burn"));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn grants_from_the_command_line(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let folder = Folder::new();
    let api = parsed(&run(&folder, &db, &["api", "set-grants", "demo", "--needed", "orders:write", "--json"]));
    assert_eq!(api["permissions"][1]["needs_grant"], true, "{api}");
    super::plan(&app.ctx, "pro", vec![]).await;
    let plan = |arguments: &[&str]| run(&folder, &db, &[&["plan", "set-grants", "pro"], arguments].concat());
    assert_eq!(parsed(&plan(&["--grant", "demo/orders:write", "--dry-run", "--json"]))["grants"], json!(["demo/orders:write"]));
    assert_eq!(parsed(&run(&folder, &db, &["plan", "show", "pro", "--json"]))["grants"], json!([]));
    assert_eq!(parsed(&plan(&["--grant", "demo/orders:write", "--json"]))["grants"], json!(["demo/orders:write"]));
    assert_eq!(parsed(&plan(&["--none", "--json"]))["grants"], json!([]));
    assert_eq!(plan(&[]).status.code(), Some(2), "which?");
    parsed(&run(&folder, &db, &["group", "create", "--slug", "partners", "--name", "Partners", "--json"]));
    let group = run(&folder, &db, &["group", "set-grants", "partners", "--grant", "demo/orders:write"]);
    let said = String::from_utf8_lossy(&group.stdout).into_owned();
    assert!(said.starts_with("Partners grants demo/orders:write. In force "), "{said}");
    let api = parsed(&run(&folder, &db, &["api", "set-grants", "demo", "--free", "orders:write", "--json"]));
    assert_eq!(api["permissions"][1]["needs_grant"], false);
}
