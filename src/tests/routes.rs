//! The route table, for the browser tests: `end2end/support/routes.json` is what `end2end/pages.spec.ts` compares its lists with. And what
//! all lists of REST have in common.

use std::{collections::BTreeSet, path::Path};

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

/// What answers `data` and is no list: it is told whole, as a report.
const REPORTS: [&str; 3] = ["/api/v1/usage", "/api/v1/usage/addresses", "/api/v1/usage/permissions"];

/// The contract of lists: `?limit=&cursor=`, answered `{data, has_more, next_cursor}`.
#[test]
fn every_list_comes_in_pages() {
    let document = serde_json::to_value(&*tollgate::boot::openapi::DOCUMENT).unwrap();
    let mut found = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let content = &item["get"]["responses"]["200"]["content"];
        let is_report = REPORTS.contains(&path.as_str()) || path.ends_with("/dry-run") || content["text/csv"].is_object();
        let Some(schema) = content["application/json"]["schema"]["$ref"].as_str().filter(|_| !is_report) else { continue };
        let fields = &document.pointer(schema.trim_start_matches('#')).unwrap()["properties"];
        if !fields["data"].is_object() {
            continue;
        }
        found += 1;
        assert!(fields["has_more"].is_object() && fields["next_cursor"].is_object(), "{path}: {fields}");
        let taken: Vec<&str> = item["get"]["parameters"].as_array().into_iter().flatten().filter_map(|p| p["name"].as_str()).collect();
        assert!(["limit", "cursor"].iter().all(|name| taken.contains(name)), "{path} takes {taken:?}");
    }
    assert!(found > 12, "{found}");
}
