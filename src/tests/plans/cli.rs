//! `tollgate plan …`: the same operations beside a server.

use crate::support::{TestApp, folder::Folder};
use serde_json::Value;
use sqlx::{ConnectOptions, PgPool};
use std::process::{Command, Output};

pub fn run(folder: &Folder, db: &PgPool, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command.args(arguments).current_dir(folder.path()).env_clear().env("DATABASE_URL", db.connect_options().to_url_lossy().as_str());
    command.output().unwrap()
}

pub fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_plan_from_the_command_line(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let person = app.sign_in_as("developer").await;
    let folder = Folder::new();
    let plan = |arguments: &[&str]| run(&folder, &db, &[&["plan"], arguments].concat());
    let made = json(&plan(&["create", "--slug", "pro", "--name", "Pro", "--limit", "1000", "--price", "0.50 EUR", "--json"]));
    assert_eq!((&made["limits"][0]["window"], &made["price"]["micros"]), (&86_400.into(), &500_000.into()));
    assert_eq!(json(&plan(&["set-limit", "pro", "--name", "month", "--limit", "20000", "--window", "month", "--json"]))["limits"][1]["window"], "month");
    let slowed = json(&plan(&["set-limit", "pro", "--name", "month", "--limit", "20000", "--over", "throttle:5@2027-01-31", "--json"]));
    assert_eq!(slowed["limits"][1]["over"], serde_json::json!({ "action": "throttle", "per_second": 5, "until": "2027-01-31T00:00:00Z" }));
    let more = json(&plan(&["set-limit", "pro", "--name", "month", "--limit", "30000", "--json"]));
    assert_eq!((&more["limits"][1]["over"], &more["limits"][1]["window"]), (&slowed["limits"][1]["over"], &"month".into()), "what is not said stays");
    assert_eq!(plan(&["set-limit", "pro", "--limit", "1", "--over", "allow"]).status.code(), Some(2));
    assert_eq!(json(&plan(&["set-limit", "pro", "--name", "month", "--remove", "--json"]))["limits"].as_array().map(Vec::len), Some(1));
    let email = person.email.clone();
    let would = plan(&["assign", "pro", "--account", &email, "--dry-run"]);
    assert!(String::from_utf8_lossy(&would.stdout).starts_with("Would be: pro for the workspace "), "{would:?}");
    assert_eq!(json(&plan(&["assign", "pro", "--account", &email, "--json"]))["plan"], "pro");
    assert_eq!(json(&plan(&["list", "--json"]))[0]["workspaces"], 1);
    assert!(String::from_utf8_lossy(&plan(&["show", "pro"]).stdout).contains("1,000 units a day"));
    assert!(json(&plan(&["try", "pro", "--json"]))["limited"].is_array());
    assert_eq!(plan(&["delete", "pro"]).status.code(), Some(4), "somebody has it");
    assert_eq!(json(&plan(&["assign", "--none", "--account", &email, "--json"]))["plan"], Value::Null);
    assert_eq!(plan(&["delete", "pro"]).status.code(), Some(0));
    assert_eq!(plan(&["show", "pro"]).status.code(), Some(3));
    assert_eq!(plan(&["assign", "pro"]).status.code(), Some(2), "to whom?");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn one_limit_of_a_key_or_an_api_from_the_command_line(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let person = app.sign_in_as("developer").await;
    let folder = Folder::new();
    let made = json(&run(&folder, &db, &["key", "create", "--account", &person.email, "--api", "demo", "--name", "till", "--json"]));
    let id = made["id"].as_str().unwrap();
    for whose in [["key", id], ["api", "demo"]] {
        let [noun, whose] = whose;
        let set = |arguments: &[&str]| run(&folder, &db, &[&[noun, "set-limit", whose], arguments].concat());
        let limits = || {
            let limits = json(&run(&folder, &db, &[noun, "limits", whose, "--json"]));
            let one = |l: &Value| format!("{} {} {}", l["name"].as_str().unwrap(), l["limit"], l["window"]);
            limits.as_array().unwrap().iter().map(one).collect::<Vec<_>>()
        };
        assert!(set(&["--limit", "1000"]).status.success());
        assert!(set(&["--name", "burst", "--limit", "10", "--window", "second"]).status.success());
        assert_eq!(limits(), ["burst 10 1", "default 1000 3600"], "the others stay");
        assert!(set(&["--name", "burst", "--limit", "20"]).status.success());
        assert_eq!(limits(), ["burst 20 1", "default 1000 3600"], "what is not said stays");
        assert!(!set(&["--name", "month", "--remove"]).status.success(), "there is none");
        assert!(set(&["--remove"]).status.success());
        assert_eq!(limits(), ["burst 20 1"]);
        assert!(set(&["--default"]).status.success());
        assert!(limits().is_empty());
    }
}
