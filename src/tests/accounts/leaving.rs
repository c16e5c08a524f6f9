//! Leaving for a while and for good, and the way back.

use super::{count, flat, mail_about};
use crate::{
    gate::{Given, Owner, key, known},
    keys::passes,
    support::{
        TestApp,
        browser::{PASSWORD, Person, location},
        mailbox::link,
        until,
    },
};
use serde_json::{Value, json};
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::{
        Caller, Via, api,
        server::{self, Visitor, leaving},
    },
    keys::server::nodes::Nodes,
    values::WorkspaceId,
};

const PAGE: &str = "/settings/danger";

/// The secret of a key in this person's workspace, which passes.
async fn key_of(app: &TestApp, person: &Person) -> String {
    let workspace: uuid::Uuid =
        sqlx::query_scalar("select id from workspaces where personal_of = $1").bind(person.account.uuid()).fetch_one(&app.ctx.db).await.unwrap();
    let owner = Owner { account: person.account, workspace: WorkspaceId::new(workspace) };
    let (id, secret) = key(&app.ctx.db, app, &owner, Given { limit: Some((100_000, 3_600)), ..Given::default() }).await;
    known(app, id).await;
    assert_eq!(passes(app, &secret).await, 200);
    secret
}

async fn until_it_passes(app: &TestApp, secret: &str, status: u16) {
    until("the gate knows", || async { passes(app, secret).await == status }).await;
}

async fn ask(person: &Person, typed: &str) -> reqwest::Response {
    person.browser.post::<api::AskDeletion>(PAGE, &[("email", typed)]).await
}

/// Presses the button behind the link in the last mail to this person.
async fn confirm(app: &TestApp, path: &str) -> u16 {
    let browser = app.browser();
    assert_eq!(location(&browser.get(path).await), "/delete-account", "R54");
    browser.post::<api::ConfirmDeletion>("/delete-account", &[]).await.status().as_u16()
}

/// Somebody who asked to be deleted and has the mail.
async fn asked(app: &TestApp) -> (Person, String) {
    let vera = app.sign_in_as("developer").await;
    assert_eq!(location(&ask(&vera, &vera.email).await), PAGE);
    let mail = app.mail_to(&vera.email).await;
    assert_eq!(mail.subject, "Delete your account?");
    (vera, link(&mail, "/delete-account").to_owned())
}

/// Another server that lives and never confirms; this one knows of it.
async fn beside_a_deaf_one(app: &TestApp) {
    sqlx::query(
        "insert into nodes (id, name, version, started_at, beat_at, stops_after, keys, seen)
         values (gen_random_uuid(), 'deaf:1', '1', now(), now() + interval '1 hour', 900, 0, pg_current_snapshot())",
    )
    .execute(&app.ctx.db)
    .await
    .unwrap();
    let nodes = app.ctx.part::<Nodes>().unwrap();
    until("it knows of the other server", async || nodes.members().list.len() == 2).await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s85_deactivated_until_a_right_password_brings_it_back(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let secret = key_of(&app, &vera).await;
    let elsewhere = app.browser();
    elsewhere.sign_in(&vera.email, PASSWORD).await;
    let page = format!("{PAGE}?act=deactivate");
    app.ctx.clock.advance(Duration::minutes(11));
    assert!(location(&vera.browser.post::<api::Deactivate>(&page, &[]).await).starts_with("/step-up?form="), "R50");
    assert!(vera.browser.is_signed_in().await);

    vera.browser.post::<api::StepUp>("/step-up", &[("password", PASSWORD)]).await;
    assert_eq!(location(&vera.browser.post::<api::Deactivate>(&page, &[]).await), "/sign-in");
    assert!(vera.browser.page("/sign-in").await.contains("Your account is deactivated."));
    assert!(!elsewhere.is_signed_in().await, "R45");
    until_it_passes(&app, &secret, 403).await;
    assert_eq!(app.mail_to(&vera.email).await.subject, "Your account is deactivated");

    let back = app.browser();
    assert_eq!(back.sign_in(&vera.email, "not the right one at all").await.status(), 422, "R18: only the right password is told");
    assert_eq!(location(&back.sign_in(&vera.email, PASSWORD).await), "/come-back");
    assert!(!back.is_signed_in().await);
    assert!(back.page("/come-back").await.contains("Your account is deactivated"));
    assert_eq!(location(&back.post::<api::ComeBack>("/come-back", &[]).await), "/sign-in");
    assert_eq!(location(&back.sign_in(&vera.email, PASSWORD).await), "/home");
    until_it_passes(&app, &secret, 200).await;
    assert!(!elsewhere.is_signed_in().await, "old sessions stay dead");
    mail_about(&app, &vera.email, "Your account is back").await;
    // The link of the mail about leaving has nothing left to do.
    assert_eq!(count(&app, "select count(*) from auth_tokens where kind = 'keep_account' and used_at is null").await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn who_leaves_waits_until_every_server_refuses_the_keys_and_reads_which_may_not(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, wilma) = (app.sign_in_as("developer").await, app.sign_in_as("developer").await);
    let secrets = [key_of(&app, &vera).await, key_of(&app, &wilma).await];
    assert_eq!(location(&ask(&wilma, &wilma.email).await), PAGE);
    let link = link(&app.mail_to(&wilma.email).await, "/delete-account").to_owned();
    beside_a_deaf_one(&app).await;

    assert_eq!(location(&vera.browser.post::<api::Deactivate>(PAGE, &[]).await), "/sign-in");
    let page = vera.browser.page("/sign-in").await;
    assert!(page.contains("Your account is deactivated.") && page.contains("refused on 1 of 2 nodes. deaf:1 has not confirmed"), "{page}");
    let browser = app.browser();
    assert_eq!(location(&browser.get(&link).await), "/delete-account");
    assert_eq!(location(&browser.post::<api::ConfirmDeletion>("/delete-account", &[]).await), "/sign-in");
    let page = browser.page("/sign-in").await;
    assert!(page.contains("Your account is deleted.") && page.contains("refused on 1 of 2 nodes. deaf:1 has not confirmed"), "{page}");
    for secret in secrets {
        assert_eq!(passes(&app, &secret).await, 403);
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn who_leaves_over_rest_is_told_on_which_servers_the_keys_are_refused(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, wilma) = (app.sign_in_as("developer").await, app.sign_in_as("developer").await);
    let secrets = [key_of(&app, &vera).await, key_of(&app, &wilma).await];
    let post = async |person: &Person, path: &str, body: Value| {
        let request = person.browser.http.post(app.url(path)).header("sec-fetch-site", "same-origin").json(&body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let (status, left) = post(&vera, "/api/v1/me/deactivate", json!({ "current_password": PASSWORD })).await;
    assert_eq!((status, &left["spread"]["nodes"], &left["spread"]["confirmed"], &left["spread"]["missing"]), (200, &json!(1), &json!(1), &json!([])), "{left}");

    assert_eq!(location(&ask(&wilma, &wilma.email).await), PAGE);
    let link = link(&app.mail_to(&wilma.email).await, "/delete-account").to_owned();
    let token = link.split_once("token=").unwrap().1;
    beside_a_deaf_one(&app).await;
    let (status, left) = post(&wilma, "/api/v1/me/deletion/confirm", json!({ "token": token })).await;
    assert_eq!((status, &left["spread"]["nodes"], &left["spread"]["confirmed"]), (200, &json!(2), &json!(1)), "{left}");
    assert_eq!((left["spread"]["missing"][0]["name"].as_str(), left["spread"]["missing"].as_array().unwrap().len()), (Some("deaf:1"), 1), "{left}");
    for secret in secrets {
        assert_eq!(passes(&app, &secret).await, 403);
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s85_a_disabled_account_that_was_left_too_stays_disabled(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, operator) = (app.sign_in_as("developer").await, app.sign_in_as("operator").await);
    vera.browser.post::<api::Deactivate>(PAGE, &[]).await;
    let left = app.mail_to(&vera.email).await;
    let caller = server::caller_of_account(&app.ctx, operator.account, Via::Cli).await.unwrap().unwrap();
    server::disable_account(&app.ctx, &caller, &Visitor::terminal(), vera.account, "spam").await.unwrap();
    let back = app.browser();
    assert_eq!(back.sign_in(&vera.email, PASSWORD).await.status(), 409);
    back.get(link(&left, "/come-back")).await;
    assert_eq!(back.post::<api::ComeBack>("/come-back", &[]).await.status(), 303);
    assert_eq!(back.sign_in(&vera.email, PASSWORD).await.status(), 409, "coming back lifts no ban");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r60_s84_deleting_takes_three_confirmations(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let secret = key_of(&app, &vera).await;
    for typed in ["", "somebody@example.com"] {
        assert_eq!(ask(&vera, typed).await.status(), 422, "{typed}");
    }
    let key = app.caller_in_a_browser(vera.account).await;
    let key = Caller { via: Via::Key(app.ctx.new_id()), ..key };
    for password in [None, Some("not the right one at all".into())] {
        let refused = leaving::ask_deletion(&app.ctx, &key, &Visitor::terminal(), &vera.email, password.as_ref()).await.unwrap_err();
        assert!(refused.field("current_password").is_some(), "R50: a key alone leaves nothing: {refused:?}");
    }
    assert_eq!(count(&app, "select count(*) from jobs where kind = 'accounts.send_deletion_link'").await, 0);
    assert_eq!(location(&ask(&vera, &vera.email.to_uppercase()).await), PAGE);
    let mail = app.mail_to(&vera.email).await;
    let path = link(&mail, "/delete-account");
    let scanner = app.browser();
    scanner.get(path).await;
    assert!(scanner.page("/delete-account").await.contains(&vera.email));
    assert!(vera.browser.is_signed_in().await && passes(&app, &secret).await == 200, "R53: nothing is deleted yet");

    let (a, b) = tokio::join!(confirm(&app, path), confirm(&app, path));
    let mut statuses = [a, b];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 422], "S84: raced, once");
    assert_eq!(count(&app, "select count(*) from events where kind = 'account.deleted'").await, 1);
    assert!(!vera.browser.is_signed_in().await);
    assert_eq!(count(&app, "select count(*) from sessions").await, 0, "every session ends");
    until_it_passes(&app, &secret, 403).await;
    let mail = app.mail_to(&vera.email).await;
    assert_eq!(mail.subject, "Your account will be erased");
    assert!(flat(&mail).contains("On 20 Dec 2026, 12:00 UTC"), "{}", mail.text);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r60_within_thirty_days_signing_in_or_the_link_brings_it_back(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, path) = asked(&app).await;
    confirm(&app, &path).await;
    let mail = app.mail_to(&vera.email).await;
    app.ctx.clock.advance(Duration::days(30) - Duration::minutes(1));
    let back = app.browser();
    sqlx::raw_sql("update accounts set time_zone = 'Asia/Kolkata'").execute(&app.ctx.db).await.unwrap();
    assert_eq!(location(&back.sign_in(&vera.email, PASSWORD).await), "/come-back");
    assert!(back.page("/come-back").await.contains("It will be erased on 20 Dec 2026, 17:30 IST."), "in the zone of whoever reads it");
    assert_eq!(leaving::erase_departed(&app.ctx).await, Ok(0));
    let by_link = app.browser();
    by_link.get(link(&mail, "/come-back")).await;
    let (a, b) = tokio::join!(back.post::<api::ComeBack>("/come-back", &[]), by_link.post::<api::ComeBack>("/come-back", &[]));
    let mut statuses = [a.status().as_u16(), b.status().as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 422], "once");
    app.ctx.clock.advance(Duration::days(1));
    assert_eq!(leaving::erase_departed(&app.ctx).await, Ok(0), "it is nobody's business any more");
    assert_eq!(location(&back.sign_in(&vera.email, PASSWORD).await), "/home");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r60_after_thirty_days_the_account_goes_and_its_history_keeps_a_pseudonym(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, path) = asked(&app).await;
    let secret = key_of(&app, &vera).await;
    let bystander = app.sign_in_as("developer").await;
    confirm(&app, &path).await;
    app.run_jobs().await;
    let before = count(&app, "select count(*) from events").await;
    app.ctx.clock.advance(Duration::days(30));
    // A ticket that was given before is worth nothing now.
    let late = app.browser();
    assert_eq!(location(&late.sign_in(&vera.email, PASSWORD).await), "/come-back");
    assert_eq!(late.post::<api::ComeBack>("/come-back", &[]).await.status(), 422);

    // Delivered twice, on two runners at once: each account goes once.
    let (a, b) = tokio::join!(leaving::erase_departed(&app.ctx), leaving::erase_departed(&app.ctx));
    assert_eq!(a.unwrap() + b.unwrap(), 1);
    assert_eq!(leaving::erase_departed(&app.ctx).await, Ok(0));
    until_it_passes(&app, &secret, 401).await;
    assert_eq!(app.browser().sign_in(&vera.email, PASSWORD).await.status(), 422);
    for table in ["accounts", "workspaces", "keys", "sessions", "account_departures"] {
        let left: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("select count(*) from {table}"))).fetch_one(&app.ctx.db).await.unwrap();
        let bystanders = i64::from(["accounts", "workspaces", "sessions"].contains(&table));
        assert_eq!(left, bystanders, "{table}");
    }
    assert_eq!(count(&app, "select count(*) from events").await, before + 1, "the history stays, with the erasure in it");
    let left: Vec<String> =
        sqlx::query_scalar("select to_jsonb(e)::text from events e where actor <> $1").bind(&bystander.name).fetch_all(&app.ctx.db).await.unwrap();
    for event in &left {
        assert!(!event.contains(&vera.name) && !event.contains(&vera.email) && !event.contains("127.0.0.1") && !event.contains("Firefox"), "{event}");
    }
    assert!(left.iter().any(|event| event.contains("former-")), "{left:?}");
    // The address is free again.
    app.account(&vera.email, "Somebody else", "developer").await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s84_the_last_operator_stays_and_of_two_who_leave_at_once_one_does(db: PgPool) {
    let app = TestApp::start(db).await;
    let jon = app.sign_in_as("operator").await;
    let refused = ask(&jon, &jon.email).await;
    assert_eq!(refused.status(), 409);
    assert!(refused.text().await.unwrap().contains("You are the last operator"));
    assert_eq!(jon.browser.post::<api::Deactivate>(PAGE, &[]).await.status(), 409);
    assert!(jon.browser.is_signed_in().await);

    let ada = app.sign_in_as("operator").await;
    let mut links = Vec::new();
    for person in [&jon, &ada] {
        assert_eq!(ask(person, &person.email).await.status(), 303);
        let mail = app.mail_to(&person.email).await;
        links.push(link(&mail, "/delete-account").to_owned());
    }
    let (a, b) = tokio::join!(confirm(&app, &links[0]), confirm(&app, &links[1]));
    let mut statuses = [a, b];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 409]);
    assert_eq!(count(&app, "select count(*) from account_departures").await, 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s93_a_fault_in_the_middle_leaves_everything_as_it_was(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, path) = asked(&app).await;
    let fault = "create function fail() returns trigger language plpgsql as $$ begin raise exception 'a fault'; end $$;
         create trigger fail before insert on jobs for each row when (new.kind = 'accounts.send_departed') execute function fail()";
    sqlx::raw_sql(fault).execute(&app.ctx.db).await.unwrap();
    assert_eq!(confirm(&app, &path).await, 500);
    assert!(vera.browser.is_signed_in().await);
    assert_eq!(count(&app, "select count(*) from account_departures").await, 0);
    sqlx::raw_sql("drop trigger fail on jobs").execute(&app.ctx.db).await.unwrap();
    assert_eq!(confirm(&app, &path).await, 303);

    app.run_jobs().await;
    app.ctx.clock.advance(Duration::days(30));
    let fault = "create trigger fail before delete on accounts for each row execute function fail()";
    sqlx::raw_sql(fault).execute(&app.ctx.db).await.unwrap();
    assert!(leaving::erase_departed(&app.ctx).await.is_err());
    assert_eq!(count(&app, "select count(*) from events where actor like 'former-%'").await, 0, "no half erasure");
    sqlx::raw_sql("drop trigger fail on accounts").execute(&app.ctx.db).await.unwrap();
    assert_eq!(leaving::erase_departed(&app.ctx).await, Ok(1));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s96_the_mails_of_leaving_are_written_again_alike_and_a_link_dies_with_a_new_password(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, path) = asked(&app).await;
    let first = app.mails().pop().expect("the mail with the link");
    sqlx::raw_sql("update jobs set state = 'waiting', finished_at = null where kind = 'accounts.send_deletion_link'").execute(&app.ctx.db).await.unwrap();
    let second = app.mail_to(&vera.email).await;
    assert_eq!((first.id, first.text), (second.id, second.text));
    let password = [("current_password", PASSWORD), ("new_password", "gate keeper sings at noon")];
    vera.browser.post::<api::ChangePassword>("/settings/security", &password).await;
    assert_eq!(confirm(&app, &path).await, 422, "R52");
    assert_eq!(count(&app, "select count(*) from account_departures").await, 0);
}
