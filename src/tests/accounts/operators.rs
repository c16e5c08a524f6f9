//! The first operator, and others: no default password, a link that works once.

use super::count;
use crate::support::{
    TestApp,
    browser::{PASSWORD, location},
};
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::{
        api,
        server::{DEVELOPER, NewAccount, OPERATOR, create_account, create_operator, ensure_first_operator},
    },
    boot::demo,
    error::AppError,
};

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r13_the_first_operator_comes_by_a_one_time_link(db: PgPool) {
    let app = TestApp::start(db).await;
    let first = ensure_first_operator(&app.ctx).await.unwrap().expect("there is no operator");
    let second = ensure_first_operator(&app.ctx).await.unwrap().expect("nobody used the link");
    let path = |link: &str| link.strip_prefix(&app.base).unwrap().to_owned();
    assert_eq!(app.browser().sign_in("operator@localhost", "").await.status(), 422);

    let late = app.browser();
    late.get(&path(&first)).await;
    assert!(late.page("/reset-password").await.contains("This link does not work"), "a newer link was printed");

    let boss = app.browser();
    assert_eq!(location(&boss.get(&path(&second)).await), "/reset-password");
    assert!(boss.page("/reset-password").await.contains("You are the first operator"));
    let bad = boss.post::<api::ResetPassword>("/reset-password", &[("new_password", PASSWORD), ("email", "")]).await;
    assert_eq!(bad.status(), 422);
    let set = boss.post::<api::ResetPassword>("/reset-password", &[("new_password", PASSWORD), ("email", "Boss@Example.com")]).await;
    assert_eq!(location(&set), "/sign-in");
    assert_eq!(location(&boss.sign_in("boss@example.com", PASSWORD).await), "/home");
    assert_eq!(ensure_first_operator(&app.ctx).await.unwrap(), None);
    assert_eq!(
        count(&app, "select count(*) from accounts a join account_roles r on r.account_id = a.id where r.role = 'operator' and a.email = 'Boss@Example.com'")
            .await,
        1
    );
    let again = app.browser();
    again.get(&path(&second)).await;
    assert_eq!(again.post::<api::ResetPassword>("/reset-password", &[("new_password", PASSWORD), ("email", "evil@example.com")]).await.status(), 422);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_place_of_the_first_operator_cannot_be_taken_by_signing_up(db: PgPool) {
    let app = TestApp::start(db).await;
    ensure_first_operator(&app.ctx).await.unwrap().unwrap();
    assert_eq!(super::sign_up(&app.browser(), "operator@localhost", "Mallory", PASSWORD).await.status(), 303, "the answer is the same");
    app.run_jobs().await;
    assert_eq!(count(&app, "select count(*) from accounts where password_hash is not null").await, 0);
    assert_eq!(count(&app, "select count(*) from auth_tokens where kind = 'verify_email'").await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r14_the_command_line_makes_operators_and_never_chooses_anothers_password(db: PgPool) {
    let app = TestApp::start(db).await;
    let new = create_operator(&app.ctx, "new@example.com".parse().unwrap(), Some("Nora"), None).await.unwrap();
    let link = new.link.expect("no password yet");
    let nora = app.browser();
    nora.get(link.strip_prefix(&app.base).unwrap()).await;
    assert!(nora.page("/reset-password").await.contains("For new@example.com"));
    assert_eq!(nora.post::<api::ResetPassword>("/reset-password", &[("new_password", PASSWORD)]).await.status(), 303);
    assert_eq!(location(&nora.sign_in("new@example.com", PASSWORD).await), "/home");

    let set = create_operator(&app.ctx, "set@example.com".parse().unwrap(), None, Some(PASSWORD.into())).await.unwrap();
    assert_eq!(set.link, None);
    assert_eq!(location(&app.browser().sign_in("set@example.com", PASSWORD).await), "/home");
    let weak = create_operator(&app.ctx, "weak@example.com".parse().unwrap(), None, Some("hunter2".into())).await.unwrap_err();
    assert!(weak.field("password").is_some(), "R9");

    app.account("vera@example.com", "Vera", "developer").await;
    let theirs = create_operator(&app.ctx, "vera@example.com".parse().unwrap(), None, Some("another password here".into())).await;
    assert!(matches!(theirs, Err(AppError::Conflict { .. })));
    let granted = create_operator(&app.ctx, "vera@example.com".parse().unwrap(), None, None).await.unwrap();
    assert_eq!(granted.link, None);
    assert_eq!(location(&app.browser().sign_in("vera@example.com", PASSWORD).await), "/home", "Vera's password stays");
    assert_eq!(count(&app, "select count(*) from account_roles where role = 'operator'").await, 3);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_operators_link_lives_a_day(db: PgPool) {
    let app = TestApp::start(db).await;
    let link = create_operator(&app.ctx, "new@example.com".parse().unwrap(), None, None).await.unwrap().link.unwrap();
    app.ctx.clock.advance(Duration::hours(24));
    let nora = app.browser();
    nora.get(link.strip_prefix(&app.base).unwrap()).await;
    assert_eq!(nora.post::<api::ResetPassword>("/reset-password", &[("new_password", PASSWORD)]).await.status(), 422);
}

/// The demo's operator, with this password.
async fn operator_of_the_demo(app: &TestApp, password: &str) {
    let email = demo::OPERATOR_PERSON.email.parse().unwrap();
    let new = NewAccount { email, name: "Ilse", password: Some(password.into()), roles: &[DEVELOPER, OPERATOR], is_verified: true, by: "demo" };
    create_account(&app.ctx, &new).await.unwrap();
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r13_a_closed_account_of_the_demo_opens_nothing_and_makes_room_for_the_first_operator(db: PgPool) {
    let app = TestApp::start(db).await;
    let person = demo::OPERATOR_PERSON;
    operator_of_the_demo(&app, person.password).await;
    let ilse = app.browser();
    assert_eq!(location(&ilse.sign_in(person.email, person.password).await), "/home");
    assert_eq!(ensure_first_operator(&app.ctx).await.unwrap(), None);

    assert_eq!(demo::with_known_passwords(&app.ctx).await.unwrap().len(), 1, "the developer is not there");
    assert_eq!(demo::close(&app.ctx).await.unwrap().len(), 1);
    assert_eq!(app.browser().sign_in(person.email, person.password).await.status(), 422);
    assert!(location(&ilse.get("/home").await).starts_with("/sign-in"), "the session has ended");
    assert!(ensure_first_operator(&app.ctx).await.unwrap().is_some());
    assert_eq!(count(&app, "select count(*) from events where kind = 'account.closed'").await, 1);
    assert_eq!(demo::close(&app.ctx).await.unwrap().len(), 0, "once");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_account_of_the_demo_with_a_password_of_its_own_is_left_alone(db: PgPool) {
    let app = TestApp::start(db).await;
    operator_of_the_demo(&app, PASSWORD).await;
    assert_eq!(demo::close(&app.ctx).await.unwrap().len(), 0);
    assert_eq!(location(&app.browser().sign_in(demo::OPERATOR_PERSON.email, PASSWORD).await), "/home");
}
