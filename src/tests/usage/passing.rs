//! Samples of calls that passed: kept where an API says so, bounded, shown as samples with what they cost and left, never among refusals.

use super::{DEMO, developer, key, operator, tally};
use crate::{
    gate::{Given, Scene},
    keys::{events, person, person_with},
    support::{T0, TestApp, folder::Folder, until},
};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{ConnectOptions, PgPool};
use std::{
    num::NonZeroU32,
    process::{Command, Output},
    sync::Arc,
};
use tollgate::{
    accounts::Caller,
    admin::api::SaveApi,
    keys::{
        model::{ApiEdit, LimitLeft},
        server::{
            edit_api,
            gate::Gate,
            meter::{Batch, Latency, PASSED_PER_KEY, PassedCall, latency::bucket_of},
        },
    },
    usage::{
        model::{Passage, RefusalList, RefusalQuery},
        server::{export_refusals, list_all_refusals, list_refusals, read_refusals, write_batch},
    },
    values::{ApiId, KeyId, Outcome},
};

fn asked(pairs: &[(&str, &str)]) -> RefusalQuery {
    RefusalQuery::read(|name| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
}

async fn keep(app: &TestApp, one_in: u32) {
    let edit = ApiEdit { sample_one_in: Some(one_in), ..ApiEdit::default() };
    assert!(edit_api(&app.ctx, &Caller::cli(), "demo", edit).await.unwrap().spread.is_whole(), "every node confirms it");
}

async fn kept(db: &PgPool) -> i64 {
    sqlx::query_scalar("select count(*) from passed_samples").fetch_one(db).await.unwrap()
}

/// A sample of a call that passed so long before the clock began.
pub fn call(owner: &Caller, key: KeyId, route: &str, address: &str, seconds_ago: i64) -> PassedCall {
    PassedCall {
        at_micros: (T0.unix_timestamp() - seconds_ago) * 1_000_000,
        key,
        workspace: owner.workspace,
        api: ApiId::new(DEMO),
        route: Arc::from(route),
        address: address.to_owned(),
        request_id: format!("req{seconds_ago}"),
        cost: 5,
        one_in: NonZeroU32::new(100).unwrap(),
        limits: vec![LimitLeft { name: "default".into(), limit: 100, remaining: 99 }],
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_call_that_passed_is_kept_where_its_api_says_so_and_nowhere_else(db: PgPool) {
    let scene = Scene::with(db.clone(), Given { limit: Some((100, 3_600)), ..Given::default() }).await;
    let question = json!({ "key": scene.secret, "api": "demo", "route": "GET /orders/17", "ip": "192.0.2.7" });
    scene.ask(question.clone()).await;
    keep(&scene.app, 1).await;
    scene.ask(question.clone()).await;
    scene.ask(json!({ "key": scene.secret, "permission": "orders:write" })).await;
    until("the sample is written", async || kept(&db).await > 0).await;
    keep(&scene.app, 0).await;
    scene.ask(question.clone()).await;
    keep(&scene.app, 1).await;
    scene.ask(question).await;
    until("the next one is written", async || kept(&db).await > 1).await;
    let rows: Vec<(String, String, i64, i32, Value)> =
        sqlx::query_as("select route, address, cost, one_in, limits from passed_samples order by (limits->0->>'remaining')::bigint desc")
            .fetch_all(&db)
            .await
            .unwrap();
    let row = |remaining: u64| {
        let limits = json!([{ "name": "default", "limit": 100, "remaining": remaining }]);
        ("GET /orders/{id}".to_owned(), "192.0.2.7".to_owned(), 1_i64, 1_i32, limits)
    };
    assert_eq!(rows, [row(98), row(96)], "neither the one before, nor the refused one, nor the one while it was off");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn of_a_key_only_so_many_are_kept_in_a_minute(db: PgPool) {
    let scene = Scene::with(db.clone(), Given { limit: Some((100, 3_600)), ..Given::default() }).await;
    keep(&scene.app, 1).await;
    for _ in 0..PASSED_PER_KEY + 5 {
        assert_eq!(scene.code().await, "VALID");
    }
    let gate = scene.app.ctx.part::<Gate>().unwrap();
    until("all are counted", async || {
        let counted: i64 = sqlx::query_scalar("select coalesce(sum(count), 0)::bigint from usage_minutes where key_id = $1")
            .bind(scene.key.uuid())
            .fetch_one(&db)
            .await
            .unwrap();
        counted == 15 && gate.meter().counters() == 0
    })
    .await;
    assert_eq!(kept(&db).await, 10);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn samples_of_what_passed_are_listed_filtered_and_exported_apart_from_refusals(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (mara, tom) = (developer(&app.ctx, "mara", "UTC").await, developer(&app.ctx, "tom", "UTC").await);
    let (a, b) = (key(&app.ctx, &mara, "a").await, key(&app.ctx, &mara, "b").await);
    let (minute, quarter) = ((T0.unix_timestamp() - 8).div_euclid(60), (T0.unix_timestamp() - 8).div_euclid(900));
    let mut passed: Vec<PassedCall> = (0..60).map(|n| call(&mara, a, "GET /orders", "192.0.2.1", n)).collect();
    passed.push(call(&mara, b, "POST /orders", "192.0.2.2", 7_200));
    let took = Latency { key: a, workspace: mara.workspace, api: ApiId::new(DEMO), route: "GET /orders".into(), quarter, bucket: bucket_of(12.0), count: 3 };
    let counts = vec![
        tally(&mara, a, "GET /orders", Outcome::Valid, minute, 250),
        tally(&mara, a, "GET /orders", Outcome::Forbidden, minute, 4),
        tally(&mara, b, "POST /orders", Outcome::Valid, minute - 120, 9),
    ];
    write_batch(&app.ctx, app.ctx.new_id(), &Batch { counts, passed, latencies: vec![took], ..Batch::default() }).await.unwrap();

    let refused = list_refusals(&app.ctx, &mara, asked(&[])).await.unwrap();
    assert_eq!((refused.samples.len(), refused.codes), (0, Some(vec![(Outcome::Forbidden, 4)])), "refusals stay among themselves");
    let key_b = b.to_string();
    for (pairs, listed, counted) in [
        (vec![("code", "VALID")], 50, Some(259)),
        (vec![("code", "VALID"), ("range", "1h")], 50, Some(250)),
        (vec![("code", "VALID"), ("key", key_b.as_str())], 1, Some(9)),
        (vec![("code", "VALID"), ("route", "POST /orders")], 1, Some(9)),
        (vec![("code", "VALID"), ("api", "demo"), ("address", "192.0.2.2")], 1, None),
        (vec![("code", "VALID"), ("request", "req7200")], 1, None),
        (vec![("code", "VALID"), ("api", "tollgate")], 0, Some(0)),
    ] {
        let list: RefusalList = list_refusals(&app.ctx, &mara, asked(&pairs)).await.unwrap();
        assert_eq!(list.samples.len(), listed, "{pairs:?}");
        assert_eq!(list.codes.as_ref().map(|codes| codes.iter().map(|(_, n)| n).sum::<u64>()), counted, "{pairs:?}");
        let exported = export_refusals(&app.ctx, &mara, &asked(&pairs)).await.unwrap().unwrap();
        assert_eq!(exported[..listed], list.samples, "{pairs:?}");
    }
    for name in ["rule", "limit", "permission"] {
        let query = asked(&[("code", "VALID"), (name, if name == "permission" { "orders:read" } else { "limit" })]);
        assert!(list_refusals(&app.ctx, &mara, query).await.unwrap_err().field(name).is_some(), "{name}");
    }
    assert!(list_refusals(&app.ctx, &tom, asked(&[("code", "VALID")])).await.unwrap().samples.is_empty(), "nobody else's");
    assert_eq!(
        list_all_refusals(&app.ctx, &operator(&app.ctx).await, asked(&[("code", "VALID"), ("owner", "mara@example.com")])).await.unwrap().samples.len(),
        50
    );

    let mut seen = Vec::new();
    let mut query = asked(&[("code", "VALID")]);
    loop {
        let (page, next) = read_refusals(&app.ctx, &mara, &query, 20).await.unwrap();
        assert!(page.len() <= 20);
        seen.extend(page);
        let Some(next) = next else { break };
        query.before = Some(next);
    }
    assert_eq!(seen.len(), 61, "page by page, each once");

    let first = seen.iter().find(|sample| sample.request_id == "req8").unwrap();
    let passage = Passage { cost: 5, one_in: 100, limits: vec![LimitLeft { name: "default".into(), limit: 100, remaining: 99 }] };
    assert_eq!((first.code, first.passed.as_ref()), (Outcome::Valid, Some(&passage)));
    let open = asked(&[("code", "VALID"), ("open", first.cursor.as_str())]);
    let detail = list_refusals(&app.ctx, &mara, open.clone()).await.unwrap().opened.unwrap();
    assert_eq!((detail.alike, detail.took.map(|took| took.count), detail.api.as_deref()), (Some(250), Some(3), Some("Demo")));
    assert_eq!(list_refusals(&app.ctx, &tom, open).await.unwrap().opened, None);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_page_says_what_is_sampled_and_shows_one_opened(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let person = app.sign_in_as("developer").await;
    let owner = app.caller_in_a_browser(person.account).await;
    let k = key(&app.ctx, &owner, "ERP bridge").await;
    let page = person.browser.page("/requests?code=VALID").await;
    assert!(page.contains("No samples of calls that passed") && page.contains("To keep a sample of them"), "{page}");
    assert!(!person.browser.page("/requests").await.contains("Samples that passed"));

    sqlx::query("update apis set sample_one_in = 100 where slug = 'demo'").execute(&db).await.unwrap();
    let passed = vec![call(&owner, k, "GET /<b>", "192.0.2.77", 8)];
    write_batch(&app.ctx, app.ctx.new_id(), &Batch { passed, ..Batch::default() }).await.unwrap();
    assert!(person.browser.page("/requests").await.contains("Samples that passed"));
    let page = person.browser.page("/requests?code=VALID").await;
    for wanted in ["Requests that passed", "1 in 100 of Demo", "At most 10 a minute per key", "192.0.2.77", "GET /&lt;b&gt;", "export?code=VALID"] {
        assert!(page.contains(wanted), "{wanted} is missing: {page}");
    }
    assert!(!page.contains("name=\"rule\"") && !page.contains("GET /<b>"));
    let open = page.split("href=\"").find(|part| part.contains("open=")).and_then(|part| part.split(['"', '#']).next()).unwrap().replace("&amp;", "&");
    let page = person.browser.page(&open).await;
    for wanted in ["One in 100 of such calls was kept", "What its limits had left", "default: 99 of 100", "5 units", "req8"] {
        assert!(page.contains(wanted), "{wanted} is missing: {page}");
    }
    let file = person.browser.get("/api/v1/usage/refusals/export?format=csv&code=VALID").await.text().await.unwrap();
    assert!(file.contains(",VALID,,") && file.ends_with(",,,5,100,default: 99 of 100\r\n"), "{file}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn programs_read_samples_page_by_page(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let owner = app.caller_in_a_browser(mara.owner.account).await;
    let k = key(&app.ctx, &owner, "k").await;
    let passed = (0..3).map(|n| call(&owner, k, "GET /orders", "192.0.2.1", n)).collect();
    write_batch(&app.ctx, app.ctx.new_id(), &Batch { passed, ..Batch::default() }).await.unwrap();
    let read = async |query: &str| -> (u16, Value) {
        let answer = mara.get(&app, &format!("/api/v1/usage/requests?{query}")).await;
        (answer.status().as_u16(), answer.json().await.unwrap())
    };
    let (status, first) = read("code=VALID&limit=2").await;
    assert_eq!((status, first["data"].as_array().unwrap().len(), &first["has_more"]), (200, 2, &json!(true)));
    assert_eq!((&first["data"][0]["cost"], &first["data"][0]["one_in"], &first["data"][0]["rule"]), (&json!(5), &json!(100), &json!("")));
    let cursor = first["next_cursor"].as_str().unwrap();
    let (_, second) = read(&format!("code=VALID&limit=2&cursor={cursor}")).await;
    assert_eq!((second["data"].as_array().unwrap().len(), &second["next_cursor"]), (1, &Value::Null));
    for wrong in ["limit=0", "limit=many", "cursor=x", "code=VALID&rule=limit", "owner=mara@example.com", "colour=red"] {
        assert_eq!(read(wrong).await.0, 422, "{wrong}");
    }
}

fn run(folder: &Folder, db: &PgPool, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command.args(arguments).current_dir(folder.path()).env_clear().env("DATABASE_URL", db.connect_options().to_url_lossy().as_str());
    command.output().unwrap()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_policy_is_set_by_form_rest_and_command_line_and_makes_an_event(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let one_in = async || -> i32 { sqlx::query_scalar("select sample_one_in from apis where slug = 'demo'").fetch_one(&db).await.unwrap() };
    let operator = app.sign_in_as("operator").await;
    let save = async |text: &str| {
        let fields = [("slug", "demo"), ("name", "Demo"), ("sample_one_in", text)];
        operator.browser.post::<SaveApi>("/admin/apis/demo", &fields).await
    };
    assert_eq!(save("1,000").await.status(), 303);
    assert_eq!(one_in().await, 1_000);
    assert!(operator.browser.page("/admin/apis/demo").await.contains("value=\"1000\""));
    for wrong in ["many", "10001", "-1"] {
        let answer = save(wrong).await;
        assert_eq!(answer.status(), 422, "{wrong}");
        let page = answer.text().await.unwrap();
        assert!(page.contains("sample_one_in-error") && page.contains(&format!("value=\"{wrong}\"")), "it stays as it was typed: {page}");
    }
    let without = [("slug", "demo"), ("name", "Demo")];
    assert_eq!(operator.browser.post::<SaveApi>("/admin/apis/demo", &without).await.status(), 303);
    assert_eq!(one_in().await, 1_000, "a form without the field leaves it");
    assert_eq!(save("").await.status(), 303);
    assert_eq!(one_in().await, 0);
    assert_eq!(events(&db, "api.changed").await, 3);

    let olga = person_with(&app, &db, "olga@example.com", "operator", &["keys:read", "apis:manage"]).await;
    let set = olga.call(&app, Method::PATCH, "/api/v1/apis/demo", Some(json!({ "sample_one_in": 7 }))).await;
    assert_eq!(set.json::<Value>().await.unwrap()["sample_one_in"], 7);
    assert_eq!(olga.call(&app, Method::PATCH, "/api/v1/apis/demo", Some(json!({ "sample_one_in": 10_001 }))).await.status(), 422);

    app.stop().await;
    let folder = Folder::new();
    let cli = |arguments: &[&str]| run(&folder, &db, &[&["api", "set-sampling", "demo"], arguments].concat());
    assert!(cli(&["--one-in", "50", "--dry-run"]).status.success());
    assert_eq!(one_in().await, 7);
    assert!(cli(&["--one-in", "50"]).status.success());
    assert_eq!(one_in().await, 50);
    assert!(!cli(&["--one-in", "10001"]).status.success() && !cli(&[]).status.success());
    assert!(cli(&["--off"]).status.success());
    assert_eq!(one_in().await, 0);
}
