//! How connections end: those over which nothing is asked or taken, those beyond the most there may be, and all of them at a stop.

use crate::{
    keys::{json, person},
    support::{TestApp, until},
};
use serde_json::json;
use sqlx::PgPool;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};
use tollgate::{
    boot::{metrics, room::Room},
    values::ExportId,
};

/// The gate is asked over it: begins here, and ends with the question.
const BEGINNING: &str = "POST /api/v1/keys/verify HTTP/1.1\r\nhost: gate\r\ncontent-type: application/json\r\ncontent-length: 13\r\n\r\n";
const QUESTION: &str = r#"{"key":"abc"}"#;

async fn connect(app: &TestApp) -> TcpStream {
    TcpStream::connect(app.base.strip_prefix("http://").unwrap()).await.unwrap()
}

/// A question whose head has been read, and whose body is waited for.
async fn begin(app: &TestApp) -> TcpStream {
    let mut begun = connect(app).await;
    begun.write_all(BEGINNING.replace("\r\n\r\n", "\r\nexpect: 100-continue\r\n\r\n").as_bytes()).await.unwrap();
    let mut go_on = [0; 25];
    begun.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n", "it is under way");
    begun
}

/// Everything that comes until the server closes the connection.
async fn to_the_end(mut stream: TcpStream) -> String {
    let mut text = String::new();
    // A reset instead of an end is an end, too.
    _ = stream.read_to_string(&mut text).await;
    text
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
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

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_stop_waits_for_what_was_begun(db: PgPool) {
    let app = TestApp::start(db).await;
    let address = app.base.strip_prefix("http://").unwrap().to_owned();
    let mut begun = begin(&app).await;
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

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_stop_does_not_wait_for_ever(db: PgPool) {
    let app = TestApp::start_with(db, |config| config.server.request_timeout = Duration::from_millis(50)).await;
    let begun = begin(&app).await;
    app.stop().await;
    let last = to_the_end(begun).await;
    assert!(last.starts_with("HTTP/1.1 408 "), "what was begun is told that it took too long: {last:?}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_question_that_does_not_arrive_is_waited_for_as_long_as_a_request_may_take(db: PgPool) {
    let app = TestApp::start_with(db, |config| config.server.request_timeout = Duration::from_secs(1)).await;
    // The last one is answered by the router, behind all layers.
    for path in ["/api/v1/keys/verify", "/api/v1/keys/release", "/api/v1/auth/register"] {
        let mut begun = connect(&app).await;
        begun.write_all(BEGINNING.replace("/api/v1/keys/verify", path).as_bytes()).await.unwrap();
        begun.write_all(&QUESTION.as_bytes()[..5]).await.unwrap();
        let told = to_the_end(begun).await;
        assert!(told.starts_with("HTTP/1.1 408 ") && told.contains("application/problem+json"), "{path}: {told}");
        assert!(told.contains("\r\nconnection: close\r\n"), "RFC 9110 §15.5.9, {path}: {told}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn beyond_the_most_connections_new_ones_are_closed_at_once(db: PgPool) {
    const HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: gate\r\n\r\n";
    let app = TestApp::start_with(db, |config| config.server.max_connections = 3).await;
    let room = app.ctx.part::<Room>().unwrap();
    let mut open = Vec::new();
    for _ in 0..3 {
        let mut stream = connect(&app).await;
        stream.write_all(HEALTH).await.unwrap();
        let mut status = [0; 15];
        stream.read_exact(&mut status).await.unwrap();
        assert_eq!(&status, b"HTTP/1.1 200 OK");
        open.push(stream);
    }
    for _ in 0..2 {
        assert_eq!(to_the_end(connect(&app).await).await, "");
    }
    let told = metrics::text(&app.ctx).await;
    for line in ["tollgate_connections 3", "tollgate_connections_most 3", "tollgate_connections_turned_away_total 2"] {
        assert!(told.lines().any(|known| known == line), "{line}\n{told}");
    }
    open.pop();
    until("there is room again", async || room.open().len() == 2).await;
    let mut next = connect(&app).await;
    next.write_all(HEALTH).await.unwrap();
    let mut status = [0; 15];
    next.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 200 OK");
}

/// A file of 40 MB, piece by piece from the database: far more than the sockets between hold.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_client_that_takes_nothing_of_its_answer_is_left(db: PgPool) {
    let app = TestApp::start_with(db.clone(), |config| config.server.idle_timeout = Duration::from_secs(1)).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (_, asked) = json(mara.post(&app, "/api/v1/exports", json!({ "of": "usage" })).await).await;
    let id: ExportId = asked["id"].as_str().unwrap().parse().unwrap();
    app.run_jobs().await;
    sqlx::query("delete from export_chunks where export_id = $1").bind(id.uuid()).execute(&db).await.unwrap();
    sqlx::query("insert into export_chunks (export_id, number, data) select $1, n, convert_to(repeat('x', 1000000), 'UTF8') from generate_series(0, 39) n")
        .bind(id.uuid())
        .execute(&db)
        .await
        .unwrap();
    sqlx::query("update exports set chunks = 40, bytes = 40000000 where id = $1").bind(id.uuid()).execute(&db).await.unwrap();
    let room = app.ctx.part::<Room>().unwrap();
    until("the connections of before are closed", async || room.open().is_empty()).await;

    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16_384).unwrap();
    let mut stream = socket.connect(app.base.strip_prefix("http://").unwrap().parse().unwrap()).await.unwrap();
    let request = format!("GET /api/v1/exports/{id}/file HTTP/1.1\r\nhost: gate\r\nauthorization: Bearer {}\r\n\r\n", mara.secret);
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut status = [0; 15];
    stream.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 200 OK");
    until("the server has left it", async || room.open().is_empty()).await;
    let mut rest = Vec::new();
    _ = stream.read_to_end(&mut rest).await;
    assert!(rest.len() < 40_000_000, "{} bytes of an answer that nobody took", rest.len());
}
