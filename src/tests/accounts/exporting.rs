//! All one's data in a file: asked for with a recent proof, written once, fetched for a day by its owner only.

use super::count;
use crate::{
    gate::{Given, Owner, key},
    support::{
        TestApp,
        browser::{Person, location},
    },
};
use serde_json::Value;
use sqlx::PgPool;
use time::Duration;
use tollgate::{accounts::api, values::WorkspaceId};

const PAGE: &str = "/settings/danger";
const FILE: &str = "/api/v1/me/export";

async fn ask(person: &Person) -> reqwest::Response {
    person.browser.post::<api::AskExport>(&format!("{PAGE}?act=export"), &[]).await
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r61_the_file_holds_everything_but_secrets(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let workspace: uuid::Uuid = sqlx::query_scalar("select id from workspaces").fetch_one(&app.ctx.db).await.unwrap();
    let owner = Owner { account: vera.account, workspace: WorkspaceId::new(workspace) };
    let (id, secret) = key(&app.ctx.db, &app, &owner, Given::default()).await;
    let calls = "insert into usage_days (key_id, day, route, outcome, workspace_id, api_id, count, cost)
         select $1, d, 'GET /orders', 'VALID', $2, (select id from apis where slug = 'demo'), 7, 7
         from unnest(array['2026-10-30', '2026-10-31', '2026-11-01']::timestamptz[]) d";
    sqlx::query(calls).bind(id.uuid()).bind(workspace).execute(&app.ctx.db).await.unwrap();
    sqlx::raw_sql("insert into events (id, at, kind, actor_id, actor) select gen_random_uuid(), now(), 'test.many', (select id from accounts), 'Vera' from generate_series(1, 3000)")
        .execute(&app.ctx.db)
        .await
        .unwrap();

    assert_eq!(vera.browser.get(FILE).await.status(), 404);
    assert_eq!(location(&ask(&vera).await), PAGE);
    assert!(vera.browser.page(PAGE).await.contains("preparing your export"));
    let mail = app.mail_to(&vera.email).await;
    assert_eq!(mail.subject, "Your data is ready");
    assert!(vera.browser.page(PAGE).await.contains("Ready until 21 Nov 2026, 12:00 UTC"));

    let answer = vera.browser.get(FILE).await;
    assert_eq!(answer.headers()["content-disposition"], "attachment; filename=\"tollgate-account.json\"");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let text = answer.text().await.unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&file["account"]["email"], &file["account"]["name"]), (&Value::from(vera.email.as_str()), &Value::from(vera.name.as_str())));
    assert_eq!((file["sessions"].as_array().unwrap().len(), file["keys"][0]["id"].as_str()), (1, Some(id.to_string().as_str())));
    assert_eq!((&file["second_factors"]["app_since"], &file["second_factors"]["recovery_codes_left"]), (&Value::Null, &Value::from(0)));
    let usage: Vec<_> = file["usage"].as_array().unwrap().iter().map(|line| (line["month"].as_str().unwrap(), line["calls"].as_i64().unwrap())).collect();
    assert_eq!(usage, [("2026-10", 14), ("2026-11", 7)]);
    assert!(file["events"].as_array().unwrap().len() > 3000 && count(&app, "select count(*) from account_export_chunks").await > 1);
    let hash: String = sqlx::query_scalar("select password_hash from accounts").fetch_one(&app.ctx.db).await.unwrap();
    for secret in [hash.as_str(), secret.as_str(), "argon2", "\"hash", "token"] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r61_r63_it_is_its_owners_for_a_day_and_a_job_that_runs_twice_writes_once(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, nina) = (app.sign_in_as("developer").await, app.sign_in_as("developer").await);
    ask(&vera).await;
    // A fault in the middle leaves nothing; the next try writes it whole.
    let fault = "create function fail() returns trigger language plpgsql as $$ begin raise exception 'a fault'; end $$;
         create trigger fail before update on account_exports for each row execute function fail()";
    sqlx::raw_sql(fault).execute(&app.ctx.db).await.unwrap();
    app.run_jobs().await;
    assert_eq!(count(&app, "select count(*) from account_export_chunks").await, 0);
    sqlx::raw_sql("drop trigger fail on account_exports; update jobs set state = 'waiting', run_at = created_at, leased_until = null")
        .execute(&app.ctx.db)
        .await
        .unwrap();
    app.run_jobs().await;
    sqlx::raw_sql("update jobs set state = 'waiting', finished_at = null").execute(&app.ctx.db).await.unwrap();
    app.run_jobs().await;
    assert_eq!(count(&app, "select count(*) from account_export_chunks").await, 1);

    assert_eq!(vera.browser.get(FILE).await.status(), 200);
    assert_eq!(nina.browser.get(FILE).await.status(), 404, "R63");
    assert_eq!(app.browser().get(FILE).await.status(), 401);
    app.ctx.clock.advance(Duration::hours(24));
    assert_eq!(vera.browser.get(FILE).await.status(), 404);
    assert!(!vera.browser.page(PAGE).await.contains("Ready until"));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r61_where_somebody_else_sat_is_not_in_the_file(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, olga) = (app.sign_in_as("developer").await, app.sign_in_as("operator").await);
    let event = r#"insert into events (id, at, kind, actor_id, actor, subject_id, data)
         values (gen_random_uuid(), $1, 'test.by_other', $2, 'Olga', $3, '{"address": "198.51.100.77", "device": "Lynx", "sessions": 1}')"#;
    for actor in [Some(olga.account.uuid()), None] {
        sqlx::query(event).bind(app.ctx.clock.now()).bind(actor).bind(vera.account.uuid()).execute(&app.ctx.db).await.unwrap();
    }
    ask(&vera).await;
    app.run_jobs().await;
    let text = vera.browser.get(FILE).await.text().await.unwrap();
    assert!(!text.contains("198.51.100.77") && !text.contains("Lynx"), "{text}");
    let file: Value = serde_json::from_str(&text).unwrap();
    let of = |kind: &str| file["events"].as_array().unwrap().iter().filter(|event| event["kind"] == kind).cloned().collect::<Vec<_>>();
    assert_eq!(of("test.by_other").iter().filter(|event| event["data"]["sessions"] == 1).count(), 2, "what was done stays");
    assert_eq!(of("account.signed_in")[0]["data"]["address"], "127.0.0.1", "where she sat herself does, too");
}
