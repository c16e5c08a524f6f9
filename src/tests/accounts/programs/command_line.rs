//! `tollgate login`, `whoami`, `logout` as processes against a running server.

use crate::{
    accounts::count,
    support::{TestApp, browser::location, folder::Folder},
};
use sqlx::PgPool;
use std::{os::unix::fs::PermissionsExt, process::Stdio};
use time::Duration;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::Command,
};
use tollgate::accounts::api;

fn tollgate(home: &Folder, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command.args(arguments).current_dir(home.path()).env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", home.path());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

async fn run(home: &Folder, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = tollgate(home, arguments).output().await.unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_person_signs_in_says_who_and_signs_out(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let home = Folder::new();
    assert_eq!(run(&home, &["whoami"]).await.0, Some(4), "nobody is signed in yet");

    let mut login = tollgate(&home, &["login", "--url", &app.base]).spawn().unwrap();
    let mut said = BufReader::new(login.stderr.take().unwrap()).lines();
    let line = loop {
        let line = said.next_line().await.unwrap().expect("it says where to go");
        if line.contains("/device?user_code=") {
            break line;
        }
    };
    let code = line.split("user_code=").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    let approved = vera.browser.post::<api::ApproveProgram>(&format!("/device?user_code={code}"), &[("typed", &code)]).await;
    assert_eq!(location(&approved), "/settings/sessions");
    // Should it have asked before that, its next question is not too early.
    app.ctx.clock.advance(Duration::seconds(30));
    let mut answer = String::new();
    login.stdout.take().unwrap().read_to_string(&mut answer).await.unwrap();
    assert!(login.wait().await.unwrap().success(), "{answer}");
    assert!(answer.contains(&vera.email), "{answer}");

    let file = home.path().join(".config/tollgate/login.json");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let kept = std::fs::read_to_string(&file).unwrap();
    assert!(kept.contains("tga_") && kept.contains("tgr_") && !answer.contains("tga_") && !answer.contains("tgr_"));

    let (exit, out, err) = run(&home, &["whoami", "--json"]).await;
    assert_eq!(exit, Some(0), "{err}");
    assert!(out.contains(&vera.email), "{out}");
    // The access token has run out: it is refreshed, and the next pair is kept.
    app.ctx.clock.advance(Duration::minutes(16));
    let (exit, _, err) = run(&home, &["whoami"]).await;
    assert_eq!(exit, Some(0), "{err}");
    assert_ne!(std::fs::read_to_string(&file).unwrap(), kept);

    let (exit, _, err) = run(&home, &["logout"]).await;
    assert_eq!(exit, Some(0), "{err}");
    assert!(!file.exists());
    assert_eq!(count(&app, "select count(*) from token_families").await, 0);
    assert_eq!(run(&home, &["whoami"]).await.0, Some(4));
    assert_eq!(run(&home, &["logout"]).await.0, Some(0), "twice");
}

#[tokio::test]
async fn tokens_do_not_travel_in_clear_to_another_machine() {
    let home = Folder::new();
    let (exit, _, err) = run(&home, &["login", "--url", "http://tollgate.example"]).await;
    assert_eq!(exit, Some(1), "{err}");
    assert!(err.contains("https"), "{err}");
}
