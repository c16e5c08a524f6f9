//! How a file is written: in bounded pieces, once however often the job comes, and on from where a killed writer was.

use super::{file, key_with_routes, state, status, usage};
use crate::{
    keys::{Person, person},
    support::{TestApp, until},
};
use reqwest::Method;
use serde_json::json;
use sqlx::PgPool;
use std::collections::HashSet;
use time::Duration;
use tollgate::{
    exports::server::{forget_exports, jobs::PrepareExport, prepare_export},
    platform::jobs::enqueue,
    values::ExportId,
};

async fn chunks(db: &PgPool, id: ExportId) -> (i64, i32) {
    sqlx::query_as("select count(*), coalesce(max(octet_length(data)), 0) from export_chunks where export_id = $1").bind(id.uuid()).fetch_one(db).await.unwrap()
}

/// Each route once, after a head.
fn assert_whole(text: &str, routes: usize) {
    let mut lines = text.split_terminator("\r\n");
    assert!(lines.next().unwrap().starts_with("at,local_time,key_id,"));
    let seen: HashSet<&str> = lines.clone().map(|line| line.split(',').nth(5).unwrap()).collect();
    assert_eq!((lines.count(), seen.len()), (routes, routes));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_file_of_120_000_lines_is_written_in_pieces(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    key_with_routes(&app, &mara, "busy", 120_000).await;

    let direct = "/api/v1/usage/export?range=24h&api=demo";
    let answer = mara.get(&app, direct).await;
    assert_eq!(answer.status(), 409);
    assert!(answer.text().await.unwrap().contains("POST /api/v1/exports"));
    let browser = app.http.get(app.url(direct)).bearer_auth(&mara.secret).header("accept", "text/html").send().await.unwrap();
    assert_eq!((browser.status().as_u16(), browser.headers()["location"].to_str().unwrap()), (303, "/exports?of=usage&format=csv&range=24h&api=demo&tz=UTC"));

    let id = usage(&app, &mara).await;
    assert_eq!(state(&app, &mara, id).await["state"], "waiting");
    assert_eq!(status(&app, &mara, Method::GET, &format!("/api/v1/exports/{id}/file")).await, 409);
    app.run_jobs().await;
    let done = state(&app, &mara, id).await;
    assert_eq!(done["state"], "done", "{done}");
    assert_eq!((done["rows_written"].as_u64(), done["rows_expected"].as_u64()), (Some(120_000), Some(120_000)));
    let (pieces, largest) = chunks(&db, id).await;
    assert!(pieces >= 24 && largest <= 262_144, "{pieces} pieces, the largest has {largest} bytes");
    let text = file(&app, &mara, id).await;
    assert_eq!(done["bytes"], text.len());
    assert_whole(&text, 120_000);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_job_that_comes_twice_writes_one_file(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    key_with_routes(&app, &mara, "busy", 12_000).await;
    let id = usage(&app, &mara).await;
    let mut conn = db.acquire().await.unwrap();
    enqueue(&app.ctx, &mut conn, &PrepareExport { export: id }).await.unwrap();
    // Two writers at once, then both jobs.
    let (a, b) = tokio::join!(prepare_export(&app.ctx, id), prepare_export(&app.ctx, id));
    a.unwrap();
    b.unwrap();
    assert_eq!(app.run_jobs().await, 2);
    assert_whole(&file(&app, &mara, id).await, 12_000);
    assert_eq!(state(&app, &mara, id).await["rows_written"], 12_000);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_killed_writer_is_followed_where_it_was(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    key_with_routes(&app, &mara, "busy", 30_000).await;
    let id = usage(&app, &mara).await;
    let ctx = app.ctx.clone();
    let writer = tokio::spawn(async move { prepare_export(&ctx, id).await });
    until("a piece is written", || async { chunks(&db, id).await.0 > 0 }).await;
    writer.abort();
    let _ = writer.await;
    let before = chunks(&db, id).await.0;
    app.run_jobs().await;
    assert!(chunks(&db, id).await.0 >= before);
    assert_whole(&file(&app, &mara, id).await, 30_000);
}

async fn half_written(app: &TestApp, db: &PgPool) -> (Person, ExportId) {
    let mara = person(app, db, "mara@example.com", "developer").await;
    key_with_routes(app, &mara, "busy", 4_000).await;
    let id = usage(app, &mara).await;
    (mara, id)
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_cancelled_file_is_not_written(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (mara, id) = half_written(&app, &db).await;
    assert_eq!(status(&app, &mara, Method::DELETE, &format!("/api/v1/exports/{id}")).await, 204);
    assert_eq!(status(&app, &mara, Method::DELETE, &format!("/api/v1/exports/{id}")).await, 404);
    app.run_jobs().await;
    assert_eq!(chunks(&db, id).await.0, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_file_that_its_account_may_not_see_any_more_fails_in_words(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (mara, id) = half_written(&app, &db).await;
    sqlx::query("delete from account_roles where account_id = $1").bind(mara.owner.account.uuid()).execute(&db).await.unwrap();
    app.run_jobs().await;
    let problem: String = sqlx::query_scalar("select problem from exports where id = $1 and state = 'failed'").bind(id.uuid()).fetch_one(&db).await.unwrap();
    assert!(problem.contains("usage:read"), "{problem}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_file_whose_job_is_dead_has_failed_and_can_be_asked_for_anew(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (mara, id) = half_written(&app, &db).await;
    let dies = async || {
        let sql = "update jobs set state = 'failed', finished_at = $1 where kind = 'exports.prepare' and state = 'waiting'";
        assert_eq!(sqlx::query(sql).bind(app.ctx.clock.now()).execute(&db).await.unwrap().rows_affected(), 1);
    };
    dies().await;
    let anew = usage(&app, &mara).await;
    assert_ne!(anew, id, "it does not wait for the dead one");
    let failed = state(&app, &mara, id).await;
    assert_eq!((&failed["state"], &failed["problem"]), (&json!("failed"), &json!("It could not be written. Ask for a shorter time or one key.")));
    assert_eq!(usage(&app, &mara).await, anew);
    app.run_jobs().await;
    assert_whole(&file(&app, &mara, anew).await, 4_000);

    app.ctx.clock.advance(Duration::minutes(2));
    let third = usage(&app, &mara).await;
    dies().await;
    forget_exports(&app.ctx).await.unwrap();
    let kept: String = sqlx::query_scalar("select state from exports where id = $1").bind(third.uuid()).fetch_one(&db).await.unwrap();
    assert_eq!(kept, "failed");
}
