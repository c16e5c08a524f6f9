//! How long sessions and keys last by role and plan: which one wins, that running sessions are held at once, and who may say it.

use super::count;
use crate::support::{
    TestApp,
    browser::{PASSWORD, Person, location},
};
use serde_json::{Value, json};
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::{
        Caller, api,
        model::{Policy, PolicyHolder},
        server::{Visitor, policies::set_policy},
    },
    error::AppError,
    keys::{
        model::{KeyEdit, NewKey},
        server::{create_key, edit_key},
    },
};

const HOUR: u32 = 3_600;
const DAY: u32 = 86_400;

async fn say(app: &TestApp, of: &str, says: Policy) {
    set_policy(&app.ctx, &Caller::cli(), &Visitor::terminal(), &of.parse::<PolicyHolder>().unwrap(), &says, None).await.unwrap();
}

fn max(seconds: u32) -> Policy {
    Policy { max_seconds: Some(seconds), ..Policy::default() }
}

/// A plan of this slug, given to a person's own workspace.
async fn give_plan(app: &TestApp, slug: &str, to: &Person) {
    sqlx::query("insert into plans (id, slug, name, created_at, updated_at) values ($1, $2, $3, $4, $4) on conflict do nothing")
        .bind(app.ctx.new_id::<uuid::Uuid>())
        .bind(slug)
        .bind(slug.to_uppercase())
        .bind(app.ctx.clock.now())
        .execute(&app.ctx.db)
        .await
        .unwrap();
    sqlx::query("insert into workspace_plans (workspace_id, plan_id, assigned_at) select w.id, p.id, $3 from workspaces w, plans p where w.personal_of = $1 and p.slug = $2")
        .bind(to.account.uuid())
        .bind(slug)
        .bind(app.ctx.clock.now())
        .execute(&app.ctx.db)
        .await
        .unwrap();
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r43_never_ends_at_the_cap_and_no_cookie_outlives_it(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("vera@example.com", "Vera", "developer").await;
    say(&app, "role:developer", Policy { idle_seconds: Some(0), max_seconds: Some(0), ..Policy::default() }).await;
    let browser = app.browser();
    let answer = browser.sign_in("vera@example.com", PASSWORD).await;
    let cookie = answer.headers().get_all("set-cookie").iter().map(|c| c.to_str().unwrap()).find(|c| c.starts_with("sid=")).unwrap().to_owned();
    assert!(cookie.contains("Max-Age=34560000"), "400 days: {cookie}");
    app.ctx.clock.advance(Duration::days(399));
    assert!(browser.is_signed_in().await, "unused for more than a year");
    app.ctx.clock.advance(Duration::days(1));
    assert!(!browser.is_signed_in().await);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r42_whoever_is_there_stays_however_near_the_idle_end_is(db: PgPool) {
    let app = TestApp::start(db).await;
    say(&app, "role:developer", Policy { idle_seconds: Some(60), ..Policy::default() }).await;
    let vera = app.sign_in_as("developer").await;
    for _ in 0..8 {
        app.ctx.clock.advance(Duration::seconds(29));
        assert!(vera.browser.is_signed_in().await);
    }
    app.ctx.clock.advance(Duration::seconds(61));
    assert!(!vera.browser.is_signed_in().await);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r43_the_cap_of_the_site_holds_every_policy(db: PgPool) {
    let app = TestApp::start_with(db, |config| config.auth.session_cap = std::time::Duration::from_secs(60 * 86_400)).await;
    say(&app, "role:developer", Policy { idle_seconds: Some(0), max_seconds: Some(400 * DAY), ..Policy::default() }).await;
    let vera = app.sign_in_as("developer").await;
    let page = vera.browser.page("/settings/sessions").await;
    assert!(page.contains("A session ends after 60 days without use (role Developer), and 60 days after"), "{page}");
    app.ctx.clock.advance(Duration::days(60));
    assert!(!vera.browser.is_signed_in().await);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn t02_r42_a_new_policy_holds_running_sessions_at_their_next_request(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, olga) = (app.sign_in_as("developer").await, app.sign_in_as("developer").await);
    app.ctx.clock.advance(Duration::hours(9));
    assert!(vera.browser.is_signed_in().await);
    give_plan(&app, "free", &vera).await;
    say(&app, "plan:free", max(8 * HOUR)).await;
    // Looked at from elsewhere it is over already, and its next request finds that out.
    let now = app.ctx.clock.now();
    let said: i64 = sqlx::query_scalar("select count(*) from sessions s, session_policy(s.account_id) p where not lasts(s.created_at, p.longest, $1)")
        .bind(now)
        .fetch_one(&app.ctx.db)
        .await
        .unwrap();
    assert_eq!(said, 1);
    assert!(!vera.browser.is_signed_in().await, "it began nine hours ago");
    assert!(olga.browser.is_signed_in().await, "her workspace has no plan");

    // Longer works too: the ends are written anew by the next request.
    say(&app, "plan:free", max(90 * DAY)).await;
    vera.browser.sign_in(&vera.email, PASSWORD).await;
    for _ in 0..4 {
        app.ctx.clock.advance(Duration::days(13));
        assert!(vera.browser.is_signed_in().await, "past the thirty days of the site");
    }
    say(&app, "plan:free", Policy::default()).await;
    assert!(!vera.browser.is_signed_in().await, "nothing is said any more: thirty days again");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn t02_a_role_wins_over_a_plan_and_the_strictest_role_over_others(db: PgPool) {
    let app = TestApp::start(db).await;
    let operator = app.sign_in_as("operator").await;
    let vera = app.sign_in_as("developer").await;
    give_plan(&app, "pro", &vera).await;
    say(&app, "plan:pro", Policy { idle_seconds: Some(0), max_seconds: Some(0), session_count: Some(7), ..Policy::default() }).await;
    let page = operator.browser.page(&format!("/admin/accounts/{}", vera.account)).await;
    for words in ["400 days (plan PRO)", "7 (plan PRO)", "no limit (default)"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    say(&app, "role:developer", max(10 * DAY)).await;
    say(&app, "role:operator", max(5 * DAY)).await;
    sqlx::query("insert into account_roles (account_id, role, granted_at) values ($1, 'operator', $2)")
        .bind(vera.account.uuid())
        .bind(app.ctx.clock.now())
        .execute(&app.ctx.db)
        .await
        .unwrap();
    let page = vera.browser.page("/settings/sessions").await;
    assert!(page.contains("5 days after sign-in in any case (role Operator). Sessions at once: 7."), "the plan still says how many: {page}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r48_a_new_session_ends_the_oldest_beyond_the_number_of_the_plan(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    give_plan(&app, "free", &vera).await;
    say(&app, "plan:free", Policy { session_count: Some(1), ..Policy::default() }).await;
    assert!(vera.browser.is_signed_in().await);
    app.ctx.clock.advance(Duration::minutes(1));
    let phone = app.browser();
    phone.sign_in(&vera.email, PASSWORD).await;
    assert!(phone.page("/settings/profile").await.contains("You can be signed in on 1 device at once, so we signed out the oldest one."));
    assert!(!vera.browser.is_signed_in().await);

    // A number that is lowered ends the others at their next request.
    say(&app, "plan:free", Policy { session_count: Some(2), ..Policy::default() }).await;
    app.ctx.clock.advance(Duration::minutes(1));
    vera.browser.sign_in(&vera.email, PASSWORD).await;
    assert!(phone.is_signed_in().await && vera.browser.is_signed_in().await);
    say(&app, "plan:free", Policy { session_count: Some(1), ..Policy::default() }).await;
    assert!(!phone.is_signed_in().await && vera.browser.is_signed_in().await, "the newest wins");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn t02_a_program_is_held_by_the_policy_too(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let body = json!({ "grant_type": "password", "email": vera.email, "password": PASSWORD });
    let tokens: Value = app.http.post(app.url("/api/v1/auth/token")).json(&body).send().await.unwrap().json().await.unwrap();
    let me = async || app.http.get(app.url("/api/v1/me")).bearer_auth(tokens["access_token"].as_str().unwrap()).send().await.unwrap().status();
    assert_eq!(me().await, 200, "{tokens}");
    app.ctx.clock.advance(Duration::minutes(2));
    say(&app, "role:developer", max(60)).await;
    assert_eq!(me().await, 401);
    let again = json!({ "grant_type": "refresh_token", "refresh_token": tokens["refresh_token"] });
    assert_eq!(app.http.post(app.url("/api/v1/auth/token")).json(&again).send().await.unwrap().status(), 400);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn t02_a_key_gets_an_end_and_no_later_one(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let caller = app.caller_in_a_browser(vera.account).await;
    let now = app.ctx.clock.now();
    let new = |name: &str, expires_at| NewKey { name: name.to_owned(), api: Some("demo".to_owned()), expires_at, ..NewKey::default() };
    let before = create_key(&app.ctx, &caller, new("before", None)).await.unwrap().key;
    assert_eq!(before.expires_at, None);
    say(&app, "role:developer", Policy { key_max_seconds: Some(90 * DAY), ..Policy::default() }).await;

    let made = create_key(&app.ctx, &caller, new("unsaid", None)).await.unwrap().key;
    assert_eq!(made.expires_at, Some(now + Duration::days(90)), "without a wish the latest that is allowed");
    let refused = create_key(&app.ctx, &caller, new("late", Some(now + Duration::days(91)))).await.unwrap_err();
    let words = refused.field("expires_at").unwrap();
    assert_eq!(words, "A key lives at most 90 days here (role Developer): until 2027-02-18 at the latest.");
    create_key(&app.ctx, &caller, new("soon", Some(now + Duration::days(1)))).await.unwrap();

    app.ctx.clock.advance(Duration::days(30));
    for wish in [None, Some(now + Duration::days(100))] {
        let edit = KeyEdit { expires_at: Some(wish), ..KeyEdit::default() };
        let refused = edit_key(&app.ctx, &caller, made.id, edit).await.unwrap_err();
        assert!(refused.field("expires_at").is_some(), "its life counts from its making: {refused}");
    }
    let rename = KeyEdit { name: Some("kept".to_owned()), expires_at: Some(None), ..KeyEdit::default() };
    assert_eq!(edit_key(&app.ctx, &caller, before.id, rename).await.unwrap().key.expires_at, None, "a key that was there keeps what it has");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn t02_operators_say_it_by_page_and_by_rest_and_it_is_noted(db: PgPool) {
    let app = TestApp::start(db).await;
    let operator = app.sign_in_as("operator").await;
    let page = operator.browser.page("/admin/sessions?edit=role:operator").await;
    assert!(page.contains("Role Operator") && page.contains("Everybody else") && page.contains("14d"), "{page}");
    let save = async |fields: &[(&str, &str)]| {
        let mut all = vec![("policy[of]", "role:operator")];
        all.extend_from_slice(fields);
        operator.browser.post::<api::SavePolicy>("/admin/sessions?edit=role:operator", &all).await
    };
    let refused = save(&[("policy[idle]", "9h"), ("policy[max]", "8h"), ("policy[key_max]", "soon")]).await;
    assert_eq!(refused.status(), 422);
    let refused = refused.text().await.unwrap();
    assert!(
        refused.contains("be longer than the session lasts in total") && refused.contains("value=\"soon\""),
        "beside its field, and nothing is lost: {refused}"
    );
    for _ in 0..2 {
        assert_eq!(location(&save(&[("policy[idle]", "1h"), ("policy[max]", "8h"), ("policy[count]", "2")]).await), "/admin/sessions");
    }
    assert_eq!(count(&app, "select count(*) from events where kind = 'session_policy.changed'").await, 1, "sent twice is done once");
    assert!(operator.browser.page("/admin").await.contains("changed how long sessions and keys of the role Operator last"));
    assert_eq!(save(&[]).await.status(), 303);
    assert_eq!(count(&app, "select count(*) from session_policies").await, 0, "empty says nothing");

    let put = async |path: &str, body: Value| {
        let request = operator.browser.http.put(app.url(path)).header("sec-fetch-site", "same-origin").json(&body);
        request.send().await.unwrap()
    };
    let answer = put("/api/v1/session-policies/role/operator", json!({ "max_seconds": 28_800 })).await;
    assert_eq!(answer.json::<Value>().await.unwrap()["max_seconds"], 28_800);
    let list: Value = operator.browser.get("/api/v1/session-policies").await.json().await.unwrap();
    assert_eq!(list["data"][1]["slug"], "operator");
    assert_eq!(list["data"][1]["idle_seconds"], Value::Null);
    let bad = put("/api/v1/session-policies/role/operator", json!({ "session_count": 0 })).await;
    assert_eq!(bad.json::<Value>().await.unwrap()["errors"][0]["pointer"], "#/session_count");
    assert_eq!(put("/api/v1/session-policies/role/operator", json!({ "most": 1 })).await.status(), 422, "unknown fields are refused");
    for path in ["/api/v1/session-policies/role/nobody", "/api/v1/session-policies/plan/none", "/api/v1/session-policies/group/x"] {
        assert_eq!(put(path, json!({})).await.status(), 404, "{path}");
    }

    app.ctx.clock.advance(Duration::minutes(11));
    assert!(location(&save(&[("policy[max]", "30d")]).await).starts_with("/step-up?form="), "it takes a recent proof");
    let vera = app.sign_in_as("developer").await;
    let refused = vera.browser.http.put(app.url("/api/v1/session-policies/role/developer")).header("sec-fetch-site", "same-origin").json(&json!({}));
    assert_eq!(refused.send().await.unwrap().status(), 403);
    let by_vera = Caller { permissions: app.caller_in_a_browser(vera.account).await.permissions, ..Caller::cli() };
    let error = set_policy(&app.ctx, &by_vera, &Visitor::terminal(), &PolicyHolder::Role("developer".to_owned()), &max(60), None).await.err();
    assert!(matches!(error, Some(AppError::Forbidden { .. })), "{error:?}");
}
