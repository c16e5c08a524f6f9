//! Accounts of another system: their passwords are good at once, cost whoever signs in the same, and become hashes of ours.

use super::{count, seen};
use crate::{
    keys::{OPERATOR, json as answer, person_with},
    support::{
        TestApp,
        browser::{PASSWORD, location},
        folder::Folder,
    },
};
use sqlx::{ConnectOptions, PgPool};
use std::process::{Command, Output};
use time::Duration;
use tollgate::accounts::{
    Caller,
    model::{ImportedAs, ImportedLine},
    server::{Passwords, import_accounts, set_admin_pin},
};
use tollgate::admin::api::{CheckAccountImport, RunAccountImport};

const WRONG: &str = "not the right one at all";

fn bcrypt_of(password: &str) -> String {
    bcrypt::hash_with_salt(password, 4, [7; 16]).unwrap().to_string().replacen("$2b$", "$2y$", 1)
}

async fn import(app: &TestApp, list: &str) -> Vec<ImportedLine> {
    import_accounts(&app.ctx, &Caller::cli(), list, false).await.unwrap()
}

async fn hash_of(app: &TestApp, email: &str) -> String {
    sqlx::query_scalar("select password_hash from accounts where email = $1").bind(email).fetch_one(&app.ctx.db).await.unwrap()
}

fn outcomes(report: &[ImportedLine]) -> Vec<ImportedAs> {
    report.iter().map(|line| line.outcome).collect()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r11_an_imported_hash_signs_in_and_becomes_ours(db: PgPool) {
    let app = TestApp::start(db).await;
    let list = format!("email,name,password_hash,verified,created_at\nmara@example.com,Mara,{},true,2020-01-31T00:00:00Z\n", bcrypt_of(PASSWORD));
    assert_eq!(outcomes(&import(&app, &list).await), [ImportedAs::Created]);
    assert_eq!(count(&app, "select count(*) from accounts where created_at < '2020-02-01' and verified_at > '2021-01-01'").await, 1);
    assert_eq!(count(&app, "select count(*) from events where kind = 'account.created' and data ->> 'imported' = 'true'").await, 1);
    assert_eq!(app.browser().sign_in("mara@example.com", WRONG).await.status(), 422);
    assert!(hash_of(&app, "mara@example.com").await.starts_with("$2y$04$"), "a wrong one changes nothing");
    let browser = app.browser();
    assert_eq!(browser.sign_in("mara@example.com", PASSWORD).await.status(), 303);
    assert!(browser.page("/keys").await.contains("Mara"), "with a workspace and its permissions");
    let renewed = hash_of(&app, "mara@example.com").await;
    assert!(renewed.starts_with("$argon2id$") && renewed.contains("keyid="), "{renewed}");
    assert_eq!(app.browser().sign_in("mara@example.com", PASSWORD).await.status(), 303, "and by it from now on");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r15_r16_an_imported_account_answers_as_an_unknown_address_at_the_same_cost(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("known@example.com", "Kira", "developer").await;
    import(&app, &format!("email,password_hash,verified\nmara@example.com,{},true\n", bcrypt_of(PASSWORD))).await;
    let passwords = Passwords::of(&app.ctx).unwrap();
    let mut said = Vec::new();
    for email in ["mara@example.com", "known@example.com", "nobody@example.com"] {
        let before = passwords.runs();
        let answer = app.browser().sign_in(email, WRONG).await;
        assert_eq!(passwords.runs() - before, 1, "{email}");
        said.push(seen(answer, email).await);
    }
    assert!(said.iter().all(|one| *one == said[0]));
    // The kind is tried for everybody until the last account that has it is gone from it.
    assert_eq!(count(&app, "select count(*) from imported_hash_kinds where kind = '$2b$04$'").await, 1);
    app.ctx.clock.advance(Duration::days(2));
    forget(&app).await;
    assert_eq!(count(&app, "select count(*) from imported_hash_kinds").await, 1, "somebody still has it");
    assert_eq!(app.browser().sign_in("mara@example.com", PASSWORD).await.status(), 303);
    forget(&app).await;
    assert_eq!(count(&app, "select count(*) from imported_hash_kinds").await, 0);
}

async fn forget(app: &TestApp) {
    let mut conn = app.ctx.db.acquire().await.unwrap();
    let job = tollgate::accounts::server::jobs::ForgetExpired::default();
    tollgate::platform::jobs::enqueue(&app.ctx, &mut conn, &job).await.unwrap();
    drop(conn);
    app.run_jobs().await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_list_sent_twice_changes_no_account_and_says_so(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("kira@example.com", "Kira", "developer").await;
    let own = hash_of(&app, "kira@example.com").await;
    let hash = bcrypt_of(PASSWORD);
    let list = format!(
        "email,name,password_hash,verified\nKIRA@example.com,Other,{hash},true\nmara@example.com,Mara,{hash},true\nMara@example.com,Mara,{hash},\nvera@example.com,Vera,,\nnobody,X,,\n"
    );
    let dry = import_accounts(&app.ctx, &Caller::cli(), &list, true).await.unwrap();
    assert_eq!(count(&app, "select count(*) from accounts where email_key in ('mara@example.com', 'vera@example.com')").await, 0);
    assert_eq!(count(&app, "select count(*) from imported_hash_kinds").await, 0);
    let first = import(&app, &list).await;
    assert_eq!(dry, first, "a dry run says what comes");
    assert_eq!(outcomes(&first), [ImportedAs::Known, ImportedAs::Created, ImportedAs::Known, ImportedAs::Created, ImportedAs::Wrong]);
    assert_eq!((first[4].line, first[4].field.as_deref()), (6, Some("email")));
    assert!(app.browser().sign_in("mara@example.com", PASSWORD).await.status().is_redirection());
    let renewed = hash_of(&app, "mara@example.com").await;
    let again = import(&app, &list).await;
    assert_eq!(outcomes(&again), [ImportedAs::Known, ImportedAs::Known, ImportedAs::Known, ImportedAs::Known, ImportedAs::Wrong]);
    assert_eq!((hash_of(&app, "mara@example.com").await, hash_of(&app, "kira@example.com").await), (renewed, own));
    assert_eq!(count(&app, "select count(*) from events where kind = 'account.created' and data ->> 'imported' = 'true'").await, 2);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn who_is_not_proven_there_proves_the_address_here(db: PgPool) {
    let app = TestApp::start(db).await;
    import(&app, &format!("email,password_hash,created_at\nmara@example.com,{},2020-01-31T00:00:00Z\n", bcrypt_of(PASSWORD))).await;
    forget(&app).await;
    assert_eq!(count(&app, "select count(*) from accounts where email_key = 'mara@example.com'").await, 1, "it has a week for it");
    let answer = app.browser().sign_in("mara@example.com", PASSWORD).await;
    assert_eq!(location(&answer), "/verify-email");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_list_with_hashes_of_too_many_kinds_is_refused(db: PgPool) {
    let app = TestApp::start(db).await;
    let lines: Vec<String> = (4..9).map(|cost| format!("p{cost}@example.com,{}", bcrypt_of(PASSWORD).replacen("$04$", &format!("$0{cost}$"), 1))).collect();
    let list = |n: usize| format!("email,password_hash\n{}\n", lines[..n].join("\n"));
    let refused = import_accounts(&app.ctx, &Caller::cli(), &list(5), false).await.unwrap_err();
    assert!(format!("{refused:?}").contains("more than 4 kinds"), "{refused:?}");
    assert_eq!(count(&app, "select count(*) from accounts where email like 'p%'").await, 0);
    assert_eq!(outcomes(&import(&app, &list(4)).await), [ImportedAs::Created; 4]);
    assert!(import_accounts(&app.ctx, &Caller::cli(), &list(5), false).await.is_err(), "with those of before");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn accounts_are_imported_over_rest(db: PgPool) {
    const ROUTE: &str = "/api/v1/admin/accounts/import";
    let app = TestApp::start(db.clone()).await;
    let permissions: Vec<&str> = OPERATOR.iter().copied().chain(["accounts:manage"]).collect();
    let olga = person_with(&app, &db, "olga@example.com", "operator", &permissions).await;
    let reader = person_with(&app, &db, "rita@example.com", "operator", OPERATOR).await;
    let users = serde_json::json!([
        { "email": "mara@example.com", "passwordHash": bcrypt_of(PASSWORD), "emailVerified": true, "plan": "gold" },
        { "email": "vera@example.com", "password": WRONG },
        { "email": "Mara@example.com" },
    ]);
    let list = |dry_run: bool| serde_json::json!({ "accounts": users, "dry_run": dry_run });
    assert_eq!(reader.post(&app, ROUTE, list(true)).await.status(), 403);
    let (status, dry) = answer(olga.post(&app, ROUTE, list(true)).await).await;
    assert_eq!((status, &dry["created"], &dry["known"], &dry["wrong"]), (200, &1.into(), &1.into(), &1.into()), "{dry}");
    assert_eq!((&dry["data"][1]["line"], &dry["data"][1]["field"]), (&2.into(), &"password_hash".into()));
    assert!(!dry.to_string().contains(WRONG), "{dry}");
    assert_eq!(count(&app, "select count(*) from accounts where email_key = 'mara@example.com'").await, 0, "a dry run changes nothing");

    // Who finds a key has no PIN by it.
    set_admin_pin(&app.ctx, &Caller::cli(), &"kranich 77".into()).await.unwrap();
    assert_eq!(olga.post(&app, ROUTE, list(true)).await.status(), 200);
    assert_eq!(olga.post(&app, ROUTE, list(false)).await.status(), 403);
    let send = async || {
        let request = app.http.post(app.url(ROUTE)).bearer_auth(&olga.secret).header("admin-pin", "kranich 77").json(&list(false));
        answer(request.send().await.unwrap()).await.1
    };
    let done = send().await;
    assert_eq!(done["data"], dry["data"], "a dry run says what comes");
    assert_eq!((&send().await["created"], &done["created"]), (&0.into(), &1.into()), "sent twice");
    assert!(app.browser().sign_in("mara@example.com", PASSWORD).await.status().is_redirection());
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_page_shows_a_list_of_accounts_before_it_imports_it(db: PgPool) {
    const PAGE: &str = "/admin/accounts/import";
    let app = TestApp::start(db.clone()).await;
    let (olga, omar) = (app.sign_in_as("operator").await, app.sign_in_as("operator").await);
    assert!(olga.browser.page("/admin/accounts").await.contains(PAGE));
    let list = format!("email,name,password_hash,verified\nmara@example.com,<b>Mara</b>,{},true\nbad,,,\n", bcrypt_of(PASSWORD));
    let sent = olga.browser.post_file::<CheckAccountImport>(PAGE, &[("list", "")], list.as_bytes()).await;
    let page = location(&sent).to_owned();
    let shown = olga.browser.page(&page).await;
    assert!(shown.contains("Import 1 account") && shown.contains("1 line can") && !shown.contains("$2y$"), "{shown}");
    assert_eq!(omar.browser.get(&page).await.status(), 404, "it is who brought it that looks at it");
    let kept: Vec<u8> = sqlx::query_scalar("select list from account_imports").fetch_one(&db).await.unwrap();
    assert!(!kept.windows(4).any(|part| part == b"$2y$"), "sealed");

    let id = page.split_once('=').unwrap().1;
    app.ctx.clock.advance(Duration::minutes(11));
    let asked = olga.browser.post::<RunAccountImport>(&page, &[("list", id)]).await;
    assert!(location(&asked).starts_with("/step-up?form="), "it takes a recent proof");
    assert_eq!(count(&app, "select count(*) from accounts where email_key = 'mara@example.com'").await, 0);
    let fresh = app.browser();
    assert_eq!(fresh.sign_in(&olga.email, PASSWORD).await.status(), 303);
    for _ in 0..2 {
        assert_eq!(location(&fresh.post::<RunAccountImport>(&page, &[("list", id)]).await), "/admin/accounts");
    }
    assert_eq!(count(&app, "select count(*) from account_imports").await, 0, "what is imported is kept no longer");
    assert!(app.browser().sign_in("mara@example.com", PASSWORD).await.status().is_redirection());
    let wrong = olga.browser.post::<CheckAccountImport>(PAGE, &[("list", "name\nx")]).await;
    assert_eq!(wrong.status(), 422);
    assert!(wrong.text().await.unwrap().contains("one of them is email"));

    assert_eq!(olga.browser.post::<CheckAccountImport>(PAGE, &[("list", &list)]).await.status(), 303);
    app.ctx.clock.advance(Duration::days(2));
    forget(&app).await;
    assert_eq!(count(&app, "select count(*) from account_imports").await, 0, "lists are forgotten");
}

fn run(folder: &Folder, db: &PgPool, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command.args(arguments).current_dir(folder.path()).env_clear().env("DATABASE_URL", db.connect_options().to_url_lossy().as_str());
    command.output().unwrap()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn accounts_are_imported_from_the_command_line(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let folder = Folder::new();
    let users = serde_json::json!({ "users": [
        { "email": "mara@example.com", "name": "Mara", "password": bcrypt_of(PASSWORD), "emailVerified": true, "plan": "gold" },
        { "email": "vera@example.com", "password": WRONG },
    ] });
    std::fs::write(folder.path().join("users.json"), users.to_string()).unwrap();
    let out = |output: &Output| String::from_utf8_lossy(&output.stdout).into_owned();
    let dry = run(&folder, &db, &["account", "import", "users.json", "--dry-run"]);
    assert!(out(&dry).contains("1 of 2 would be imported, 0 known already, 1 wrong."), "{dry:?}");
    let done = run(&folder, &db, &["account", "import", "users.json"]);
    assert_eq!(done.status.code(), Some(1), "a line is wrong: {done:?}");
    let said = out(&done);
    assert!(said.contains("Not imported: plan.") && said.contains("password_hash: This is no hash") && !said.contains(WRONG), "{said}");
    let json: serde_json::Value = serde_json::from_slice(&run(&folder, &db, &["account", "import", "users.json", "--json"]).stdout).unwrap();
    for (line, field, said) in [(0, "outcome", "known"), (1, "outcome", "wrong"), (1, "field", "password_hash")] {
        assert_eq!(json[line][field], said);
    }
    assert!(app.browser().sign_in("mara@example.com", PASSWORD).await.status().is_redirection());
    assert_eq!(run(&folder, &db, &["account", "import", "gone.csv"]).status.code(), Some(2));
}
