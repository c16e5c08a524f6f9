//! Groups over REST, on their page and on the command line: the same operations.

use super::{cli, held, limit, plan};
use crate::{
    keys::{json as answer, person_with, text},
    support::{TestApp, browser::location, folder::Folder},
};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;
use tollgate::{
    accounts::Caller,
    keys::model::Window,
    plans::{
        api,
        server::{assign_plan_to_account, find_group, workspace_hold},
    },
};

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn groups_over_rest(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let ops = person_with(&app, &db, "ops@example.com", "operator", &["keys:read", "keys:write", "keys:manage", "plans:manage", "admin:read"]).await;
    let (id, secret) = ops.new_key(&app, "shop").await;
    let new = json!({ "slug": "partners", "name": "Partners", "limits": [{ "name": "day", "limit": 500, "window": "day" }] });
    let made = ops.post(&app, "/api/v1/groups", new).await;
    assert_eq!(made.headers()["location"], "/api/v1/groups/partners");
    let (status, body) = answer(made).await;
    assert_eq!((status, &body["plan"], &body["limits"][0]["window"], &body["members"]), (201, &json!(null), &json!(86_400), &json!(0)));

    let members = "/api/v1/groups/partners/members";
    let (status, wrong) = answer(ops.post(&app, members, json!({})).await).await;
    assert_eq!((status, &wrong["errors"][0]["pointer"]), (422, &json!("#/workspace_id")));
    assert_eq!(ops.post(&app, members, json!({ "account": "nobody@example.com" })).await.status(), 422);
    let (status, hold) = answer(ops.post(&app, members, json!({ "account": "ops@example.com" })).await).await;
    assert_eq!((status, text(&hold, "group"), text(&hold, "workspace_id")), (200, "partners".to_owned(), ops.owner.workspace.to_string()));
    assert_eq!(held(&app.ctx, id.parse().unwrap()), [("day".to_owned(), 500)]);
    let (_, list) = answer(ops.get(&app, &format!("{members}?limit=1")).await).await;
    assert_eq!((text(&list["data"][0], "account_id"), &list["has_more"]), (ops.owner.account.to_string(), &json!(false)));
    assert_eq!(ops.get(&app, &format!("{members}?cursor=x")).await.status(), 422);
    assert_eq!(ops.get(&app, &format!("{members}?limit=0")).await.status(), 422);

    plan(&app.ctx, "pro", vec![limit("day", 9, Window::DAY)]).await;
    let patch = json!({ "plan": "pro", "limits": [] });
    let (status, changed) = answer(ops.call(&app, Method::PATCH, "/api/v1/groups/partners", Some(patch)).await).await;
    assert_eq!((status, text(&changed, "plan"), &changed["spread"]["missing"]), (200, "pro".to_owned(), &json!([])));
    let passed = app.http.get(app.url("/forward-auth/demo")).bearer_auth(&secret).send().await.unwrap();
    assert_eq!((passed.headers()["x-key-plan"].to_str().unwrap(), passed.headers()["ratelimit-policy"].to_str().unwrap()), ("pro", "\"day\";q=9;w=86400"));
    let unknown = ops.call(&app, Method::PATCH, "/api/v1/groups/partners", Some(json!({ "colour": "red" }))).await;
    assert_eq!(unknown.status(), 422);
    assert_eq!(ops.call(&app, Method::DELETE, "/api/v1/groups/partners", None).await.status(), 409);
    let member = format!("{members}/{}", ops.owner.workspace);
    for round in ["once", "sent twice"] {
        let (status, gone) = answer(ops.call(&app, Method::DELETE, &member, None).await).await;
        assert_eq!((status, &gone["spread"]["nodes"], &gone["spread"]["confirmed"]), (200, &json!(1), &json!(1)), "{round}: {gone}");
    }
    assert_eq!(ops.call(&app, Method::DELETE, "/api/v1/groups/partners", None).await.status(), 204);
    assert_eq!(ops.get(&app, "/api/v1/groups/partners").await.status(), 404);

    // A plan reaches an account by its email.
    let to = json!({ "account": "ops@example.com" });
    let (status, hold) = answer(ops.post(&app, "/api/v1/plans/pro/accounts", to.clone()).await).await;
    assert_eq!((status, text(&hold, "plan"), &hold["group"]), (200, "pro".to_owned(), &json!(null)));
    assert_eq!(ops.post(&app, "/api/v1/plans/gold/accounts", to).await.status(), 404);
    let nobody = assign_plan_to_account(&app.ctx, &Caller::cli(), "pro", "nobody@example.com").await.unwrap_err();
    assert!(nobody.field("account").is_some());

    let dev = person_with(&app, &db, "dev@example.com", "developer", &["keys:read", "plans:manage"]).await;
    assert_eq!(dev.get(&app, "/api/v1/groups").await.status(), 403, "the owner has not what the key says");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_operator_describes_a_group_and_puts_somebody_into_it(db: PgPool) {
    let app = TestApp::start(db).await;
    let (person, operator) = (app.sign_in_as("developer").await, app.sign_in_as("operator").await);
    let browser = &operator.browser;
    plan(&app.ctx, "pro", vec![]).await;
    let none = browser.page("/admin/groups").await;
    assert!(none.contains("No groups yet") && none.contains("Fill in “New group”") && !none.contains("beside this"), "on a phone the form stands below");
    assert_eq!(person.browser.get("/admin/groups").await.status(), 403);

    let wrong = [("group[name]", "Partners <b>"), ("group[slug]", "Partners!"), ("group[plan]", "pro"), ("group[day]", "many")];
    let refused = browser.post::<api::CreateGroup>("/admin/groups", &wrong).await;
    assert_eq!(refused.status(), 422);
    let page = refused.text().await.unwrap();
    assert!(page.contains("Write a whole number of units") && page.contains("value=\"many\""), "beside its field, what was typed stays");
    let right = [("group[name]", "Partners <b>"), ("group[slug]", "partners"), ("group[plan]", "pro"), ("group[day]", "10,000")];
    let made = browser.post::<api::CreateGroup>("/admin/groups", &right).await;
    assert_eq!(location(&made), "/admin/groups?edit=partners");
    let twice = browser.post::<api::CreateGroup>("/admin/groups", &right).await;
    assert!(twice.text().await.unwrap().contains("Another group has this slug."));
    let page = browser.page("/admin/groups").await;
    assert!(page.contains("Partners &lt;b&gt;") && page.contains("10,000 units a day"));

    let edit = "/admin/groups?edit=partners";
    let nobody = browser.post::<api::AddToGroup>(edit, &[("slug", "partners"), ("to", "nobody@example.com")]).await;
    assert!(nobody.text().await.unwrap().contains("Nobody has this email or id."));
    for _ in 0..2 {
        browser.post::<api::AddToGroup>(edit, &[("slug", "partners"), ("to", &person.email)]).await;
    }
    let page = browser.page(edit).await;
    assert!(page.contains("Who is in it: 1 workspace") && page.contains(&format!("/admin/accounts/{}", person.account)), "{page}");
    let account = browser.page(&format!("/admin/accounts/{}", person.account)).await;
    assert!(account.contains("/admin/groups?edit=partners") && account.contains("into the group partners"), "its page and its history tell");
    assert!(browser.page("/admin/plans?edit=pro").await.contains("/admin/groups?edit=partners"), "the plan says that the group has it");

    let other = [("group[name]", "Testers"), ("group[slug]", "testers")];
    browser.post::<api::CreateGroup>("/admin/groups", &other).await;
    let second = browser.post::<api::AddToGroup>("/admin/groups?edit=testers", &[("slug", "testers"), ("to", &person.email)]).await;
    assert!(second.text().await.unwrap().contains("a workspace is in one group at most"), "beside the field");
    browser.post::<api::SaveGroup>(edit, &[("group[slug]", "partners"), ("group[name]", "Partners"), ("group[plan]", "")]).await;
    browser.post::<api::SetGroupLimit>(edit, &[("slug", "partners"), ("was", "day"), ("name", "month"), ("limit", "200000"), ("window", "month")]).await;
    let now = find_group(&app.ctx, &Caller::cli(), "partners").await.unwrap();
    assert_eq!((now.limits, now.plan), (vec![limit("month", 200_000, Window::Month)], None));
    assert!(browser.page("/admin/groups?edit=partners&try=1").await.contains("nobody would have been held back"));
    assert_eq!(browser.get("/admin/groups?edit=gold").await.status(), 404);
    // A plan may be given to a group where plans are given.
    browser.post::<api::AssignPlan>("/admin/plans?edit=pro", &[("slug", "pro"), ("to", "partners")]).await;
    assert_eq!(find_group(&app.ctx, &Caller::cli(), "partners").await.unwrap().plan.map(|p| p.name), Some("PRO".to_owned()));

    assert_eq!(browser.post::<api::DeleteGroup>(edit, &[("slug", "partners")]).await.status(), 409);
    browser.post::<api::TakeFromGroup>(edit, &[("slug", "partners"), ("from", &person.account.to_string())]).await;
    assert!(browser.page(edit).await.contains("No workspaces yet."));
    let gone = browser.post::<api::DeleteGroup>(edit, &[("slug", "partners")]).await;
    assert_eq!(location(&gone), "/admin/groups");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_group_from_the_command_line(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let person = app.sign_in_as("developer").await;
    let folder = Folder::new();
    plan(&app.ctx, "pro", vec![limit("day", 50, Window::DAY)]).await;
    let run = |arguments: &[&str]| cli::run(&folder, &db, &[&["group"], arguments].concat());
    let words = |output: &std::process::Output| String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(cli::json(&run(&["create", "--slug", "partners", "--name", "Partners", "--json"]))["plan"], Value::Null);
    assert_eq!(cli::json(&run(&["set-limit", "partners", "--limit", "1000", "--json"]))["limits"][0]["window"], 86_400);
    assert!(words(&run(&["add", "partners", "--account", &person.email, "--dry-run"])).contains("would be in Partners"));
    let hold = cli::json(&run(&["add", "partners", "--account", &person.email, "--json"]));
    assert_eq!(hold["group"], "partners");
    assert!(words(&run(&["show", "partners"])).contains("1,000 units a day"));
    assert_eq!(cli::json(&run(&["members", "partners", "--json"]))["rows"][0]["workspace"], hold["workspace"]);
    assert_eq!(run(&["delete", "partners"]).status.code(), Some(4), "somebody is in it");
    assert_eq!(cli::json(&run(&["set-limit", "partners", "--remove", "--json"]))["limits"], serde_json::json!([]));
    assert_eq!(cli::json(&cli::run(&folder, &db, &["plan", "assign", "pro", "--group", "partners", "--json"]))["plan"]["slug"], "pro");
    assert!(words(&run(&["list"])).contains("what the plan pro allows"));
    assert_eq!(cli::json(&run(&["edit", "partners", "--no-plan", "--json"]))["plan"], Value::Null);
    assert!(cli::json(&run(&["try", "partners", "--json"]))["limited"].is_array());
    let workspace = hold["workspace"].as_str().unwrap();
    assert_eq!(cli::json(&run(&["remove", "partners", "--workspace", workspace, "--json"]))["group"], Value::Null);
    assert_eq!(workspace_hold(&app.ctx, &Caller::cli(), workspace.parse().unwrap()).await.unwrap().group, None);
    assert_eq!(run(&["delete", "partners"]).status.code(), Some(0));
    assert_eq!(run(&["show", "partners"]).status.code(), Some(3));
    assert_eq!(run(&["add", "partners"]).status.code(), Some(2), "whom?");
}
