//! Two pages with the same form: the one that was opened first takes nothing back that was saved from the other. It is told, keeps what was
//! typed, and overwrites only when it is sent again.

use crate::support::{
    TestApp,
    browser::{Browser, location},
};
use leptos::server_fn::ServerFn;
use sqlx::PgPool;
use tollgate::{
    accounts::api::{PublishProfile, SavePolicy, UpdateProfile},
    admin::api::{ChangeField, CreateField, SaveApi, SaveBundle, SaveRoute},
    blocks::api::{SetExemptions, SetRule},
    keys::{
        api::{CreateKey, DisableKey, SaveKey},
        model::TypedLimit,
    },
    notices::api::SaveNotices,
    plans::api::{CreateGroup, CreatePlan, SaveGroup, SavePlan, SetGroupLimit, SetPlanLimit},
};

/// The value of the first hidden field `name` behind the beginning of a form of this action.
fn hidden<F: ServerFn>(page: &str, name: &str) -> String {
    let (_, form) = page.split_once(&format!("name=\"_fn\" value=\"{}\"", F::PATH)).unwrap_or_else(|| panic!("no form {}", F::PATH));
    let (_, rest) = form.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("no hidden {name}"));
    rest.split('"').next().unwrap().to_owned()
}

fn with<'a>(fields: &[(&'a str, &'a str)], version: &'a str) -> Vec<(&'a str, &'a str)> {
    [fields, &[("version", version)][..]].concat()
}

/// The text of a page, without tags.
fn words(page: &str) -> String {
    page.split('<').filter_map(|piece| piece.split_once('>')).map(|(_, text)| text).collect()
}

/// Two tabs show `page`. One sends `first`, then the other `second`, and is told what is `stored` by now.
async fn the_second_is_told<F: ServerFn>(tabs: &Browser, page: &str, first: &[(&str, &str)], second: &[(&str, &str)], stored: &str) {
    let version = hidden::<F>(&tabs.page(page).await, "version");
    for _ in 0..2 {
        let saved = tabs.post::<F>(page, &with(first, &version)).await;
        assert_eq!(saved.status(), 303, "{page}: sent twice it is no conflict: {}", saved.text().await.unwrap());
    }
    let told = tabs.post::<F>(page, &with(second, &version)).await;
    assert_eq!(told.status(), 409, "{page}");
    let told = told.text().await.unwrap().replace("<!>", "");
    let text = words(&told);
    assert!(text.contains("changed after you opened this page"), "{page}: {text}");
    assert!(text.contains(&format!("Stored now: {stored}")), "{page}: {text}");
    let now = hidden::<F>(&told, "version");
    assert_ne!(now, version, "{page}");
    let saved = tabs.post::<F>(page, &with(second, &now)).await;
    assert_eq!(saved.status(), 303, "{page}: who was told overwrites: {}", saved.text().await.unwrap());
}

/// A key of this person: its path.
async fn key(tabs: &Browser) -> String {
    let once = hidden::<CreateKey>(&tabs.page("/keys").await, "once");
    location(&tabs.post::<CreateKey>("/keys", &[("name", "checkout"), ("once", &once)]).await).to_owned()
}

async fn name_and_tags(db: &PgPool) -> (String, Vec<String>) {
    sqlx::query_as("select name, tags from keys").fetch_one(db).await.unwrap()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn of_two_open_pages_of_a_key_the_older_takes_nothing_back(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let vera = app.sign_in_as("developer").await.browser;
    let path = key(&vera).await;
    let id = path.rsplit('/').next().unwrap();
    let version = hidden::<SaveKey>(&vera.page(&path).await, "version");
    let older = [("id", id), ("name", "checkout"), ("tags", "prod"), ("addresses", "203.0.113.0/24\r\n"), ("version", version.as_str())];
    vera.post::<SaveKey>(&path, &[("id", id), ("name", "till"), ("version", &version)]).await;

    let told = vera.post::<SaveKey>(&path, &older).await;
    assert_eq!(told.status(), 409);
    let told = told.text().await.unwrap().replace("<!>", "");
    assert_eq!(name_and_tags(&db).await, ("till".to_owned(), vec![]), "nothing is saved");
    assert!(told.contains("value=\"checkout\"") && told.contains("value=\"prod\"") && told.contains("203.0.113.0/24"), "what was typed stays: {told}");
    let text = words(&told);
    assert!(text.contains("This key was changed after you opened this page"), "{text}");
    assert!(text.contains("Stored now: till"), "{text}");
    assert_eq!(text.matches("Stored now: nothing").count(), 2, "tags and addresses: {text}");

    let now = hidden::<SaveKey>(&told, "version");
    let again: Vec<_> = older[..4].iter().copied().chain([("version", now.as_str())]).collect();
    assert_eq!(vera.post::<SaveKey>(&path, &again).await.status(), 303);
    assert_eq!(name_and_tags(&db).await, ("checkout".to_owned(), vec!["prod".to_owned()]));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn after_another_refusal_a_form_still_stands_for_what_it_showed(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let vera = app.sign_in_as("developer").await.browser;
    let path = key(&vera).await;
    let id = path.rsplit('/').next().unwrap();
    let version = hidden::<SaveKey>(&vera.page(&path).await, "version");
    vera.post::<SaveKey>(&path, &[("id", id), ("name", "till"), ("version", &version)]).await;
    let wrong = vera.post::<SaveKey>(&path, &[("id", id), ("name", "checkout"), ("meta", "{"), ("version", &version)]).await;
    assert_eq!(wrong.status(), 422);
    let shown = hidden::<SaveKey>(&wrong.text().await.unwrap(), "version");
    assert_eq!(shown, version, "the name that somebody saved was not told yet");
    assert_eq!(vera.post::<SaveKey>(&path, &[("id", id), ("name", "checkout"), ("version", &shown)]).await.status(), 409);
    assert_eq!(name_and_tags(&db).await.0, "till");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_a_form_does_not_show_is_no_conflict(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let vera = app.sign_in_as("developer").await.browser;
    let path = key(&vera).await;
    let id = path.rsplit('/').next().unwrap();
    let version = hidden::<SaveKey>(&vera.page(&path).await, "version");
    vera.post::<DisableKey>(&path, &[("id", id)]).await;
    assert_eq!(vera.post::<SaveKey>(&path, &[("id", id), ("name", "till"), ("version", &version)]).await.status(), 303, "it was disabled meanwhile");
    assert_eq!(vera.post::<SaveKey>(&path, &[("id", id), ("name", "tills")]).await.status(), 303, "a form without a version saves as before");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn of_two_pages_of_operators_the_older_takes_nothing_back(db: PgPool) {
    let app = TestApp::start(db).await;
    let operator = app.sign_in_as("operator").await.browser;
    let api = "/admin/apis/demo";
    the_second_is_told::<SaveApi>(
        &operator,
        api,
        &[("slug", "demo"), ("name", "Shop"), ("sample_one_in", "")],
        &[("slug", "demo"), ("name", "Demo"), ("sample_one_in", "5")],
        "Shop",
    )
    .await;

    let route = [("slug", "demo"), ("method", "GET"), ("path", "/orders"), ("_form", "route")];
    assert_eq!(operator.post::<SaveRoute>(api, &route).await.status(), 303);
    let changed = |more: [(&'static str, &'static str); 2]| [&route[..], &[("replaces", "GET /orders")], &more].concat();
    the_second_is_told::<SaveRoute>(
        &operator,
        "/admin/apis/demo?route=GET%20%2Forders",
        &changed([("cost", "1"), ("description", "All of them")]),
        &changed([("cost", "5"), ("description", "")]),
        "All of them",
    )
    .await;

    let bundle = [("slug", "demo"), ("name", "desk"), ("permissions[]", "orders:read"), ("_form", "bundle")];
    assert_eq!(operator.post::<SaveBundle>(api, &bundle).await.status(), 303);
    let changed = |description: &'static str| [&bundle[..], &[("replaces", "desk"), ("description", description)]].concat();
    the_second_is_told::<SaveBundle>(&operator, "/admin/apis/demo?bundle=desk", &changed("For the desk"), &changed("For tills"), "For the desk").await;

    let field = [("field[slug]", "team"), ("field[kind]", "text")];
    assert_eq!(operator.post::<CreateField>("/admin/fields", &[&field[..], &[("field[label]", "Team")]].concat()).await.status(), 303);
    let changed = |label: &'static str| [("field[slug]", "team"), ("field[label]", label)];
    the_second_is_told::<ChangeField>(&operator, "/admin/fields?edit=team", &changed("Your team"), &changed("Crew"), "Your team").await;

    let changed = |idle: &'static str, max: &'static str| [("policy[of]", "role:operator"), ("policy[idle]", idle), ("policy[max]", max)];
    the_second_is_told::<SavePolicy>(&operator, "/admin/sessions?edit=role:operator", &changed("1h", "8h"), &changed("", "12h"), "1h").await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_route_that_another_page_renamed_is_not_added_again(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let operator = app.sign_in_as("operator").await.browser;
    let (api, page) = ("/admin/apis/demo", "/admin/apis/demo?route=GET%20%2Forders");
    let route = |path, cost| [("slug", "demo"), ("method", "GET"), ("path", path), ("cost", cost), ("_form", "route")];
    assert_eq!(operator.post::<SaveRoute>(api, &route("/orders", "1")).await.status(), 303);
    let version = hidden::<SaveRoute>(&operator.page(page).await, "version");
    let changed = |path, cost| [&route(path, cost)[..], &[("replaces", "GET /orders"), ("version", version.as_str())]].concat();
    for _ in 0..2 {
        assert_eq!(operator.post::<SaveRoute>(page, &changed("/purchases", "1")).await.status(), 303, "sent twice it is there once");
    }
    let late = operator.post::<SaveRoute>(page, &changed("/orders/{id}", "5")).await;
    assert_eq!(late.status(), 409);
    let late = late.text().await.unwrap().replace("<!>", "");
    assert!(words(&late).contains("GET /orders is not there any more"), "{late}");
    assert!(late.contains("New route") && late.contains("value=\"/orders/{id}\"") && late.contains("value=\"5\""), "what was typed stays: {late}");
    let stored: Vec<String> = sqlx::query_scalar("select pattern from api_routes").fetch_all(&db).await.unwrap();
    assert_eq!(stored, ["/purchases"]);
    assert_eq!(operator.post::<SaveRoute>(page, &route("/orders/{id}", "5")).await.status(), 303, "as that form sends it, it is a new one");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn of_two_pages_of_plans_groups_and_limits_the_older_takes_nothing_back(db: PgPool) {
    let app = TestApp::start(db).await;
    let operator = app.sign_in_as("operator").await.browser;
    let plan = [("plan[slug]", "free"), ("plan[name]", "Free"), ("plan[day]", "100")];
    assert_eq!(operator.post::<CreatePlan>("/admin/plans", &plan).await.status(), 303);
    let changed = |name: &'static str, description: &'static str| [("plan[slug]", "free"), ("plan[name]", name), ("plan[description]", description)];
    the_second_is_told::<SavePlan>(&operator, "/admin/plans?edit=free", &changed("Gratis", ""), &changed("Free", "For all"), "Gratis").await;

    let limit = |most: &'static str| [("slug", "free"), ("was", "day"), ("name", "day"), ("limit", most), ("window", "86400"), ("_form", "limit")];
    the_second_is_told::<SetPlanLimit>(&operator, "/admin/plans?edit=free&set=day", &limit("200"), &limit("300"), "200").await;

    assert_eq!(operator.post::<CreateGroup>("/admin/groups", &[("group[slug]", "gold"), ("group[name]", "Gold")]).await.status(), 303);
    let changed = |name: &'static str, plan: &'static str| [("group[slug]", "gold"), ("group[name]", name), ("group[plan]", plan)];
    the_second_is_told::<SaveGroup>(&operator, "/admin/groups?edit=gold", &changed("Gold", "free"), &changed("Golden", ""), "Free").await;
}

/// While `page` tries a limit of this slug, another one saves it: what the try answers still stands for what its form showed.
async fn a_try_takes_nothing_back<F: ServerFn>(operator: &Browser, page: &str, slug: &str) {
    let limit = |most: &'static str| [("slug", slug), ("was", "day"), ("name", "day"), ("limit", most), ("window", "86400"), ("_form", "limit")];
    let tried = |most: &'static str| [&limit(most)[..], &[("act", TypedLimit::TRY)]].concat();
    let set = format!("{page}&set=day");
    let version = hidden::<F>(&operator.page(&set).await, "version");
    assert_eq!(operator.post::<F>(&set, &with(&limit("200"), &version)).await.status(), 303, "the other page saves");
    let try_it = location(&operator.post::<F>(&set, &with(&tried("300"), &version)).await).to_owned();
    let shown = operator.page(&try_it).await;
    assert!(shown.contains("Nothing is saved.") && shown.contains("name=\"limit\" value=\"300\""), "{shown}");
    assert_eq!(hidden::<F>(&shown, "version"), version, "{try_it}");
    let told = operator.post::<F>(&try_it, &with(&limit("300"), &version)).await;
    assert_eq!(told.status(), 409);
    let told = told.text().await.unwrap().replace("<!>", "");
    assert!(words(&told).contains("Stored now: 200"), "{told}");
    let now = hidden::<F>(&told, "version");

    // Who was told tries it once more, and saves; meanwhile it is taken away.
    let try_it = location(&operator.post::<F>(&try_it, &with(&tried("400"), &now)).await).to_owned();
    assert_eq!(hidden::<F>(&operator.page(&try_it).await, "version"), now);
    assert_eq!(operator.post::<F>(page, &[("slug", slug), ("was", "day"), ("act", TypedLimit::REMOVE)]).await.status(), 303);
    let shown = operator.page(&try_it).await;
    assert_eq!((hidden::<F>(&shown, "was").as_str(), hidden::<F>(&shown, "version")), ("day", now.clone()));
    let told = operator.post::<F>(&try_it, &with(&limit("400"), &now)).await;
    assert_eq!(told.status(), 409, "that it is gone is no less");
    let gone = hidden::<F>(&told.text().await.unwrap(), "version");
    assert_eq!(operator.post::<F>(&try_it, &with(&limit("400"), &gone)).await.status(), 303, "who was told has it back");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn who_tries_a_limit_takes_nothing_back_by_saving_it(db: PgPool) {
    let app = TestApp::start(db).await;
    let operator = app.sign_in_as("operator").await.browser;
    let plan = [("plan[slug]", "free"), ("plan[name]", "Free"), ("plan[day]", "100")];
    assert_eq!(operator.post::<CreatePlan>("/admin/plans", &plan).await.status(), 303);
    a_try_takes_nothing_back::<SetPlanLimit>(&operator, "/admin/plans?edit=free", "free").await;
    let group = [("group[slug]", "gold"), ("group[name]", "Gold"), ("group[day]", "100")];
    assert_eq!(operator.post::<CreateGroup>("/admin/groups", &group).await.status(), 303);
    a_try_takes_nothing_back::<SetGroupLimit>(&operator, "/admin/groups?edit=gold", "gold").await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn of_two_pages_of_rules_and_mails_the_older_takes_nothing_back(db: PgPool) {
    let app = TestApp::start(db).await;
    let operator = app.sign_in_as("operator").await.browser;
    let page = operator.page("/admin/blocks").await;
    // That of the first rule on the page.
    let rule = hidden::<SetRule>(&page, "rule[rule]");
    let changed = |most: &'static str| {
        let fields = [("rule[most]", most), ("rule[minutes]", "5"), ("rule[then]", "tell"), ("rule[lasts]", "1h")];
        [&[("rule[rule]", rule.as_str()), ("_form", rule.as_str())][..], &fields[..]].concat()
    };
    the_second_is_told::<SetRule>(&operator, "/admin/blocks", &changed("50"), &changed("60"), "50").await;
    let networks = |one: &'static str| [("networks", one)];
    the_second_is_told::<SetExemptions>(&operator, "/admin/blocks", &networks("203.0.113.0/24"), &networks("198.51.100.0/24"), "203.0.113.0/24").await;

    let mails = |thresholds: &'static str| [("limits", "true"), ("thresholds", thresholds)];
    the_second_is_told::<SaveNotices>(&operator, "/settings/notifications", &mails("50"), &mails("90"), "50").await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn of_two_pages_of_a_profile_the_older_takes_nothing_back(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let before = hidden::<PublishProfile>(&vera.browser.page("/settings/public").await, "version");
    the_second_is_told::<UpdateProfile>(
        &vera.browser,
        "/settings/profile",
        &[("name", "Vera Holm"), ("time_zone", "UTC")],
        &[("name", &vera.name), ("time_zone", "Europe/Berlin")],
        "Vera Holm",
    )
    .await;
    let handle = [("handle", "vera-h"), ("published[]", "name"), ("version", before.as_str())];
    assert_eq!(vera.browser.post::<PublishProfile>("/settings/public", &handle).await.status(), 303, "the other form shows other things");
    the_second_is_told::<PublishProfile>(
        &vera.browser,
        "/settings/public",
        &[("handle", "vera-h"), ("published[]", "time_zone")],
        &[("handle", "vera-h"), ("published[]", "joined")],
        "Time zone",
    )
    .await;
}
