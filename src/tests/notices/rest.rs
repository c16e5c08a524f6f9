//! What one is told, and rules on errors, over REST.

use crate::{
    keys::{events, json, person, person_with, text},
    support::TestApp,
};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

const ACCOUNT: &[&str] = &["account:read", "account:write", "usage:read"];

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_one_is_told_is_read_and_changed_by_parts(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person_with(&app, &db, "mara@example.com", "developer", ACCOUNT).await;
    let path = "/api/v1/me/notices";
    assert_eq!(json(mara.get(&app, path).await).await, (200, json!({ "limits": true, "thresholds": [80, 100], "expiry": true })));
    let change = async |body: Value| json(mara.call(&app, Method::PATCH, path, Some(body)).await).await;
    for _ in 0..2 {
        assert_eq!(change(json!({ "thresholds": [90, 50] })).await, (200, json!({ "limits": true, "thresholds": [50, 90], "expiry": true })));
    }
    assert_eq!(change(json!({ "expiry": false })).await.1, json!({ "limits": true, "thresholds": [50, 90], "expiry": false }));
    assert_eq!(events(&db, "account.notices_changed").await, 2, "what changes nothing is no event");
    for wrong in [json!([]), json!([0]), json!([101]), json!([1, 2, 3, 4, 5, 6])] {
        let (status, problem) = change(json!({ "thresholds": wrong })).await;
        assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!("#/thresholds")), "{problem}");
    }
    let reader = person_with(&app, &db, "reader@example.com", "developer", &["account:read"]).await;
    assert_eq!(reader.get(&app, path).await.status(), 200);
    assert_eq!(reader.call(&app, Method::PATCH, path, Some(json!({ "limits": false }))).await.status(), 403);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_rule_is_added_once_changed_and_removed(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person_with(&app, &db, "mara@example.com", "developer", ACCOUNT).await;
    let (rules, wish) = ("/api/v1/alert-rules", json!({ "api": "demo", "route": "GET /orders", "codes": ["FORBIDDEN"], "more_than": 10 }));
    let (status, made) = json(mara.post(&app, rules, wish.clone()).await).await;
    assert_eq!((status, &made["minutes"], &made["quiet_minutes"], &made["percent"]), (201, &json!(15), &json!(60), &Value::Null), "{made}");
    let (status, again) = json(mara.post(&app, rules, wish.clone()).await).await;
    assert_eq!((status, &again["id"]), (200, &made["id"]));
    let (one, id) = (format!("{rules}/{}", text(&made, "id")), text(&made, "id"));

    let change = async |body: Value| json(mara.call(&app, Method::PATCH, &one, Some(body)).await).await;
    for _ in 0..2 {
        let (status, changed) = change(json!({ "route": null, "percent": 5, "more_than": 20 })).await;
        assert_eq!((status, &changed["route"], &changed["percent"], &changed["api"]), (200, &Value::Null, &json!(5), &json!("demo")), "{changed}");
        assert!(text(&changed, "description").starts_with("More than 20 calls answered FORBIDDEN in 15 minutes, and more than 5 % of all, API "), "{changed}");
    }
    assert_eq!(events(&db, "alert_rule.changed").await, 1, "what changes nothing is no event");
    let (status, problem) = change(json!({ "minutes": 0 })).await;
    assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!("#/minutes")));
    app.ctx.clock.advance(time::Duration::seconds(1)); // of the same instant ids would say which is older
    assert_eq!(mara.post(&app, rules, wish).await.status(), 201, "it says something else by now");
    assert_eq!(change(json!({ "route": "GET /orders", "percent": null, "more_than": 10 })).await.0, 409, "two that say the same");

    let tom = person(&app, &db, "tom@example.com", "operator").await;
    let nothing = json!({ "data": [], "has_more": false, "next_cursor": null });
    assert_eq!(json(tom.get(&app, rules).await).await, (200, nothing), "those of others are not there");
    assert_eq!(tom.get(&app, &one).await.status(), 404);
    assert_eq!(tom.call(&app, Method::PATCH, &one, Some(json!({ "minutes": 5 }))).await.status(), 404);
    assert_eq!(tom.call(&app, Method::DELETE, &one, None).await.status(), 204);
    let (_, list) = json(mara.get(&app, rules).await).await;
    assert_eq!((list["data"].as_array().unwrap().len(), text(&list["data"][0], "id")), (2, id), "the oldest first");
    let (_, first) = json(mara.get(&app, &format!("{rules}?limit=1")).await).await;
    assert_eq!((&first["data"][0], &first["has_more"]), (&list["data"][0], &json!(true)));
    let (_, second) = json(mara.get(&app, &format!("{rules}?limit=1&cursor={}", text(&first, "next_cursor"))).await).await;
    assert_eq!((&second["data"][0], &second["has_more"]), (&list["data"][1], &json!(false)));
    for _ in 0..2 {
        assert_eq!(mara.call(&app, Method::DELETE, &one, None).await.status(), 204);
    }
    assert_eq!((mara.get(&app, &one).await.status().as_u16(), events(&db, "alert_rule.removed").await), (404, 1));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_rule_takes_the_permissions_of_usage_and_account(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    for lacking in ACCOUNT {
        let permissions: Vec<&str> = ACCOUNT.iter().copied().filter(|name| name != lacking).collect();
        let one = person_with(&app, &db, &format!("{}@example.com", lacking.replace(':', "-")), "developer", &permissions).await;
        let made = one.post(&app, "/api/v1/alert-rules", json!({ "more_than": 1 })).await.status();
        let read = one.get(&app, "/api/v1/alert-rules").await.status();
        let expected = if *lacking == "account:read" { (201, 403) } else { (403, 200) };
        assert_eq!((made.as_u16(), read.as_u16()), expected, "without {lacking}");
    }
}
