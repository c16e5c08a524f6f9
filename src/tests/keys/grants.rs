//! The ceiling of keys: permissions that need a grant are given only where there is one, by whatever door; and taken where it goes.

use super::*;
use crate::support::browser::location;
use serde_json::json;
use tollgate::{
    accounts::Caller,
    keys::{
        api::{CreateKey, HideSecret},
        model::ApiEdit,
        server::{api_by_slug, edit_api},
    },
    plans::{
        model::NewPlan,
        server::{assign_plan, create_plan},
    },
};

/// Writing orders needs a grant, and Pro grants it.
async fn with_ceiling(app: &TestApp) {
    let cli = Caller::cli();
    let edit = ApiEdit { needs_grant: vec![("orders:write".to_owned(), true)], ..ApiEdit::default() };
    edit_api(&app.ctx, &cli, "demo", edit).await.unwrap();
    let pro = NewPlan { slug: "pro".into(), name: "Pro".into(), grants: vec!["demo/orders:write".into()], ..NewPlan::default() };
    create_plan(&app.ctx, &cli, pro).await.unwrap();
}

async fn on_pro(app: &TestApp, person: &Person, is_on: bool) {
    assign_plan(&app.ctx, &Caller::cli(), person.owner.workspace, is_on.then_some("pro")).await.unwrap();
}

const WORDS: &str = "orders:write needs a grant, and this workspace has none. The plan Pro grants it: ask an operator.";

fn refused(body: &Value) -> (String, String) {
    (text(&body["errors"][0], "pointer"), text(&body["errors"][0], "detail"))
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_key_is_given_what_its_workspace_is_granted_and_no_more(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    with_ceiling(&app).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let operator: Vec<&str> = OPERATOR.iter().copied().chain(["apis:manage"]).collect();
    let olga = person_with(&app, &db, "olga@example.com", "operator", &operator).await;
    let clerk = json!({ "permissions": ["orders:write"] });
    assert_eq!(olga.call(&app, Method::PUT, "/api/v1/apis/demo/bundles/clerk", Some(clerk)).await.status(), 200);
    let both = json!(["orders:read", "orders:write"]);
    let doors = [
        ("/api/v1/keys", json!({ "name": "a", "permissions": both }), "#/permissions"),
        ("/api/v1/keys", json!({ "name": "a", "permissions": [], "bundles": ["clerk"] }), "#/bundles"),
        ("/api/v1/keys/batch", json!({ "api": "demo", "keys": [{ "name": "a" }, { "name": "b", "permissions": both }] }), "#/keys/1/permissions"),
    ];
    for (door, new, pointer) in &doors {
        let (status, body) = json(mara.post(&app, door, new.clone()).await).await;
        assert_eq!((status, refused(&body).0.as_str()), (422, *pointer), "{body}");
        assert!(refused(&body).1.ends_with(WORDS), "{body}");
    }
    assert_eq!(events(&db, "key.created").await, 0);
    let import = json!({ "api": "demo", "keys": [{ "hash": "0f".repeat(32), "permissions": both }, { "hash": "1f".repeat(32), "bundles": ["clerk"] }, { "hash": "2f".repeat(32) }] });
    let (_, lines) = json(mara.post(&app, "/api/v1/keys/import", import).await).await;
    assert_eq!(
        [&lines["data"][0]["detail"], &lines["data"][0]["outcome"], &lines["data"][1]["outcome"], &lines["data"][2]["outcome"]],
        [WORDS, "wrong", "wrong", "created"]
    );
    let of_preset = json!({ "api": "demo", "keys": [{ "hash": "3f".repeat(32), "preset": "admin" }] });
    let (_, lines) = json(mara.post(&app, "/api/v1/keys/import", of_preset).await).await;
    assert_eq!(lines["data"][0]["outcome"], "created", "{lines}");

    // Presets leave it out. What is there is changed by the same rule, by operators too.
    let (status, key) = json(mara.post(&app, "/api/v1/keys", json!({ "name": "a", "preset": "admin" })).await).await;
    assert_eq!((status, &key["permissions"]), (201, &json!(["orders:read"])));
    let path = format!("/api/v1/keys/{}", text(&key, "id"));
    let patch = async |person: &Person, body: Value| json(person.call(&app, Method::PATCH, &path, Some(body)).await).await;
    for person in [&mara, &olga] {
        let (status, body) = patch(person, json!({ "permissions": both })).await;
        assert_eq!((status, refused(&body)), (422, ("#/permissions".to_owned(), WORDS.to_owned())));
        assert_eq!(refused(&patch(person, json!({ "bundles": ["clerk"] })).await.1).0, "#/bundles");
        assert_eq!(patch(person, json!({ "preset": "admin" })).await.1["permissions"], json!(["orders:read"]));
    }
    // With a plan of its own that grants it, in the same change.
    let (status, body) = patch(&olga, json!({ "plan": "pro", "permissions": both })).await;
    assert_eq!((status, &body["permissions"]), (200, &both), "{body}");

    on_pro(&app, &mara, true).await;
    for (door, new, _) in &doors {
        let (status, body) = json(mara.post(&app, door, new.clone()).await).await;
        assert_eq!(status, 201, "{body}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_list_for_many_is_held_against_what_each_of_them_may_give(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    with_ceiling(&app).await;
    let (mara, olga) = (person(&app, &db, "mara@example.com", "developer").await, person(&app, &db, "olga@example.com", "operator").await);
    person(&app, &db, "tom@example.com", "developer").await;
    on_pro(&app, &mara, true).await;
    let wrong = async |api: &str, permission: &str| {
        let of = |name: &str| json!({ "name": name, "account": format!("{name}@example.com"), "permissions": [permission] });
        let keys = json!([of("mara"), of("tom"), { "name": "own", "permissions": [permission] }]);
        let (status, report) = json(olga.post(&app, "/api/v1/keys/batch", json!({ "api": api, "keys": keys, "dry_run": true })).await).await;
        assert_eq!(status, 200, "{report}");
        let field = |line: &Value| line["errors"].as_array().unwrap().first().map(|error| text(error, "field"));
        report["data"].as_array().unwrap().iter().map(field).collect::<Vec<_>>()
    };
    let permissions = || Some("permissions".to_owned());
    assert_eq!(wrong("demo", "orders:write").await, [None, permissions(), permissions()], "only Mara's workspace has the plan that grants it");
    assert_eq!(wrong("tollgate", "keys:manage").await, [permissions(), permissions(), None], "developers may not");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_key_that_lost_a_grant_keeps_its_form_and_says_why_it_does_not_pass(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    with_ceiling(&app).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    on_pro(&app, &mara, true).await;
    let new = json!({ "name": "shop", "permissions": ["orders:read", "orders:write"] });
    let (_, key) = json(mara.post(&app, "/api/v1/keys", new).await).await;
    let (id, secret) = (text(&key, "id"), text(&key, "secret"));
    let ask = async || app.http.get(app.url("/forward-auth/demo?permission=orders:write")).bearer_auth(&secret).send().await.unwrap().status().as_u16();
    let trial =
        async || json(mara.post(&app, &format!("/api/v1/keys/{id}/test"), json!({ "method": "GET", "path": "/", "permission": "orders:write" })).await).await.1;
    assert_eq!((ask().await, &trial().await["valid"]), (200, &json!(true)));
    on_pro(&app, &mara, false).await;
    assert_eq!((ask().await, passes(&app, &secret).await), (403, 200));
    let told = trial().await;
    let step = told["steps"].as_array().unwrap().iter().find(|step| step["check"] == "permission").unwrap();
    assert_eq!(
        (&step["passes"], &step["detail"]),
        (&json!(false), &json!("This call needs orders:write, which takes a grant, and nothing grants it to the key's workspace."))
    );
    let (_, body) = json(mara.get(&app, &format!("/api/v1/keys/{id}")).await).await;
    let uses: Vec<(String, bool)> =
        body["permission_uses"].as_array().unwrap().iter().map(|used| (text(used, "permission"), used["is_granted"] == true)).collect();
    assert_eq!(uses, [("orders:read".to_owned(), true), ("orders:write".to_owned(), false)]);
    // A form that is saved as it stands takes nothing away and is no error.
    let same = json!({ "name": "till", "permissions": ["orders:read", "orders:write"] });
    let (status, body) = json(mara.call(&app, Method::PATCH, &format!("/api/v1/keys/{id}"), Some(same)).await).await;
    assert_eq!((status, &body["permissions"]), (200, &json!(["orders:read", "orders:write"])));
    on_pro(&app, &mara, true).await;
    assert_eq!(ask().await, 200);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_api_says_which_permissions_need_a_grant(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let operator: Vec<&str> = OPERATOR.iter().copied().chain(["apis:manage"]).collect();
    let olga = person_with(&app, &db, "olga@example.com", "operator", &operator).await;
    let patch = async |permissions: Value| json(olga.call(&app, Method::PATCH, "/api/v1/apis/demo", Some(json!({ "permissions": permissions }))).await).await;
    let marks = |body: &Value| body["permissions"].as_array().unwrap().iter().map(|p| p["needs_grant"] == true).collect::<Vec<bool>>();
    let (read, write) = (json!({ "name": "orders:read" }), json!({ "name": "orders:write" }));
    let marked = json!({ "name": "orders:write", "needs_grant": true });
    assert_eq!(marks(&patch(json!([read, write])).await.1), [false, false], "free for everybody unless it is said");
    let (status, body) = patch(json!([read, marked])).await;
    assert_eq!((status, marks(&body), &body["spread"]["missing"]), (200, vec![false, true], &json!([])));
    assert_eq!(marks(&patch(json!([read, write])).await.1), [false, true], "what is not said stays");
    let (status, body) = patch(json!([read])).await;
    assert_eq!((status, refused(&body).0.as_str()), (422, "#/permissions"), "nobody would withhold it then");
    assert_eq!(marks(&patch(json!([read, { "name": "orders:write", "needs_grant": false }])).await.1), [false, false]);
    assert_eq!(patch(json!([read])).await.0, 200);

    let new = json!({ "slug": "shop", "name": "Shop", "permissions": [{ "name": "shop:read" }, { "name": "shop:write", "needs_grant": true }] });
    assert_eq!(marks(&json(olga.post(&app, "/api/v1/apis", new).await).await.1), [false, true]);
    let cli = Caller::cli();
    let edit = |name: &str| ApiEdit { needs_grant: vec![(name.to_owned(), true)], ..ApiEdit::default() };
    assert!(edit_api(&app.ctx, &cli, "demo", edit("orders:burn")).await.unwrap_err().field("needs_grant").is_some());
    assert!(edit_api(&app.ctx, &cli, "tollgate", edit("keys:read")).await.unwrap_err().field("permissions").is_some(), "there, roles say it");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn forms_say_what_needs_a_grant_and_pages_what_is_not_granted(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    with_ceiling(&app).await;
    let (vera, olga) = (app.sign_in_as("developer").await, app.sign_in_as("operator").await);
    let words = |page: &str| page.replace("<!>", "").replace("<!---->", "");
    let dialog = words(&vera.browser.page("/keys?dialog=new").await);
    assert!(dialog.contains("Needs a grant: ") && dialog.contains("The plan Pro grants it: ask an operator."), "{dialog}");
    assert!(!dialog.contains("value=\"demo/orders:write\"") && dialog.contains("value=\"demo/orders:read\""));
    let fields = [("name", "shop"), ("chosen", "true"), ("api", "demo"), ("preset", "chosen"), ("permissions[]", "demo/orders:write")];
    let answer = vera.browser.post::<CreateKey>("/keys?dialog=new", &fields).await;
    assert_eq!(answer.status(), 422);
    assert!(answer.text().await.unwrap().contains("orders:write needs a grant"));

    let workspace: uuid::Uuid = sqlx::query_scalar("select id from workspaces where personal_of = $1").bind(vera.account.uuid()).fetch_one(&db).await.unwrap();
    let workspace = tollgate::values::WorkspaceId::new(workspace);
    assign_plan(&app.ctx, &Caller::cli(), workspace, Some("pro")).await.unwrap();
    assert!(vera.browser.page("/keys?dialog=new").await.contains("value=\"demo/orders:write\""));
    let path = location(&vera.browser.post::<CreateKey>("/keys?dialog=new", &fields).await).to_owned();
    let id = path.rsplit('/').next().unwrap().to_owned();
    vera.browser.post::<HideSecret>(&path, &[("id", id.as_str()), ("stored", "true")]).await;
    assert!(!vera.browser.page(&path).await.contains("Not granted"));
    assign_plan(&app.ctx, &Caller::cli(), workspace, None).await.unwrap();
    let page = words(&vera.browser.page(&path).await);
    assert!(page.contains("Not granted") && page.contains("Calls that need it are answered FORBIDDEN. The plan Pro grants it: ask an operator."), "{page}");
    let tried = words(&vera.browser.page(&format!("{path}?method=GET&path=/")).await);
    assert!(tried.contains("would pass"), "what needs no permission passes");

    // The operator's page: what is ticked is what needs a grant.
    let settings = [("slug", "demo"), ("name", "Demo"), ("permissions", "orders:read\r\norders:write"), ("needs_grant[]", "orders:read")];
    let saved = olga.browser.post::<tollgate::admin::api::SaveApi>("/admin/apis/demo", &settings).await;
    assert_eq!(saved.status(), 303, "{}", saved.text().await.unwrap());
    let api = api_by_slug(&app.ctx, &Caller::cli(), "demo").await.unwrap();
    assert_eq!(api.permissions.iter().map(|p| p.needs_grant).collect::<Vec<_>>(), [true, false]);
    assert!(olga.browser.page("/admin/apis/demo").await.contains("Need a grant"));
}
