//! The route table, for the browser tests: `end2end/support/routes.json` is what `end2end/pages.spec.ts` compares its lists with. And what
//! all lists of REST have in common.

use crate::{
    gate::owner,
    keys::{OPERATOR, Person, json, person_with},
    support::TestApp,
    usage::passing::call,
};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;
use std::{collections::BTreeSet, path::Path};
use tollgate::{boot::openapi::DOCUMENT, keys::server::meter::Batch, site::pages::all_docs, usage::server::write_batch};

#[test]
fn the_browser_tests_know_every_route() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let app = std::fs::read_to_string(root.join("src/app.rs")).unwrap();
    let routes: BTreeSet<&str> = app.split("path!(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(routes.len() > 50, "{routes:?}");
    let known = std::fs::read_to_string(root.join("end2end/support/routes.json")).unwrap();
    let known: BTreeSet<String> = serde_json::from_str(&known).unwrap();
    let known: BTreeSet<&str> = known.iter().map(String::as_str).collect();
    let lacking: Vec<_> = routes.difference(&known).collect();
    let gone: Vec<_> = known.difference(&routes).collect();
    assert!(
        lacking.is_empty() && gone.is_empty(),
        "add to end2end/support/routes.json and to a list of end2end/pages.spec.ts: {lacking:?}; take away: {gone:?}"
    );
}

/// The pages of the docs are one route: `end2end/support/docs.json` names them for the browser tests.
#[test]
fn the_browser_tests_know_every_page_of_the_docs() {
    let known = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("end2end/support/docs.json")).unwrap();
    let known: Vec<String> = serde_json::from_str(&known).unwrap();
    assert_eq!(known, all_docs().map(|doc| doc.path()).collect::<Vec<_>>(), "end2end/support/docs.json, in the order of the contents");
}

/// What answers `data` and is no list: it is told whole, as a report.
const REPORTS: [&str; 3] = ["/api/v1/usage", "/api/v1/usage/addresses", "/api/v1/usage/permissions"];

/// Every list in the document: its path, what is said of its GET, and the fields that it answers.
fn lists(document: &Value) -> Vec<(&str, &Value, &Value)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let content = &item["get"]["responses"]["200"]["content"];
        let is_report = REPORTS.contains(&path.as_str()) || path.ends_with("/dry-run") || content["text/csv"].is_object();
        let Some(schema) = content["application/json"]["schema"]["$ref"].as_str().filter(|_| !is_report) else { continue };
        let fields = &document.pointer(schema.trim_start_matches('#')).unwrap()["properties"];
        if fields["data"].is_object() {
            found.push((path.as_str(), &item["get"], fields));
        }
    }
    assert!(found.len() > 12, "{}", found.len());
    found
}

/// The contract of lists: `?limit=&cursor=`, answered `{data, has_more, next_cursor}` and the address of the next page.
#[test]
fn every_list_comes_in_pages() {
    let document = serde_json::to_value(&*DOCUMENT).unwrap();
    for (path, get, fields) in lists(&document) {
        assert!(fields["has_more"].is_object() && fields["next_cursor"].is_object(), "{path}: {fields}");
        let taken: Vec<&str> = get["parameters"].as_array().into_iter().flatten().filter_map(|p| p["name"].as_str()).collect();
        assert!(["limit", "cursor"].iter().all(|name| taken.contains(name)), "{path} takes {taken:?}");
        let link = get["responses"]["200"]["headers"]["Link"]["$ref"].as_str().unwrap_or_else(|| panic!("{path} tells no Link"));
        assert!(document.pointer(link.trim_start_matches('#')).is_some_and(|header| header["schema"]["type"] == "string"), "{link}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn every_list_links_to_its_next_page_until_the_last(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let may: Vec<&str> = OPERATOR.iter().copied().chain(["apis:manage", "plans:manage", "blocks:manage", "admin:read", "accounts:manage"]).collect();
    let ops = person_with(&app, &db, "ops@example.com", "operator", &may).await;
    let key = two_of_each(&app, &ops).await;
    let document = serde_json::to_value(&*DOCUMENT).unwrap();
    for (path, ..) in lists(&document) {
        let slug = if path.contains("/groups/") { "partners" } else { "demo" };
        let filter = if path == "/api/v1/usage/requests" { "code=VALID&" } else { "" };
        let list = format!("{}?{filter}", path.replace("{id}", &key).replace("{slug}", slug));
        let (_, whole) = json(ops.get(&app, &format!("{list}limit=100")).await).await;
        let first = app.url(&format!("{list}limit=1"));
        let (mut next, mut rows) = (Some(first.clone()), Vec::<Value>::new());
        while let Some(address) = next {
            let answer = app.http.get(&address).bearer_auth(&ops.secret).send().await.unwrap();
            let link = answer.headers().get("link").map(|link| link.to_str().unwrap().to_owned());
            let (status, page) = json(answer).await;
            assert_eq!((status, page["data"].as_array().map(Vec::len)), (200, Some(1)), "{address}: {page}");
            assert!(!rows.contains(&page["data"][0]) && page["has_more"] == link.is_some(), "{address}: {link:?} {page}");
            rows.push(page["data"][0].clone());
            next = link.map(|link| link.strip_prefix('<').and_then(|l| l.strip_suffix(">; rel=\"next\"")).unwrap_or_else(|| panic!("{link}")).to_owned());
            assert!(next.as_ref().is_none_or(|next| next.starts_with(&format!("{first}&cursor="))), "{next:?} of {first}");
        }
        assert!(rows.len() > 1 && whole["data"].as_array().map(Vec::len) == Some(rows.len()), "{path}: {} of {whole}", rows.len());
    }
}

/// Makes what lists list, so that each has two rows at least; the id of a key, whose history is a list, too.
async fn two_of_each(app: &TestApp, ops: &Person) -> String {
    let (key, _) = ops.new_key(app, "shop").await;
    let browser = app.caller_in_a_browser(ops.owner.account).await;
    app.caller_in_a_browser(ops.owner.account).await;
    let passed = (0..2).map(|n| call(&browser, key.parse().unwrap(), "GET /orders", "192.0.2.1", n)).collect();
    write_batch(&app.ctx, app.ctx.new_id(), &Batch { passed, ..Batch::default() }).await.unwrap();
    let limits = json!([{ "name": "day", "limit": 500, "window": "day" }]);
    for (n, (name, of)) in [("partners", "keys"), ("friends", "usage")].into_iter().enumerate() {
        let email = format!("{name}@example.com");
        owner(app, &email, "developer").await;
        for (method, path, body) in [
            (Method::PATCH, &*format!("/api/v1/keys/{key}"), json!({ "name": name })),
            (Method::PUT, &*format!("/api/v1/apis/demo/bundles/{name}"), json!({ "permissions": ["orders:read"] })),
            (Method::POST, "/api/v1/plans", json!({ "slug": name, "name": name, "limits": limits })),
            (Method::POST, "/api/v1/groups", json!({ "slug": name, "name": name, "limits": limits })),
            (Method::POST, "/api/v1/groups/partners/members", json!({ "account": email })),
            (Method::POST, "/api/v1/blocks", json!({ "target": format!("203.0.113.{n}"), "reason": "tries keys", "seconds": 600 })),
            (Method::POST, "/api/v1/bans", json!({ "target": format!("{name}.example"), "reason": "throwaways", "seconds": 600 })),
            (Method::POST, "/api/v1/alert-rules", json!({ "codes": ["FORBIDDEN"], "more_than": 10 + n })),
            (Method::POST, "/api/v1/exports", json!({ "of": of })),
        ] {
            let answer = ops.call(app, method, path, Some(body)).await;
            assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
        }
    }
    key
}
