//! Known and unknown addresses cost the same (R15, R16): whatever is behind an address, an answer takes the same statements in the same order,
//! which write as many rows. What is done for an account is done by a job, once.

use super::{count, unproven};
use crate::support::{T0, TestApp, browser::PASSWORD, log::Log, mailbox::code};
use reqwest::Response;
use serde_json::{Value, json};
use sqlx::PgPool;
use std::net::Ipv4Addr;
use time::{Duration, OffsetDateTime};
use tollgate::{
    accounts::{
        Caller,
        server::{
            Term, Visitor, add_ban,
            jobs::{NoteAsked, Wish},
        },
    },
    platform::jobs::Job,
    values::{AccountId, EventId},
};

const FORGOT: &str = "/api/v1/auth/password/forgot";
const RESEND: &str = "/api/v1/auth/verify/resend";
const REGISTER: &str = "/api/v1/auth/register";
const VERIFY: &str = "/api/v1/auth/verify";

/// One proven address, one that has no password, one of a banned domain, one that waits for its proof.
async fn people(app: &TestApp) {
    for email in ["known@example.com", "passwordless@example.com", "known@spam.example"] {
        app.account(email, "Kira", "developer").await;
    }
    sqlx::raw_sql("update accounts set password_hash = null, password_set_at = null where email = 'passwordless@example.com'")
        .execute(&app.ctx.db)
        .await
        .unwrap();
    unproven(app, "waiting@example.com").await;
    add_ban(&app.ctx, &Caller::cli(), &Visitor::terminal(), "spam.example", Term { reason: "Throwaway addresses", until: None }).await.unwrap();
    app.run_jobs().await;
}

/// What the database was asked for this answer: the first words of each statement, and how many rows it wrote. `log` keeps `sqlx=debug`.
pub(super) fn statements(log: &Log, answer: &Response) -> Vec<String> {
    let id = answer.headers()["x-request-id"].to_str().unwrap();
    let between = |line: &str, from: &str, to: &str| line.split(from).nth(1).and_then(|rest| rest.split(to).next()).unwrap_or_default().to_owned();
    let statement = |line: &String| {
        let words = between(line, "summary=\"", "\" db.statement=");
        let written = if words.starts_with("select") { String::new() } else { between(line, " rows_affected=", " ") };
        // Where a sign-up comes to nothing its savepoint is undone, else released: one statement either way.
        format!("{words} {written}").replace("ROLLBACK TO SAVEPOINT", "RELEASE SAVEPOINT")
    };
    log.lines_with(&["sqlx::query: ", "summary=\"", id]).iter().map(statement).collect()
}

/// The status and the statements of one request.
async fn asked(app: &TestApp, log: &Log, path: &str, body: &Value) -> (u16, Vec<String>) {
    let answer = reqwest::Client::new().post(app.url(path)).json(body).send().await.unwrap();
    (answer.status().as_u16(), statements(log, &answer))
}

/// The same for each of these addresses; all must be as the first one.
async fn all_alike(app: &TestApp, log: &Log, path: &str, emails: &[&str], body: impl Fn(&str) -> Value) -> (u16, Vec<String>) {
    let first = asked(app, log, path, &body(emails[0])).await;
    assert!(first.1.iter().any(|words| words.starts_with("insert into attempt_counters")), "the log tells what the database is asked: {first:?}");
    for email in &emails[1..] {
        assert_eq!(asked(app, log, path, &body(email)).await, first, "{path} {email}, and {}", emails[0]);
    }
    first
}

fn how_often(statements: &[String], words: &str) -> usize {
    statements.iter().filter(|statement| statement.starts_with(words)).count()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r15_r16_asking_for_a_mail_takes_the_same_statements_for_every_address(db: PgPool) {
    let (log, _guard) = Log::keep("info,sqlx=debug");
    let app = TestApp::start(db).await;
    people(&app).await;
    let (mails, events) = (app.mails().len(), count(&app, "select count(*) from events").await);
    let emails = ["nobody@example.com", "known@example.com", "passwordless@example.com", "waiting@example.com", "known@spam.example", "nobody@spam.example"];
    for path in [FORGOT, RESEND] {
        // Twice: where addresses were counted before, and where they were not.
        for _ in 0..2 {
            let (status, statements) = all_alike(&app, &log, path, &emails, |email| json!({ "email": email })).await;
            assert_eq!((status, how_often(&statements, "insert into jobs"), how_often(&statements, "COMMIT")), (202, 1, 1), "{statements:?}");
        }
    }
    assert_eq!(count(&app, "select count(*) from events").await, events, "what differs is done after the answer");
    app.run_jobs().await;
    let mut told: Vec<(String, String)> = app.mails().split_off(mails).into_iter().map(|mail| (mail.to, mail.subject)).collect();
    told.sort();
    let mut due = vec![("known@example.com", "Set a new password"); 2];
    due.extend([("passwordless@example.com", "Set a new password"); 2]);
    due.extend([("waiting@example.com", "Confirm your email"); 4]);
    assert_eq!(told, due.into_iter().map(|(to, subject)| (to.to_owned(), subject.to_owned())).collect::<Vec<_>>());
    assert_eq!(count(&app, "select count(*) from events where kind = 'account.reset_asked'").await, 6);
    assert_eq!(count(&app, "select count(*) from events where kind = 'account.verification_resent'").await, 2);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r15_r16_a_sign_up_takes_the_same_statements_for_every_address(db: PgPool) {
    let (log, _guard) = Log::keep("info,sqlx=debug");
    let app = TestApp::start(db).await;
    people(&app).await;
    let mails = app.mails().len();
    let body = |email: &str| json!({ "email": email, "name": "Mallory", "password": PASSWORD });
    let emails = ["fresh@example.com", "known@example.com", "passwordless@example.com", "known@spam.example", "fresh@spam.example"];
    let (status, statements) = all_alike(&app, &log, REGISTER, &emails, body).await;
    assert_eq!((status, how_often(&statements, "insert into jobs"), how_often(&statements, "COMMIT")), (202, 1, 1), "{statements:?}");
    // Over a sign-up that nobody proved: the same ones, but what that left behind goes.
    let words =
        |statements: &[String]| statements.iter().filter_map(|statement| statement.rsplit_once(' ')).map(|(words, _)| words.to_owned()).collect::<Vec<_>>();
    let over = asked(&app, &log, REGISTER, &body("waiting@example.com")).await;
    assert_eq!((over.0, words(&over.1)), (202, words(&statements)));

    // What was written for an address that is taken, or banned, is gone with its events.
    assert_eq!(count(&app, "select count(*) from accounts").await, 5);
    assert_eq!(count(&app, "select count(*) from workspaces").await, 5);
    assert_eq!(count(&app, "select count(*) from accounts where name = 'Mallory'").await, 2);
    app.run_jobs().await;
    let mut told: Vec<(String, String)> = app.mails().split_off(mails).into_iter().map(|mail| (mail.to, mail.subject)).collect();
    told.sort();
    let due = [
        ("fresh@example.com", "Confirm your email"),
        ("known@example.com", "You already have an account"),
        ("passwordless@example.com", "You already have an account"),
        ("waiting@example.com", "Confirm your email"),
    ];
    assert_eq!(told, due.map(|(to, subject)| (to.to_owned(), subject.to_owned())));
    assert_eq!(count(&app, "select count(*) from events where kind = 'account.signed_up'").await, 3, "one of them was the first of the one that waits");
    assert_eq!(count(&app, "select count(*) from events where kind = 'account.sign_up_repeated'").await, 2);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r15_r16_r35_a_wrong_code_takes_the_same_statements_for_every_address(db: PgPool) {
    let (log, _guard) = Log::keep("info,sqlx=debug");
    let app = TestApp::start(db).await;
    people(&app).await;
    let emails = ["nobody@example.com", "known@example.com", "waiting@example.com"];
    // Nobody asked for a mail to the first two so far: that all stand alike, all ask.
    let ask_all = async || all_alike(&app, &log, RESEND, &emails, |email| json!({ "email": email })).await;
    ask_all().await;
    let right = code(&app.mail_to("waiting@example.com").await).to_owned();
    let wrong = if right == "000000" { "000001" } else { "000000" };
    let try_all = async || all_alike(&app, &log, VERIFY, &emails, |email| json!({ "email": email, "code": wrong })).await;
    let mut took = Vec::new();
    for _ in 0..6 {
        let (status, statements) = try_all().await;
        assert_eq!(status, 422);
        took.push(statements.len());
    }
    assert_eq!(took[..5], [took[0]; 5]);
    assert_eq!(took[5], took[0] + 1, "the sixth is not looked at, and it is looked up why");

    // A new mail gives five new tries, where there is none as well; when its code is too old, nothing changes.
    ask_all().await;
    app.run_jobs().await;
    assert_eq!(try_all().await.1.len(), took[0]);
    app.ctx.clock.advance(Duration::minutes(11));
    assert_eq!(try_all().await.1.len(), took[0]);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s96_what_was_asked_for_is_written_down_and_mailed_once_with_the_time_when_it_was_asked(db: PgPool) {
    let app = TestApp::start(db).await;
    let known = app.account("known@example.com", "Kira", "developer").await;
    let cause: EventId = app.ctx.new_id();
    let note = async |wish: Wish, account: Option<AccountId>| {
        let device = "test".to_owned();
        NoteAsked { wish, account, cause, at: T0, address: Ipv4Addr::LOCALHOST.into(), device }.run(&app.ctx).await.unwrap();
    };
    app.ctx.clock.advance(Duration::minutes(5));
    for _ in 0..3 {
        note(Wish::Reset, Some(known)).await;
        app.run_jobs().await;
    }
    assert_eq!(app.mails().len(), 1);
    let at: OffsetDateTime = sqlx::query_scalar("select at from events where kind = 'account.reset_asked'").fetch_one(&app.ctx.db).await.unwrap();
    assert_eq!(at, T0);

    // An account that is gone, one that is proven by now, and none.
    note(Wish::Reset, Some(app.ctx.new_id())).await;
    note(Wish::Proof, Some(known)).await;
    note(Wish::SignUp, None).await;
    app.run_jobs().await;
    assert_eq!((app.mails().len(), count(&app, "select count(*) from jobs").await), (1, 1));
}
