//! Why something is not answered now: each 503 has a type and a code of its own, and whoever gets one finds what to do. That the right one is
//! said stands where it is brought about (`gate`, `keys::importing`, `accounts::guessing`).

use crate::support::{TestApp, log::Log};
use serde_json::Value;
use sqlx::{PgPool, postgres::PgConnectOptions};
use std::collections::BTreeSet;
use tokio::{io::AsyncReadExt, net::TcpListener};
use tollgate::{error::AppError, platform::db, values::NotNow};

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

#[tokio::test]
async fn a_relay_that_ends_each_connection_is_a_database_that_is_away() {
    let (log, _guard) = Log::keep("info");
    // As a proxy does that has no Postgres behind it: it takes the connection, hears the first bytes and hangs up.
    let relay = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = relay.local_addr().unwrap().port();
    let relaying = tokio::spawn(async move {
        while let Ok((mut connection, _)) = relay.accept().await {
            let _ = connection.read_exact(&mut [0; 8]).await;
        }
    });
    let pool = db::pool(PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(port).username("tollgate"), 1);
    let met = db::ping(&pool).await.unwrap_err();
    assert!(matches!(met, sqlx::Error::Protocol(_)), "{met:?}");
    let error = AppError::from(met);
    assert_eq!((error.status(), error.why_not_now()), (503, Some(NotNow::DatabaseAway)));
    assert_eq!((log.lines_with(&["WARN", "the database can't be reached"]).len(), log.lines_with(&["ERROR"]).len()), (1, 0), "{}", log.text());
    relaying.abort();
}

#[test]
fn a_statement_that_is_too_large_is_a_fault_of_ours() {
    let ours = "PgConnection::run(): too many arguments for query: 70000".to_owned();
    assert_eq!(AppError::from(sqlx::Error::Protocol(ours)).status(), 500);
    assert_eq!(AppError::from(sqlx::Error::PoolTimedOut).status(), 503);
}
