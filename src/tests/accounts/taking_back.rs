//! "This wasn't me" and the way back to an address: what somebody else added goes, what was there before stays, and its owner is told.

use super::{
    count,
    factors::{give_code, half_way, set_up, with_app},
    flat, mail_about,
};
use crate::support::{
    TestApp,
    browser::{Browser, PASSWORD, Person, location},
    mailbox::link,
};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;
use time::Duration;
use tollgate::accounts::api;

const TOLD: &str = "What somebody else added was removed";
const NEW: &str = "gate keeper sings at noon";
const THIEVES: &str = "thief@example.net";

/// A key for Tollgate itself, made in this browser: its path.
async fn own_key(app: &TestApp, browser: &Browser, name: &str) -> String {
    let body = json!({ "name": name, "api": "tollgate", "permissions": ["account:read"] });
    let made = send(app, browser, Method::POST, "/api/v1/keys", body).await;
    assert_eq!(made.status(), 201);
    let made: Value = made.json().await.unwrap();
    format!("/api/v1/keys/{}", made["id"].as_str().unwrap())
}

async fn send(app: &TestApp, browser: &Browser, method: Method, path: &str, body: Value) -> reqwest::Response {
    browser.http.request(method, app.url(path)).header("sec-fetch-site", "same-origin").json(&body).send().await.unwrap()
}

async fn states(app: &TestApp) -> Vec<(String, String)> {
    sqlx::query_as("select name, state from keys where name in ('robot', 'old', 'stolen') order by name").fetch_all(&app.ctx.db).await.unwrap()
}

fn are(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, state)| ((*name).to_owned(), (*state).to_owned())).collect()
}

async fn not_me(app: &TestApp, whose: &Person) {
    let alarm = mail_about(app, &whose.email, "New sign-in to your account").await;
    let anywhere = app.browser();
    anywhere.get(link(&alarm, "/not-me?token=")).await;
    assert_eq!(location(&anywhere.post::<api::NotMe>("/not-me", &[]).await), "/sign-in");
    app.run_jobs().await;
}

/// By the mail that comes with it; answers the browser in which that was done.
async fn new_password(app: &TestApp, email: &str) -> Browser {
    let mail = mail_about(app, email, "Set a new password").await;
    let browser = app.browser();
    browser.get(link(&mail, "/reset-password")).await;
    assert_eq!(location(&browser.post::<api::ResetPassword>("/reset-password", &[("new_password", NEW)]).await), "/sign-in");
    browser
}

fn told(app: &TestApp, email: &str) -> usize {
    app.mails().iter().filter(|mail| mail.to == email && mail.subject == TOLD).count()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r25_an_app_and_keys_of_the_thief_go_with_this_was_not_me(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    own_key(&app, &vera.browser, "robot").await;
    let old = own_key(&app, &vera.browser, "old").await;
    app.ctx.clock.advance(Duration::hours(1));
    let thief = app.browser();
    thief.sign_in(&vera.email, PASSWORD).await;
    app.ctx.clock.advance(Duration::minutes(1));
    set_up(&app, &thief).await;
    own_key(&app, &thief, "stolen").await;
    assert_eq!(send(&app, &thief, Method::POST, &format!("{old}/rotate"), json!({})).await.status(), 200);

    not_me(&app, &vera).await;
    assert_eq!(count(&app, "select (select count(*) from totp_factors) + (select count(*) from recovery_codes)").await, 0);
    let keys = are(&[("old", "disabled"), ("robot", "active"), ("stolen", "revoked")]);
    assert_eq!(states(&app).await, keys, "made since: gone; given a new secret since: to be looked at; else as it was");
    assert_eq!(count(&app, "select count(*) from key_state_changes where actor = 'system' and reason <> ''").await, 2, "their history says why");
    let strange = "select count(*) from key_state_changes where substr(id::text, 15, 1) <> '7'";
    assert_eq!(count(&app, strange).await, 0, "the database makes ids as we do");
    let events: Vec<(String, String, String)> = sqlx::query_as(
        "select e.kind, k.name, e.data->>'from' from events e join keys k on k.id = e.subject_id
         where e.kind in ('key.revoked', 'key.disabled') and e.actor = 'system' and e.workspace_id = k.workspace_id and e.reason <> '' order by k.name",
    )
    .fetch_all(&app.ctx.db)
    .await
    .unwrap();
    let one = |kind: &str, name: &str| (kind.to_owned(), name.to_owned(), "active".to_owned());
    assert_eq!(events, [one("key.disabled", "old"), one("key.revoked", "stolen")], "and so does the log of events, of each");
    let mail = mail_about(&app, &vera.email, TOLD).await;
    assert!(flat(&mail).contains("What was there before is as it was"), "{}", mail.text);

    let owner = new_password(&app, &vera.email).await;
    assert_eq!(location(&owner.sign_in(&vera.email, NEW).await), "/home", "nothing of the thief is in the way");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r25_what_was_there_before_stays_and_nobody_is_told_of_nothing(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, phone) = with_app(&app, "developer").await;
    app.ctx.clock.advance(Duration::hours(1));
    // Whoever it was had the phone, too.
    let thief = half_way(&app, &vera.email).await;
    assert_eq!(location(&give_code(&thief, &phone.code(&app)).await), "/home");
    app.ctx.clock.advance(Duration::minutes(1));
    not_me(&app, &vera).await;
    assert_eq!(count(&app, "select (select count(*) from totp_factors) + (select count(*) from recovery_codes)").await, 11);
    assert_eq!(told(&app, &vera.email), 0);
    let owner = new_password(&app, &vera.email).await;
    assert_eq!(location(&owner.sign_in(&vera.email, NEW).await), "/sign-in/code");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r25_codes_that_the_thief_made_go_and_the_app_stays(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, phone) = with_app(&app, "developer").await;
    app.ctx.clock.advance(Duration::hours(1));
    let thief = half_way(&app, &vera.email).await;
    give_code(&thief, &phone.code(&app)).await;
    app.ctx.clock.advance(Duration::minutes(1));
    thief.post::<api::MakeRecoveryCodes>("/settings/security", &[]).await;
    not_me(&app, &vera).await;
    assert_eq!(count(&app, "select count(*) from totp_factors").await, 1);
    assert_eq!(count(&app, "select count(*) from recovery_codes").await, 0);
    assert_eq!(told(&app, &vera.email), 1);
}

/// The thief asks for another address, proves it, and the owner takes it back.
async fn change_and_undo(app: &TestApp, thief: &Browser, vera: &Person) {
    thief.post::<api::AskEmailChange>("/settings/email", &[("email", THIEVES)]).await;
    let mail = app.mail_to(THIEVES).await;
    thief.get(link(&mail, "/confirm-email")).await;
    assert_eq!(thief.post::<api::ConfirmNewEmail>("/confirm-email", &[]).await.status(), 303);
    let notice = mail_about(app, &vera.email, &subject_of_change(app, &vera.email).await).await;
    let anywhere = app.browser();
    anywhere.get(link(&notice, "/undo-email")).await;
    assert_eq!(anywhere.post::<api::UndoEmailChange>("/undo-email", &[]).await.status(), 303);
    app.run_jobs().await;
}

/// The subject of the newest mail to the old address.
async fn subject_of_change(app: &TestApp, email: &str) -> String {
    app.run_jobs().await;
    let mails = app.mails();
    mails.iter().rfind(|mail| mail.to == email && mail.text.contains("/undo-email")).expect("a notice").subject.clone()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s82_the_way_back_takes_what_the_thief_added_before_the_change_even_in_an_earlier_session(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    own_key(&app, &vera.browser, "robot").await;
    app.ctx.clock.advance(Duration::days(30));
    let thief = app.browser();
    thief.sign_in(&vera.email, PASSWORD).await;
    let phone = set_up(&app, &thief).await;
    own_key(&app, &thief, "stolen").await;
    // Signed out and in again, days later: the browser is the same.
    thief.post::<api::SignOut>("/sign-out", &[]).await;
    app.ctx.clock.advance(Duration::days(2));
    assert_eq!(location(&thief.sign_in(&vera.email, PASSWORD).await), "/sign-in/code");
    assert_eq!(location(&give_code(&thief, &phone.code(&app)).await), "/home");
    change_and_undo(&app, &thief, &vera).await;

    assert_eq!(count(&app, "select (select count(*) from totp_factors) + (select count(*) from recovery_codes)").await, 0);
    assert_eq!(states(&app).await, are(&[("robot", "active"), ("stolen", "revoked")]));
    assert_eq!(told(&app, &vera.email), 1, "at the address that came back");
    let owner = new_password(&app, &vera.email).await;
    assert_eq!(location(&owner.sign_in(&vera.email, NEW).await), "/home");
}

/// A thief comes in by one browser, adds an app and a key, and a day later comes in by another one, which is answered.
async fn by_two_browsers(app: &TestApp) -> (Person, Browser) {
    let vera = app.sign_in_as("developer").await;
    app.ctx.clock.advance(Duration::days(30));
    let first = app.browser();
    first.sign_in(&vera.email, PASSWORD).await;
    let phone = set_up(app, &first).await;
    own_key(app, &first, "stolen").await;
    app.ctx.clock.advance(Duration::days(1));
    let second = half_way(app, &vera.email).await;
    assert_eq!(location(&give_code(&second, &phone.code(app)).await), "/home");
    (vera, second)
}

async fn nothing_is_left(app: &TestApp) {
    assert_eq!(count(app, "select (select count(*) from totp_factors) + (select count(*) from recovery_codes)").await, 0);
    assert_eq!(states(app).await, are(&[("stolen", "revoked")]));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s82_a_second_browser_saves_nothing_that_the_first_one_added(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, second) = by_two_browsers(&app).await;
    change_and_undo(&app, &second, &vera).await;
    nothing_is_left(&app).await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r25_a_second_browser_saves_nothing_that_the_first_one_added(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, _second) = by_two_browsers(&app).await;
    not_me(&app, &vera).await;
    nothing_is_left(&app).await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s82_the_way_back_keeps_what_was_there_before_the_session_that_changed_it(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, phone) = with_app(&app, "developer").await;
    own_key(&app, &vera.browser, "robot").await;
    app.ctx.clock.advance(Duration::days(30));
    let thief = half_way(&app, &vera.email).await;
    give_code(&thief, &phone.code(&app)).await;
    change_and_undo(&app, &thief, &vera).await;
    assert_eq!(count(&app, "select (select count(*) from totp_factors) + (select count(*) from recovery_codes)").await, 11);
    assert_eq!(states(&app).await, are(&[("robot", "active")]));
    assert_eq!(told(&app, &vera.email), 0);
    let owner = new_password(&app, &vera.email).await;
    assert_eq!(location(&owner.sign_in(&vera.email, NEW).await), "/sign-in/code");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r25_a_key_alone_is_told_once_however_often_the_job_runs(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    app.ctx.clock.advance(Duration::hours(1));
    let thief = app.browser();
    thief.sign_in(&vera.email, PASSWORD).await;
    own_key(&app, &thief, "stolen").await;
    not_me(&app, &vera).await;
    assert_eq!((states(&app).await, told(&app, &vera.email)), (are(&[("stolen", "revoked")]), 1));
    sqlx::raw_sql("update jobs set state = 'waiting', finished_at = null where kind = 'accounts.end_keys_added'").execute(&app.ctx.db).await.unwrap();
    app.run_jobs().await;
    assert_eq!((told(&app, &vera.email), count(&app, "select count(*) from events where kind = 'key.revoked'").await), (1, 1));
}
