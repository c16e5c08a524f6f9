//! A stop that comes before the start is finished.

use super::process::url;
use crate::support::{folder::Folder, until};
use sqlx::PgPool;
use std::{process::Stdio, time::Duration};
use tokio::process::Command;

/// Starts the command while another node seems to change the schema, and stops it there.
async fn is_stopped_while_it_starts(db: &PgPool, command: &str) {
    let folder = Folder::new();
    let mut migrating = db.begin().await.unwrap();
    sqlx::query("lock table _sqlx_migrations in access exclusive mode").execute(&mut *migrating).await.unwrap();
    let mut process = Command::new(env!("CARGO_BIN_EXE_tollgate"))
        .args([command, "--addr", "127.0.0.1:0"])
        .current_dir(folder.path())
        .env_clear()
        .env("DATABASE_URL", url(db))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    until("the start waits for the schema", async || {
        let waits = "select exists (select from pg_locks l join pg_database d on d.oid = l.database
                     where d.datname = current_database() and not l.granted and l.relation = '_sqlx_migrations'::regclass)";
        sqlx::query_scalar::<_, bool>(waits).fetch_one(db).await.unwrap()
    })
    .await;
    let pid = process.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let ended = tokio::time::timeout(Duration::from_secs(10), process.wait()).await.expect("it does not wait for the schema").unwrap();
    assert_eq!(ended.code(), Some(0));
    migrating.rollback().await.unwrap();
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_server_that_is_stopped_while_it_starts_ends_at_once(db: PgPool) {
    is_stopped_while_it_starts(&db, "serve").await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_worker_that_is_stopped_while_it_starts_ends_at_once(db: PgPool) {
    is_stopped_while_it_starts(&db, "worker").await;
}
