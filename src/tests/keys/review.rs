//! Tags, the filters of keys that want a second look, and why a key is off.

use super::*;
use crate::support::T0;
use serde_json::json;
use time::Duration;
use tollgate::keys::model::{KeyQuery, ToReview};

/// The names that the list gives for a query, sorted.
async fn names(app: &TestApp, mara: &Person, query: &str) -> Vec<String> {
    let (status, body) = json(mara.get(app, &format!("/api/v1/keys?{query}")).await).await;
    assert_eq!(status, 200, "{body}");
    let mut names: Vec<String> = body["data"].as_array().unwrap().iter().map(|k| text(k, "name")).collect();
    names.sort();
    names
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn tags_are_given_changed_and_found(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (status, body) = json(mara.post(&app, "/api/v1/keys", json!({ "name": "checkout", "tags": ["Prod", "team-a", "prod"] })).await).await;
    assert_eq!((status, &body["tags"]), (201, &json!(["prod", "team-a"])));
    mara.new_key(&app, "warehouse").await;
    assert_eq!(names(&app, &mara, "tag=prod").await, ["checkout"]);
    assert_eq!(names(&app, &mara, "q=TEAM-a").await, ["checkout"]);
    assert!(names(&app, &mara, "tag=pro").await.is_empty(), "whole tags");

    let path = format!("/api/v1/keys/{}", text(&body, "id"));
    let patch = async |body: Value| json(mara.call(&app, Method::PATCH, &path, Some(body)).await).await;
    assert_eq!(patch(json!({ "tags": ["legacy"] })).await.1["tags"], json!(["legacy"]));
    assert_eq!(patch(json!({ "tags": ["legacy"] })).await.0, 200);
    assert_eq!(events(&db, "key.tagged").await, 1, "what is so already is not written again");
    let many = (0..11).map(|n| format!("t{n}")).collect::<Vec<_>>();
    for (wrong, pointers) in
        [(json!(["fine", "a b"]), vec!["#/tags/1"]), (json!(["ü", "fine", "x".repeat(31)]), vec!["#/tags/0", "#/tags/2"]), (json!(many), vec!["#/tags"])]
    {
        let (status, problem) = patch(json!({ "tags": wrong })).await;
        let said: Vec<&str> = problem["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
        assert_eq!((status, said), (422, pointers), "{problem}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn keys_that_want_a_look_are_filters_of_the_list(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let rights = json!(["orders:read", "orders:write"]);
    for body in [
        json!({ "name": "busy" }),
        json!({ "name": "idle" }),
        json!({ "name": "unused" }),
        json!({ "name": "broad", "permissions": rights }),
        json!({ "name": "ending", "expires_at": "2027-11-20T12:00:00Z" }),
        json!({ "name": "off" }),
    ] {
        assert_eq!(mara.post(&app, "/api/v1/keys", body).await.status(), 201);
    }
    let used = async |name: &str, at: time::OffsetDateTime| {
        sqlx::query("insert into key_activity (key_id, last_used_at) select id, $2 from keys where name = $1").bind(name).bind(at).execute(&db).await.unwrap();
    };
    let off = names_to_id(&db, "off").await;
    mara.post(&app, &format!("/api/v1/keys/{off}/disable"), json!({ "reason": "the shop moved" })).await;
    app.ctx.clock.advance(Duration::days(31));
    let now = T0 + Duration::days(31);
    used("busy", now - Duration::days(1)).await;
    used("idle", now - Duration::days(30)).await;
    used("broad", now).await;
    used("ending", now).await;
    used("a key", now).await; // the person's own key for REST
    assert_eq!(names(&app, &mara, "review=idle-30").await, ["idle", "unused"]);
    assert!(names(&app, &mara, "review=idle-90").await.is_empty());
    assert_eq!(names(&app, &mara, "review=unused").await, ["unused"]);
    assert_eq!(names(&app, &mara, "review=endless").await, ["a key", "broad", "busy", "idle", "unused"]);
    assert_eq!(names(&app, &mara, "review=broad").await, ["broad"]);
    assert_eq!(names(&app, &mara, "review=endless&q=b").await, ["broad", "busy"], "filters add up");
    assert_eq!(mara.get(&app, "/api/v1/keys?review=odd").await.status(), 422);

    let (_, body) = json(mara.get(&app, &format!("/api/v1/keys/{off}")).await).await;
    assert_eq!((text(&body, "state"), text(&body, "state_reason")), ("disabled".to_owned(), "the shop moved".to_owned()));
}

async fn names_to_id(db: &PgPool, name: &str) -> KeyId {
    KeyId::new(sqlx::query_scalar("select id from keys where name = $1").bind(name).fetch_one(db).await.unwrap())
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_page_counts_them_and_calls_out_what_never_expires(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let vera = app.sign_in_as("developer").await;
    let made = vera.browser.post::<tollgate::keys::api::CreateKey>("/keys", &[("name", "checkout")]).await;
    let path = crate::support::browser::location(&made).to_owned();
    let id = path.trim_start_matches("/keys/").to_owned();
    let page = vera.browser.page("/keys").await;
    assert!(page.contains("review-title") && page.contains("href=\"/keys?review=endless\""), "{page}");
    assert!(!page.contains("href=\"/keys?review=broad\""), "a count of zero is not shown");
    let other = vera.browser.page("/keys?q=check&review=idle-90").await;
    assert!(other.contains("Not used for 90 days") && other.contains("name=\"review\" value=\"idle-90\""), "what is asked for is: {other}");
    assert!(other.contains("href=\"/keys?q=check&amp;review=endless\""), "filters add up: {other}");
    assert!(vera.browser.page(&path).await.contains("Never expires"));

    let saved = [("id", id.as_str()), ("name", "checkout"), ("expires_on", "2027-01-31"), ("tags", "prod, Team-A"), ("chosen", "true")];
    assert_eq!(vera.browser.post::<tollgate::keys::api::SaveKey>(&path, &saved).await.status(), 303);
    let page = vera.browser.page("/keys").await;
    assert!(!page.contains("review-title"), "nothing to review, no card");
    assert!(page.contains("href=\"/keys?tag=team-a\"") && page.contains("Tag: prod"));
    let wrong = [("id", id.as_str()), ("name", "checkout"), ("tags", "no_good"), ("chosen", "true")];
    let refused = vera.browser.post::<tollgate::keys::api::SaveKey>(&path, &wrong).await;
    assert_eq!(refused.status(), 422);
    assert!(refused.text().await.unwrap().contains("no_good can"));

    vera.browser.post::<tollgate::keys::api::DisableKey>(&path, &[("id", &id), ("reason", "the shop moved")]).await;
    assert!(vera.browser.page(&path).await.matches("the shop moved").count() >= 3, "badge, note and history");
    assert!(vera.browser.page("/keys").await.contains("the shop moved"));
}

#[test]
fn the_filters_stand_in_the_url() {
    let query = KeyQuery { review: Some("idle-30".into()), tag: Some("prod".into()), ..KeyQuery::default() };
    assert_eq!(query.link("/keys", None), "/keys?review=idle-30&tag=prod");
    assert!(query.is_filtered() && ToReview::default().present().is_empty());
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_key_that_asks_about_others_is_used(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "operator").await;
    let body = json!({ "name": "gateway", "api": "tollgate", "permissions": ["keys:verify"] });
    let (status, made) = json(mara.post(&app, "/api/v1/keys", body).await).await;
    assert_eq!(status, 201, "{made}");
    app.flush().await;
    assert_eq!(names(&app, &mara, "review=unused").await, ["gateway"]);

    app.ctx.clock.advance(Duration::hours(3));
    let asked = app.http.post(app.url("/api/v1/keys/verify")).bearer_auth(text(&made, "secret")).json(&json!({ "key": "demo_live_nonsense" }));
    assert_eq!(asked.send().await.unwrap().status(), 200);
    app.flush().await;
    assert!(names(&app, &mara, "review=unused").await.is_empty());
    let (_, key) = json(mara.get(&app, &format!("/api/v1/keys/{}", text(&made, "id"))).await).await;
    assert_eq!(key["last_used_at"], "2026-11-20T15:00:00Z");
}
