//! `/admin/plans`, and "why this limit?" on the pages of a key.

use super::{limit, plan};
use crate::{
    gate::{Given, Owner, key, known},
    support::{TestApp, browser::location},
};
use sqlx::PgPool;
use tollgate::{
    accounts::Caller,
    keys::model::Window,
    plans::{
        api,
        server::{assign_plan, find_plan},
    },
};

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_operator_describes_assigns_and_tries_a_plan(db: PgPool) {
    let app = TestApp::start(db).await;
    let (person, operator) = (app.sign_in_as("developer").await, app.sign_in_as("operator").await);
    let browser = &operator.browser;
    let none = browser.page("/admin/plans").await;
    assert!(none.contains("No plans yet") && none.contains("Fill in “New plan”") && !none.contains("beside this"), "on a phone the form stands below");
    assert_eq!(person.browser.get("/admin/plans").await.status(), 403);

    let wrong = [("plan[name]", "Pro <b>"), ("plan[slug]", "Pro!"), ("plan[day]", "many"), ("plan[per_1000]", ""), ("plan[currency]", "")];
    let refused = browser.post::<api::CreatePlan>("/admin/plans", &wrong).await;
    assert_eq!(refused.status(), 422);
    let page = refused.text().await.unwrap();
    assert!(page.contains("Write a whole number of units") && page.contains("value=\"many\""), "beside its field, what was typed stays");
    assert!(page.contains("2 fields need a change: ") && page.contains("<details open class=\"new-form\""), "all at once, and the form is open: {page}");
    let right = [("plan[name]", "Pro <b>"), ("plan[slug]", "pro"), ("plan[day]", "10,000"), ("plan[per_1000]", "0.5"), ("plan[currency]", "EUR")];
    let made = browser.post::<api::CreatePlan>("/admin/plans", &right).await;
    assert_eq!(location(&made), "/admin/plans?edit=pro");
    let twice = browser.post::<api::CreatePlan>("/admin/plans", &right).await;
    assert!(twice.text().await.unwrap().contains("Another plan has this slug."));
    let page = browser.page("/admin/plans").await;
    assert!(page.contains("Pro &lt;b&gt;") && page.contains("10,000 units a day") && page.contains("0.50"));

    let assigned = "/admin/plans?edit=pro";
    let nobody = browser.post::<api::AssignPlan>(assigned, &[("slug", "pro"), ("to", "nobody@example.com")]).await;
    assert!(nobody.text().await.unwrap().contains("Nobody has this email or id."));
    browser.post::<api::AssignPlan>(assigned, &[("slug", "pro"), ("to", &person.email)]).await;
    let page = browser.page(assigned).await;
    assert!(page.contains("Take the plan from") && page.contains(&format!("/admin/accounts/{}", person.account)), "{page}");
    browser.post::<api::SavePlan>(assigned, &[("plan[slug]", "pro"), ("plan[name]", "Pro")]).await;
    let now = find_plan(&app.ctx, &Caller::cli(), "pro").await.unwrap();
    assert_eq!((now.limits, now.price), (vec![limit("day", 10_000, Window::DAY)], None), "its limits stand in forms of their own");
    let month = [("slug", "pro"), ("_form", "limit"), ("name", "month"), ("limit", "200000"), ("window", "month")];
    assert_eq!(location(&browser.post::<api::SetPlanLimit>(assigned, &month).await), assigned);
    let now = find_plan(&app.ctx, &Caller::cli(), "pro").await.unwrap();
    assert_eq!(now.limits, [limit("day", 10_000, Window::DAY), limit("month", 200_000, Window::Month)]);
    browser.post::<api::SetPlanLimit>(assigned, &[("slug", "pro"), ("was", "day"), ("act", "remove")]).await;
    let changed = [month.as_slice(), &[("was", "month")]].concat();
    let slowed = [changed.as_slice(), &[("over", "throttle"), ("over_per_second", "5"), ("over_until", "2027-01-31")]].concat();
    browser.post::<api::SetPlanLimit>(assigned, &slowed).await;
    let now = find_plan(&app.ctx, &Caller::cli(), "pro").await.unwrap();
    assert_eq!(now.limits[0].over.to_string(), "throttle:5@2027-01-31T00:00:00Z");
    let page = browser.page("/admin/plans?edit=pro&set=month").await;
    for words in ["200,000 units a month", "then 5 calls a second until 2027-01-31 00:00 UTC", "value=\"2027-01-31\""] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let wrong = [changed.as_slice(), &[("over", "throttle"), ("over_per_second", "0")]].concat();
    assert!(browser.post::<api::SetPlanLimit>(assigned, &wrong).await.text().await.unwrap().contains("Write how many calls pass in a second"));
    assert!(browser.page("/admin/plans?edit=pro&try=1").await.contains("nobody would have been held back"));
    assert_eq!(browser.get("/admin/plans?edit=gold").await.status(), 404);

    let stuck = browser.post::<api::DeletePlan>(assigned, &[("slug", "pro")]).await;
    assert_eq!(stuck.status(), 409);
    let workspace: uuid::Uuid = sqlx::query_scalar("select workspace_id from workspace_plans").fetch_one(&app.ctx.db).await.unwrap();
    let id = tollgate::values::WorkspaceId::new(workspace).to_string();
    browser.post::<api::TakePlan>(assigned, &[("from", &id)]).await;
    let gone = browser.post::<api::DeletePlan>(assigned, &[("slug", "pro")]).await;
    assert_eq!(location(&gone), "/admin/plans");
    assert!(browser.page(&format!("/admin/accounts/{}", person.account)).await.contains("the plan pro"), "the account's history tells");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_limits_of_a_plan_stand_first_and_are_tried_from_their_form(db: PgPool) {
    let app = TestApp::start(db).await;
    let operator = app.sign_in_as("operator").await;
    let typed = [("plan[name]", "Pro"), ("plan[slug]", "pro"), ("plan[second]", "3"), ("plan[hour]", "100")];
    operator.browser.post::<api::CreatePlan>("/admin/plans", &typed).await;
    let made = find_plan(&app.ctx, &Caller::cli(), "pro").await.unwrap().limits;
    assert_eq!(made, [limit("hour", 100, Window::HOUR), limit("second", 3, Window::SECOND)]);
    let list = operator.browser.page("/admin/plans").await;
    assert!(list.contains("class=\"new-form\"") && !list.contains("<details open"), "no form is open at rest: {list}");
    let page = operator.browser.page("/admin/plans?edit=pro").await;
    let at = |words: &str| page.find(words).unwrap_or_else(|| panic!("{words}: {page}"));
    assert!(at("Limits of the plan") < at("Who has it") && at("Who has it") < at("Change the plan"), "{page}");
    assert_eq!(page.matches("Who would be limited?").count(), 1, "{page}");

    // With nothing typed it tries what there is; a limit without a name is called as its window.
    let sent = |limit: &'static str| [("slug", "pro"), ("_form", "limit"), ("limit", limit), ("window", "calls:60"), ("act", "try")];
    let tried = operator.browser.post::<api::SetPlanLimit>("/admin/plans?edit=pro", &sent("")).await;
    assert_eq!(location(&tried), "/admin/plans?edit=pro&try=1#try");
    let tried = operator.browser.post::<api::SetPlanLimit>("/admin/plans?edit=pro", &sent("5")).await;
    assert!(location(&tried).starts_with("/admin/plans?edit=pro&try=typed&"), "{}", location(&tried));
    for (name, window) in [("default", "3600"), ("minute", "calls:60")] {
        operator.browser.post::<api::SetPlanLimit>("/admin/plans?edit=pro", &[("slug", "pro"), ("limit", "5"), ("window", window)]).await;
        let now = find_plan(&app.ctx, &Caller::cli(), "pro").await.unwrap().limits;
        assert!(now.iter().any(|limit| limit.name == name), "{name}: {now:?}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_key_says_why_it_has_this_limit(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (person, operator) = (app.sign_in_as("developer").await, app.sign_in_as("operator").await);
    let workspace = sqlx::query_scalar("select id from workspaces where personal_of = $1").bind(person.account.uuid()).fetch_one(&db).await.unwrap();
    let owner = Owner { account: person.account, workspace: tollgate::values::WorkspaceId::new(workspace) };
    let (id, _) = key(&db, &app, &owner, Given::default()).await;
    known(&app, id).await;
    let page = person.browser.page(&format!("/keys/{id}")).await;
    assert!(page.contains("Why this limit?") && page.contains("100 units an hour") && page.contains("Counted for this key alone."));
    plan(&app.ctx, "pro", vec![limit("day", 12_345, Window::DAY)]).await;
    assign_plan(&app.ctx, &Caller::cli(), owner.workspace, Some("pro")).await.unwrap();
    let page = person.browser.page(&format!("/keys/{id}")).await;
    assert!(page.contains("12,345 units a day") && page.contains("Counted for all keys of the workspace together."));
    let panel = operator.browser.page(&format!("/admin/keys?key={id}")).await;
    assert!(panel.contains("Why this limit?") && panel.contains("12,345 units a day") && panel.contains("Plan of the workspace"));
}
