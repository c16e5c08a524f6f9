//! Bundles of permissions: what a key has by them, on every node when the answer is there (K30); without circles and with everything that
//! they need (R66); and nobody reaches beyond what they may themselves (R65).

use super::{
    lists_cli::{out, run},
    *,
};
use crate::support::{browser::location, folder::Folder, locks::Held};
use serde_json::json;
use sqlx::PgConnection;
use tollgate::{
    accounts::Caller,
    admin::api::{DeleteBundle, SaveBundle},
    keys::{
        api::{CreateKey, SaveKey},
        model::NewRoute,
        server::replace_routes,
    },
};

/// An operator whose key may describe APIs, beside what the test says.
async fn describer(app: &TestApp, db: &PgPool, email: &str, permissions: &[&str]) -> Person {
    let permissions: Vec<&str> = permissions.iter().copied().chain(["apis:manage"]).collect();
    person_with(app, db, email, "operator", &permissions).await
}

async fn put(app: &TestApp, person: &Person, api: &str, name: &str, body: Value) -> (u16, Value) {
    json(person.call(app, Method::PUT, &format!("/api/v1/apis/{api}/bundles/{name}"), Some(body)).await).await
}

/// As somebody writes who does not ask the operation.
async fn insert_part(conn: &mut PgConnection, bundle: &str, part: &str) -> sqlx::Result<()> {
    let insert = "insert into api_bundle_parts (bundle_id, part_id, api_id)
        select b.id, p.id, b.api_id from api_bundles b join api_bundles p on p.name = $2 where b.name = $1";
    sqlx::query(insert).bind(bundle).bind(part).execute(conn).await.map(|_| ())
}

/// The permissions that the gate tells a protected service, sorted.
async fn told(app: &TestApp, secret: &str) -> String {
    let answer = app.http.get(app.url("/forward-auth/demo")).bearer_auth(secret).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.headers()["x-key-permissions"].to_str().unwrap().to_owned()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn k30_a_key_may_what_its_bundles_give_as_they_are_at_any_time(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let olga = describer(&app, &db, "olga@example.com", OPERATOR).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (status, body) = put(&app, &olga, "demo", "clerk", json!({ "description": "Takes orders", "permissions": ["orders:write"] })).await;
    assert_eq!((status, &body["gives"], &body["spread"]["missing"]), (200, &json!(["orders:write"]), &json!([])), "{body}");
    assert_eq!(put(&app, &olga, "demo", "desk", json!({ "includes": ["clerk"] })).await.1["gives"], json!(["orders:write"]));

    let new = json!({ "name": "till", "permissions": ["orders:read"], "bundles": ["desk"] });
    let (status, key) = json(mara.post(&app, "/api/v1/keys", new).await).await;
    assert_eq!((status, &key["permissions"], &key["bundles"]), (201, &json!(["orders:read"]), &json!(["desk"])), "{key}");
    assert_eq!(key["effective_permissions"], json!(["orders:read", "orders:write"]));
    let (id, secret) = (text(&key, "id"), text(&key, "secret"));
    let path = format!("/api/v1/keys/{id}");
    assert_eq!(told(&app, &secret).await, "orders:read orders:write");
    let (_, list) = json(mara.get(&app, "/api/v1/keys?api=demo").await).await;
    assert_eq!(list["data"][0]["effective_permissions"], json!(["orders:read", "orders:write"]), "in the list too");

    // What the included one no longer gives, no key has any more when that is answered.
    let (status, body) = put(&app, &olga, "demo", "clerk", json!({})).await;
    assert_eq!((status, &body["spread"]["confirmed"]), (200, &body["spread"]["nodes"]), "{body}");
    assert_eq!(told(&app, &secret).await, "orders:read");
    put(&app, &olga, "demo", "clerk", json!({ "permissions": ["orders:write"] })).await;
    assert_eq!(told(&app, &secret).await, "orders:read orders:write");
    let before = events(&db, "api.bundled").await;
    assert_eq!(put(&app, &olga, "demo", "clerk", json!({ "permissions": ["orders:write", "orders:write"] })).await.0, 200);
    assert_eq!(events(&db, "api.bundled").await, before, "the same again changes nothing");

    let patch = async |body: Value| json(mara.call(&app, Method::PATCH, &path, Some(body)).await).await;
    assert_eq!(patch(json!({ "permissions": [] })).await.1["effective_permissions"], json!(["orders:write"]), "bundles stay");
    assert_eq!(patch(json!({ "preset": "read-only" })).await.1["bundles"], json!(["desk"]));
    for _ in 0..2 {
        let (status, body) = patch(json!({ "bundles": [] })).await;
        assert_eq!((status, &body["effective_permissions"]), (200, &json!(["orders:read"])), "{body}");
    }
    assert_eq!(told(&app, &secret).await, "orders:read");
    let acts: Vec<String> = acts(&app, &mara, &id).await.into_iter().map(|(act, _)| act).collect();
    assert_eq!(acts, ["bundled", "permitted", "permitted", "created"]);

    // Bundles alone say what a key may: no preset is added.
    let (_, only) = json(mara.post(&app, "/api/v1/keys", json!({ "name": "only", "bundles": ["clerk"] })).await).await;
    assert_eq!((&only["permissions"], &only["effective_permissions"]), (&json!([]), &json!(["orders:write"])));
    // A key that has all of its API is broad, by bundles too.
    patch(json!({ "bundles": ["desk"] })).await;
    let (_, broad) = json(mara.get(&app, "/api/v1/keys?review=broad&api=demo").await).await;
    assert_eq!(broad["data"].as_array().unwrap().len(), 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r66_a_bundle_never_includes_itself_whoever_writes(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let olga = describer(&app, &db, "olga@example.com", OPERATOR).await;
    for (name, includes) in [("a", json!([])), ("b", json!(["a"])), ("c", json!(["b"])), ("d", json!([]))] {
        assert_eq!(put(&app, &olga, "demo", name, json!({ "includes": includes })).await.0, 200);
    }
    for (name, includes) in [("a", json!(["a"])), ("a", json!(["c"])), ("a", json!(["d", "b"])), ("a", json!(["nobody"]))] {
        let (status, body) = put(&app, &olga, "demo", name, json!({ "includes": includes })).await;
        assert_eq!((status, &body["errors"][0]["pointer"]), (422, &json!("#/includes")), "{includes} → {body}");
    }
    // The database refuses it of anybody.
    let refused = insert_part(&mut db.acquire().await.unwrap(), "a", "c").await.unwrap_err();
    assert_eq!(refused.as_database_error().and_then(|e| e.constraint()), Some("api_bundles_acyclic"));

    // Nor can two make a circle together that neither makes alone.
    let (mut one, mut other) = (db.begin().await.unwrap(), db.begin().await.unwrap());
    insert_part(&mut one, "a", "d").await.unwrap();
    let waiting = async {
        let outcome = insert_part(&mut other, "d", "c").await;
        other.commit().await.unwrap();
        outcome
    };
    let commit = async {
        Held::by(&db, "select").await.release_to(1).await; // it waits for the first
        one.commit().await.unwrap();
    };
    let (outcome, ()) = tokio::join!(waiting, commit);
    assert!(outcome.is_err(), "d includes c, b, a and so d");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r66_what_a_bundle_or_a_key_needs_is_not_taken_away(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let olga = describer(&app, &db, "olga@example.com", OPERATOR).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    put(&app, &olga, "demo", "clerk", json!({ "permissions": ["orders:write"] })).await;
    put(&app, &olga, "demo", "desk", json!({ "includes": ["clerk"] })).await;
    let (status, body) = json(olga.call(&app, Method::PATCH, "/api/v1/apis/demo", Some(json!({ "permissions": [{ "name": "orders:read" }] }))).await).await;
    assert_eq!((status, body["errors"][0]["detail"].as_str()), (422, Some("The bundle clerk gives orders:write. Change the bundle first.")));
    let (status, body) = put(&app, &olga, "demo", "desk", json!({ "permissions": ["orders:burn"] })).await;
    assert_eq!((status, &body["errors"][0]["pointer"]), (422, &json!("#/permissions/0")), "a permission that the API has not: {body}");

    let delete = async |name: &str| olga.call(&app, Method::DELETE, &format!("/api/v1/apis/demo/bundles/{name}"), None).await;
    let (status, problem) = json(delete("clerk").await).await;
    assert_eq!((status, problem["detail"].as_str()), (409, Some("The bundle desk includes it. Change that first.")));
    for bundles in [json!(["nobody"]), json!(["desk", "Desk"])] {
        let (status, body) = json(mara.post(&app, "/api/v1/keys", json!({ "name": "x", "bundles": bundles })).await).await;
        assert_eq!((status, &body["errors"][0]["pointer"]), (422, &json!("#/bundles")), "{body}");
    }
    let (_, key) = json(mara.post(&app, "/api/v1/keys", json!({ "name": "x", "bundles": ["desk"] })).await).await;
    let (status, problem) = json(delete("desk").await).await;
    assert_eq!(status, 409, "{problem}");
    assert!(problem["detail"].as_str().unwrap().starts_with("1 key holds this bundle."));
    // A revoked key never passes again and holds nothing up.
    assert_eq!(mara.post(&app, &format!("/api/v1/keys/{}/revoke", text(&key, "id")), json!({})).await.status(), 200);
    for _ in 0..2 {
        assert_eq!(delete("desk").await.status(), 204);
    }
    assert_eq!(events(&db, "api.unbundled").await, 1, "the second time it is gone already");
    assert_eq!(delete("clerk").await.status(), 204);
    assert_eq!(json(mara.get(&app, "/api/v1/apis/demo/bundles").await).await.1, json!({ "data": [], "has_more": false, "next_cursor": null }));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r65_nobody_describes_or_gives_a_bundle_beyond_what_they_may(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let olga = describer(&app, &db, "olga@example.com", OPERATOR).await;
    let lesser = describer(&app, &db, "lena@example.com", &["keys:read", "keys:write"]).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    assert_eq!(put(&app, &mara, "demo", "mine", json!({})).await.0, 403, "a developer describes none");
    assert_eq!(mara.call(&app, Method::DELETE, "/api/v1/apis/demo/bundles/mine", None).await.status(), 403);

    // Of Tollgate's own API nobody describes a bundle that gives more than they may, nor changes one that does.
    let manages = json!({ "permissions": ["keys:manage"] });
    let (status, problem) = put(&app, &lesser, "tollgate", "manager", manages.clone()).await;
    assert_eq!((status, problem["permission"].as_str()), (403, Some("keys:manage")), "{problem}");
    assert_eq!(put(&app, &olga, "tollgate", "manager", manages.clone()).await.0, 200);
    assert_eq!(put(&app, &lesser, "tollgate", "over", json!({ "includes": ["manager"] })).await.0, 403, "nor by what it includes");
    assert_eq!(put(&app, &lesser, "tollgate", "manager", json!({})).await.0, 403, "nor to less");
    assert_eq!(lesser.call(&app, Method::DELETE, "/api/v1/apis/tollgate/bundles/manager", None).await.status(), 403);
    assert_eq!(put(&app, &lesser, "tollgate", "reader", json!({ "permissions": ["keys:read"] })).await.0, 200);

    // Nor gives one, to their own key or another's.
    let new = |bundle: &str| json!({ "name": "x", "api": "tollgate", "permissions": [], "bundles": [bundle] });
    let (status, problem) = json(mara.post(&app, "/api/v1/keys", new("manager")).await).await;
    assert_eq!((status, problem["permission"].as_str()), (403, Some("keys:manage")), "{problem}");
    let (status, key) = json(mara.post(&app, "/api/v1/keys", new("reader")).await).await;
    assert_eq!(status, 201, "{key}");
    let path = format!("/api/v1/keys/{}", text(&key, "id"));
    let lift = olga.call(&app, Method::PATCH, &path, Some(json!({ "bundles": ["manager"] }))).await;
    assert_eq!(lift.status(), 403, "an operator can't lift a developer's key above the developer");

    // A bundle that gives more later gives a developer's key no more than the developer may.
    let secret = text(&key, "secret");
    let call = async |path: &str| app.http.get(app.url(path)).bearer_auth(&secret).send().await.unwrap().status().as_u16();
    assert_eq!((call("/api/v1/keys").await, call("/api/v1/me").await), (200, 403));
    let wider = json!({ "permissions": ["keys:read", "account:read", "keys:manage"] });
    assert_eq!(put(&app, &olga, "tollgate", "reader", wider).await.0, 200);
    assert_eq!((call("/api/v1/keys").await, call("/api/v1/me").await), (200, 200), "what she may counts at once");
    let limits = app.http.patch(app.url(&path)).bearer_auth(&secret).json(&json!({ "limits": [] })).send().await.unwrap();
    assert_eq!(limits.status(), 403);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn k30_a_key_from_the_command_line_holds_the_bundles_that_are_named(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let olga = describer(&app, &db, "olga@example.com", OPERATOR).await;
    let mara = app.sign_in_as("developer").await;
    put(&app, &olga, "demo", "clerk", json!({ "permissions": ["orders:write"] })).await;
    put(&app, &olga, "demo", "reader", json!({ "permissions": ["orders:read"] })).await;
    let folder = Folder::new();
    let create = |more: &[&str]| run(&folder, &db, &[&["key", "create", "--account", &mara.email, "--api", "demo", "--name", "till", "--json"], more].concat());

    let dry = create(&["--bundle", "clerk", "--dry-run"]);
    assert!(dry.status.success(), "{dry:?}");
    let unknown = create(&["--bundle", "clerk", "--bundle", "nobody"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("bundles: The API demo has no bundle nobody."), "{unknown:?}");
    assert_eq!(events(&db, "key.created").await, 0, "neither made one");

    // By themselves they say what it may; beside permissions or a preset it has both.
    for (arguments, permissions, effective) in [
        ("--bundle clerk", json!([]), "orders:write"),
        ("--bundle clerk --bundle reader --bundle clerk", json!([]), "orders:read orders:write"),
        ("--bundle clerk --permission orders:read", json!(["orders:read"]), "orders:read orders:write"),
        ("--bundle clerk --preset read-only", json!(["orders:read"]), "orders:read orders:write"),
    ] {
        let made = create(&arguments.split(' ').collect::<Vec<_>>());
        assert!(made.status.success(), "{arguments}: {made:?}");
        let made: Value = serde_json::from_str(&out(&made)).unwrap();
        known(&app, text(&made, "id").parse().unwrap()).await;
        assert_eq!(told(&app, &text(&made, "secret")).await, effective, "{arguments}");
        let (_, key) = json(olga.get(&app, &format!("/api/v1/keys/{}", text(&made, "id"))).await).await;
        assert_eq!(key["permissions"], permissions, "{arguments}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn pages_describe_bundles_and_show_what_comes_from_which(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (olga, vera) = (app.sign_in_as("operator").await, app.sign_in_as("developer").await);
    let path = "/admin/apis/demo";
    assert!(olga.browser.page(path).await.contains("No bundles yet"));
    let form = "/admin/apis/demo?bundle=";
    assert!(olga.browser.page(form).await.contains("Add bundle"));
    let save = async |page: &str, more: &[(&str, &str)]| {
        let fields: Vec<(&str, &str)> = [("_form", "bundle"), ("slug", "demo")].iter().chain(more).copied().collect();
        olga.browser.post::<SaveBundle>(page, &fields).await
    };
    let desk = [("name", "desk"), ("description", "Takes <orders>"), ("permissions[]", "orders:write")];
    assert_eq!(location(&save(form, &desk).await), path);
    assert_eq!(location(&save(form, &desk).await), path, "sent twice it is there once");
    assert_eq!(events(&db, "api.bundled").await, 1);
    let page = olga.browser.page(path).await;
    assert!(page.contains("Takes &lt;orders&gt;") && page.contains("?bundle=desk"));

    let taken = save(form, &[("name", "desk"), ("description", "Something else")]).await;
    assert_eq!(taken.status(), 422);
    let taken = taken.text().await.unwrap();
    assert!(taken.contains("Another bundle of the API has this name.") && taken.contains("value=\"Something else\""), "what was typed stays");
    assert_eq!(save(form, &[("name", "No name")]).await.status(), 422);
    assert!(olga.browser.page("/admin/apis/demo?bundle=desk").await.contains("Change the bundle"));
    assert_eq!(olga.browser.get("/admin/apis/demo?bundle=nobody").await.status(), 404);

    // The form of a key offers it; beside a preset too.
    assert!(vera.browser.page("/keys?dialog=new").await.contains("value=\"demo/desk\""));
    let fields = [("name", "till"), ("chosen", "true"), ("api", "demo"), ("preset", "basic"), ("bundles[]", "demo/desk"), ("bundles[]", "tollgate/desk")];
    let key = location(&vera.browser.post::<CreateKey>("/keys", &fields).await).to_owned();
    let id = key.rsplit('/').next().unwrap();
    let held = async || sqlx::query_scalar::<_, i64>("select count(*) from key_bundles").fetch_one(&db).await.unwrap();
    assert_eq!(held().await, 1);

    // The page says what the key may in effect, and by what; so does the tester.
    let route = NewRoute { method: "POST".into(), pattern: "/orders".into(), permission: Some("orders:write".into()), ..NewRoute::default() };
    replace_routes(&app.ctx, &Caller::cli(), "demo", vec![route]).await.unwrap();
    let page = vera.browser.page(&format!("{key}?method=POST&path=/orders")).await;
    assert!(page.contains("given directly") && page.contains("given by the bundle desk"));
    assert!(page.contains("The key has orders:write by the bundle desk."));

    let same = [("slug", "demo"), ("name", "desk")];
    let refused = olga.browser.post::<DeleteBundle>(path, &same).await;
    assert_eq!(refused.status(), 409);
    assert!(refused.text().await.unwrap().contains("1 key holds this bundle."));
    let save_key = async |more: &[(&str, &str)]| {
        let fields: Vec<_> = [("id", id), ("name", "till"), ("chosen", "true"), ("preset", "chosen")].iter().chain(more).copied().collect();
        vera.browser.post::<SaveKey>(&key, &fields).await.status().as_u16()
    };
    assert_eq!((save_key(&[("bundles[]", "desk")]).await, held().await), (303, 1));
    assert_eq!((save_key(&[]).await, held().await), (303, 0), "none is ticked");
    assert_eq!(save_key(&[("bundles[]", "nobody")]).await, 422);
    assert_eq!(location(&olga.browser.post::<DeleteBundle>(path, &same).await), path);
    assert!(olga.browser.page(path).await.contains("No bundles yet"));
}
