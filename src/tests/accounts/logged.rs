//! What is written down of who came, who was turned away and who did what: when, who, where and what, and nothing that is secret.

use super::count;
use crate::support::{
    T0, TestApp,
    browser::{PASSWORD, location},
    log::Log,
};
use leptos::server_fn::ServerFn;
use sqlx::PgPool;
use time::OffsetDateTime;
use tollgate::{accounts::api, admin::api as admin, values::AccountId};
use uuid::Uuid;

const WRONG: &str = "not the right one at all";

/// An event: when, the account and its name, the subject, the reason, where from.
type Event = (OffsetDateTime, Option<Uuid>, String, Option<Uuid>, String, Option<String>);

async fn event(app: &TestApp, kind: &str, about: AccountId) -> Event {
    let found = "select at, actor_id, actor, subject_id, reason, data->>'address' from events where kind = $1 and subject_id = $2 order by at desc limit 1";
    let row = sqlx::query_as(found).bind(kind).bind(about.uuid()).fetch_optional(&app.ctx.db).await.unwrap();
    row.unwrap_or_else(|| panic!("no {kind}"))
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r82_sign_ins_and_acts_of_operators_are_events_with_who_when_where_and_why(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, operator) = (app.sign_in_as("developer").await, app.sign_in_as("operator").await);
    let (at, actor, name, _, _, address) = event(&app, "account.signed_in", vera.account).await;
    assert_eq!((at, actor, name, address.as_deref()), (T0, Some(vera.account.uuid()), vera.name.clone(), Some("127.0.0.1")));

    vera.browser.post::<api::ChangePassword>("/settings/security", &[("current_password", PASSWORD), ("new_password", "gate keeper sings at noon")]).await;
    vera.browser.post::<api::ForgotPassword>("/forgot-password", &[("email", &vera.email)]).await;
    vera.browser.post::<api::SignOut>("/sign-out", &[]).await;
    // What somebody asked for who is not signed in is written down by a job.
    app.run_jobs().await;
    for kind in ["account.password_changed", "account.reset_asked", "account.signed_out"] {
        assert_eq!(event(&app, kind, vera.account).await.5.as_deref(), Some("127.0.0.1"), "{kind}");
    }
    let (path, id) = (format!("/admin/accounts/{}", vera.account), vera.account.to_string());
    let done = operator.browser.post::<admin::DisableAccount>(&path, &[("id", &id), ("reason", "Sent spam")]).await;
    assert_eq!(done.status(), 303, "{}", done.text().await.unwrap());
    let (_, actor, name, subject, reason, _) = event(&app, "account.disabled", vera.account).await;
    assert_eq!((actor, name, subject, reason.as_str()), (Some(operator.account.uuid()), operator.name.clone(), Some(vera.account.uuid()), "Sent spam"));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r82_refusals_are_logged_with_who_where_and_what_and_no_secret_is(db: PgPool) {
    let (log, _guard) = Log::keep("info");
    let app = TestApp::start(db).await;
    let vera = app.account("vera@example.com", "Vera", "developer").await;
    let browser = app.browser();
    assert_eq!(browser.sign_in("vera@example.com", WRONG).await.status(), 422);
    assert_eq!(log.lines_with(&["sign-in refused", "127.0.0.1", "POST", "/sign-in"]).len(), 1, "{}", log.text());
    let signed_in = browser.sign_in("vera@example.com", PASSWORD).await;
    assert_eq!(location(&signed_in), "/home");
    let cookies: Vec<String> = signed_in.headers().get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap().to_owned()).collect();
    let session = cookies.iter().find_map(|cookie| cookie.strip_prefix("sid=")).unwrap().split(';').next().unwrap();

    // By a page, by a function, by REST.
    let denied = |words: &[&str]| {
        let lines = log.lines_with(&["denied", "address=127.0.0.1", "request_id="]);
        lines.iter().filter(|line| words.iter().all(|word| line.contains(word))).count()
    };
    let who = format!("caller={vera}");
    assert_eq!(browser.get("/admin/accounts").await.status(), 403);
    assert_eq!(denied(&["403", "GET", "/admin/accounts", &who]), 1, "{}", log.text());
    let function = browser.http.post(app.url(admin::ListAccounts::PATH)).header("sec-fetch-site", "same-origin");
    let function = function.form(&Vec::<(&str, &str)>::new()).send().await.unwrap();
    assert_eq!(function.status(), 403);
    assert_eq!(denied(&["403", "POST", admin::ListAccounts::PATH, &who]), 1, "{}", log.text());
    let forged = format!("tg_live_{}", "a".repeat(36));
    let rest = reqwest::Client::new().get(app.url("/api/v1/keys")).bearer_auth(&forged).send().await.unwrap();
    assert_eq!(rest.status(), 401);
    assert_eq!(denied(&["401", "GET", "/api/v1/keys"]), 1, "{}", log.text());

    // Around the checks: from another site.
    let form = [("_fn", api::SignOut::PATH)];
    let cross = browser.http.post(app.url("/sign-out")).header("sec-fetch-site", "cross-site").form(&form).send().await.unwrap();
    assert_eq!(cross.status(), 403);
    assert_eq!(log.lines_with(&["WARN", "cross-site request refused", "/sign-out"]).len(), 1, "{}", log.text());

    let events: String = sqlx::query_scalar("select coalesce(string_agg(e::text, ' '), '') from events e").fetch_one(&app.ctx.db).await.unwrap();
    for secret in [PASSWORD, WRONG, session, &forged] {
        assert!(!log.text().contains(secret) && !events.contains(secret), "{secret}");
    }
    let is_utc = |line: &String| line.split_whitespace().next().is_some_and(|time| time.ends_with('Z'));
    assert!(log.lines_with(&["denied"]).iter().all(is_utc), "{}", log.text());
    assert_eq!(count(&app, "select count(*) from sessions where length(id_hash) = 32").await, 1, "hashed");
}
