//! How long calls took: told by services, added up in buckets, read as percentiles.

use super::{DEMO, developer, key};
use crate::{
    gate::{Given, key as key_of_gate, known, owner},
    support::{T0, TestApp, until},
};
use serde_json::{Value, json};
use sqlx::PgPool;
use std::sync::Arc;
use time::Duration;
use tollgate::{
    accounts::Caller,
    keys::server::meter::{Batch, Latency, latency::bucket_of},
    usage::{
        model::UsageQuery,
        server::{forget_old_usage, list_series, report_usage, write_batch},
    },
    values::{ApiId, KeyId},
};

async fn tell(app: &TestApp, secret: &str, latencies: Value) -> (u16, Value) {
    let answer = app.http.post(app.url("/api/v1/usage/latencies")).bearer_auth(secret).json(&json!({ "latencies": latencies })).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_services_tell_is_on_the_page_and_in_rest(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let owner = owner(&app, "mara@example.com", "operator").await;
    let (service, secret) = key_of_gate(&db, &app, &owner, Given { api: "tollgate", permissions: &["keys:verify", "usage:read"], limit: None }).await;
    let (narrow, narrow_secret) = key_of_gate(&db, &app, &owner, Given { api: "tollgate", permissions: &["usage:read"], limit: None }).await;
    let (k, _) = key_of_gate(&db, &app, &owner, Given::default()).await;
    for id in [service, narrow, k] {
        known(&app, id).await;
    }
    let calls: Vec<Value> = (1..=100).map(|n| json!({ "key_id": k, "route": format!("GET /orders/{n}"), "milliseconds": n })).collect();
    let mut told = calls.clone();
    told.push(json!({ "key_id": app.ctx.new_id::<KeyId>(), "route": "GET /", "milliseconds": 1 }));
    assert_eq!(tell(&app, &secret, json!(told)).await, (202, json!({ "accepted": 100, "unknown": 1, "dropped": 0 })));
    assert_eq!(tell(&app, &secret, json!([{ "key_id": k, "route": "GET /slow", "milliseconds": 2_000.5, "at": "2026-11-19T12:00:00Z" }])).await.0, 202);

    let written = || sqlx::query_scalar::<_, Option<i64>>("select sum(count)::bigint from latency_quarters where key_id = $1").bind(k.uuid()).fetch_one(&db);
    until("the latencies are written", || async { written().await.unwrap() == Some(101) }).await;
    let read = async |path: String| -> Value { app.http.get(app.url(&path)).bearer_auth(&secret).send().await.unwrap().json().await.unwrap() };
    let body = read(format!("/api/v1/usage?key={k}&route=GET%20/orders/%7Bid%7D")).await;
    let latency = &body["latency"];
    assert_eq!(latency["count"], 100, "{body}");
    for (name, exact) in [("p50", 50.0), ("p95", 95.0), ("p99", 99.0)] {
        let told = latency[name].as_f64().unwrap();
        assert!((told - exact).abs() <= exact * 0.1, "{name} is {told}");
    }
    assert_eq!(read(format!("/api/v1/usage?key={k}&outcome=errors")).await["latency"], Value::Null, "of calls that were answered");
    assert_eq!(read(format!("/api/v1/usage?key={service}")).await["latency"], Value::Null);
    let file = read(format!("/api/v1/usage/latencies/export?format=json&range=7d&key={k}")).await;
    let lines = file["data"].as_array().unwrap();
    assert_eq!((lines.len(), lines.iter().map(|l| l["count"].as_u64().unwrap()).sum::<u64>()), (2, 101), "the days of which something was told: {file}");
    let text = app.http.get(app.url(&format!("/api/v1/usage/latencies/export?key={k}"))).bearer_auth(&secret).send().await.unwrap().text().await.unwrap();
    assert!(text.starts_with("at,local_time,p50_ms,p95_ms,p99_ms,calls,period\r\n") && text.lines().count() == 3, "{text}");
    let of_errors = read(format!("/api/v1/usage/latencies/export?format=json&range=7d&key={k}&outcome=errors")).await;
    assert_eq!(of_errors, json!({ "data": [] }), "the filters of the page hold for its file");
    let passed = read(format!("/api/v1/usage/latencies/export?format=json&range=7d&key={k}&outcome=passed")).await;
    assert_eq!(passed, file);
    let beside = read(format!("/api/v1/usage/latencies/export?format=json&from=2026-11-20&key={k}&compare=before")).await;
    let told: Vec<_> = beside["data"].as_array().unwrap().iter().map(|l| (l["period"].as_str().unwrap(), l["count"].as_u64().unwrap())).collect();
    assert_eq!(told, [("shown", 100), ("compared", 1)], "{beside}");
    assert_eq!(read("/api/v1/usage/latencies/export?compare=moon".into()).await["errors"][0]["pointer"], "#/compare");
    let limits = read(format!("/api/v1/usage/limits/export?format=json&key={k}")).await;
    assert!(limits["data"].as_array().unwrap().iter().all(|l| l["key_id"] == k.to_string() && l["limit"].is_u64() && l["name"].is_string()), "{limits}");

    assert_eq!(tell(&app, &narrow_secret, json!(calls)).await.0, 403);
    for (wrong, pointer) in [
        (json!([]), "#/latencies"),
        (json!(vec![calls[0].clone(); 1_001]), "#/latencies"),
        (json!([calls[0], { "key_id": k, "route": "GET /", "milliseconds": -1 }]), "#/latencies/1/milliseconds"),
        (json!([{ "key_id": k, "route": "GET /", "milliseconds": 1, "at": "2026-11-18T12:00:00Z" }]), "#/latencies/0/at"),
        (json!([{ "key_id": "key_1", "route": "GET /", "milliseconds": 1 }]), "#/latencies/0/key_id"),
        (json!([{ "key_id": k, "route": "GET /", "milliseconds": 1, "seconds": 2 }]), "#/latencies/0/seconds"),
    ] {
        let (status, problem) = tell(&app, &secret, wrong).await;
        assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!(pointer)), "{problem}");
    }
}

fn latency(owner: &Caller, key: KeyId, quarter: i64, millis: f64, count: u64) -> Latency {
    Latency { key, workspace: owner.workspace, api: ApiId::new(DEMO), route: Arc::from("GET /"), quarter, bucket: bucket_of(millis), count }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn batches_add_up_over_keys_days_and_quarters(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (mara, tom) = (developer(&app.ctx, "mara", "Asia/Kolkata").await, developer(&app.ctx, "tom", "UTC").await);
    let (a, b) = (key(&app.ctx, &mara, "a").await, key(&app.ctx, &mara, "b").await);
    let now = T0.unix_timestamp() / 900;
    // Quick calls of one key for twenty days, slow ones of the other today: an average of percentiles would be far off.
    let quick = (0..20).map(|day| latency(&mara, a, now - day * 96, 10.0, 50));
    let batch = Batch { latencies: quick.chain([latency(&mara, b, now, 1_000.0, 20)]).collect(), ..Batch::default() };
    let id = app.ctx.new_id();
    assert!(write_batch(&app.ctx, id, &batch).await.unwrap());
    assert!(!write_batch(&app.ctx, id, &batch).await.unwrap(), "once");
    write_batch(&app.ctx, app.ctx.new_id(), &Batch { latencies: vec![latency(&mara, b, now, 1_000.0, 20)], ..Batch::default() }).await.unwrap();

    let month = report_usage(&app.ctx, &mara, UsageQuery::default()).await.unwrap().latency.unwrap();
    assert_eq!(month.count, 1_040);
    let near = |micros: u64, millis: f64| (micros as f64 / 1000.0 - millis).abs() <= millis * 0.1;
    assert!(near(month.p50, 10.0) && near(month.p95, 10.0) && near(month.p99, 1_000.0), "{month:?}");
    let by_day = report_usage(&app.ctx, &mara, UsageQuery::default()).await.unwrap();
    assert_eq!(by_day.latencies.len(), by_day.buckets.len());
    let told: Vec<_> = by_day.latencies.iter().flatten().collect();
    assert_eq!((told.len(), told.iter().map(|l| l.count).sum::<u64>()), (20, 1_040));
    assert!(told.last().is_some_and(|l| near(l.p50, 10.0) && near(l.p99, 1_000.0)) && told[..19].iter().all(|l| near(l.p99, 10.0)), "{told:?}");
    let by_week = report_usage(&app.ctx, &mara, UsageQuery { range: Some("year".into()), ..UsageQuery::default() }).await.unwrap();
    assert_eq!(by_week.latencies.iter().flatten().map(|l| l.count).sum::<u64>(), 1_040, "from days");
    let limited = UsageQuery { outcome: Some("limited".into()), ..UsageQuery::default() };
    assert!(report_usage(&app.ctx, &mara, limited).await.unwrap().latencies.is_empty(), "a service tells of calls that it answered");
    let of_b = report_usage(&app.ctx, &mara, UsageQuery { key: Some(b.to_string()), range: Some("24h".into()), ..UsageQuery::default() }).await.unwrap();
    assert!(of_b.latency.is_some_and(|l| l.count == 40 && near(l.p50, 1_000.0)));
    assert_eq!(report_usage(&app.ctx, &tom, UsageQuery::default()).await.unwrap().latency, None, "another workspace");

    app.ctx.clock.advance(Duration::days(740));
    while forget_old_usage(&app.ctx).await.unwrap() {}
    let left: (i64, i64) = sqlx::query_as("select (select count(*) from latency_quarters), (select count(*) from latency_days)").fetch_one(&db).await.unwrap();
    assert_eq!(left, (0, 0));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn percentiles_stand_beside_those_of_the_time_before(db: PgPool) {
    let app = TestApp::start(db).await;
    let person = app.sign_in_as("developer").await;
    let owner = app.caller_in_a_browser(person.account).await;
    let k = key(&app.ctx, &owner, "a").await;
    let now = T0.unix_timestamp() / 900;
    // The last of these came later on its day than it is now: like is compared with like.
    let latencies = vec![latency(&owner, k, now, 20.0, 10), latency(&owner, k, now - 7 * 96, 10.0, 4), latency(&owner, k, now - 7 * 96 + 4, 900.0, 4)];
    write_batch(&app.ctx, app.ctx.new_id(), &Batch { latencies, ..Batch::default() }).await.unwrap();
    let report = async |range: &str| {
        let query = UsageQuery { range: Some(range.to_owned()), compare: Some(UsageQuery::BEFORE.to_owned()), ..UsageQuery::default() };
        report_usage(&app.ctx, &owner, query).await.unwrap()
    };
    let week = report("7d").await;
    let (now, before) = (week.latency.unwrap(), week.before.unwrap().latency.unwrap());
    assert_eq!((now.count, before.count), (10, 4));
    assert!(before.p50 < now.p50 && before.p99 < now.p50, "{before:?} {now:?}");
    assert_eq!(report("24h").await.before.unwrap().latency, None, "nothing was told of yesterday");
    let page = person.browser.page("/usage?range=7d&compare=before").await;
    assert!(page.contains("Half took no longer; +") && page.contains("calls, from 4, reported by the services"), "{page}");
    assert!(page.contains(". The chart covers only the time shown."), "{page}");
    let page = person.browser.page("/usage?range=24h&compare=before").await;
    assert!(page.contains("Half of the calls took no longer") && page.contains("Nothing was reported for"), "{page}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn minutes_have_the_percentiles_of_their_quarters_of_an_hour(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = developer(&app.ctx, "mara", "UTC").await;
    let key = key(&app.ctx, &mara, "a").await;
    let batch = Batch { latencies: vec![latency(&mara, key, T0.unix_timestamp() / 900, 10.0, 7)], ..Batch::default() };
    assert!(write_batch(&app.ctx, app.ctx.new_id(), &batch).await.unwrap());
    app.ctx.clock.advance(Duration::minutes(20));
    let told = async |from: &str, to: &str| {
        let query = UsageQuery { bucket: Some("minute".into()), from: Some(from.into()), to: Some(to.into()), ..UsageQuery::default() };
        list_series(&app.ctx, &mara, &query).await.unwrap().latency.map(|latency| latency.count)
    };
    assert_eq!(told("2026-11-20T12:05:00Z", "2026-11-20T12:07:00Z").await, Some(7), "a stretch inside of one");
    assert_eq!(told("2026-11-20T11:50:00Z", "2026-11-20T12:01:00Z").await, Some(7));
    assert_eq!(told("2026-11-20T11:46:00Z", "2026-11-20T11:59:00Z").await, None);
    assert_eq!(told("2026-11-20T12:15:00Z", "2026-11-20T12:17:00Z").await, None);
}
