//! The id of a request: every answer carries one, whatever answers. A client may give its own, if it is one.

use crate::support::TestApp;
use reqwest::Method;
use sqlx::PgPool;
use std::collections::BTreeSet;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// One of each kind of answer: pages, ways elsewhere, files, what is not there, what is not taken, REST, the gate.
const ASKED: [(&str, &str); 20] = [
    ("GET", "/"),
    ("GET", "/docs"),
    ("GET", "/status"),
    ("GET", "/keys"),
    ("PUT", "/docs"),
    ("TRACE", "/keys"),
    ("GET", "/nothing/of/this/name"),
    ("GET", "/favicon.svg"),
    ("POST", "/fn/nothing"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/api/v1/openapi.json"),
    ("GET", "/api/v1/me"),
    ("OPTIONS", "/api/v1/keys"),
    ("POST", "/api/v1/keys/verify"),
    ("GET", "/api/v1/keys/verify"),
    ("POST", "/api/v1/keys/release"),
    ("GET", "/forward-auth/demo"),
    ("HEAD", "/forward-auth/demo/nginx"),
    ("GET", "/forward-auth/nothing"),
];

/// The id that the answer carries; the request has this one, if any.
async fn id(app: &TestApp, (method, path): (&str, &str), given: Option<&str>) -> String {
    let request = app.http.request(method.parse::<Method>().unwrap(), app.url(path));
    let answer = given.into_iter().fold(request, |request, id| request.header("x-request-id", id)).send().await.unwrap();
    let ids: Vec<&str> = answer.headers().get_all("x-request-id").iter().map(|id| id.to_str().unwrap()).collect();
    assert_eq!(ids.len(), 1, "{method} {path}");
    ids[0].to_owned()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn every_answer_carries_an_id_of_its_own(db: PgPool) {
    let app = TestApp::start(db).await;
    let mut ids = BTreeSet::new();
    for asked in ASKED {
        let made = id(&app, asked, None).await;
        assert!((8..=64).contains(&made.len()), "{asked:?}: {made}");
        ids.insert(made);
    }
    assert_eq!(ids.len(), ASKED.len());
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_id_of_the_client_is_taken_everywhere_if_it_is_one(db: PgPool) {
    let app = TestApp::start(db).await;
    let long = "x".repeat(65);
    for asked in ASKED {
        for good in ["01K-checkout_7", &long[..8], &long[..64]] {
            assert_eq!(id(&app, asked, Some(good)).await, good, "{asked:?}");
        }
        for bad in ["short", "two words and more", "<script>x</script>", "id=\"quoted\"", "a/path/of/it", long.as_str()] {
            assert_ne!(id(&app, asked, Some(bad)).await, bad, "{asked:?}");
        }
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_is_no_request_has_no_id(db: PgPool) {
    let app = TestApp::start(db).await;
    let mut stream = TcpStream::connect(app.base.strip_prefix("http://").unwrap()).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\na line that is no field\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 ") && !answer.contains("x-request-id"), "{answer}");
}
