//! The gallery stands for every page: what holds for all components is asserted on it.

use crate::support::TestApp;
use sqlx::PgPool;
use std::{fs, path::Path};

/// Components that stand inside another one on every page, which shows them.
const INSIDE: &[(&str, &str)] = &[
    ("CopyButton", "CodeBlock"),
    ("ThemeToggle", "AppFrame"),
    ("Toasts", "AppFrame"),
    ("Hatch", "UsageChart"),
    ("Plot", "UsageChart"),
    ("ChartHover", "UsageChart"),
];

/// The text of every Rust file below this folder of `src`.
fn sources(folder: &str) -> String {
    let files = walkdir::WalkDir::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder)).into_iter().filter_map(Result::ok);
    files.filter(|e| e.path().extension().is_some_and(|x| x == "rs")).map(|e| fs::read_to_string(e.path()).unwrap()).collect()
}

/// The names of the public components and islands.
fn components(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut begins = false;
    for line in text.lines() {
        begins |= line == "#[component]" || line.starts_with("#[island");
        if let Some(rest) = line.strip_prefix("pub fn ").filter(|_| begins) {
            found.push(rest.split(|c: char| !c.is_alphanumeric()).next().unwrap());
        }
        begins &= !line.contains("fn ");
    }
    found
}

#[test]
fn every_component_stands_in_the_gallery() {
    let (ui, gallery) = (sources("ui"), sources("site/pages/gallery"));
    let stands = |name: &str| gallery.split(&format!("<{name}")).skip(1).any(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()));
    let all = components(&ui);
    assert!(all.len() > 60, "{} components", all.len());
    let missing: Vec<_> = all.iter().filter(|name| !stands(name) && !INSIDE.iter().any(|(inner, _)| inner == *name)).collect();
    assert!(missing.is_empty(), "/dev/ui shows every component, but not {missing:?}");
    for (inner, outer) in INSIDE {
        assert!(all.contains(inner) && stands(outer), "{inner} inside {outer}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn every_look_of_a_button_is_there_at_rest_busy_and_disabled(db: PgPool) {
    let html = gallery(db).await;
    let buttons: Vec<_> = html.split("<button").skip(1).filter_map(|rest| rest.split('>').next()).collect();
    for look in ["btn-primary", "btn-secondary", "btn-quiet", "btn-danger", "btn-danger-quiet"] {
        let of: Vec<_> = buttons.iter().filter(|tag| tag.contains(&format!("\"btn {look}\""))).collect();
        let (busy, off) = (|tag: &str| tag.contains("aria-busy"), |tag: &str| tag.contains(" disabled"));
        assert!(of.iter().any(|tag| busy(tag)) && of.iter().any(|tag| off(tag)) && of.iter().any(|tag| !busy(tag) && !off(tag)), "{look}: {of:?}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn every_kind_of_field_is_there_refused(db: PgPool) {
    let html = gallery(db).await;
    for id in ["error-email", "error-password", "choice-plan", "choice-stored", "choice-permission", "choice-until", "choice-picture"] {
        assert!(html.contains(&format!("id=\"gallery-{id}-error\"")), "{id}");
        assert!(html.contains(&format!("aria-describedby=\"gallery-{id}-error\"")), "{id}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn every_kind_of_field_of_a_late_form_says_what_is_stored(db: PgPool) {
    let html = gallery(db).await;
    for (id, described_by) in
        [("tags", "tags-help gallery-late-tags-stored"), ("networks", "networks-stored"), ("plan", "plan-stored"), ("mails", "mails-stored")]
    {
        assert!(html.contains(&format!("id=\"gallery-late-{id}-stored\"")), "{id}");
        assert!(html.contains(&format!("aria-describedby=\"gallery-late-{described_by}\"")), "{id}");
    }
    let (_, stored) = html.split_once("id=\"gallery-late-permission-stored\"").unwrap();
    let (stored, _) = stored.split_once("</p>").unwrap();
    assert!(stored.contains(">orders:read<"), "of choices their labels: {stored}");
    assert!(html.contains("value=\"prod\"") && html.contains("was changed after you opened this page"), "what was typed stays");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn frames_take_a_page_each_and_error_pages_their_status(db: PgPool) {
    let app = TestApp::start(db).await;
    for (name, status, says) in
        [("auth", 200, "Signing in"), ("public", 200, "Public page"), ("missing", 404, "No page at this address"), ("failed", 500, "req_01K3V7QDE4")]
    {
        let answer = app.get(&format!("/dev/ui?frame={name}")).await;
        assert_eq!(answer.status(), status, "{name}");
        let html = answer.text().await.unwrap();
        assert!(html.contains(says) && html.matches("<h1").count() == 1 && html.matches("<main").count() == 1, "{name}");
    }
    assert!(app.get("/dev/ui?frame=none").await.text().await.unwrap().contains("Components"));
    assert_eq!(app.get(&format!("/avatars/{}/64", "00".repeat(32))).await.status(), 404, "no route is there for the gallery alone");
}

async fn gallery(db: PgPool) -> String {
    TestApp::start(db).await.get("/dev/ui").await.text().await.unwrap()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn every_component_keeps_the_strict_policy_and_its_ids_apart(db: PgPool) {
    let html = gallery(db).await;
    assert!(!html.contains(" style="), "the CSP forbids style attributes");
    assert!(!html.contains(" onclick=") && !html.contains("javascript:"), "the CSP forbids inline handlers");
    let mut ids: Vec<_> = html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let all = ids.len();
    ids.sort_unstable();
    let twice: Vec<_> = ids.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    assert!(all > 30 && twice.is_empty(), "{all} ids, of which stand twice: {twice:?}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_refused_form_says_so_beside_the_field_and_keeps_what_was_typed(db: PgPool) {
    let html = gallery(db).await;
    assert!(html.contains(r#"role="alert""#));
    assert!(html.contains(r##"href="#gallery-error-email""##), "the summary links to the field");
    assert!(html.contains(r#"aria-describedby="gallery-error-email-error""#));
    assert!(html.contains(r#"value="mara@nordlicht""#), "what was typed is kept");
    assert!(html.contains("\n&lt;b>second&lt;/b> time"), "a textarea's text is escaped");
    let password = html.split(r#"id="gallery-error-password""#).nth(1).and_then(|rest| rest.split('>').next()).unwrap();
    assert!(!password.contains(" value="), "a password never comes back");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_theme_is_chosen_without_javascript(db: PgPool) {
    let app = TestApp::start(db).await;
    let dark = app.http.post(app.url("/theme")).header("sec-fetch-site", "same-origin").header("referer", app.url("/dev/ui?x=1")).form(&[("theme", "dark")]);
    let answer = dark.send().await.unwrap();
    assert_eq!(answer.status(), 303);
    assert_eq!(answer.headers()["location"], "/dev/ui?x=1");
    assert!(app.get("/dev/ui").await.text().await.unwrap().contains(r#"data-theme="dark""#));
}
