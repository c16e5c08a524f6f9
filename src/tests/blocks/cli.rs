//! `tollgate block …`: the same operations beside a server, which obeys at once.

use super::code;
use crate::support::{TestApp, folder::Folder};
use serde_json::Value;
use sqlx::{ConnectOptions, PgPool};
use std::process::{Command, Output};

async fn run(folder: &Folder, db: &PgPool, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command.arg("block").args(arguments).current_dir(folder.path()).env_clear().env("DATABASE_URL", db.connect_options().to_url_lossy().as_str());
    // The server of the test answers meanwhile.
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[sqlx::test]
async fn a_block_from_the_command_line(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let folder = Folder::new();
    let said = |output: &Output| String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said(&run(&folder, &db, &["list"]).await).contains("Nothing is blocked."));
    let would = run(&folder, &db, &["add", "203.0.113.7", "--reason", "tries keys", "--dry-run"]).await;
    assert_eq!(said(&would).trim(), "Would block 203.0.113.7.");
    let added = json(&run(&folder, &db, &["add", "203.0.113.7", "--reason", "tries keys", "--for", "never", "--json"]).await);
    assert_eq!((&added["block"]["by"], &added["spread"]["confirmed"], &added["block"]["until"]), (&"cli".into(), &1.into(), &Value::Null));
    assert_eq!(code(&app.ctx, "demo_live_nonsense", "203.0.113.7"), "IP_DENIED", "the server has confirmed");
    let list = said(&run(&folder, &db, &["list"]).await);
    assert!(list.contains("203.0.113.7") && list.contains("tries keys (by cli)"), "{list}");

    let id = added["block"]["id"].as_str().unwrap();
    assert!(said(&run(&folder, &db, &["lift", id, "--dry-run"]).await).contains("Would lift the block of 203.0.113.7."));
    assert_eq!(json(&run(&folder, &db, &["lift", id, "--note", "fine", "--json"]).await)["block"]["lifted"]["note"], "fine");
    assert_eq!(code(&app.ctx, "demo_live_nonsense", "203.0.113.7"), "MALFORMED");
    assert_eq!(json(&run(&folder, &db, &["list", "--all", "--json"]).await)[0]["state"], "lifted");

    for (arguments, exit) in [
        (vec!["add", "moon", "--reason", "x"], 2),
        (vec!["add", "203.0.113.7", "--reason", "x", "--for", "soon"], 2),
        (vec!["add", "127.0.0.1", "--reason", "x"], 2),
        (vec!["add", "203.0.113.7"], 2),
        (vec!["lift", "blk_01KAYV7QRE4Z5H8N2M3P6T9WXY"], 3),
    ] {
        assert_eq!(run(&folder, &db, &arguments).await.status.code(), Some(exit), "{arguments:?}");
    }
}
