//! Rotation: a new secret, the old one for a while, the key the same.

use super::*;
use crate::support::T0;
use serde_json::json;
use time::Duration;

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_old_secret_lives_on_for_the_grace(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (id, old) = mara.new_key(&app, "checkout").await;
    let answer = mara.post(&app, &format!("/api/v1/keys/{id}/rotate"), json!({ "grace": 60 })).await;
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let (status, body) = json(answer).await;
    assert_eq!((status, text(&body, "id")), (200, id.clone()), "the key keeps its id");
    let new = text(&body, "secret");
    assert_ne!(old, new);
    assert_eq!((passes(&app, &old).await, passes(&app, &new).await), (200, 200));
    app.ctx.clock.set(T0 + Duration::seconds(60));
    assert_eq!((passes(&app, &old).await, passes(&app, &new).await), (401, 200));
    assert_eq!(acts(&app, &mara, &id).await[0].0, "rotated");
    assert_eq!(events(&db, "key.rotated").await, 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn without_grace_the_old_secret_ends_at_once(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (id, old) = mara.new_key(&app, "checkout").await;
    let (_, body) = json(mara.post(&app, &format!("/api/v1/keys/{id}/rotate"), json!({ "grace": 0 })).await).await;
    assert_eq!((passes(&app, &old).await, passes(&app, &text(&body, "secret")).await), (401, 200));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn ends_that_were_chosen_stay_unless_all_end_now(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (id, first) = mara.new_key(&app, "checkout").await;
    let rotate = async |how: Value| {
        let (status, body) = json(mara.post(&app, &format!("/api/v1/keys/{id}/rotate"), how).await).await;
        assert_eq!(status, 200, "{body}");
        text(&body, "secret")
    };
    let second = rotate(json!({ "expires_at": "2027-06-01T00:00:00Z" })).await;
    let third = rotate(json!({ "grace": 60 })).await;
    app.ctx.clock.set(T0 + Duration::seconds(61));
    assert_eq!((passes(&app, &first).await, passes(&app, &second).await, passes(&app, &third).await), (200, 401, 200), "each as it was chosen");
    let newest = rotate(json!({ "until": "first_use" })).await;
    assert_eq!((passes(&app, &newest).await, passes(&app, &third).await, passes(&app, &first).await), (200, 401, 200), "a date does not wait for a use");
    let last = rotate(json!({ "grace": 0 })).await;
    for ended in [&first, &second, &third, &newest] {
        assert_eq!(passes(&app, ended).await, 401, "now is now");
    }
    assert_eq!(passes(&app, &last).await, 200);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_second_rotation_ends_the_oldest_no_later(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (id, first) = mara.new_key(&app, "checkout").await;
    let path = format!("/api/v1/keys/{id}/rotate");
    mara.post(&app, &path, json!({ "grace": 60 })).await;
    let (_, body) = json(mara.post(&app, &path, json!({ "grace": 86_400 })).await).await;
    app.ctx.clock.set(T0 + Duration::seconds(61));
    assert_eq!((passes(&app, &first).await, passes(&app, &text(&body, "secret")).await), (401, 200), "the first keeps its minute");
    assert_eq!(mara.post(&app, &path, json!({ "grace": 2_592_001 })).await.status(), 422);
    assert_eq!(mara.post(&app, &path, json!({ "grace": -1 })).await.status(), 422);
    assert_eq!(mara.call(&app, Method::POST, &path, None).await.status(), 200, "an hour unless said otherwise");
}
