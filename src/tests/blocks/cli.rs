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

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn slowing_and_rules_from_the_command_line(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let folder = Folder::new();
    let said = |output: &Output| String::from_utf8_lossy(&output.stdout).into_owned();
    let would = run(&folder, &db, &["add", "203.0.113.7", "--reason", "x", "--slow", "5", "--dry-run"]).await;
    assert_eq!(said(&would).trim(), "Would leave 203.0.113.7 slowed to 5 calls a second.");
    let added = json(&run(&folder, &db, &["add", "203.0.113.7", "--reason", "x", "--slow", "5", "--json"]).await);
    assert_eq!((&added["block"]["action"]["kind"], &added["block"]["action"]["per_second"]), (&"slow".into(), &5.into()));
    assert!(said(&run(&folder, &db, &["list"]).await).contains("slowed to 5 calls a second until 2"));

    assert!(said(&run(&folder, &db, &["rules"]).await).contains("unknown-keys  on   more than 100 in 1 m: refused for 10m"));
    let change = ["set-rule", "refusals", "--on", "true", "--then", "slow", "--per-second", "9", "--for", "2h", "--mails", "true"];
    assert!(said(&run(&folder, &db, &[&change[..], &["--dry-run"]].concat()).await).contains("Would set: refusals      on   more than 600"));
    for _ in 0..2 {
        let set = json(&run(&folder, &db, &[&change[..], &["--json"]].concat()).await);
        assert_eq!((&set["rule"]["seconds"], &set["rule"]["then"]["per_second"], &set["spread"]["confirmed"]), (&7_200.into(), &9.into(), &1.into()));
    }
    assert_eq!(crate::keys::events(&db, "block.rule_changed").await, 1, "sent twice");
    assert!(said(&run(&folder, &db, &["exemptions"]).await).contains("None besides loopback"));
    assert!(run(&folder, &db, &["set-exemptions", "203.0.113.0/24"]).await.status.success());
    assert_eq!(said(&run(&folder, &db, &["exemptions"]).await).trim(), "203.0.113.0/24");
    assert_eq!(code(&app.ctx, "demo_live_nonsense", "203.0.113.7"), "MALFORMED", "and is slowed no more");

    for (arguments, exit) in [
        (vec!["add", "203.0.114.7", "--reason", "x", "--slow", "0"], 2),
        (vec!["set-rule", "moon", "--most", "1"], 2),
        (vec!["set-rule", "spread", "--most", "101"], 2),
        (vec!["set-rule", "spread", "--then", "slow"], 2),
        (vec!["set-rule", "spread", "--per-second", "5"], 2),
        (vec!["set-rule", "spread", "--for", "never"], 2),
        (vec!["set-exemptions", "moon"], 2),
    ] {
        assert_eq!(run(&folder, &db, &arguments).await.status.code(), Some(exit), "{arguments:?}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
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
