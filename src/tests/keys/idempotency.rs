//! Sending twice makes one key.

use super::*;
use serde_json::json;

async fn create(app: &TestApp, mara: &Person, key: &str, name: &str) -> Response {
    app.http.post(app.url("/api/v1/keys")).bearer_auth(&mara.secret).header("idempotency-key", key).json(&json!({ "name": name })).send().await.unwrap()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_idempotency_key_makes_one_key(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let first = create(&app, &mara, "\"8e03978e\"", "checkout").await;
    assert_eq!(first.status(), 201);
    let location = first.headers()["location"].clone();
    let second = create(&app, &mara, "8e03978e", "checkout").await;
    assert_eq!((second.status().as_u16(), &second.headers()["location"]), (409, &location), "quoted or not, it is the same");
    let (_, problem) = json(second).await;
    assert!(text(&problem, "detail").contains(location.to_str().unwrap().rsplit('/').next().unwrap()), "{problem}");
    assert_eq!(create(&app, &mara, "8e03978e", "another").await.status(), 422, "it stands for one request");
    assert_eq!(create(&app, &mara, "other", "checkout").await.status(), 201);
    assert_eq!(create(&app, &mara, "", "x").await.status(), 422);
    assert_eq!(create(&app, &mara, &"x".repeat(256), "x").await.status(), 422);
    let jon = person(&app, &db, "jon@example.com", "developer").await;
    assert_eq!(create(&app, &jon, "8e03978e", "checkout").await.status(), 201, "and it is mine");
    assert_eq!(events(&db, "key.created").await, 3);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_rotation_or_a_list_that_is_sent_again_says_where_its_keys_are(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (id, _) = mara.new_key(&app, "checkout").await;
    let one = format!("/api/v1/keys/{id}");
    let list = json!({ "api": "demo", "keys": [{ "name": "till 1" }, { "name": "till 2" }] });
    for (path, body, location, next) in [
        (format!("{one}/rotate"), json!({}), one.clone(), "rotate the key to get a new one"),
        ("/api/v1/keys/batch".to_owned(), list, "/api/v1/keys?api=demo".to_owned(), "rotate their keys to get new ones"),
    ] {
        let send = || app.http.post(app.url(&path)).bearer_auth(&mara.secret).header("idempotency-key", "once").json(&body).send();
        assert!(send().await.unwrap().status().is_success(), "{path}");
        let again = send().await.unwrap();
        assert_eq!((again.status().as_u16(), again.headers()["location"].to_str().unwrap()), (409, location.as_str()), "{path}");
        let (_, problem) = json(again).await;
        assert!(text(&problem, "detail").contains(&location) && text(&problem, "detail").contains(next), "{problem}");
        let (status, found) = json(mara.get(&app, &location).await).await;
        assert_eq!((status, found.to_string().contains("till 2")), (200, location.contains('?')), "{found}");
    }
    assert_eq!((events(&db, "key.rotated").await, events(&db, "key.created").await), (1, 3));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn eight_at_once_make_one_key(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let mut statuses: Vec<u16> =
        futures_util::future::join_all((0..8).map(|_| create(&app, &mara, "once", "checkout"))).await.iter().map(|a| a.status().as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
    assert_eq!(events(&db, "key.created").await, 1);
}
