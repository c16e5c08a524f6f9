//! What Prometheus is told, and what a load balancer is.

use super::{Given, Scene, key, known, owner};
use crate::support::TestApp;
use serde_json::Value;
use sqlx::PgPool;
use tollgate::{boot::metrics, keys::server::gate::Gate};

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn metrics_tell_what_was_answered_and_how_the_parts_do(db: PgPool) {
    let Scene { app, secret, .. } = Scene::with(db.clone(), Given { limit: Some((2, 3_600)), ..Given::default() }).await;
    for key in [secret.as_str(), &secret, &secret, "nothing-at-all"] {
        app.http.get(app.url("/forward-auth/demo")).bearer_auth(key).send().await.unwrap();
    }
    app.flush().await;
    let text = metrics::text(&app.ctx).await;
    for line in [
        "# TYPE tollgate_verifications_total counter",
        "tollgate_verifications_total{code=\"VALID\"} 2",
        "tollgate_verifications_total{code=\"MALFORMED\"} 1",
        "tollgate_verifications_total{code=\"BANNED\"} 0",
        "tollgate_key_table_loaded 1",
        "tollgate_database_up 1",
        "tollgate_spool_failing 0",
        "tollgate_routes_folded_total 0",
        "tollgate_usage_lag_seconds 0",
        "tollgate_jobs{state=\"dead\"} 0",
    ] {
        assert!(text.lines().any(|told| told == line), "{line}\n{text}");
    }
    // Every value is a number, and has its help and type before it.
    let mut known = Vec::new();
    for line in text.lines() {
        match line.strip_prefix("# ") {
            Some(about) => known.push(about.split(' ').nth(1).unwrap()),
            None => {
                let (name, value) = line.rsplit_once(' ').unwrap();
                assert!(known.contains(&name.split('{').next().unwrap()) && value.parse::<f64>().is_ok(), "{line}");
            }
        }
    }
    assert!(!text.contains(&secret[..20]), "and nothing of a key");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn readiness_says_how_each_part_does(db: PgPool) {
    let Scene { app, .. } = Scene::with(db, Given::default()).await;
    let answer = app.get("/readyz").await;
    assert_eq!((answer.status().as_u16(), answer.headers()["content-type"].to_str().unwrap()), (200, "application/json"));
    let told: Value = answer.json().await.unwrap();
    assert_eq!(told["status"], "ready");
    assert_eq!(told["parts"]["database"], serde_json::json!({ "up": true, "away_for": null }));
    assert_eq!(told["parts"]["keys"], serde_json::json!({ "loaded": true, "verified": true, "verified_for": null }));
    assert_eq!((&told["parts"]["usage"]["spooled"], &told["parts"]["usage"]["failing_for"]), (&true.into(), &Value::Null));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn people_are_told_what_works_and_no_numbers(db: PgPool) {
    let Scene { app, .. } = Scene::with(db, Given::default()).await;
    let answer = app.get("/status").await;
    assert_eq!(answer.status(), 200, "nobody needs to be signed in");
    let page = answer.text().await.unwrap();
    assert_eq!(page.matches(">Works<").count(), 3, "{page}");
    assert!(page.contains("Everything works."), "{page}");
    assert!(!page.contains("waiting") && !page.contains("postgres"), "{page}");
    assert!(app.get("/").await.text().await.unwrap().contains("href=\"/status\""));
}

/// For measuring what counting costs: keys pass as ever, and nothing is counted, in memory or on disk.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn with_metering_off_keys_are_verified_and_nothing_is_counted(db: PgPool) {
    let app = TestApp::start_with(db.clone(), |config| config.usage.metering = false).await;
    let owner = owner(&app, "mara@example.com", "operator").await;
    let (id, secret) = key(&db, &app, &owner, Given { limit: Some((2, 3_600)), ..Given::default() }).await;
    known(&app, id).await;
    let mut codes = Vec::new();
    for _ in 0..3 {
        codes.push(app.http.get(app.url("/forward-auth/demo")).bearer_auth(&secret).send().await.unwrap().status().as_u16());
    }
    assert_eq!(codes, [200, 200, 429], "limits hold");
    let gate = app.ctx.part::<Gate>().unwrap();
    assert_eq!((gate.meter().totals().iter().sum::<u64>(), gate.meter().counters(), gate.meter().spool_bytes()), (0, 0, None));
    assert!(gate.meter().take(app.ctx.new_id()).is_empty());
}
