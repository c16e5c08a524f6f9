//! Sessions: both ends hold, the list names them, and what is ended is dead at once.

use super::count;
use crate::support::{
    T0, TestApp,
    browser::{PASSWORD, location},
};
use serde_json::Value;
use sqlx::PgPool;
use std::{collections::HashMap, sync::Arc};
use time::Duration;
use tollgate::{
    accounts::{
        Via, api,
        server::{self, Proven, SignIn, Visitor},
    },
    error::AppError,
    platform::session::{self, PgSessions},
    values::SessionId,
};
use tower_sessions::{
    Session, SessionStore,
    session::{Id, Record},
};

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s76_r42_idle_and_absolute_ends_hold(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    // Fourteen days without use by default, thirty in all.
    for _ in 0..2 {
        app.ctx.clock.advance(Duration::days(13));
        assert!(vera.browser.is_signed_in().await, "use moves the idle end");
    }
    app.ctx.clock.advance(Duration::days(4) - Duration::seconds(1));
    assert!(vera.browser.is_signed_in().await);
    app.ctx.clock.advance(Duration::seconds(1));
    assert!(!vera.browser.is_signed_in().await, "thirty days are the end, however much it was used");

    let idle = app.sign_in_as("developer").await;
    app.ctx.clock.advance(Duration::days(14));
    assert!(!idle.browser.is_signed_in().await);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s77_the_list_marks_this_one_and_ends_one_the_others_or_all(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let phone = app.browser_called(
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
    );
    let tablet = app.browser_called("Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/604.1");
    for browser in [&phone, &tablet] {
        app.ctx.clock.advance(Duration::minutes(5));
        browser.sign_in(&vera.email, PASSWORD).await;
    }
    let page = vera.browser.page("/settings/sessions").await;
    for words in [
        "Firefox on Linux",
        "Safari on iPhone",
        "Safari on iPad",
        "This device",
        "127.0.0.1",
        "Sign out 2 others",
        "A session ends after 14 days without use, and 30 days after",
        "Sessions at once: 20",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert_eq!(page.matches("This device").count(), 1);

    let id = sqlx::query_scalar::<_, uuid::Uuid>("select id from sessions where device like '%iPhone%'").fetch_one(&app.ctx.db).await.unwrap();
    let id = SessionId::new(id).to_string();
    assert_eq!(location(&vera.browser.post::<api::EndSession>("/settings/sessions", &[("id", &id)]).await), "/settings/sessions");
    assert!(!phone.is_signed_in().await && tablet.is_signed_in().await);
    assert_eq!(vera.browser.post::<api::EndSession>("/settings/sessions", &[("id", &id)]).await.status(), 404, "twice");

    phone.sign_in(&vera.email, PASSWORD).await;
    assert_eq!(location(&vera.browser.post::<api::EndSessions>("/settings/sessions", &[]).await), "/settings/sessions");
    assert!(vera.browser.is_signed_in().await && !phone.is_signed_in().await && !tablet.is_signed_in().await);

    phone.sign_in(&vera.email, PASSWORD).await;
    let all = vera.browser.post::<api::EndSessions>("/settings/sessions", &[("this_one_too", "true")]).await;
    assert_eq!(all.headers()["clear-site-data"], "\"cache\", \"storage\"");
    assert_eq!(location(&all), "/sign-in");
    assert!(vera.browser.page("/sign-in").await.contains("You are signed out everywhere."));
    assert!(!vera.browser.is_signed_in().await && !phone.is_signed_in().await);
    assert_eq!(count(&app, "select count(*) from sessions").await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s78_r63_nobody_ends_the_session_of_somebody_else(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, mallory) = (app.sign_in_as("developer").await, app.sign_in_as("developer").await);
    let id =
        sqlx::query_scalar::<_, uuid::Uuid>("select id from sessions where account_id = $1").bind(vera.account.uuid()).fetch_one(&app.ctx.db).await.unwrap();
    let id = tollgate::values::SessionId::new(id).to_string();
    assert_eq!(mallory.browser.post::<api::EndSession>("/settings/sessions", &[("id", &id)]).await.status(), 404);
    assert_eq!(
        mallory.browser.http.delete(app.url(&format!("/api/v1/me/sessions/{id}"))).header("sec-fetch-site", "same-origin").send().await.unwrap().status(),
        404
    );
    assert!(vera.browser.is_signed_in().await);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r44_signing_out_takes_a_post_and_works_without_a_session_too(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    assert!(vera.browser.page("/sign-out").await.contains("Sign out"));
    assert!(vera.browser.is_signed_in().await, "a GET ends nothing");
    for _ in 0..2 {
        assert_eq!(location(&vera.browser.post::<api::SignOut>("/sign-out", &[]).await), "/sign-in");
    }
    assert!(!vera.browser.is_signed_in().await);
    let kept = vera.browser.get("/settings/profile").await;
    assert_eq!(location(&kept), "/sign-in?next=%2Fsettings%2Fprofile");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r44_a_post_without_a_form_signs_out_too_if_it_comes_from_here(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let post = async |site: &str| vera.browser.http.post(app.url("/sign-out")).header("sec-fetch-site", site).send().await.unwrap();
    assert_eq!(post("cross-site").await.status(), 403);
    assert!(vera.browser.is_signed_in().await);
    assert_eq!(location(&post("same-origin").await), "/sign-in");
    assert!(!vera.browser.is_signed_in().await);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r49_a_role_that_is_taken_away_is_gone_on_the_next_request(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    assert_eq!(vera.browser.get("/settings/profile").await.status(), 200);
    sqlx::raw_sql("delete from account_roles").execute(&app.ctx.db).await.unwrap();
    assert_eq!(vera.browser.get("/settings/profile").await.status(), 403);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r51_looking_at_pages_makes_no_session(db: PgPool) {
    let app = TestApp::start(db).await;
    let visitor = app.browser();
    for path in ["/", "/sign-in", "/sign-up", "/forgot-password", "/reset-password", "/verify-email", "/settings/profile"] {
        assert!(!visitor.get(path).await.headers().contains_key("set-cookie"), "{path}");
    }
    assert_eq!(count(&app, "select count(*) from sessions").await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r23_r46_a_session_that_ended_before_its_cookie_was_made_does_not_come_back(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.account("vera@example.com", "Vera", "developer").await;
    let auth = &app.ctx.config.auth;
    let store = PgSessions::new(app.ctx.db.clone(), app.ctx.clock.clone(), auth);
    // As `load` gives it: which session it is, and nothing that a new row would need.
    let record = |id: SessionId| {
        let data = [(session::ACCOUNT, vera.to_string()), (session::SESSION, id.to_string())].map(|(key, value)| (key.to_owned(), Value::from(value)));
        Record { id: Id::default(), data: HashMap::from(data), expiry_date: T0 + Duration::days(1) }
    };
    let Via::Session(kept) = app.caller_in_a_browser(vera).await.via else { panic!("a session") };
    store.create(&mut record(kept)).await.unwrap();
    assert!(store.create(&mut record(kept)).await.is_err(), "a browser has it");

    let Via::Session(ended) = app.caller_in_a_browser(vera).await.via else { panic!("a session") };
    sqlx::raw_sql("delete from sessions").execute(&app.ctx.db).await.unwrap();
    assert!(store.create(&mut record(ended)).await.is_err(), "ended while it was stepped up");
    let password_set_at: Option<time::OffsetDateTime> = sqlx::query_scalar("select password_set_at from accounts").fetch_one(&app.ctx.db).await.unwrap();
    let proven = Proven { account: vera, password_set_at, session: Some(ended) };
    let browser = Session::new(None, Arc::new(store), None);
    let begun = server::begin(&app.ctx, &browser, proven, &Visitor::terminal()).await;
    assert!(matches!(begun, Err(AppError::Unavailable { .. })), "ended between the second factor and the cookie: {begun:?}");
    assert_eq!(count(&app, "select count(*) from sessions").await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r46_a_second_factor_that_was_set_up_since_the_password_was_typed_is_asked_for(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.account("vera@example.com", "Vera", "developer").await;
    let from = Visitor::terminal();
    let typed = server::sign_in(&app.ctx, &from, "vera@example.com", &PASSWORD.into()).await.unwrap();
    let SignIn::Done(proven) = typed else { panic!("{typed:?}") };
    sqlx::query("insert into totp_factors (account_id, seed, last_step, created_at, last_used_at) values ($1, 'x', 0, $2, $2)")
        .bind(vera.uuid())
        .bind(T0)
        .execute(&app.ctx.db)
        .await
        .unwrap();
    let auth = &app.ctx.config.auth;
    let store = PgSessions::new(app.ctx.db.clone(), app.ctx.clock.clone(), auth);
    let error = server::begin(&app.ctx, &Session::new(None, Arc::new(store), None), proven, &from).await.unwrap_err();
    assert!(error.to_string().contains("A second factor was just set up"), "{error}");
    assert_eq!(count(&app, "select count(*) from sessions").await, 0);
}
