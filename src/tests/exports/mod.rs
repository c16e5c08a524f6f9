//! Files that a job prepares: whole, once, by pages, for who asked and for a day.

mod files;
mod pages;
mod writing;

use crate::{
    keys::{Person, json},
    support::TestApp,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tollgate::values::{ExportId, KeyId};
use uuid::Uuid;

/// The API `demo` of the first migration.
const DEMO: Uuid = Uuid::from_u128(0x0189_0000_0000_7000_8000_0000_0000_0002);

/// A key with so many routes, each called once in the quarter of an hour before noon.
async fn key_with_routes(app: &TestApp, owner: &Person, name: &str, routes: i64) -> KeyId {
    let key: KeyId = app.ctx.new_id();
    sqlx::query("insert into keys (id, workspace_id, api_id, name, created_at, updated_at) values ($1, $2, $3, $4, $5, $5)")
        .bind(key.uuid())
        .bind(owner.owner.workspace.uuid())
        .bind(DEMO)
        .bind(name)
        .bind(app.ctx.clock.now())
        .execute(&app.ctx.db)
        .await
        .unwrap();
    // The rollups are not asked for here, and take their time.
    sqlx::query("alter table usage_quarters disable trigger user").execute(&app.ctx.db).await.unwrap();
    sqlx::query(
        "insert into usage_quarters (key_id, quarter, route, outcome, workspace_id, api_id, count, cost)
         select $1, $2::timestamptz - interval '15 minutes', 'GET /r' || n, 'VALID', $3, $4, 1, 2 from generate_series(1, $5) n",
    )
    .bind(key.uuid())
    .bind(app.ctx.clock.now())
    .bind(owner.owner.workspace.uuid())
    .bind(DEMO)
    .bind(routes)
    .execute(&app.ctx.db)
    .await
    .unwrap();
    sqlx::query("alter table usage_quarters enable trigger user").execute(&app.ctx.db).await.unwrap();
    key
}

/// Asks for a file by REST; its id.
async fn ask(app: &TestApp, person: &Person, body: Value) -> ExportId {
    let (status, answer) = json(person.post(app, "/api/v1/exports", body).await).await;
    assert_eq!(status, 202, "{answer}");
    answer["id"].as_str().unwrap().parse().unwrap()
}

/// A file of a day's usage, without what the person's own calls to REST are.
async fn usage(app: &TestApp, person: &Person) -> ExportId {
    ask(app, person, json!({ "of": "usage", "filters": { "range": "24h", "api": "demo" } })).await
}

async fn state(app: &TestApp, person: &Person, id: ExportId) -> Value {
    json(person.get(app, &format!("/api/v1/exports/{id}")).await).await.1
}

async fn file(app: &TestApp, person: &Person, id: ExportId) -> String {
    let answer = person.get(app, &format!("/api/v1/exports/{id}/file")).await;
    assert_eq!(answer.status(), 200);
    answer.text().await.unwrap()
}

async fn status(app: &TestApp, person: &Person, method: Method, path: &str) -> StatusCode {
    person.call(app, method, path, None).await.status()
}
