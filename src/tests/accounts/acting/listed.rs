//! What is done while acting, and what not. Pages and functions are those that the product itself knows: one that is new is in one of the
//! lists, or fails here.

use super::{act, page, two};
use crate::{
    accounts::count,
    keys::person_with,
    support::{
        TestApp,
        browser::{Browser, location},
        routes,
    },
};
use sqlx::PgPool;
use std::collections::BTreeSet;
use tollgate::{
    accounts::server::{MAY_WHILE_ACTING, NEVER_WHILE_ACTING, NO_PAGES_WHILE_ACTING, PAGES_WHILE_ACTING, is_no_page},
    keys::api::CreateKey,
};

const FUNCTIONS: &str = "/fn/tollgate/";

fn known() -> Vec<&'static str> {
    // Those of tests are below another crate's name.
    leptos::server_fn::axum::server_fn_paths().map(|(path, _)| path).filter(|path| path.starts_with(FUNCTIONS)).collect()
}

fn may(path: &str) -> bool {
    path.strip_prefix(FUNCTIONS).is_some_and(|name| MAY_WHILE_ACTING.iter().any(|(_, names)| names.contains(&name)))
}

#[test]
fn r67_every_function_is_for_who_acts_or_says_why_not() {
    let known: BTreeSet<&str> = known().into_iter().collect();
    let entries: Vec<&str> = MAY_WHILE_ACTING.iter().chain(NEVER_WHILE_ACTING).flat_map(|(_, names)| names.iter().copied()).collect();
    let is_under = |path: &str, entry: &str| {
        let name = path.strip_prefix(FUNCTIONS).unwrap_or(path);
        name == entry || (entry.ends_with('/') && name.starts_with(entry))
    };
    for entry in &entries {
        assert!(known.iter().any(|path| is_under(path, entry)), "{entry} is nothing of the product");
        assert!(!entry.ends_with('/') || !MAY_WHILE_ACTING.iter().any(|(_, names)| names.contains(entry)), "{entry}: what may be done is named one by one");
    }
    for path in known {
        let times = entries.iter().filter(|entry| is_under(path, entry)).count();
        assert_eq!(times, 1, "{path}: put it into MAY_WHILE_ACTING or into NEVER_WHILE_ACTING with its reason, once");
    }
}

#[test]
fn r67_every_page_is_for_who_acts_or_not() {
    let routes = routes();
    for path in &routes {
        assert_ne!(PAGES_WHILE_ACTING.contains(&path.as_str()), is_no_page(path), "{path}: put it into one of the two lists of pages");
    }
    for page in PAGES_WHILE_ACTING.iter().chain(NO_PAGES_WHILE_ACTING) {
        let is_there = |path: &String| path == page || (page.ends_with('/') && path.starts_with(page));
        assert!(routes.iter().any(is_there), "{page} is nothing of the product");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s91_r67_what_is_not_listed_is_refused_to_who_acts(db: PgPool) {
    let (app, operator, vera) = two(db).await;
    act(&operator, &vera).await;
    app.run_jobs().await;
    let before = (everything(&app).await, count(&app, "select count(*) from jobs").await);
    let (id, browser) = (vera.account.to_string(), &operator.browser);
    let form = [("id", id.as_str()), ("reason", "x"), ("name", "x"), ("password", "x"), ("email", "x@example.com"), ("new_password", "x")];
    for path in known().into_iter().filter(|path| !may(path)) {
        let request = browser.http.post(app.url(path)).header("sec-fetch-site", "same-origin").header("accept", "application/json");
        assert_eq!(request.form(&form).send().await.unwrap().status(), 403, "{path}, called by a script");
        let mut fields = vec![("_fn", path)];
        fields.extend(form);
        let request = browser.http.post(app.url("/home")).header("sec-fetch-site", "same-origin").header("accept", "text/html");
        assert_eq!(request.form(&fields).send().await.unwrap().status(), 403, "{path}, as a form of a page that is open");
    }
    for path in routes().into_iter().filter(|path| is_no_page(path)) {
        let path = path.replace("{id}", &id).replace("{slug}", "demo");
        let (status, html) = page(browser, &path).await;
        assert!(status == 403 && html.contains("Stop first") && html.contains("You act as Vera 1"), "{path}: {status}");
        let request = browser.http.post(app.url(&path)).header("sec-fetch-site", "same-origin").header("accept", "text/html");
        let posted = request.form(&[("_fn", "/fn/tollgate/accounts/api/profile/update_profile"), ("name", "Mallory"), ("time_zone", "UTC")]).send().await;
        assert_eq!(posted.unwrap().status(), 403, "{path}: a form to it goes nowhere, whatever it asks");
    }
    assert_eq!((everything(&app).await, count(&app, "select count(*) from jobs").await), before, "nothing was done");
    assert!(browser.is_signed_in().await && vera.browser.is_signed_in().await);
    for path in PAGES_WHILE_ACTING {
        let status = page(browser, &path.replace("{id}", &id).replace("{handle}", "nobody").replace("{slug}", "limits")).await.0;
        assert!(matches!(status, 200 | 404), "{path}: {status}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r67_no_menu_tab_or_link_of_the_account_leads_to_what_is_refused(db: PgPool) {
    let (_app, operator, vera) = two(db).await;
    let made = vera.browser.post::<CreateKey>("/keys", &[("name", "shop")]).await;
    let key = location(&made).to_owned();
    let refused: Vec<&str> =
        NO_PAGES_WHILE_ACTING.iter().copied().filter(|path| !path.contains('{') && !path.ends_with('/')).chain(["/api/v1/keys/export"]).collect();
    let leads = |html: &str, path: &str| ['"', '?', '#'].iter().any(|end| html.contains(&format!("href=\"{path}{end}")));
    let found = async |browser: &Browser, pages: &[&str]| {
        let mut found = BTreeSet::new();
        for at in pages {
            let (status, html) = page(browser, at).await;
            assert_eq!(status, 200, "{at}");
            found.extend(refused.iter().filter(|path| leads(&html, path)).map(|path| format!("{at} leads to {path}")));
            found.extend(html.contains("?dialog=disable").then(|| format!("{at} offers to disable a key")).filter(|_| *at == "/keys"));
        }
        found
    };
    let framed = PAGES_WHILE_ACTING.iter().copied().filter(|path| path.starts_with("/settings/") || ["/home", "/keys", "/requests", "/exports"].contains(path));
    let framed: Vec<&str> = framed.chain(["/usage", "/usage/errors", key.as_str()]).collect();
    let own = found(&vera.browser, framed.as_slice()).await;
    for way in
        ["/home leads to /settings/security", "/settings/profile leads to /settings/danger", "/keys leads to /keys/import", "/keys offers to disable a key"]
    {
        assert!(own.contains(way), "its owner goes there: {way}, {own:?}");
    }
    assert!(page(&vera.browser, "/keys").await.1.contains("With the selected keys"));

    act(&operator, &vera).await;
    assert_eq!(found(&operator.browser, framed.as_slice()).await, BTreeSet::new());
    let (_, settings) = page(&operator.browser, "/settings/profile").await;
    assert!(settings.contains("Hidden while you act as somebody else: Security and Danger."), "{settings}");
    let (_, keys) = page(&operator.browser, "/keys").await;
    assert!(keys.contains("shop") && keys.contains("History") && !keys.contains("With the selected keys"), "{keys}");
}

/// How many rows stand where an act would show.
async fn everything(app: &TestApp) -> i64 {
    count(
        app,
        "select (select count(*) from events) + (select count(*) from keys) + (select count(*) from sessions) + (select count(*) from token_families)
           + (select count(*) from totp_enrolments) + (select count(*) from email_changes) + (select count(*) from account_exports)
           + (select count(*) from exports) + (select count(*) from auth_tokens) + (select count(*) from alert_rules) + (select count(*) from interrupted_forms)",
    )
    .await
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r67_over_rest_who_acts_is_nobody_and_a_key_is_itself(db: PgPool) {
    let (app, operator, vera) = two(db.clone()).await;
    let mara = person_with(&app, &db, "mara@example.com", "developer", &["account:read", "account:write"]).await;
    act(&operator, &vera).await;
    let http = &operator.browser.http;
    for (method, path) in [
        (reqwest::Method::GET, "/api/v1/me"),
        (reqwest::Method::PATCH, "/api/v1/me"),
        (reqwest::Method::GET, "/api/v1/keys"),
        (reqwest::Method::POST, "/api/v1/keys"),
        (reqwest::Method::DELETE, "/api/v1/me/sessions"),
        (reqwest::Method::POST, "/api/v1/auth/logout"),
        (reqwest::Method::GET, "/api/v1/usage/export?format=csv"),
        (reqwest::Method::GET, "/api/v1/nothing"),
    ] {
        let request = http.request(method.clone(), app.url(path)).header("sec-fetch-site", "same-origin");
        let status =
            if method == reqwest::Method::GET { request.send() } else { request.json(&serde_json::json!({ "name": "x" })).send() }.await.unwrap().status();
        assert!(status == 403 || (path.ends_with("nothing") && status == 404), "{method} {path}: {status}");
    }
    let file = http.post(app.url("/keys/create-many/file")).header("sec-fetch-site", "same-origin").form(&[("list", "x")]);
    assert_eq!(file.send().await.unwrap().status(), 401, "a file that is no page either");
    assert_eq!(http.get(app.url("/api/v1/openapi.json")).send().await.unwrap().status(), 200, "the reference is for everybody");

    // A key beside the cookie speaks for its owner, and what it does is not the operator's.
    let me: serde_json::Value = http.get(app.url("/api/v1/me")).bearer_auth(&mara.secret).send().await.unwrap().json().await.unwrap();
    assert_eq!(me["email"], "mara@example.com");
    let patch = http.patch(app.url("/api/v1/me")).header("sec-fetch-site", "same-origin").bearer_auth(&mara.secret);
    assert_eq!(patch.json(&serde_json::json!({ "name": "Mara Lind" })).send().await.unwrap().status(), 200);
    assert_eq!(
        count(&app, "select count(*) from events where kind = 'account.profile_changed' and actor_id = subject_id and not data ? 'on_behalf_of'").await,
        1
    );
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r67_a_picture_is_its_owners(db: PgPool) {
    let (app, operator, vera) = two(db).await;
    act(&operator, &vera).await;
    assert!(!operator.browser.page("/settings/profile").await.contains("multipart/form-data"), "its form is not there");
    let body = "--gate\r\nContent-Disposition: form-data; name=\"_fn\"\r\n\r\nset_picture\r\n--gate\r\nContent-Disposition: form-data; name=\"picture\"; \
                filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\nx\r\n--gate--\r\n";
    let request = operator.browser.http.post(app.url("/settings/profile")).header("sec-fetch-site", "same-origin").header("accept", "text/html");
    let sent = request.header("content-type", "multipart/form-data; boundary=gate").body(body).send().await.unwrap();
    assert_eq!(sent.status(), 403);
    assert_eq!(count(&app, "select count(*) from avatars").await, 0);
}
