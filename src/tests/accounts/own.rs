//! One's own sessions and password over REST: in pages, one by one, and changed only by whoever knows the present one.

use super::count;
use crate::support::{TestApp, browser::PASSWORD};
use reqwest::Response;
use serde_json::{Value, json};
use sqlx::PgPool;
use time::Duration;

const NEW: &str = "gate keeper sings at noon";

async fn read(answer: Response) -> (u16, Value) {
    (answer.status().as_u16(), answer.json().await.unwrap())
}

fn ids(list: &Value) -> Vec<String> {
    list["data"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn own_sessions_come_in_pages_and_one_by_one(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, mallory) = (app.sign_in_as("developer").await, app.sign_in_as("developer").await);
    for _ in 0..4 {
        app.ctx.clock.advance(Duration::minutes(1));
        assert_eq!(app.browser().sign_in(&vera.email, PASSWORD).await.status(), 303);
    }
    assert!(vera.browser.is_signed_in().await, "used now, too");
    let (_, all) = read(vera.browser.get("/api/v1/me/sessions").await).await;
    let all_ids = ids(&all);
    assert_eq!((all_ids.len(), &all["has_more"], &all["next_cursor"]), (5, &json!(false), &Value::Null));

    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for has_more in [true, true, false] {
        let (status, page) = read(vera.browser.get(&format!("/api/v1/me/sessions?limit=2{cursor}")).await).await;
        assert_eq!((status, &page["has_more"]), (200, &json!(has_more)), "{page}");
        seen.extend(ids(&page));
        cursor = format!("&cursor={}", page["next_cursor"].as_str().unwrap_or_default());
    }
    assert_eq!(seen, all_ids, "each once, in the same order");
    for wrong in ["limit=0", "limit=101", "cursor=%C3%BC", "page=2"] {
        assert_eq!(vera.browser.get(&format!("/api/v1/me/sessions?{wrong}")).await.status(), 422, "{wrong}");
    }

    for session in all["data"].as_array().unwrap() {
        let path = format!("/api/v1/me/sessions/{}", session["id"].as_str().unwrap());
        assert_eq!(read(vera.browser.get(&path).await).await, (200, session.clone()));
        assert_eq!(mallory.browser.get(&path).await.status(), 404, "R63: not somebody else's");
    }
    assert_eq!(vera.browser.get("/api/v1/me/sessions/ses_nothing").await.status(), 404);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r8_over_rest_a_new_password_takes_the_present_one(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let elsewhere = app.browser();
    assert_eq!(elsewhere.sign_in(&vera.email, PASSWORD).await.status(), 303);
    let change = async |current: &str, new: &str| {
        let body = json!({ "current_password": current, "new_password": new });
        let request = vera.browser.http.post(app.url("/api/v1/me/password")).header("sec-fetch-site", "same-origin").json(&body);
        read(request.send().await.unwrap()).await
    };
    for (current, new, pointer) in [("not the present one", NEW, "#/current_password"), (PASSWORD, "short", "#/new_password")] {
        let (status, problem) = change(current, new).await;
        assert_eq!((status, problem["errors"][0]["pointer"].as_str().unwrap()), (422, pointer), "{problem}");
    }
    assert!(elsewhere.is_signed_in().await, "nothing has happened");
    assert_eq!(change(PASSWORD, NEW).await, (200, json!({ "ended": 1 })));
    assert!(vera.browser.is_signed_in().await && !elsewhere.is_signed_in().await, "R46");
    assert_eq!(count(&app, "select count(*) from events where kind = 'account.password_changed'").await, 1);
    assert_eq!(change(PASSWORD, NEW).await.0, 422, "sent again it is not the present one any more");
    assert_eq!(app.browser().sign_in(&vera.email, NEW).await.status(), 303);
    assert_eq!(app.http.post(app.url("/api/v1/me/password")).json(&json!({})).send().await.unwrap().status(), 401);
}
