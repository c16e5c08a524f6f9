//! `tollgate key create-many`, `tollgate key bulk` and `tollgate leaks keys`: the same operations beside a server.

use super::{leaks::Scanner, *};
use crate::support::folder::Folder;
use sqlx::ConnectOptions;
use std::process::{Command, Output};

pub fn run(folder: &Folder, db: &PgPool, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command.args(arguments).current_dir(folder.path()).env_clear().env("DATABASE_URL", db.connect_options().to_url_lossy().as_str());
    command.output().unwrap()
}

/// The same while the server of the test goes on.
pub async fn run_beside(folder: &Folder, db: &PgPool, arguments: &[&str]) -> Output {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command.args(arguments).current_dir(folder.path()).env_clear().env("DATABASE_URL", db.connect_options().to_url_lossy().as_str());
    command.output().await.unwrap()
}

pub fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn many_keys_from_the_command_line(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let person = app.sign_in_as("developer").await;
    let folder = Folder::new();
    std::fs::write(folder.path().join("keys.csv"), "name,permissions,expires,limits\r\ntill 1,orders:read,30d,1/hour\r\ntill 2,,,\r\n").unwrap();
    std::fs::write(folder.path().join("wrong.csv"), "name,preset\na,all\n").unwrap();
    let many = |file: &str, more: &[&str]| run(&folder, &db, &[&["key", "create-many", file, "--account", &person.email, "--api", "demo"], more].concat());
    let wrong = many("wrong.csv", &[]);
    assert_eq!(wrong.status.code(), Some(1), "{wrong:?}");
    assert!(out(&wrong).contains("preset A preset is basic, read-only or admin.") && out(&wrong).contains("1 line is wrong"), "{wrong:?}");
    let dry = many("keys.csv", &["--dry-run"]);
    assert!(dry.status.success() && !out(&dry).contains("demo_live_"), "{dry:?}");
    assert_eq!(events(&db, "key.created").await, 0);
    let made = many("keys.csv", &[]);
    assert!(made.status.success() && out(&made).starts_with("name,key_id,secret\r\ntill 1,key_"), "{made:?}");
    assert_eq!((out(&made).matches("demo_live_").count(), events(&db, "key.created").await), (2, 2));
    assert_eq!(many("gone.csv", &[]).status.code(), Some(2), "a file that is not there");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_empty_variable_opens_no_key_on_the_command_line(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let person = app.sign_in_as("developer").await;
    let folder = Folder::new();
    for list in ["--address", "--origin", "--route", "--tag"] {
        let output = run(&folder, &db, &["key", "create", "--name", "till", "--account", &person.email, "--api", "demo", list, ""]);
        assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("This entry is blank"), "{list}: {output:?}");
    }
    assert_eq!(events(&db, "key.created").await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn who_may_report_leaks_is_set_on_the_command_line(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let scanner = Scanner::new("first");
    let folder = Folder::new();
    std::fs::write(folder.path().join("keys.json"), scanner.document()).unwrap();
    let keys = |arguments: &[&str]| run(&folder, &db, &[&["leaks", "keys"], arguments].concat());
    assert!(out(&keys(&["list"])).contains("nobody may report"));
    assert!(keys(&["set", "keys.json", "--dry-run"]).status.success());
    assert_eq!(scanner.report(&app, "[]").await.status(), 404);
    let set = keys(&["set", "keys.json"]);
    assert!(out(&set).starts_with("1 public key is set.") && out(&set).contains("/api/v1/leaked-keys"), "{set:?}");
    assert_eq!(out(&keys(&["list"])).trim(), "first  current");
    assert_eq!(scanner.report(&app, "[]").await.status(), 200, "known to a running server at once");
    assert!(keys(&["clear"]).status.success());
    assert_eq!(scanner.report(&app, "[]").await.status(), 404);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_becomes_of_leaked_keys_is_chosen_on_the_command_line(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let folder = Folder::new();
    let choice = |more: &[&str]| run(&folder, &db, &[&["leaks", "choice", "--account", "mara@example.com"], more].concat());
    assert!(out(&choice(&[])).contains("go on"));
    assert!(out(&choice(&["--disable", "--dry-run"])).contains("would be disabled"));
    assert_eq!(events(&db, "workspace.leak_choice_changed").await, 0);
    assert!(out(&choice(&["--disable"])).contains("are disabled at once"));
    let told = mara.get(&app, "/api/v1/me/leaked-keys").await.text().await.unwrap();
    assert_eq!(told, r#"{"disables":true}"#);
    assert!(out(&choice(&["--keep", "--json"])).contains(r#""disables":false"#));
    assert_eq!(events(&db, "workspace.leak_choice_changed").await, 2);
    assert_eq!(choice(&["--keep", "--disable"]).status.code(), Some(2));
    assert_eq!(run(&folder, &db, &["leaks", "choice", "--account", "nobody@example.com"]).status.code(), Some(3));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn many_keys_change_from_the_command_line(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let folder = Folder::new();
    let mut ids = Vec::new();
    for name in ["shop 1", "shop 2", "till"] {
        ids.push(mara.new_key(&app, name).await.0);
    }
    let bulk = async |arguments: &[&str]| run_beside(&folder, &db, &[&["key", "bulk"], arguments].concat()).await;
    let said = |output: &Output| serde_json::from_slice::<Value>(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    let shops = ["tag", "--tag", "season", "--search", "shop", "--account", "mara@example.com", "--json"];
    let dry = said(&bulk(&[&shops[..], &["--dry-run"]].concat()).await);
    assert_eq!((dry["changed"].as_array().unwrap().len(), &dry["dry_run"], &dry["spread"]), (2, &Value::Bool(true), &Value::Null), "{dry}");
    assert_eq!(events(&db, "key.tagged").await, 0);
    let done = said(&bulk(&shops).await);
    assert_eq!((done["changed"].as_array().unwrap().len(), events(&db, "key.tagged").await), (2, 2), "{done}");
    assert_eq!(done["spread"]["confirmed"], 1, "the running server has it: {done}");
    let words = bulk(&["disable", &ids[0], &ids[2], "--reason", "the season is over"]).await;
    assert!(out(&words).contains("2 keys changed. In force after"), "{words:?}");
    assert_eq!(acts(&app, &mara, &ids[2]).await[0], ("disabled".to_owned(), "the season is over".to_owned()));
    assert!(out(&bulk(&["enable", "--tagged", "season"]).await).contains("1 key changed."));
    for wrong in [
        &["disable"][..],
        &["disable", "--all", &ids[0]],
        &["disable", "x"],
        &["burn", "--all"],
        &["extend", "--all"],
        &["plan", "--all", "--plan", "gold"],
        &["revoke", "--all"],
    ] {
        assert_eq!(bulk(wrong).await.status.code(), Some(2), "{wrong:?}");
    }
}
