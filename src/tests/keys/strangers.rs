//! R63: every query carries the workspace, so the id of somebody else's key is an id of nothing.

use super::*;
use serde_json::json;

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r63_keys_of_another_workspace_do_not_exist(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let jon = person(&app, &db, "jon@example.com", "developer").await;
    let (id, secret) = mara.new_key(&app, "checkout").await;
    let missing = tollgate::values::KeyId::new(uuid::Uuid::from_u128(7)).to_string();
    for id in [id.as_str(), &missing, "key_", "42", "..%2f..", "%00", "key_'%20or%201=1"] {
        let path = format!("/api/v1/keys/{id}");
        for (method, path, body) in [
            (Method::GET, path.clone(), None),
            (Method::PATCH, path.clone(), Some(json!({ "name": "mine" }))),
            (Method::DELETE, path.clone(), None),
            (Method::POST, format!("{path}/rotate"), Some(json!({}))),
            (Method::POST, format!("{path}/disable"), Some(json!({ "reason": "mine" }))),
            (Method::POST, format!("{path}/enable"), None),
            (Method::POST, format!("{path}/revoke"), None),
            (Method::GET, format!("{path}/history"), None),
            (Method::PUT, format!("{path}/signing"), Some(json!({ "algorithm": "hmac-sha256" }))),
            (Method::DELETE, format!("{path}/signing"), None),
        ] {
            let (status, problem) = json(jon.call(&app, method.clone(), &path, body).await).await;
            assert_eq!(status, 404, "{method} {path}: {problem}");
        }
    }
    assert_eq!(passes(&app, &secret).await, 200, "nothing happened to it");
    assert_eq!(acts(&app, &mara, &id).await.len(), 1);

    let (_, list) = json(jon.get(&app, &format!("/api/v1/keys?q={id}")).await).await;
    assert_eq!(list["data"], json!([]));
    let (_, list) = json(jon.get(&app, "/api/v1/keys").await).await;
    assert_eq!(list["data"].as_array().unwrap().len(), 1, "only the own REST key");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn operators_act_on_any_key_but_list_their_own(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let olga = person(&app, &db, "olga@example.com", "operator").await;
    let (id, secret) = mara.new_key(&app, "checkout").await;
    assert_eq!(olga.get(&app, &format!("/api/v1/keys/{id}")).await.status(), 200);
    assert_eq!(olga.post(&app, &format!("/api/v1/keys/{id}/disable"), json!({ "reason": "abuse" })).await.status(), 200);
    assert_eq!(passes(&app, &secret).await, 401);
    assert_eq!(acts(&app, &mara, &id).await[0], ("disabled".to_owned(), "abuse".to_owned()));
    let workspace: uuid::Uuid = sqlx::query_scalar("select workspace_id from events where kind = 'key.disabled'").fetch_one(&db).await.unwrap();
    assert_eq!(workspace, mara.owner.workspace.uuid(), "the owner sees it in the own activity");
    let (_, list) = json(olga.get(&app, "/api/v1/keys").await).await;
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
}
