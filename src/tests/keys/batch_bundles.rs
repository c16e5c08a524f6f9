//! Presets and bundles in lists of new keys and of imported ones.

use super::{
    lists_cli::{out, run},
    *,
};
use crate::support::folder::Folder;
use serde_json::json;
use sha2::{Digest, Sha256};

/// Somebody who may describe APIs, and a bundle of the demo API.
async fn with_a_bundle(app: &TestApp, db: &PgPool) -> Person {
    let permissions: Vec<&str> = OPERATOR.iter().copied().chain(["apis:manage"]).collect();
    let olga = person_with(app, db, "olga@example.com", "operator", &permissions).await;
    let desk = json!({ "permissions": ["orders:write"] });
    assert!(olga.call(app, Method::PUT, "/api/v1/apis/demo/bundles/order-desk", Some(desk)).await.status().is_success());
    olga
}

async fn read(app: &TestApp, person: &Person, id: &str) -> (Value, Value, Value) {
    let (status, key) = json(person.get(app, &format!("/api/v1/keys/{id}")).await).await;
    assert_eq!(status, 200, "{key}");
    (key["permissions"].clone(), key["bundles"].clone(), key["effective_permissions"].clone())
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn keys_of_a_list_hold_the_bundles_that_it_names(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let olga = with_a_bundle(&app, &db).await;
    let keys = json!([{ "name": "desk", "bundles": ["order-desk"] }, { "name": "both", "permissions": ["orders:read"], "bundles": ["order-desk"] }]);
    let (status, made) = json(olga.post(&app, "/api/v1/keys/batch", json!({ "api": "demo", "keys": keys })).await).await;
    assert_eq!(status, 201, "{made}");
    let desk = (json!([]), json!(["order-desk"]), json!(["orders:write"]));
    assert_eq!(read(&app, &olga, &text(&made["data"][0], "id")).await, desk, "who names bundles says with them what it may");
    assert_eq!(read(&app, &olga, &text(&made["data"][1], "id")).await.2, json!(["orders:read", "orders:write"]));
    let held: i64 =
        sqlx::query_scalar("select count(*) from events where kind = 'key.created' and data -> 'bundles' = '[\"order-desk\"]'").fetch_one(&db).await.unwrap();
    assert_eq!(held, 2, "their events say so");

    let wrong = json!([{ "name": "night", "bundles": ["night-desk"] }, { "name": "fine" }]);
    let (status, problem) = json(olga.post(&app, "/api/v1/keys/batch", json!({ "api": "demo", "keys": wrong })).await).await;
    assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!("#/keys/0/bundles")), "{problem}");
    assert_eq!(events(&db, "key.created").await, 2, "all or none");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_bundle_that_gives_more_than_the_owner_may_is_wrong_on_its_line(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let olga = with_a_bundle(&app, &db).await;
    let dev = person(&app, &db, "dev@example.com", "developer").await;
    let manages = json!({ "permissions": ["keys:manage"] });
    assert!(olga.call(&app, Method::PUT, "/api/v1/apis/tollgate/bundles/manager", Some(manages)).await.status().is_success());
    let keys = json!([{ "name": "wide", "permissions": [], "bundles": ["manager"] }]);
    let (_, report) = json(dev.post(&app, "/api/v1/keys/batch", json!({ "api": "tollgate", "keys": keys, "dry_run": true })).await).await;
    assert_eq!(report["data"][0]["errors"][0]["field"], "bundles", "{report}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn presets_and_bundles_stand_in_the_columns_of_a_file(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let olga = with_a_bundle(&app, &db).await;
    let folder = Folder::new();
    let many = |verb: &str, list: &str| {
        std::fs::write(folder.path().join("keys.csv"), list).unwrap();
        run(&folder, &db, &["key", verb, "keys.csv", "--account", "olga@example.com", "--api", "demo"])
    };
    let made = many("create-many", "name,permissions,bundles\nreader,read-only,\ndesk,,order-desk\nchief,admin,\n");
    assert!(made.status.success(), "{made:?}");
    let of = async |name: &str| {
        let id = out(&made).lines().find_map(|line| line.strip_prefix(&format!("{name},"))?.split(',').next().map(str::to_owned)).unwrap();
        read(&app, &olga, &id).await
    };
    assert_eq!((of("reader").await.0, of("desk").await.1), (json!(["orders:read"]), json!(["order-desk"])));
    assert!(of("chief").await.0.as_array().is_some_and(|all| all.len() > 1));
    assert!(out(&many("create-many", "name,permissions,preset\ntwice,admin,basic\n")).contains("Send permissions or a preset, not both."));

    let hash = |secret: &str| Sha256::digest(secret).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let list = format!("name,hash,permissions,preset\nold,{},read-only,\nolder,{},,admin\nwrong,{},,all\n", hash("a"), hash("b"), hash("c"));
    let imported = out(&many("import", &list));
    assert!(imported.contains("2 of 3 imported") && imported.contains("A preset is basic, read-only or admin."), "{imported}");
    let permissions: Vec<Vec<String>> =
        sqlx::query_scalar("select permissions from keys where name in ('old', 'older') order by name").fetch_all(&db).await.unwrap();
    assert_eq!(permissions[0], ["orders:read"]);
    assert!(permissions[1].len() > 1);
}
