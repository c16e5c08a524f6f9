//! `tollgate plan …`: the same operations beside a server.

use crate::support::{TestApp, folder::Folder, locks::Held};
use serde_json::Value;
use sqlx::{ConnectOptions, PgPool};
use std::process::{Command, Output, Stdio};
use tollgate::values::{KeyId, WorkspaceId};

fn command(folder: &Folder, db: &PgPool, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command.args(arguments).current_dir(folder.path()).env_clear().env("DATABASE_URL", db.connect_options().to_url_lossy().as_str());
    command
}

pub fn run(folder: &Folder, db: &PgPool, arguments: &[&str]) -> Output {
    command(folder, db, arguments).output().unwrap()
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
    let slowed = json(&plan(&["set-limit", "pro", "--name", "month", "--limit", "20000", "--over", "throttle:5@2099-01-31", "--json"]));
    assert_eq!(slowed["limits"][1]["over"], serde_json::json!({ "action": "throttle", "per_second": 5, "until": "2099-01-31T00:00:00Z" }));
    let more = json(&plan(&["set-limit", "pro", "--name", "month", "--limit", "30000", "--json"]));
    assert_eq!((&more["limits"][1]["over"], &more["limits"][1]["window"]), (&slowed["limits"][1]["over"], &"month".into()), "what is not said stays");
    assert_eq!(plan(&["set-limit", "pro", "--limit", "1", "--over", "allow"]).status.code(), Some(2));
    assert_eq!(json(&plan(&["set-limit", "pro", "--name", "month", "--remove", "--json"]))["limits"].as_array().map(Vec::len), Some(1));
    let email = person.email.clone();
    let would = plan(&["assign", "pro", "--account", &email, "--dry-run"]);
    assert!(String::from_utf8_lossy(&would.stdout).starts_with("Would be: pro for the workspace "), "{would:?}");
    assert_eq!(json(&plan(&["assign", "pro", "--account", &email, "--json"]))["plan"], "pro");
    assert_eq!(json(&plan(&["list", "--json"]))[0]["workspaces"], 1);
    json(&plan(&["create", "--slug", "bare", "--name", "Bare", "--json"]));
    let told = plan(&["assign", "bare", "--account", &email]);
    let told = String::from_utf8_lossy(&told.stdout);
    assert!(told.contains(", all its keys together, in place of pro. This plan has no limits, so it changes none."), "{told}");
    json(&plan(&["assign", "pro", "--account", &email, "--json"]));
    assert_eq!(plan(&["delete", "bare"]).status.code(), Some(0));
    assert!(String::from_utf8_lossy(&plan(&["show", "pro"]).stdout).contains("1,000 units a day"));
    assert!(json(&plan(&["try", "pro", "--json"]))["limited"].is_array());
    assert_eq!(plan(&["delete", "pro"]).status.code(), Some(4), "somebody has it");
    assert_eq!(json(&plan(&["assign", "--none", "--account", &email, "--json"]))["plan"], Value::Null);
    assert_eq!(plan(&["delete", "pro"]).status.code(), Some(0));
    assert_eq!(plan(&["show", "pro"]).status.code(), Some(3));
    assert_eq!(plan(&["assign", "pro"]).status.code(), Some(2), "to whom?");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_limits_keys_says_where_it_holds(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let person = app.sign_in_as("developer").await;
    let folder = Folder::new();
    // The server of the test answers meanwhile.
    let say = async |arguments: &[&str]| tokio::process::Command::from(command(&folder, &db, arguments)).output().await.unwrap();
    json(&say(&["plan", "create", "--slug", "pro", "--name", "Pro", "--json"]).await);
    json(&say(&["group", "create", "--slug", "shops", "--name", "Shops", "--json"]).await);
    let limit = ["--limit", "1000"];
    let whom = ["--account", person.email.as_str()];
    let acts: &[(&[&str], &[&str])] = &[
        (&["plan", "set-limit", "pro"], &limit),
        (&["plan", "set-grants", "pro", "--none"], &[]),
        (&["plan", "assign", "pro"], &whom),
        (&["plan", "assign", "pro", "--group", "shops"], &[]),
        (&["group", "set-limit", "shops"], &limit),
        (&["group", "add", "shops"], &whom),
        (&["group", "remove", "shops"], &whom),
        (&["workspace", "set-limit", "--account", &person.email], &limit),
        (&["workspace", "set-grants", "--none"], &whom),
        (&["api", "set-limit", "demo"], &limit),
    ];
    for (act, more) in acts {
        let done = json(&say(&[*act, *more, &["--json"]].concat()).await);
        assert_eq!(
            (&done["spread"]["nodes"], &done["spread"]["confirmed"], &done["spread"]["missing"]),
            (&1.into(), &1.into(), &Value::Array(Vec::new())),
            "{act:?}"
        );
    }
    let words = say(&["api", "set-limit", "demo", "--limit", "2000"]).await;
    assert!(String::from_utf8_lossy(&words.stdout).contains(" In force after "), "{words:?}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_limit_that_is_set_anew_takes_nothing_back_that_another_wrote_since_it_was_read(db: PgPool) {
    let _app = TestApp::start(db.clone()).await;
    let folder = Folder::new();
    json(&run(&folder, &db, &["plan", "create", "--slug", "pro", "--name", "Pro", "--limit", "1000", "--json"]));
    let raise = ["plan", "set-limit", "pro", "--limit", "2000", "--json"];
    // It has read what it does not say, the window, when it waits for the plan.
    let mut held = Held::by(&db, "select id from plans where slug = 'pro' for no key update").await;
    let second = command(&folder, &db, &raise).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    held.is_waited_for(1).await;
    sqlx::query("update plan_limits set window_seconds = 3600").execute(&db).await.unwrap();
    held.release().await;
    let told = second.wait_with_output().unwrap();
    assert_eq!(told.status.code(), Some(4), "{told:?}");
    assert!(String::from_utf8_lossy(&told.stderr).contains("This limit was changed since this command read it"), "{told:?}");
    let raised = json(&run(&folder, &db, &raise));
    assert_eq!((&raised["limits"][0]["limit"], &raised["limits"][0]["window"]), (&2_000.into(), &3_600.into()), "who looks again keeps the other's window");
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
        let unit = || json(&run(&folder, &db, &[noun, "limits", whose, "--json"]))[0]["unit"].clone();
        assert!(set(&["--name", "burst", "--limit", "20", "--unit", "calls"]).status.success());
        assert!(set(&["--name", "burst", "--limit", "30"]).status.success());
        assert_eq!((unit(), limits()), ("calls".into(), vec!["burst 30 1".to_owned(), "default 1000 3600".to_owned()]), "nor is its unit");
        assert!(String::from_utf8_lossy(&run(&folder, &db, &[noun, "limits", whose]).stdout).contains("30 calls a second"));
        assert!(!set(&["--name", "paid", "--limit", "5", "--window", "credits", "--unit", "calls"]).status.success(), "credits are units");
        assert_eq!(set(&["--limit", "5", "--unit", "bytes"]).status.code(), Some(2));
        assert!(set(&["--name", "burst", "--limit", "20", "--unit", "units"]).status.success());
        assert!(!set(&["--name", "month", "--remove"]).status.success(), "there is none");
        assert!(set(&["--remove"]).status.success());
        assert_eq!(limits(), ["burst 20 1"]);
        assert!(set(&["--default"]).status.success());
        assert!(limits().is_empty());
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_was_described_is_changed_on_the_command_line(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let email = app.sign_in_as("developer").await.email;
    app.stop().await; // nobody is waited for
    let folder = Folder::new();
    let say = |arguments: &[&str]| run(&folder, &db, arguments);
    let said = |arguments: &[&str]| json(&say(&[arguments, &["--json"]].concat()));

    said(&["plan", "create", "--slug", "pro", "--name", "Pro", "--price", "0.50 EUR"]);
    let plan = said(&["plan", "edit", "pro", "--name", "Professional", "--price", "0.70 SEK", "--entitlement", "Support"]);
    assert_eq!((&plan["name"], &plan["price"]["micros"], &plan["entitlements"]), (&"Professional".into(), &700_000.into(), &vec!["Support"].into()));
    assert!(say(&["plan", "edit", "pro", "--no-price", "--dry-run"]).status.success());
    assert_eq!(said(&["plan", "show", "pro"])["price"], plan["price"], "a dry run changes nothing");
    let plan = said(&["plan", "edit", "pro", "--no-price", "--no-entitlements"]);
    assert_eq!((&plan["name"], &plan["price"], plan["entitlements"].as_array().map(Vec::len)), (&"Professional".into(), &Value::Null, Some(0)));

    said(&["api", "create", "--slug", "shop", "--name", "Shop", "--permission", "goods:read Look"]);
    for wrong in [&["plan", "create", "--slug", "pro"][..], &["api", "create", "--slug", "shop"], &["group", "create", "--slug", "Not a slug"]] {
        assert_eq!(say(&[wrong, &["--name", "x", "--dry-run"]].concat()).status.code(), Some(2), "a dry run says it, too: {wrong:?}");
    }
    assert!(say(&["group", "create", "--slug", "gold", "--name", "Gold", "--dry-run"]).status.success());
    let known = |api: &Value| {
        let one = |p: &Value| format!("{} {}", p["permission"].as_str().unwrap(), p["description"].as_str().unwrap());
        api["permissions"].as_array().unwrap().iter().map(one).collect::<Vec<_>>()
    };
    let more = ["--permission", "goods:write Change them", "--permission", "goods:read See", "--unmatched", "refuse"];
    let api = said(&[&["api", "edit", "shop", "--name", "The shop"], &more[..]].concat());
    assert_eq!(
        (&api["name"], &api["unmatched"], known(&api)),
        (&"The shop".into(), &"refuse".into(), vec!["goods:read See".into(), "goods:write Change them".into()])
    );
    assert_eq!(known(&said(&["api", "edit", "shop", "--without", "goods:write"])), ["goods:read See"]);
    assert_eq!(say(&["api", "edit", "shop", "--without", "goods:burn"]).status.code(), Some(2), "it knows no such permission");
    assert!(String::from_utf8_lossy(&say(&["api", "show", "shop"]).stdout).contains("goods:read  See"));
    assert_eq!(say(&["api", "show", "nothing"]).status.code(), Some(3));

    let workspace = |verb: &str, more: &[&str]| said(&[&["workspace", verb, "--account", &email], more].concat());
    let limits = |hold: &Value| {
        hold["limits"].as_array().unwrap().iter().map(|l| format!("{} {} {}", l["name"].as_str().unwrap(), l["limit"], l["window"])).collect::<Vec<_>>()
    };
    assert_eq!(limits(&workspace("set-limit", &["--limit", "500"])), ["default 500 86400"]);
    let burst = ["--name", "burst", "--limit", "5", "--window", "second"];
    assert_eq!(limits(&workspace("set-limit", &[&burst[..], &["--dry-run"]].concat())).len(), 2);
    assert_eq!(limits(&workspace("show", &[])), ["default 500 86400"], "a dry run changes nothing");
    assert_eq!(limits(&workspace("set-limit", &burst)), ["burst 5 1", "default 500 86400"], "the others stay");
    assert_eq!(say(&["workspace", "set-limit", "--account", &email, "--name", "month", "--remove"]).status.code(), Some(2), "there is none");
    assert_eq!(limits(&workspace("set-limit", &["--name", "burst", "--remove"])), ["default 500 86400"]);
    assert!(limits(&workspace("set-limit", &["--default"])).is_empty());
    assert_eq!(workspace("set-grants", &["--grant", "demo/orders:write"])["grants"], Value::from(vec!["demo/orders:write"]));
    assert_eq!(workspace("set-grants", &["--none"])["grants"].as_array().map(Vec::len), Some(0));
    for unclear in [&["workspace", "show"][..], &["workspace", "set-grants", "--account", &email]] {
        assert_eq!(say(unclear).status.code(), Some(2), "{unclear:?}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_is_not_there_is_named_with_the_next_step(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let person = app.sign_in_as("developer").await;
    let folder = Folder::new();
    assert!(run(&folder, &db, &["plan", "create", "--slug", "pro", "--name", "Pro"]).status.success());
    assert!(run(&folder, &db, &["api", "create", "--slug", "shop", "--name", "Shop"]).status.success());
    let key = app.ctx.new_id::<KeyId>().to_string();
    let workspace = app.ctx.new_id::<WorkspaceId>().to_string();
    let cases: &[(&[&str], &str, &str)] = &[
        (&["plan", "show", "gold"], "plan gold", "plan list"),
        (&["plan", "assign", "gold", "--account", &person.email], "plan gold", "plan list"),
        (&["plan", "assign", "pro", "--account", "nobody@example.com"], "account nobody@example.com", "account list"),
        (&["plan", "assign", "pro", "--key", &key], &format!("key {key}"), "key list"),
        (&["plan", "assign", "pro", "--group", "gold"], "group gold", "group list"),
        (&["plan", "assign", "pro", "--workspace", &workspace], &format!("workspace {workspace}"), "account list"),
        (&["account", "show", "nobody"], "account nobody", "account list"),
        (&["key", "show", &key], &format!("key {key}"), "key list"),
        (&["key", "revoke", &key, "--dry-run"], &format!("key {key}"), "key list"),
        (&["group", "show", "gold"], "group gold", "group list"),
        (&["api", "limits", "nothing"], "API nothing", "api list"),
        (&["bundle", "show", "nothing", "readers"], "API nothing", "api list"),
        (&["bundle", "delete", "shop", "readers"], "bundle readers of the API shop", "bundle list"),
        (&["api", "route", "remove", "shop", "GET", "/x"], "route GET /x of the API shop", "api route list"),
        (&["field", "show", "team"], "field team", "field list"),
    ];
    for (arguments, named, next) in cases {
        let output = run(&folder, &db, arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(&format!("tollgate: there is no {named}. ")) && said.contains(&format!("`tollgate {next}`")), "{arguments:?}: {said}");
        assert_eq!(output.status.code(), Some(3), "{arguments:?}: {said}");
    }
}
