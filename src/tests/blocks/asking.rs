//! Who tries secrets where services ask, in place of the asking service's own: seen as anybody who tries keys.

use super::{block, listed, looked_at_all_before, slow};
use crate::support::{TestApp, until};
use serde_json::{Value, json};
use sqlx::PgPool;
use std::collections::BTreeSet;
use tollgate::values::AbuseRule;

/// One that takes a proxy's word for where a call comes from; nothing holds this machine itself.
async fn app(db: &PgPool) -> TestApp {
    TestApp::start_with(db.clone(), |config| config.server.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()]).await
}

async fn ask(app: &TestApp, path: &str, from: &str, secret: Option<&str>) -> reqwest::Response {
    let request = app.http.post(app.url(&format!("/api/v1/keys/{path}"))).header("x-forwarded-for", from).json(&json!({ "key": "demo_live_nonsense" }));
    secret.into_iter().fold(request, |request, secret| request.bearer_auth(secret)).send().await.unwrap()
}

/// How many attempts from there were counted, by reason.
async fn counted(app: &TestApp, db: &PgPool, address: &str) -> Vec<(String, i64)> {
    app.flush().await;
    sqlx::query_as("select reason, sum(count)::bigint from unknown_attempts where address = $1 group by 1 order by 1")
        .bind(address)
        .fetch_all(db)
        .await
        .unwrap()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn secrets_that_are_tried_as_an_asking_service_are_counted_and_blocked(db: PgPool) {
    let app = app(&db).await;
    let unknown = tollgate::keys::server::secret::mint(&app.ctx.rng, &"tg".parse().unwrap(), "live");
    let from = "198.51.100.7";
    for (path, secret) in [("verify", unknown.as_str()), ("release", unknown.as_str()), ("verify", "tg_live_nonsense")] {
        assert_eq!(ask(&app, path, from, Some(secret)).await.status(), 401, "{path}");
    }
    assert_eq!(ask(&app, "verify", from, None).await.status(), 401);
    assert_eq!(counted(&app, &db, from).await, [("MALFORMED".to_owned(), 2), ("UNKNOWN".to_owned(), 2)]);
    let samples: Vec<(String, String)> =
        sqlx::query_as("select distinct code, route from refusal_samples where address = $1 order by 1, 2").bind(from).fetch_all(&db).await.unwrap();
    let sample = |code: &str| (code.to_owned(), "POST /api/v1/keys/verify".to_owned());
    assert_eq!(samples, [sample("MALFORMED"), sample("UNKNOWN")], "one of each code, address and minute");

    for _ in 0..100 {
        ask(&app, "verify", "198.51.100.9", Some(&unknown)).await;
    }
    looked_at_all_before(&app, "198.51.100.10").await;
    let targets = async || listed(&app.ctx, "all").await.iter().map(|block| block.target.words()).collect::<BTreeSet<_>>();
    assert_eq!(targets().await, BTreeSet::from(["198.51.100.10".to_owned()]), "a hundred are allowed");
    ask(&app, "verify", "198.51.100.9", Some(&unknown)).await;
    until("the rule has blocked the address", || async { ask(&app, "verify", "198.51.100.9", Some(&unknown)).await.status() == 403 }).await;
    assert_eq!(targets().await, BTreeSet::from(["198.51.100.10".to_owned(), "198.51.100.9".to_owned()]));
    assert!(listed(&app.ctx, "all").await.iter().all(|block| block.rule == Some(AbuseRule::UnknownKeys)));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn of_a_slowed_address_so_many_secrets_are_tried_in_a_second(db: PgPool) {
    let app = app(&db).await;
    slow(&app.ctx, "198.51.100.0/24", 2, None).await.unwrap();
    let from = "198.51.100.9";
    for _ in 0..2 {
        assert_eq!(ask(&app, "verify", from, Some("tg_live_nonsense")).await.status(), 401);
    }
    let refused = ask(&app, "verify", from, Some("tg_live_nonsense")).await;
    let field = |name: &str| refused.headers()[name].to_str().unwrap().to_owned();
    assert_eq!((refused.status().as_u16(), field("retry-after").as_str(), field("ratelimit").as_str()), (429, "1", "\"slow-address\";r=0;t=1"));
    assert_eq!(refused.json::<Value>().await.unwrap()["violated-policies"], json!(["slow-address"]));
    assert_eq!(counted(&app, &db, from).await, [("MALFORMED".to_owned(), 2), ("RATE_LIMITED".to_owned(), 1)]);
    app.ctx.clock.advance(time::Duration::SECOND);
    assert_eq!(ask(&app, "release", from, Some("tg_live_nonsense")).await.status(), 401);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_a_blocked_address_shows_is_counted_and_not_looked_at(db: PgPool) {
    let app = app(&db).await;
    block(&app.ctx, "198.51.100.9", None).await.unwrap();
    assert_eq!(ask(&app, "verify", "198.51.100.9", Some("tg_live_nonsense")).await.status(), 403);
    assert_eq!(counted(&app, &db, "198.51.100.9").await, [("IP_DENIED".to_owned(), 1)]);
}
