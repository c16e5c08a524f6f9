//! What services are told of a key: who uses it, and metadata.

use super::*;
use crate::support::browser::location;
use serde_json::json;
use tollgate::keys::api::{CreateKey, SaveKey};

/// What a service is answered about a key, asked by somebody who may ask.
async fn verified(app: &TestApp, service: &Person, secret: &str, permission: &str) -> Value {
    let (status, body) = json(service.post(app, "/api/v1/keys/verify", json!({ "key": secret, "permission": permission })).await).await;
    assert_eq!(status, 200, "{body}");
    body
}

/// Who uses the key, as a proxy is told.
async fn forwarded(app: &TestApp, secret: &str) -> Option<String> {
    let answer = app.http.get(app.url("/forward-auth/demo")).bearer_auth(secret).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.headers().get("x-external-id").map(|value| String::from_utf8(value.as_bytes().to_vec()).unwrap())
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_passing_key_answers_who_uses_it_and_its_metadata(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let olga = person(&app, &db, "olga@example.com", "operator").await;
    let meta = json!({ "team": "check\"out", "seats": 3, "deep": { "a": [true, null] } });
    let (status, body) = json(mara.post(&app, "/api/v1/keys", json!({ "name": "shop", "external_id": " kund-42-ü ", "meta": meta })).await).await;
    assert_eq!((status, &body["external_id"], &body["meta"]), (201, &json!("kund-42-ü"), &meta), "{body}");
    let (id, secret) = (text(&body, "id"), text(&body, "secret"));
    let path = format!("/api/v1/keys/{id}");

    let passed = verified(&app, &olga, &secret, "orders:read").await;
    assert_eq!((&passed["valid"], &passed["external_id"], &passed["meta"]), (&json!(true), &json!("kund-42-ü"), &meta), "{passed}");
    assert_eq!(forwarded(&app, &secret).await.as_deref(), Some("kund-42-ü"));
    let refused = verified(&app, &olga, &secret, "orders:write").await;
    assert_eq!((&refused["valid"], &refused["external_id"], &refused["meta"]), (&json!(false), &json!(null), &json!({})), "{refused}");
    let (_, plain) = mara.new_key(&app, "plain").await;
    let without = verified(&app, &olga, &plain, "orders:read").await;
    assert_eq!((&without["meta"], without.get("external_id"), forwarded(&app, &plain).await), (&json!({}), None, None));

    // What is left out stays; what is emptied is gone, in the gate too.
    assert_eq!(mara.call(&app, Method::PATCH, &path, Some(json!({ "meta": { "team": "b" } }))).await.status(), 200);
    let passed = verified(&app, &olga, &secret, "orders:read").await;
    assert_eq!((&passed["external_id"], &passed["meta"]), (&json!("kund-42-ü"), &json!({ "team": "b" })));
    let gone = json(mara.call(&app, Method::PATCH, &path, Some(json!({ "meta": {}, "external_id": null }))).await).await.1;
    assert_eq!((&gone["external_id"], &gone["meta"]), (&json!(null), &json!({})));
    assert_eq!((verified(&app, &olga, &secret, "orders:read").await["meta"].clone(), forwarded(&app, &secret).await), (json!({}), None));
    assert_eq!(mara.call(&app, Method::PATCH, &path, Some(json!({ "meta": {}, "external_id": "" }))).await.status(), 200);
    assert_eq!(events(&db, "key.described").await, 2, "sent twice, written once");
    assert_eq!(acts(&app, &mara, &id).await.iter().map(|(act, _)| act.as_str()).collect::<Vec<_>>(), ["described", "described", "created"]);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn keys_are_found_by_who_uses_them(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    for (name, user) in [("a", Some("user_4")), ("b", Some("user_42")), ("c", None)] {
        assert_eq!(mara.post(&app, "/api/v1/keys", json!({ "name": name, "external_id": user, "api": "demo" })).await.status(), 201);
    }
    let names = async |query: &str| {
        let (status, body) = json(mara.get(&app, &format!("/api/v1/keys?{query}")).await).await;
        assert_eq!(status, 200, "{body}");
        let mut names: Vec<String> = body["data"].as_array().unwrap().iter().map(|key| text(key, "name")).collect();
        names.sort();
        names
    };
    assert_eq!(names("external_id=user_4").await, ["a"]);
    assert_eq!(names("q=USER_4").await, ["a", "b"], "a part of it, in any case");
    assert!(names("external_id=user").await.is_empty());
    let file = mara.get(&app, "/api/v1/keys/export?external_id=user_42").await.text().await.unwrap();
    assert!(file.lines().count() == 2 && file.contains("user_42") && file.lines().next().unwrap().ends_with("external_id,meta,routes,workspace_id"), "{file}");
    let (_, bulk) = json(mara.post(&app, "/api/v1/keys/bulk", json!({ "act": "disable", "filter": { "external_id": "user_4" } })).await).await;
    assert_eq!(bulk["changed"].as_array().unwrap().len(), 1, "{bulk}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_is_too_much_or_no_object_is_named(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    for (body, pointer) in [
        (json!({ "name": "x", "meta": { "a": "x".repeat(1_017) } }), "#/meta"),
        (json!({ "name": "x", "external_id": "x".repeat(201) }), "#/external_id"),
        (json!({ "name": "x", "external_id": "a\nb" }), "#/external_id"),
    ] {
        let (status, problem) = json(mara.post(&app, "/api/v1/keys", body).await).await;
        assert_eq!((status, problem["errors"][0]["pointer"].as_str()), (422, Some(pointer)), "{problem}");
    }
    assert_eq!(mara.post(&app, "/api/v1/keys", json!({ "name": "x", "meta": [1] })).await.status(), 422);
    assert_eq!(mara.post(&app, "/api/v1/keys", json!({ "name": "x", "meta": { "a": "x".repeat(1_016) } })).await.status(), 201);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_page_says_what_is_wrong_with_metadata_and_keeps_it(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let vera = app.sign_in_as("developer").await;
    let path = location(&vera.browser.post::<CreateKey>("/keys", &[("name", "checkout")]).await).to_owned();
    let id = path.trim_start_matches("/keys/").to_owned();
    let save = async |fields: &[(&str, &str)]| {
        let mut all = vec![("id", id.as_str()), ("name", "checkout")];
        all.extend_from_slice(fields);
        vera.browser.post::<SaveKey>(&path, &all).await
    };
    for (typed, said) in [("{\"team\": <b>}", "This is not JSON: "), ("[1, 2]", "Metadata is an object.")] {
        let answer = save(&[("meta", typed)]).await;
        assert_eq!(answer.status(), 422, "{typed}");
        let page = answer.text().await.unwrap();
        assert!(page.contains(said) && page.contains(&typed.replace('<', "&lt;")), "{typed}: {page}");
    }
    assert_eq!(save(&[("meta", "{ \"team\":\r\n \"a\" }"), ("external_id", "customer-42")]).await.status(), 303);
    let kept: (String, String) = sqlx::query_as("select meta, external_id from keys").fetch_one(&db).await.unwrap();
    assert_eq!(kept, ("{\"team\":\"a\"}".to_owned(), "customer-42".to_owned()));
    let page = vera.browser.page(&path).await;
    assert!(page.contains("\n  \"team\": \"a\"\n}</textarea>") && page.contains("value=\"customer-42\""), "{page}");
    assert_eq!(save(&[]).await.status(), 303);
    assert!(vera.browser.page("/keys?q=customer-4").await.contains("checkout"), "a form without the fields leaves them");
    assert_eq!(save(&[("meta", ""), ("external_id", "")]).await.status(), 303);
    let kept: (Option<String>, Option<String>) = sqlx::query_as("select meta, external_id from keys").fetch_one(&db).await.unwrap();
    assert_eq!(kept, (None, None));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_new_key_is_told_of_in_the_dialog_and_a_mistake_there_is_named(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let vera = app.sign_in_as("developer").await;
    let page = vera.browser.page("/keys?dialog=new").await;
    assert!(page.contains("name=\"external_id\"") && page.contains("name=\"meta\"") && !page.contains("<details open class=\"more-fields\""), "{page}");
    let once = page.split("name=\"once\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned();
    let create = async |external_id: &str, meta: &str| {
        let fields = [("name", "till"), ("once", once.as_str()), ("chosen", "true"), ("preset", "basic"), ("external_id", external_id), ("meta", meta)];
        vera.browser.post::<CreateKey>("/keys?dialog=new", &fields).await
    };
    for (user, meta, said) in [("customer-7", "{\"team\": <b>}", "This is not JSON: "), (&*"x".repeat(201), "{}", "An external id has at most 200 characters.")]
    {
        let answer = create(user, meta).await;
        assert_eq!(answer.status(), 422, "{said}");
        let page = answer.text().await.unwrap();
        assert!(page.contains("id=\"new-key\"") && page.contains("<details open class=\"more-fields\"") && page.contains(said), "{page}");
        assert!(page.contains(&format!("value=\"{user}\"")) && page.contains(&meta.replace('<', "&lt;")), "what was typed is kept: {page}");
    }
    let path = location(&create(" customer-7 ", "{ \"team\": \"b\" }").await).to_owned();
    assert_eq!(location(&create("customer-7", "{\"team\":\"b\"}").await), path, "sent twice it is one key");
    assert_ne!(location(&create("customer-8", "").await), path, "with other words it is another");
    let kept: Vec<(Option<String>, Option<String>)> = sqlx::query_as("select external_id, meta from keys order by external_id").fetch_all(&db).await.unwrap();
    assert_eq!(kept, [(Some("customer-7".to_owned()), Some("{\"team\":\"b\"}".to_owned())), (Some("customer-8".to_owned()), None)]);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn lists_and_imports_bring_it_along(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let many = json!({ "api": "demo", "keys": [{ "name": "till", "external_id": "u1", "meta": { "a": 1 } }] });
    assert_eq!(mara.post(&app, "/api/v1/keys/batch", many).await.status(), 201);
    let lines = tollgate::keys::server::read_lines(
        "name,external_id,meta\na,u2,\"{\"\"b\"\": 2}\"\nb,,nonsense\n",
        &tollgate::platform::LocalTime::new("UTC", app.ctx.clock.now()),
    )
    .unwrap();
    assert_eq!((lines[0].new.external_id.as_deref(), &lines[0].new.meta["b"]), (Some("u2"), &json!(2)));
    assert_eq!(lines[1].errors[0].field, "meta");
    let imported = json!({ "api": "demo", "keys": [{ "name": "old", "hash": "0f".repeat(32), "externalId": "u3", "meta": { "c": 3 } }] });
    assert_eq!(mara.post(&app, "/api/v1/keys/import", imported).await.status(), 200);
    let kept: Vec<(String, String, String)> =
        sqlx::query_as("select name, external_id, meta from keys where meta is not null order by name").fetch_all(&db).await.unwrap();
    let said = |name: &str, id: &str, meta: &str| (name.to_owned(), id.to_owned(), meta.to_owned());
    assert_eq!(kept, [said("old", "u3", "{\"c\":3}"), said("till", "u1", "{\"a\":1}")]);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_was_ticked_stays_ticked_beside_a_mistake(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let path = location(&vera.browser.post::<CreateKey>("/keys", &[("name", "checkout")]).await).to_owned();
    let before = vera.browser.page(&path).await;
    let is_ticked = |page: &str, permission: &str| page.contains(&format!("value=\"{permission}\" checked"));
    assert!(is_ticked(&before, "orders:read") && !is_ticked(&before, "orders:write"), "{before}");
    let id = path.trim_start_matches("/keys/");
    let fields = [("id", id), ("name", "checkout"), ("chosen", "true"), ("preset", "chosen"), ("permissions[]", "orders:write"), ("meta", "team: a")];
    let answer = vera.browser.post::<SaveKey>(&path, &fields).await;
    assert_eq!(answer.status(), 422);
    let page = answer.text().await.unwrap();
    assert!(is_ticked(&page, "orders:write") && !is_ticked(&page, "orders:read"), "{page}");
}
