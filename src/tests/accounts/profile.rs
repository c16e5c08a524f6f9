//! The profile: every field reads back what was written, nothing else can be, and strangers see what was ticked.

use super::count;
use crate::support::{
    TestApp,
    browser::{Person, location},
};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use sqlx::PgPool;
use time::Duration;
use tollgate::accounts::{
    Caller, api,
    server::{Term, Visitor, add_ban, ban_account, disable_account, enable_account, lift_ban, unban_account},
};

async fn patch(app: &TestApp, person: &Person, body: &Value) -> Response {
    person.browser.http.request(Method::PATCH, app.url("/api/v1/me")).header("sec-fetch-site", "same-origin").json(body).send().await.unwrap()
}

async fn me(person: &Person) -> Value {
    person.browser.get("/api/v1/me").await.json().await.unwrap()
}

async fn changes(app: &TestApp) -> i64 {
    count(app, "select count(*) from events where kind = 'account.profile_changed'").await
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn f38_every_writable_field_reads_back_and_the_others_stay(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let mut expected = me(&vera).await;
    for (field, value) in [
        ("name", json!("Vera Holm")),
        ("time_zone", json!("Asia/Kolkata")),
        ("language", json!("de")),
        ("handle", json!("vera-h")),
        ("published", json!(["name", "joined"])),
    ] {
        let answer = patch(&app, &vera, &json!({ field: value })).await;
        assert_eq!(answer.status(), 200, "{field}");
        expected[field] = value;
        assert_eq!(answer.json::<Value>().await.unwrap(), expected, "{field}");
        assert_eq!(me(&vera).await, expected, "{field}");
    }
    let all = json!({ "name": "V", "time_zone": "UTC", "language": "en", "handle": "", "published": [] });
    assert_eq!(patch(&app, &vera, &all).await.status(), 200);
    let now = me(&vera).await;
    assert_eq!((&now["name"], &now["handle"], &now["published"], &now["language"]), (&json!("V"), &Value::Null, &json!([]), &json!("en")));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_workspace_with_a_name_of_its_own_keeps_it_until_the_person_takes_another(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    sqlx::query("update workspaces set name = 'Nordlicht Shop'").execute(&app.ctx.db).await.unwrap();
    for (change, name) in [(json!({ "time_zone": "Asia/Kolkata" }), "Nordlicht Shop"), (json!({ "name": "Vera Holm" }), "Vera Holm")] {
        assert_eq!(patch(&app, &vera, &change).await.status(), 200, "{change}");
        let called: String =
            sqlx::query_scalar("select name from workspaces where personal_of = $1").bind(vera.account.uuid()).fetch_one(&app.ctx.db).await.unwrap();
        assert_eq!(called, name, "{change}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn f07_what_is_as_it_was_is_no_change(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let body = json!({ "name": "Vera Holm", "time_zone": "Europe/Berlin", "language": "de", "handle": "vera", "published": ["joined", "name"] });
    patch(&app, &vera, &body).await;
    assert_eq!(changes(&app).await, 1);
    let page = vera.browser.page("/settings/profile").await;
    assert!(page.contains("Created on 20 Nov 2026, 13:00 CET, last changed on 20 Nov 2026, 13:00 CET."), "F10: {page}");
    let before: time::OffsetDateTime = sqlx::query_scalar("select updated_at from accounts").fetch_one(&app.ctx.db).await.unwrap();
    app.ctx.clock.advance(Duration::minutes(1));
    for same in [body, json!({}), json!({ "name": "  Vera   Holm " }), json!({ "published": ["name", "joined", "name"] })] {
        assert_eq!(patch(&app, &vera, &same).await.status(), 200, "{same}");
    }
    assert_eq!(changes(&app).await, 1);
    let after: time::OffsetDateTime = sqlx::query_scalar("select updated_at from accounts").fetch_one(&app.ctx.db).await.unwrap();
    assert_eq!(before, after);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s87_r64_nothing_else_can_be_written(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let before = me(&vera).await;
    for (field, value) in [
        ("id", json!("acc_01KB8Q5TX0AZ8WDQ8N1F0W7E2M")),
        ("email", json!("other@example.com")),
        ("pending_email", json!("other@example.com")),
        ("permissions", json!(["admin:read"])),
        ("roles", json!(["operator"])),
        ("workspace_id", json!("ws_01KB8Q5TX0AZ8WDQ8N1F0W7E2M")),
        ("verified_at", json!("2026-11-20T12:00:00Z")),
        ("password", json!("gate keeper sings at noon")),
        ("handle_set_at", Value::Null),
        ("created_at", json!("2020-01-01T00:00:00Z")),
    ] {
        let answer = patch(&app, &vera, &json!({ "name": "X", field: value })).await;
        assert_eq!(answer.status(), 422, "{field}");
        assert_eq!(answer.json::<Value>().await.unwrap()["errors"][0]["pointer"], format!("#/{field}"));
    }
    for (field, bad) in [("handle", "admin"), ("handle", "-x"), ("language", "fr"), ("time_zone", "Mars/Base"), ("name", " ")] {
        let answer = patch(&app, &vera, &json!({ field: bad })).await;
        assert_eq!(answer.json::<Value>().await.unwrap()["errors"][0]["pointer"], format!("#/{field}"), "{bad}");
    }
    assert_eq!(patch(&app, &vera, &json!({ "published": ["email"] })).await.status(), 422);
    assert_eq!(me(&vera).await, before);
    assert_eq!(changes(&app).await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s5_a_handle_is_one_persons_stays_for_thirty_days_and_is_held_for_ninety(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, nina) = (app.sign_in_as("developer").await, app.sign_in_as("developer").await);
    let (mine, hers) = (json!({ "handle": "gate" }), json!({ "handle": "Gate" }));
    let (a, b) = tokio::join!(patch(&app, &vera, &mine), patch(&app, &nina, &hers));
    let mut statuses = [a.status().as_u16(), b.status().as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 422], "of two at once, one");
    let (owner, rival) = if a.status() == 200 { (&vera, &nina) } else { (&nina, &vera) };
    let save = async |handle: &str| owner.browser.post::<api::PublishProfile>("/settings/public", &[("handle", handle), ("published[]", "name")]).await;
    let refused = save("other").await;
    assert_eq!(refused.status(), 422);
    assert!(refused.text().await.unwrap().contains("from 20 Dec 2026, 12:00 UTC."));
    app.ctx.clock.advance(Duration::days(30));
    owner.browser.sign_in(&owner.email, crate::support::browser::PASSWORD).await;
    assert_eq!(location(&save("other").await), "/settings/public");
    assert_eq!(me(owner).await["handle"], "other");
    // What was given up is nobody else's for a while.
    rival.browser.sign_in(&rival.email, crate::support::browser::PASSWORD).await;
    assert_eq!(patch(&app, rival, &mine).await.status(), 422);
    app.ctx.clock.advance(Duration::days(90));
    rival.browser.sign_in(&rival.email, crate::support::browser::PASSWORD).await;
    assert_eq!(patch(&app, rival, &mine).await.status(), 200);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn t11_strangers_see_what_was_ticked_and_nothing_looks_like_nobody(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let stranger = app.browser();
    let nothing = async |handle: &str| {
        let answer = stranger.get(&format!("/api/v1/users/{handle}")).await;
        assert_eq!(answer.status(), 404, "{handle}");
        let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
        let page = stranger.get(&format!("/u/{handle}")).await;
        assert_eq!(page.status(), 404, "{handle}");
        let nonce = page.headers()["content-security-policy"].to_str().unwrap().split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
        let request = page.headers()["x-request-id"].to_str().unwrap().to_owned();
        let page = page.text().await.unwrap().replace(&nonce, "NONCE").replace(&request, "REQUEST").replace(handle, "HANDLE");
        (answer.text().await.unwrap().replace(&id, "ID"), page)
    };
    let unknown = nothing("nobody").await;
    patch(&app, &vera, &json!({ "handle": "vera-h" })).await;
    assert_eq!(nothing("vera-h").await, unknown, "a handle without a tick is as private as none");

    patch(&app, &vera, &json!({ "published": ["name", "joined"], "time_zone": "Asia/Kolkata" })).await;
    let shown: Value = stranger.get("/api/v1/users/vera-h").await.json().await.unwrap();
    assert_eq!(shown, json!({ "handle": "vera-h", "name": vera.name, "joined": "2026-11-20" }), "F26");
    let page = stranger.page("/u/vera-h").await;
    assert!(page.contains(&vera.name) && page.contains("2026-11-20"), "{page}");
    assert!(!page.contains("Kolkata") && !page.contains(&vera.email), "{page}");
    assert_eq!(stranger.get("/u/Vera-H").await.status(), 404, "one address for one profile");

    let visitor = || Visitor { address: "192.0.2.1".parse().unwrap(), device: "test".to_owned() };
    let term = || Term { reason: "spam", until: None };
    ban_account(&app.ctx, &Caller::cli(), &visitor(), vera.account, term()).await.unwrap();
    assert_eq!(nothing("vera-h").await, unknown, "who is banned is not there");
    unban_account(&app.ctx, &Caller::cli(), &visitor(), vera.account).await.unwrap();
    assert_eq!(stranger.get("/u/vera-h").await.status(), 200);
    let of_domain = add_ban(&app.ctx, &Caller::cli(), &visitor(), "example.com", term()).await.unwrap();
    assert_eq!(nothing("vera-h").await, unknown, "who is banned by the domain of their address is not there");
    lift_ban(&app.ctx, &Caller::cli(), &visitor(), of_domain.id).await.unwrap();
    disable_account(&app.ctx, &Caller::cli(), &visitor(), vera.account, "a test").await.unwrap();
    assert_eq!(nothing("vera-h").await, unknown, "who is disabled is not there");
    enable_account(&app.ctx, &Caller::cli(), &visitor(), vera.account).await.unwrap();
    assert_eq!(stranger.get("/u/vera-h").await.status(), 200);

    vera.browser.sign_in(&vera.email, crate::support::browser::PASSWORD).await;
    vera.browser.post::<api::Deactivate>("/settings/danger", &[]).await;
    assert_eq!(nothing("vera-h").await, unknown, "who left is not there");
    // As if they had asked to be deleted: the erasure is to come.
    let erasure = "update account_departures set erase_at = at + interval '30 days'";
    sqlx::raw_sql(erasure).execute(&app.ctx.db).await.unwrap();
    assert_eq!(nothing("vera-h").await, unknown, "who is about to be erased is not there");
}
