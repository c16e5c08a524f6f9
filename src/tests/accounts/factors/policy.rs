//! A second factor that is required: of nobody, of operators, or of all (`auth.second_factor`).

use super::{codes_on, give_code, half_way, set_up};
use crate::{
    accounts::count,
    support::{
        TestApp,
        browser::{PASSWORD, location},
    },
};
use sqlx::PgPool;
use tollgate::{
    accounts::{
        Via, api,
        server::{caller_of_account, is_factor_owed},
    },
    platform::config::SecondFactor,
};

const SET_UP: &str = "/settings/security/authenticator";

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn k12_who_is_required_to_have_a_factor_can_do_nothing_else_until_then(db: PgPool) {
    let app = TestApp::start_with(db, |config| config.auth.second_factor = SecondFactor::All).await;
    let vera = app.sign_in_as("developer").await;
    for path in ["/home", "/keys", "/settings/profile", "/settings/security", "/admin"] {
        assert_eq!(location(&vera.browser.get(path).await), SET_UP, "{path}");
    }
    let call = async |path: &str, form: &[(&str, &str)]| {
        let request = vera.browser.http.post(app.url(path)).header("sec-fetch-site", "same-origin").header("accept", "application/json");
        request.form(form).send().await.unwrap().status().as_u16()
    };
    assert_eq!(call("/fn/tollgate/accounts/api/profile/update_profile", &[("name", "Eve"), ("time_zone", "UTC")]).await, 403);
    // A form sent to the one page that opens does nothing else either.
    let posted = vera.browser.post::<api::UpdateProfile>(SET_UP, &[("name", "Eve"), ("time_zone", "UTC")]).await;
    assert_eq!(posted.status(), 403);
    assert_eq!(vera.browser.get("/api/v1/me").await.status(), 401);
    assert_eq!(count(&app, "select count(*) from events where kind = 'account.profile_changed'").await, 0);

    assert!(vera.browser.page(SET_UP).await.contains("This site requires you to have a second factor."));
    let phone = set_up(&app, &vera.browser).await;
    assert_eq!(codes_on(&vera.browser.page("/settings/security/recovery-codes").await), phone.codes);
    assert_eq!(vera.browser.get("/keys").await.status(), 200);
    assert_eq!(vera.browser.get("/api/v1/me").await.status(), 200);
    assert_eq!(vera.browser.post::<api::RemoveTotp>("/settings/security", &[]).await.status(), 409, "it can be replaced, not removed");
    assert_eq!(location(&give_code(&half_way(&app, &vera.email).await, &phone.code(&app)).await), "/home");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn who_owes_a_factor_may_sign_out(db: PgPool) {
    let app = TestApp::start_with(db, |config| config.auth.second_factor = SecondFactor::All).await;
    let vera = app.sign_in_as("developer").await;
    assert_eq!(location(&vera.browser.post::<api::SignOut>("/sign-out", &[]).await), "/sign-in");
    assert_eq!(count(&app, "select count(*) from sessions").await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r68_operators_alone_may_be_required_to_have_one(db: PgPool) {
    let app = TestApp::start_with(db, |config| config.auth.second_factor = SecondFactor::Operators).await;
    let (operator, vera) = (app.sign_in_as("operator").await, app.sign_in_as("developer").await);
    assert_eq!(vera.browser.get("/keys").await.status(), 200);
    assert_eq!(location(&operator.browser.get("/admin").await), SET_UP);
    set_up(&app, &operator.browser).await;
    assert_eq!(operator.browser.get("/admin").await.status(), 200);
    // A role that comes later is bound by it on the next request (R49).
    sqlx::query("insert into account_roles (account_id, role, granted_at) values ($1, 'operator', now())")
        .bind(vera.account.uuid())
        .execute(&app.ctx.db)
        .await
        .unwrap();
    assert_eq!(location(&vera.browser.get("/keys").await), SET_UP);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn nobody_is_required_to_have_one_by_default(db: PgPool) {
    let app = TestApp::start(db).await;
    let operator = app.sign_in_as("operator").await;
    assert_eq!(operator.browser.get("/admin").await.status(), 200);
    assert_eq!(location(&app.browser().sign_in(&operator.email, PASSWORD).await), "/home");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_is_owed_is_one_rule_for_every_way_in(db: PgPool) {
    let app = TestApp::start_with(db, |config| config.auth.second_factor = SecondFactor::All).await;
    let account = app.account("vera@example.com", "Vera", "developer").await;
    // Keys and the command line stand on what they were given; browsers and programs that signed in owe it.
    for (via, owes) in [(Via::Session(app.ctx.new_id()), true), (Via::Token(app.ctx.new_id()), true), (Via::Key(app.ctx.new_id()), false), (Via::Cli, false)] {
        let caller = caller_of_account(&app.ctx, account, via).await.unwrap().unwrap();
        assert_eq!(is_factor_owed(&app.ctx, &caller).await.unwrap(), owes, "{via:?}");
    }
}
