//! When it is over: by the clock, with the operator's session and rights, with the account's; and that no form is sent as the wrong one.

use super::{act, actings, page, stop, two};
use crate::{
    accounts::count,
    support::{
        TestApp,
        browser::{PASSWORD, Person, location},
    },
};
use leptos::server_fn::ServerFn;
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::{
        Caller, api,
        server::{Visitor, disable_account, end_sessions_of},
    },
    notices::api::SaveNotices,
};

const OTHER_NAME: [(&str, &str); 2] = [("name", "Mallory"), ("time_zone", "UTC")];

/// Neither of the two is the browser's: it only goes back.
async fn is_over(operator: &Person) -> bool {
    let (status, html) = page(&operator.browser, "/home").await;
    status == 409 && html.contains("Your time as Vera 1 is over") && html.contains("Go back")
}

async fn is_renamed(app: &TestApp) -> bool {
    count(app, "select count(*) from accounts where name = 'Mallory'").await > 0
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r67_time_is_over_in_the_middle_of_a_form_and_nothing_is_sent_as_anybody(db: PgPool) {
    let (app, operator, vera) = two(db).await;
    act(&operator, &vera).await;
    app.ctx.clock.advance(Duration::minutes(15) - Duration::seconds(1));
    assert_eq!(operator.browser.get("/home").await.status(), 200);
    app.ctx.clock.advance(Duration::seconds(1));
    assert!(is_over(&operator).await);

    let sent = operator.browser.post::<api::UpdateProfile>("/settings/profile", &OTHER_NAME).await;
    assert_eq!(sent.status(), 409);
    let elsewhere = operator.browser.post::<api::UpdateProfile>("/acting", &OTHER_NAME).await;
    assert_eq!(elsewhere.status(), 409, "from the page of the way back, too");
    assert!(!is_renamed(&app).await, "neither the account nor the operator has another name");
    let rest = operator.browser.get("/api/v1/me").await;
    assert_eq!(rest.status(), 403, "nor is the operator anybody over REST");

    assert_eq!(page(&operator.browser, "/acting").await.0, 200);
    assert_eq!(stop(&operator.browser).await, format!("/admin/accounts/{}", vera.account));
    assert!(operator.browser.page("/settings/profile").await.contains(&operator.email));
    assert_eq!(count(&app, "select count(*) from events where kind = 'acting.stopped' and actor_id is not null and data ? 'on_behalf_of'").await, 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r67_it_ends_with_what_the_operator_may(db: PgPool) {
    let (app, operator, vera) = two(db).await;
    act(&operator, &vera).await;
    sqlx::raw_sql("delete from role_permissions where permission = 'accounts:act-as'").execute(&app.ctx.db).await.unwrap();
    assert!(is_over(&operator).await, "the permission is gone");
    sqlx::raw_sql("insert into role_permissions values ('operator', 'accounts:act-as')").execute(&app.ctx.db).await.unwrap();
    assert_eq!(operator.browser.get("/home").await.status(), 200);
    sqlx::query("delete from account_roles where account_id = $1").bind(operator.account.uuid()).execute(&app.ctx.db).await.unwrap();
    assert!(is_over(&operator).await, "the role is gone");
    assert_eq!(stop(&operator.browser).await, "/home", "there is no admin page to go back to");
    assert_eq!(operator.browser.get("/admin").await.status(), 403);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r67_it_ends_with_the_operators_session_and_account(db: PgPool) {
    let (app, operator, vera) = two(db).await;
    let from = Visitor::terminal();
    act(&operator, &vera).await;
    assert!(operator.browser.page("/home").await.contains("You act as"), "the bar, and the toast that is told once");
    end_sessions_of(&app.ctx, &Caller::cli(), &from, operator.account).await.unwrap();
    assert!(!operator.browser.is_signed_in().await, "all sessions of the operator ended");
    assert_eq!(count(&app, "select count(*) from actings where session_id is not null").await, 0);
    operator.browser.sign_in(&operator.email, PASSWORD).await;
    assert!(!operator.browser.page("/home").await.contains("You act as"), "a new session acts as nobody");

    act(&operator, &vera).await;
    // Another operator must be left for this one to be disabled.
    app.sign_in_as("operator").await;
    disable_account(&app.ctx, &Caller::cli(), &from, operator.account, "left us").await.unwrap();
    assert!(!operator.browser.is_signed_in().await);
    assert!(vera.browser.is_signed_in().await, "its owner is where they were");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r67_signing_out_while_acting_ends_both_and_touches_nobody_else(db: PgPool) {
    let (app, operator, vera) = two(db).await;
    act(&operator, &vera).await;
    assert_eq!(location(&operator.browser.post::<api::SignOut>("/home", &[]).await), "/sign-in");
    assert!(!operator.browser.is_signed_in().await && vera.browser.is_signed_in().await);
    assert_eq!(count(&app, "select count(*) from actings where ended_at is not null and session_id is null").await, 1);
    assert_eq!(count(&app, "select count(*) from events where kind = 'acting.stopped'").await, 1);
    assert_eq!(count(&app, "select count(*) from events where kind = 'account.signed_out'").await, 0, "nobody signed the account out");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r67_it_ends_with_what_happens_to_the_account(db: PgPool) {
    let (app, operator, vera) = two(db).await;
    let from = Visitor::terminal();
    act(&operator, &vera).await;
    let ended = vera.browser.post::<api::EndSessions>("/settings/sessions", &[]).await;
    assert_eq!(ended.status(), 303);
    assert!(is_over(&operator).await, "its owner signed all others out");
    stop(&operator.browser).await;

    act(&operator, &vera).await;
    sqlx::query("insert into account_roles (account_id, role, granted_at) values ($1, 'operator', '2030-01-01Z')")
        .bind(vera.account.uuid())
        .execute(&app.ctx.db)
        .await
        .unwrap();
    assert!(is_over(&operator).await, "it operates something now");
    sqlx::raw_sql("delete from account_roles where granted_at = '2030-01-01Z'").execute(&app.ctx.db).await.unwrap();
    stop(&operator.browser).await;

    act(&operator, &vera).await;
    disable_account(&app.ctx, &Caller::cli(), &from, vera.account, "a test").await.unwrap();
    assert!(is_over(&operator).await, "it is kept out");
    assert_eq!(actings(&app).await, 3);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r67_a_form_of_another_tab_is_not_sent_as_somebody_else(db: PgPool) {
    let (app, operator, vera) = two(db).await;
    let hidden = |account: &str| format!("value=\"{account}\"");
    let (own, theirs) = (operator.account.to_string(), vera.account.to_string());
    assert!(operator.browser.page("/settings/profile").await.contains(&hidden(&own)));
    let send = async |account: &str| {
        let fields = [OTHER_NAME[0], OTHER_NAME[1], ("_for", account)];
        let answer = operator.browser.post::<api::UpdateProfile>("/settings/profile", &fields).await;
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    act(&operator, &vera).await;
    assert!(operator.browser.page("/settings/profile").await.contains(&hidden(&theirs)));
    let (status, html) = send(&own).await;
    assert!(status == 409 && html.contains("This page was opened as another account") && !html.contains("Mallory"), "{status}: {html}");
    stop(&operator.browser).await;
    let (status, html) = send(&theirs).await;
    assert!(status == 409 && !html.contains("Mallory"), "{status}: {html}");
    assert!(!is_renamed(&app).await);
    // The page then stands as it is: a box without its tick would be turned off by the next Save.
    let ticks = |html: &str| html.matches(" checked").count();
    let before = ticks(&operator.browser.page("/settings/notifications").await);
    let refused = operator.browser.post::<SaveNotices>("/settings/notifications", &[("_for", theirs.as_str())]).await;
    assert_eq!((refused.status().as_u16(), ticks(&refused.text().await.unwrap())), (409, before));
    assert!(before > 0);
    // The way back and the way out are right from every tab.
    act(&operator, &vera).await;
    let back = operator.browser.post::<api::StopActing>("/acting", &[("_for", own.as_str())]).await;
    assert_eq!(location(&back), format!("/admin/accounts/{theirs}"));
    assert_eq!(send(&own).await.0, 303);
    assert!(is_renamed(&app).await, "a form of the right tab is sent");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r67_another_site_neither_begins_nor_ends_it(db: PgPool) {
    let (app, operator, vera) = two(db).await;
    let whose = vera.account.to_string();
    let cross = async |page: &str, form: &[(&str, &str)]| {
        let request = operator.browser.http.post(app.url(page)).header("sec-fetch-site", "cross-site");
        request.form(form).send().await.unwrap().status().as_u16()
    };
    let begin = [("_fn", api::ActAs::PATH), ("id", whose.as_str()), ("reason", "x"), ("minutes", "15")];
    assert_eq!(cross("/admin/accounts", &begin).await, 403);
    assert_eq!(cross(api::ActAs::PATH, &begin).await, 403);
    assert_eq!(actings(&app).await, 0);
    act(&operator, &vera).await;
    assert_eq!(cross("/acting", &[("_fn", api::StopActing::PATH)]).await, 403);
    operator.browser.get("/acting").await;
    assert_eq!(count(&app, "select count(*) from actings where session_id is not null").await, 1, "opening the page ends nothing");
}
