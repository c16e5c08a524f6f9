//! What ends a program's sign-in: everything that ends sessions, and the program itself. And where it is seen.

use super::{TOKEN, Tokens, password_grant, post, signed_in};
use crate::{
    accounts::{count, mail_about},
    support::{
        TestApp,
        browser::{PASSWORD, location},
        mailbox::link,
    },
};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;
use tollgate::accounts::{
    Caller, api,
    server::{Term, Visitor, ban_account, disable_account, enable_account, unban_account},
};

const NEW_PASSWORD: &str = "gate keeper sings at noon";

/// Neither its calls nor its refreshing works any more.
async fn is_dead(app: &TestApp, tokens: &Tokens) -> bool {
    tokens.status(app).await == 401 && tokens.refresh(app).await.0 == 400
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r46_s69_a_new_password_ends_every_program(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let (first, second) = (signed_in(&app, &vera.email).await, signed_in(&app, &vera.email).await);
    let form = [("current_password", PASSWORD), ("new_password", NEW_PASSWORD)];
    assert_eq!(vera.browser.post::<api::ChangePassword>("/settings/security", &form).await.status(), 303);
    assert!(vera.browser.is_signed_in().await, "the browser that changed it stays");
    assert!(is_dead(&app, &first).await && is_dead(&app, &second).await);
    assert_eq!(post(&app, TOKEN, password_grant(&vera.email, PASSWORD)).await.0, 422);

    let (status, body) = post(&app, TOKEN, password_grant(&vera.email, NEW_PASSWORD)).await;
    assert_eq!(status, 200, "{body}");
    let third = Tokens::of(&body);
    post(&app, "/api/v1/auth/password/forgot", json!({ "email": vera.email })).await;
    let mail = mail_about(&app, &vera.email, "Set a new password").await;
    let token = link(&mail, "/reset-password").split("token=").nth(1).unwrap();
    let reset = post(&app, "/api/v1/auth/password/reset", json!({ "token": token, "new_password": PASSWORD })).await;
    assert_eq!(reset.0, 204, "{}", reset.1);
    assert!(is_dead(&app, &third).await);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r46_a_password_that_changes_while_a_program_signs_in_leaves_none(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    app.ctx.clock.advance(time::Duration::seconds(1)); // passwords are told apart by when they were set
    let form = [("current_password", PASSWORD), ("new_password", NEW_PASSWORD)];
    let (changed, grant) =
        tokio::join!(vera.browser.post::<api::ChangePassword>("/settings/security", &form), post(&app, TOKEN, password_grant(&vera.email, PASSWORD)));
    assert_eq!(changed.status(), 303);
    if grant.0 == 200 {
        assert!(is_dead(&app, &Tokens::of(&grant.1)).await, "begun before the change, ended by it");
    }
    assert_eq!(count(&app, "select count(*) from token_families").await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s90_r45_a_ban_and_a_disabling_end_programs_for_good(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = app.account("mara@example.com", "Mara", "developer").await;
    let (cli, from) = (Caller::cli(), Visitor::terminal());
    let banned = signed_in(&app, "mara@example.com").await;
    ban_account(&app.ctx, &cli, &from, mara, Term { reason: "spam", until: None }).await.unwrap();
    assert_eq!(count(&app, "select count(*) from token_families").await, 0, "in the transaction of the ban");
    assert!(is_dead(&app, &banned).await);
    unban_account(&app.ctx, &cli, &from, mara).await.unwrap();
    assert!(is_dead(&app, &banned).await, "what a ban ended does not come back");

    let disabled = signed_in(&app, "mara@example.com").await;
    disable_account(&app.ctx, &cli, &from, mara, "asked for it").await.unwrap();
    assert!(is_dead(&app, &disabled).await);
    enable_account(&app.ctx, &cli, &from, mara).await.unwrap();
    assert!(is_dead(&app, &disabled).await);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn t04_a_program_signs_out_by_either_token(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("mara@example.com", "Mara", "developer").await;
    let (one, two, stays) = (signed_in(&app, "mara@example.com").await, signed_in(&app, "mara@example.com").await, signed_in(&app, "mara@example.com").await);
    let out = one.call(&app, Method::POST, "/api/v1/auth/logout").await;
    assert_eq!(out.status(), 204);
    assert!(is_dead(&app, &one).await);
    assert_eq!(one.call(&app, Method::POST, "/api/v1/auth/logout").await.status(), 401, "it is nobody any more");

    let by_refresh = |token: &str| json!({ "refresh_token": token });
    for _ in 0..2 {
        assert_eq!(post(&app, "/api/v1/auth/logout", by_refresh(&two.refresh)).await.0, 204, "sent twice");
    }
    assert!(is_dead(&app, &two).await);
    assert_eq!(post(&app, "/api/v1/auth/logout", by_refresh("tgr_nothing")).await.0, 204, "what there is, is nobody's business");
    assert_eq!(post(&app, "/api/v1/auth/logout", json!({ "token": "x" })).await.0, 422);
    assert_eq!(stays.status(&app).await, 200);
    assert_eq!(count(&app, "select count(*) from events where kind = 'program.signed_out'").await, 2);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r47_programs_stand_beside_devices_and_end_one_by_one_or_all(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let (one, two) = (signed_in(&app, &vera.email).await, signed_in(&app, &vera.email).await);
    let page = vera.browser.page("/settings/sessions").await;
    assert!(page.matches("nightly backup").count() >= 2, "{page}");
    assert!(page.contains("Program") && page.contains("127.0.0.1") && page.contains("Sign out 2 others"), "{page}");

    let list: Value = one.call(&app, Method::GET, "/api/v1/me/sessions").await.json().await.unwrap();
    let own = list["data"].as_array().unwrap().iter().find(|session| session["current"] == true).unwrap();
    assert_eq!((own["kind"].as_str(), own["device"].as_str()), (Some("program"), Some("nightly backup")));
    assert_eq!(list["data"].as_array().unwrap().iter().filter(|session| session["kind"] == "browser").count(), 1);
    let id = own["id"].as_str().unwrap();
    assert_eq!(location(&vera.browser.post::<api::EndSession>("/settings/sessions", &[("id", id)]).await), "/settings/sessions");
    assert!(is_dead(&app, &one).await);

    // Nobody else's.
    let stranger = app.sign_in_as("developer").await;
    let other: Value = two.call(&app, Method::GET, "/api/v1/me/sessions").await.json().await.unwrap();
    let id = other["data"].as_array().unwrap().iter().find(|session| session["current"] == true).unwrap()["id"].as_str().unwrap().to_owned();
    assert_eq!(stranger.browser.post::<api::EndSession>("/settings/sessions", &[("id", &id)]).await.status(), 404);
    assert_eq!(two.status(&app).await, 200);

    assert_eq!(location(&vera.browser.post::<api::EndSessions>("/settings/sessions", &[("this_one_too", "true")]).await), "/sign-in");
    assert!(is_dead(&app, &two).await && !vera.browser.is_signed_in().await);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r25_this_was_not_me_ends_the_program_that_the_mail_told_of(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("mara@example.com", "Mara", "developer").await;
    let tokens = signed_in(&app, "mara@example.com").await;
    let mail = mail_about(&app, "mara@example.com", "A program signed in to your account").await;
    let anywhere = app.browser();
    assert_eq!(location(&anywhere.get(link(&mail, "/not-me")).await), "/not-me");
    assert_eq!(tokens.status(&app).await, 200, "opening the link ends nothing (R53)");
    assert_eq!(anywhere.post::<api::NotMe>("/not-me", &[]).await.status(), 303);
    assert!(is_dead(&app, &tokens).await);
    assert_eq!(post(&app, TOKEN, password_grant("mara@example.com", PASSWORD)).await.0, 422, "the password is gone");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r48_the_newest_programs_win(db: PgPool) {
    let app = TestApp::start_with(db, |config| config.auth.session_count = 2).await;
    let vera = app.sign_in_as("developer").await;
    let mut all = Vec::new();
    for _ in 0..3 {
        all.push(signed_in(&app, &vera.email).await);
        app.ctx.clock.advance(time::Duration::seconds(1));
    }
    assert!(is_dead(&app, &all[0]).await && all[1].status(&app).await == 200 && all[2].status(&app).await == 200);
    assert!(vera.browser.is_signed_in().await, "programs push no browser out");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r49_what_the_account_loses_its_programs_lose_with_the_next_call(db: PgPool) {
    let app = TestApp::start(db).await;
    let otto = app.account("otto@example.com", "Otto", "operator").await;
    let tokens = signed_in(&app, "otto@example.com").await;
    let may_open_admin = async || {
        let me: Value = tokens.call(&app, Method::GET, "/api/v1/me").await.json().await.unwrap();
        me["permissions"].as_array().unwrap().contains(&json!("admin:read"))
    };
    assert!(may_open_admin().await);
    sqlx::query("update account_roles set role = 'developer' where account_id = $1").bind(otto.uuid()).execute(&app.ctx.db).await.unwrap();
    assert!(!may_open_admin().await);
}
