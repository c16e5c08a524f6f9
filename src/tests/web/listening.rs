//! How connections end: those over which nothing is asked, and all of them at a stop.

use crate::support::{TestApp, until};
use sqlx::PgPool;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The gate is asked over it: begins here, and ends with the question.
const BEGINNING: &str = "POST /api/v1/keys/verify HTTP/1.1\r\nhost: gate\r\ncontent-type: application/json\r\ncontent-length: 13\r\n\r\n";
const QUESTION: &str = r#"{"key":"abc"}"#;

async fn connect(app: &TestApp) -> TcpStream {
    TcpStream::connect(app.base.strip_prefix("http://").unwrap()).await.unwrap()
}

/// Everything that comes until the server closes the connection.
async fn to_the_end(mut stream: TcpStream) -> String {
    let mut text = String::new();
    // A reset instead of an end is an end, too.
    _ = stream.read_to_string(&mut text).await;
    text
}

#[sqlx::test]
async fn a_connection_over_which_nothing_is_asked_is_closed(db: PgPool) {
    let app = TestApp::start_with(db, |config| config.server.idle_timeout = Duration::from_secs(1)).await;
    let silent = connect(&app).await;
    let mut dribbling = connect(&app).await;
    dribbling.write_all(b"GET /healthz HTTP/1.1\r\nhost: ga").await.unwrap();
    let mut without_its_body = connect(&app).await;
    without_its_body.write_all(BEGINNING.as_bytes()).await.unwrap();
    let mut answered = connect(&app).await;
    answered.write_all(b"GET /healthz HTTP/1.1\r\nhost: gate\r\n\r\n").await.unwrap();
    assert_eq!(to_the_end(silent).await, "");
    assert_eq!(to_the_end(dribbling).await, "");
    assert_eq!(to_the_end(without_its_body).await, "");
    assert!(to_the_end(answered).await.starts_with("HTTP/1.1 200 OK\r\n"));
}

#[sqlx::test]
async fn a_stop_waits_for_what_was_begun(db: PgPool) {
    let app = TestApp::start(db).await;
    let address = app.base.strip_prefix("http://").unwrap().to_owned();
    let mut begun = connect(&app).await;
    begun.write_all(BEGINNING.replace("\r\n\r\n", "\r\nexpect: 100-continue\r\n\r\n").as_bytes()).await.unwrap();
    let mut go_on = [0; 25];
    begun.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n", "it is under way");
    begun.write_all(&QUESTION.as_bytes()[..5]).await.unwrap();
    let idle = connect(&app).await;
    let stopping = tokio::spawn(app.stop());
    until("nobody new is let in", async || TcpStream::connect(&address).await.is_err()).await;
    assert_eq!(to_the_end(idle).await, "", "who asks nothing is not waited for");
    assert!(!stopping.is_finished());
    begun.write_all(&QUESTION.as_bytes()[5..]).await.unwrap();
    assert!(to_the_end(begun).await.starts_with("HTTP/1.1 401 "), "the asking service showed no key");
    stopping.await.unwrap();
}

#[sqlx::test]
async fn a_stop_does_not_wait_for_ever(db: PgPool) {
    let app = TestApp::start_with(db, |config| config.server.request_timeout = Duration::from_millis(50)).await;
    let mut begun = connect(&app).await;
    begun.write_all(BEGINNING.as_bytes()).await.unwrap();
    app.stop().await;
    assert_eq!(to_the_end(begun).await, "");
}
