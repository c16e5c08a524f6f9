//! Why something is not answered now: each 503 has a type and a code of its own, and whoever gets one finds what to do. That the right one is
//! said stands where it is brought about (`gate`, `keys::importing`, `accounts::guessing`).

use crate::support::TestApp;
use serde_json::Value;
use sqlx::PgPool;
use std::collections::BTreeSet;
use tollgate::{error::AppError, values::NotNow};

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn every_503_says_why_in_a_type_that_docs_and_the_document_know(db: PgPool) {
    let app = TestApp::start(db).await;
    let docs = app.get("/docs").await.text().await.unwrap();
    let document: Value = app.get("/api/v1/openapi.json").await.json().await.unwrap();
    assert!(document["components"]["schemas"]["Problem"]["properties"]["code"].is_object());
    let mut types = BTreeSet::new();
    for why in NotNow::ALL {
        let problem = AppError::not_now(why, 3).problem();
        assert_eq!((&problem["status"], &problem["code"]), (&503.into(), &why.as_str().into()));
        assert!(problem["detail"].as_str().unwrap().ends_with(". Try again in 3 seconds."), "{problem}");
        let kind = problem["type"].as_str().unwrap().to_owned();
        let anchor = kind.strip_prefix("/docs#").unwrap();
        let row = docs.split_once(&format!("<tr id=\"{anchor}\"")).unwrap_or_else(|| panic!("{why} is not on /docs")).1;
        assert!(row.split_once("</tr>").unwrap().0.contains(why.as_str()), "{why}");
        types.insert(kind);
    }
    assert_eq!(types.len(), NotNow::ALL.len());
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap().iter().filter(|(_, operation)| operation["responses"].is_object()) {
            let said = operation["responses"]["503"]["description"].as_str().unwrap_or_default();
            assert!(NotNow::ALL.iter().all(|why| said.contains(why.as_str())), "{method} {path}: {said}");
        }
    }
}

#[test]
fn whatever_else_is_503_says_that_it_is_busy() {
    let problem = AppError::Unavailable { retry_after: 1 }.problem();
    assert_eq!((&problem["type"], &problem["code"]), (&NotNow::Busy.kind().into(), &NotNow::Busy.as_str().into()));
}
