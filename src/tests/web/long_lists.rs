//! Long lists, which are in memory whole: strangers' are not read, and whoever sends one slowly keeps nobody else waiting.

use crate::{
    keys::{Person, json, person},
    support::{TestApp, browser::PASSWORD},
};
use serde_json::json;
use sqlx::PgPool;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A list that is begun and does not go on, and the first twelve bytes of the answer.
async fn begin(app: &TestApp, path: &str, shown: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(app.base.strip_prefix("http://").unwrap()).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: gate\r\n{shown}content-type: application/json\r\nexpect: 100-continue\r\ncontent-length: 1000000\r\n\r\n{{\"api\":\"demo\""
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut status = [0; 12];
    stream.read_exact(&mut status).await.unwrap();
    (stream, String::from_utf8_lossy(&status).into_owned())
}

fn shows(person: &Person) -> String {
    format!("authorization: Bearer {}\r\n", person.secret)
}

/// More than any form has.
async fn imports(app: &TestApp, person: &Person) -> u16 {
    let keys = [json!({ "name": "x".repeat(70), "hash": "0".repeat(64), "meta": { "a": "b".repeat(300 * 1024) } })];
    json(person.post(app, "/api/v1/keys/import", json!({ "api": "demo", "keys": keys, "dry_run": true })).await).await.0
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_long_list_of_nobody_is_answered_unread(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let gone = person(&app, &db, "gone@example.com", "developer").await;
    assert_eq!(gone.post(&app, &format!("/api/v1/keys/{}/revoke", gone.rest_key), json!({})).await.status(), 200);
    let mut open = Vec::new();
    for path in ["/api/v1/keys/import", "/api/v1/admin/accounts/import"] {
        for shown in
            ["", "authorization: Bearer tg_live_nobody\r\n", "cookie: sid=nobody\r\nsec-fetch-site: same-origin\r\n", "x-api-key: x\r\n", &shows(&gone)]
        {
            let (stream, answer) = begin(&app, path, shown).await;
            assert_eq!(answer, "HTTP/1.1 401", "{path} {shown}");
            open.push(stream);
        }
    }
    assert_eq!(imports(&app, &mara).await, 200);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_list_whose_sender_nobody_can_tell_now_is_to_be_sent_again(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    app.account("vera@example.com", "Vera", "developer").await;
    let signed_in = app.browser().sign_in("vera@example.com", PASSWORD).await;
    let cookies: Vec<&str> = signed_in.headers().get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap()).collect();
    let cookie = cookies.iter().find(|cookie| cookie.contains("sid=")).unwrap().split(';').next().unwrap();
    let shown = format!("cookie: {cookie}\r\nsec-fetch-site: same-origin\r\n");
    // The database fails once, at the first look for the session.
    sqlx::raw_sql(
        "create sequence looks;
         create or replace function session_policy(account uuid)
         returns table (idle integer, idle_from text, longest integer, longest_from text, most integer, most_from text, key_longest integer, key_longest_from text)
         language plpgsql stable as $$ begin
           if nextval('looks') = 1 then raise exception 'once'; end if;
           return;
         end $$",
    )
    .execute(&db)
    .await
    .unwrap();
    for expected in ["HTTP/1.1 503", "HTTP/1.1 100"] {
        let (_, answer) = begin(&app, "/api/v1/keys/import", &shown).await;
        assert_eq!(answer, expected);
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn who_sends_a_list_slowly_keeps_nobody_else_waiting(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let slow = person(&app, &db, "slow@example.com", "developer").await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (first, answer) = begin(&app, "/api/v1/keys/import", &shows(&slow)).await;
    assert_eq!(answer, "HTTP/1.1 100", "it is being read");
    let shown = shows(&slow);
    let others = async {
        tokio::join!(begin(&app, "/api/v1/keys/import", &shown), begin(&app, "/api/v1/keys/import", &shown), begin(&app, "/api/v1/keys/import", &shown))
    };
    tokio::select! {
        biased;
        _ = others => panic!("they are read beside the first"),
        status = imports(&app, &mara) => assert_eq!(status, 200),
    }
    drop(first);
}
