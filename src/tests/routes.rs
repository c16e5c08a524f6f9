//! The route table, for the browser tests: `end2end/support/routes.json` is what `end2end/pages.spec.ts` compares its lists with.

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
