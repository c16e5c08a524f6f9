//! Usage over REST: with a key that has `usage:read`, exactly the filtered view, wrong parameters named.

use super::Dice;
use crate::{
    gate::{Given, Owner, key, known, owner},
    support::{T0, TestApp, until},
};
use serde_json::{Value, json};
use sqlx::PgPool;
use std::sync::Arc;
use tollgate::{
    keys::server::meter::{Batch, Tally},
    usage::server::write_batch,
    values::{ApiId, KeyId, Outcome},
};

struct Scene {
    app: TestApp,
    owner: Owner,
    key: KeyId,
    secret: String,
    reader: String,
}

impl Scene {
    async fn new(db: PgPool, permissions: &[&str]) -> Self {
        let app = TestApp::start(db.clone()).await;
        let owner = owner(&app, "mara@example.com", "operator").await;
        let (reading, reader) = key(&db, &app, &owner, Given { api: "tollgate", permissions, limit: None }).await;
        let (key, secret) = key(&db, &app, &owner, Given::default()).await;
        known(&app, reading).await;
        known(&app, key).await;
        Self { app, owner, key, secret, reader }
    }

    async fn get(&self, path: &str) -> reqwest::Response {
        self.app.http.get(self.app.url(path)).bearer_auth(&self.reader).send().await.unwrap()
    }

    async fn json(&self, path: &str) -> (u16, Value) {
        let answer = self.get(path).await;
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    fn tally(&self, route: &str, outcome: Outcome, minute: i64, count: u64) -> Tally {
        Tally { key: self.key, workspace: self.owner.workspace, api: ApiId::new(super::DEMO), route: Arc::from(route), outcome, minute, count, cost: count }
    }

    async fn write(&self, counts: Vec<Tally>) {
        write_batch(&self.app.ctx, self.app.ctx.new_id(), &Batch { counts, ..Batch::default() }).await.unwrap();
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_call_through_the_gate_is_seen_a_moment_later(db: PgPool) {
    let scene = Scene::new(db, &["usage:read", "keys:verify"]).await;
    for _ in 0..3 {
        let question = json!({ "key": scene.secret, "api": "demo", "route": "GET /orders/17" });
        let answer = scene.app.http.post(scene.app.url("/api/v1/keys/verify")).bearer_auth(&scene.reader).json(&question).send().await.unwrap();
        assert_eq!(answer.json::<Value>().await.unwrap()["valid"], true);
    }
    let written = || {
        sqlx::query_scalar::<_, Option<i64>>("select sum(count)::bigint from usage_minutes where key_id = $1")
            .bind(scene.key.uuid())
            .fetch_one(&scene.app.ctx.db)
    };
    until("the calls are written", || async { written().await.unwrap() == Some(3) }).await;
    let (_, body) = scene.json(&format!("/api/v1/usage?key={}&bucket=minute&from=2026-11-20T11:59:00Z", scene.key)).await;
    assert_eq!(body["data"][1], json!({ "at": "2026-11-20T12:00:00Z", "total": 3, "by_code": { "VALID": 3 }, "units": 3 }));
    assert_eq!(body["data"][0], json!({ "at": "2026-11-20T11:59:00Z", "total": 0, "by_code": {}, "units": 0 }));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn it_takes_a_key_with_the_permission(db: PgPool) {
    let scene = Scene::new(db, &["keys:read"]).await;
    for path in ["/api/v1/usage", "/api/v1/usage/export", "/api/v1/usage/export?format=json"] {
        let (status, body) = scene.json(path).await;
        assert_eq!((status, &body["permission"]), (403, &json!("usage:read")), "{path}");
        let answer = scene.app.http.get(scene.app.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), 401, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn wrong_parameters_are_named(db: PgPool) {
    let scene = Scene::new(db, &["usage:read"]).await;
    for (path, pointer) in [
        ("/api/v1/usage?bucket=week", "#/bucket"),
        ("/api/v1/usage?from=yesterday", "#/from"),
        ("/api/v1/usage?to=%27%20or%201=1", "#/to"),
        ("/api/v1/usage?from=2026-11-20&to=2026-11-01", "#/to"),
        ("/api/v1/usage?key=key_1", "#/key"),
        ("/api/v1/usage?api=%3Cb%3E", "#/api"),
        ("/api/v1/usage?colour=red", "#/colour"),
        ("/api/v1/usage?range=7d", "#/range"),
        ("/api/v1/usage?route=GET%20/&route=POST%20/", "#/route"),
        ("/api/v1/usage/requests?limit=1&limit=1", "#/limit"),
        ("/api/v1/usage/export?format=xls", "#/format"),
        ("/api/v1/usage/export?range=8d", "#/range"),
        ("/api/v1/usage/export?bucket=minute", "#/bucket"),
        ("/api/v1/usage?tz=Mars/Olympus", "#/tz"),
        ("/api/v1/usage/export?tz=Stockholm", "#/tz"),
    ] {
        let (status, body) = scene.json(path).await;
        assert_eq!((status, &body["errors"][0]["pointer"]), (422, &json!(pointer)), "{path}: {body}");
        assert!(body["request_id"].is_string());
    }
    assert_eq!(scene.json(&format!("/api/v1/usage?key={}", scene.app.ctx.new_id::<KeyId>())).await.0, 404);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_day_means_the_same_in_usage_and_in_its_file(db: PgPool) {
    let scene = Scene::new(db, &["usage:read"]).await;
    sqlx::query("update accounts set time_zone = 'Europe/Stockholm' where id = $1").bind(scene.owner.account.uuid()).execute(&scene.app.ctx.db).await.unwrap();
    let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_second() / 60;
    // Before the day in Stockholm, in it but not in that of UTC, in both, and in that of UTC alone.
    let calls = [("2026-11-18T22:30:00Z", 1), ("2026-11-18T23:30:00Z", 10), ("2026-11-19T12:00:00Z", 100), ("2026-11-19T23:30:00Z", 1_000)];
    scene.write(calls.iter().map(|(time, calls)| scene.tally("GET /", Outcome::Valid, at(time), *calls)).collect()).await;
    for (zone, wanted, begin) in
        [("", 1_100, "2026-11-19T00:00:00Z"), ("&tz=UTC", 1_100, "2026-11-19T00:00:00Z"), ("&tz=Europe/Stockholm", 110, "2026-11-18T23:00:00Z")]
    {
        let day = format!("from=2026-11-19&to=2026-11-19&bucket=day{zone}");
        let (_, body) = scene.json(&format!("/api/v1/usage?{day}")).await;
        let points = body["data"].as_array().unwrap();
        assert_eq!((points.len(), &points[0]["at"], &points[0]["total"], &points[0]["units"]), (1, &json!(begin), &json!(wanted), &json!(wanted)), "{zone}");
        let (_, body) = scene.json(&format!("/api/v1/usage/export?format=json&{day}")).await;
        let lines = body["data"].as_array().unwrap();
        assert_eq!((lines.len(), &lines[0]["at"], &lines[0]["calls"]), (1, &json!(begin), &json!(wanted)), "{zone}");
    }
}

/// By the minute counts are kept for 45 days, by the hour for longer.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn minutes_that_are_forgotten_are_no_zeros(db: PgPool) {
    let scene = Scene::new(db, &["usage:read"]).await;
    let of = |bucket: &str, from: &str| format!("/api/v1/usage?bucket={bucket}&from=2026-10-06T{from}:00Z&to=2026-10-06T12:02:00Z");
    let (status, body) = scene.json(&of("minute", "11:59")).await;
    assert_eq!((status, &body["errors"][0]["pointer"]), (422, &json!("#/from")), "{body}");
    assert!(body.to_string().contains("Minutes are kept since 2026-10-06T12:00:00Z."), "the oldest one is named: {body}");
    assert_eq!(scene.json(&of("minute", "12:00")).await.0, 200);
    assert_eq!(scene.json(&of("hour", "11:59")).await.0, 200);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_export_is_the_filtered_view_and_holds_no_formula(db: PgPool) {
    let scene = Scene::new(db, &["usage:read"]).await;
    sqlx::query("update keys set name = '=cmd|''/C calc''!A0' where id = $1").bind(scene.key.uuid()).execute(&scene.app.ctx.db).await.unwrap();
    let mut dice = Dice(3);
    let now = T0.unix_timestamp() / 60;
    let counts: Vec<Tally> = (0..60)
        .map(|n| {
            scene.tally(["@GET /orders", "POST /orders"][n % 2], Outcome::ALL[n % 3], now - i64::try_from(dice.roll(1440 * 29)).unwrap(), 1 + dice.roll(9))
        })
        .collect();
    scene.write(counts.clone()).await;
    let wanted = |route: Option<&str>| counts.iter().filter(|t| route.is_none_or(|r| *t.route == *r)).map(|t| t.count).sum::<u64>();

    let answer = scene.get("/api/v1/usage/export?format=csv&range=30d").await;
    assert_eq!(answer.headers()["content-type"], "text/csv; charset=utf-8");
    assert_eq!(answer.headers()["content-disposition"], "attachment; filename=\"usage-2026-11-20.csv\"");
    let text = answer.text().await.unwrap();
    let mut lines = text.split_terminator("\r\n");
    assert_eq!(lines.next(), Some("at,local_time,key_id,key,api,route,code,calls,units,estimated_cost,currency,address,permission,period"));
    let sum: u64 = lines.clone().map(|l| l.rsplit(',').nth(6).unwrap().parse::<u64>().unwrap()).sum();
    assert_eq!(sum, wanted(None));
    assert!(lines.clone().all(|l| l.contains(",\"'=cmd|'/C calc'!A0\",demo,")), "{text}");
    assert!(lines.clone().any(|l| l.contains(",\"'@GET /orders\",")), "{text}");

    let (status, body) = scene.json("/api/v1/usage/export?format=json&route=POST%20/orders&bucket=week").await;
    assert_eq!(status, 200);
    let lines = body["data"].as_array().unwrap();
    assert_eq!(lines.iter().map(|l| l["calls"].as_u64().unwrap()).sum::<u64>(), wanted(Some("POST /orders")));
    assert!(lines.iter().all(|l| l["route"] == "POST /orders" && l["key_id"] == scene.key.to_string()));
}
