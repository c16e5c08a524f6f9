//! `tollgate field …` and `tollgate session-policy …`: the same operations as the pages', beside a server.

use super::count;
use crate::support::{TestApp, folder::Folder, locks::Held};
use serde_json::{Value, json};
use sqlx::{ConnectOptions, PgPool};
use std::process::{Command, Output, Stdio};

fn command(folder: &Folder, db: &PgPool, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command.args(arguments).current_dir(folder.path()).env_clear().env("DATABASE_URL", db.connect_options().to_url_lossy().as_str());
    command
}

fn run(folder: &Folder, db: &PgPool, arguments: &[&str]) -> Output {
    command(folder, db, arguments).output().unwrap()
}

fn said(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn fields_of_profiles_from_the_command_line(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let vera = app.sign_in_as("developer").await;
    let folder = Folder::new();
    let field = |arguments: &[&str]| run(&folder, &db, &[&["field"], arguments, &["--json"]].concat());
    assert_eq!(said(&field(&["list"])), json!([]));
    let team = ["create", "--slug", "team", "--label", "Team", "--kind", "choice", "--choice", "Blue", "--choice", "Red", "--required"];
    assert_eq!(said(&field(&[&team[..], &["--dry-run"]].concat()))["would_create"], "team");
    assert_eq!(said(&field(&["list"])), json!([]), "a dry run makes nothing");
    // Whoever runs the server changes what it keeps operators from.
    let made = said(&field(&[&team[..], &["--set", "admin.locked=fields"]].concat()));
    assert_eq!((&made["kind"], &made["choices"], &made["is_required"]), (&json!("choice"), &json!(["Blue", "Red"]), &json!(true)));

    // What is not said stays, and a dry run changes nothing.
    let places = ["edit", "team", "--position", "7", "--at-sign-up", "--required=false"];
    let would = said(&field(&[&places[..], &["--dry-run"]].concat()));
    assert_eq!((&would["position"], &would["is_required"], &said(&field(&["show", "team"]))["position"]), (&json!(7), &json!(false), &json!(0)));
    let edited = said(&field(&places));
    assert_eq!((&edited["label"], &edited["choices"], &edited["at_sign_up"]), (&json!("Team"), &json!(["Blue", "Red"]), &json!(true)));
    assert_eq!(said(&field(&["edit", "team", "--choice", "Green", "--label", "Your team"]))["choices"], json!(["Green"]));
    assert!(String::from_utf8_lossy(&run(&folder, &db, &["field", "show", "team"]).stdout).contains("asked      on signing up"));

    let refused: [(i32, &[&str]); 9] = [
        (2, &["create", "--slug", "team", "--label", "Team"]),
        (2, &["create", "--slug", "Team", "--label", "Team"]),
        (2, &["create", "--slug", "x", "--label", "X", "--kind", "colour"]),
        (2, &["create", "--slug", "x", "--label", "X", "--choice", "Blue"]),
        (2, &["create", "--slug", "x", "--label", "X", "--kind", "choice"]),
        (2, &["edit", "team", "--position", "1000"]),
        (3, &["edit", "nothing", "--label", "x"]),
        (3, &["show", "nothing"]),
        (3, &["delete", "nothing"]),
    ];
    for (code, wrong) in refused {
        for more in [&["--dry-run"][..], &[]] {
            let output = field(&[wrong, more].concat());
            assert_eq!(output.status.code(), Some(code), "{wrong:?} {more:?}: {output:?}");
        }
    }

    // What people wrote can't be brought back.
    let patch = vera.browser.http.patch(app.url("/api/v1/me")).header("sec-fetch-site", "same-origin").json(&json!({ "fields": { "team": "Green" } }));
    assert_eq!(patch.send().await.unwrap().status(), 200);
    assert_eq!(said(&field(&["list"]))[0]["values"], 1);
    assert_eq!(field(&["delete", "team"]).status.code(), Some(2), "it asks for --yes");
    assert_eq!(said(&field(&["delete", "team", "--dry-run"]))["values"], 1);
    assert_eq!(count(&app, "select count(*) from profile_values").await, 1);
    assert!(field(&["delete", "team", "--yes"]).status.success());
    assert_eq!(said(&field(&["list"])), json!([]));
    assert_eq!(
        count(&app, "select count(*) from events where kind = 'field.deleted' and actor_id is null and actor = 'cli'").await,
        1,
        "nobody's account did it"
    );
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn session_policies_from_the_command_line(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let folder = Folder::new();
    let policy = |arguments: &[&str]| run(&folder, &db, &[&["session-policy"], arguments, &["--json"]].concat());
    let of = |row: &Value| [&row["idle_seconds"], &row["max_seconds"], &row["session_count"], &row["key_max_seconds"]].map(Value::clone);
    let nothing = [Value::Null, Value::Null, Value::Null, Value::Null];
    let all = said(&policy(&["list"]));
    let names: Vec<&str> = all.as_array().unwrap().iter().filter_map(|row| row["slug"].as_str()).collect();
    assert!(names.contains(&"operator") && names.contains(&"developer"), "{all}");

    let words = ["edit", "role:operator", "--idle", "8h", "--max", "never", "--count", "3"];
    let would = said(&policy(&[&words[..], &["--dry-run"]].concat()));
    assert_eq!(of(&would), [json!(28_800), json!(0), json!(3), Value::Null]);
    assert_eq!(of(&said(&policy(&["show", "role:operator"]))), nothing, "a dry run changes nothing");
    assert_eq!(of(&said(&policy(&[&words[..], &["--set", "admin.locked=sessions"]].concat()))), of(&would), "locked or not");
    let edited = said(&policy(&["edit", "role:operator", "--key-max", "90d", "--unset", "count"]));
    assert_eq!(of(&edited), [json!(28_800), json!(0), Value::Null, json!(7_776_000)], "what is not said stays");
    let shown = run(&folder, &db, &["session-policy", "show", "role:operator"]);
    assert!(String::from_utf8_lossy(&shown.stdout).contains("idle 8h, max never, key-max 90d"), "{shown:?}");

    let refused: [(i32, &[&str]); 7] = [
        (2, &["edit", "role:operator", "--idle", "14"]),
        (2, &["edit", "role:operator", "--max", "401d"]),
        (2, &["edit", "role:operator", "--count", "0"]),
        (2, &["edit", "role:operator", "--idle", "1h", "--unset", "idle"]),
        (2, &["show", "group:gold"]),
        (3, &["show", "plan:nothing"]),
        (3, &["edit", "role:nobody", "--count", "1"]),
    ];
    for (code, wrong) in refused {
        for more in [&["--dry-run"][..], &[]] {
            let output = policy(&[wrong, more].concat());
            assert_eq!(output.status.code(), Some(code), "{wrong:?} {more:?}: {output:?}");
        }
    }
    let told = policy(&["edit", "role:operator", "--max", "401d"]);
    assert!(String::from_utf8_lossy(&told.stderr).contains("tollgate: max: Enter 1 minute to 400 days"), "by the flag's name: {told:?}");

    assert_eq!(of(&said(&policy(&["clear", "role:operator"]))), nothing);
    assert_eq!(count(&app, "select count(*) from events where kind = 'session_policy.changed'").await, 3);
    assert_eq!(count(&app, "select count(*) from session_policies").await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_edit_of_a_session_policy_takes_nothing_back_that_another_wrote_since_it_read(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let folder = Folder::new();
    let edit = ["session-policy", "edit", "role:operator", "--max", "30d", "--json"];
    // It has read when it waits for the role.
    let mut held = Held::by(&db, "select slug from roles where slug = 'operator' for no key update").await;
    let second = command(&folder, &db, &edit).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    held.is_waited_for(1).await;
    sqlx::query("insert into session_policies (id, role, idle_seconds, updated_at) values ($1, 'operator', 3600, $2)")
        .bind(app.ctx.new_id::<uuid::Uuid>())
        .bind(app.ctx.clock.now())
        .execute(&db)
        .await
        .unwrap();
    held.release().await;
    let told = second.wait_with_output().unwrap();
    assert_eq!(told.status.code(), Some(4), "{told:?}");
    let words = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(words.contains("What the role Operator says was changed since this command read it"), "{words}");
    let stored = "select count(*) from session_policies where idle_seconds = 3600 and max_seconds is null";
    assert_eq!(count(&app, stored).await, 1, "nothing is saved");

    let edited = said(&run(&folder, &db, &edit));
    assert_eq!((&edited["idle_seconds"], &edited["max_seconds"]), (&json!(3_600), &json!(2_592_000)), "who looks again changes what there is");
}
