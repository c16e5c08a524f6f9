//! The routes that a key may call (K07): set by REST, page, list and command line, held by the gate below the permissions, told step by step.

use super::{
    lists_cli::{out, run},
    *,
};
use crate::support::{browser::location, folder::Folder};
use serde_json::json;
use tollgate::keys::{
    api::{CreateKey, SaveKey},
    server::gate::Gate,
};

const NONE_OF_THEM: &str = "This key may call certain routes only, and this is none of them.";
const UNTOLD: &str = "This key may call certain routes only, and the question did not say which route was called.";

async fn list(app: &TestApp, person: &Person, id: &str, routes: &[&str]) -> (u16, Value) {
    json(person.call(app, Method::PATCH, &format!("/api/v1/keys/{id}"), Some(json!({ "routes": routes }))).await).await
}

/// What a service is answered that asks for a call of this route: the code, and why.
async fn ask(app: &TestApp, service: &Person, secret: &str, route: Option<&str>) -> (String, String) {
    let question = json!({ "key": secret, "api": "demo", "route": route });
    let (status, body) = json(service.post(app, "/api/v1/keys/verify", question).await).await;
    assert_eq!(status, 200, "{body}");
    (text(&body, "code"), body["detail"].as_str().unwrap_or_default().to_owned())
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn k07_a_key_calls_the_routes_of_its_list_only(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let olga = person(&app, &db, "olga@example.com", "operator").await;
    let (id, secret) = olga.new_key(&app, "k").await;
    assert_eq!(ask(&app, &olga, &secret, None).await.0, "VALID", "without a list, every route");

    let (status, edited) = list(&app, &olga, &id, &["get /orders/{id}/", "/reports/*", "GET /orders/{id}"]).await;
    assert_eq!((status, &edited["routes"]), (200, &json!(["GET /orders/{id}", "* /reports/*"])));
    assert_eq!(edited["spread"]["confirmed"], 1, "{edited}");
    for route in ["GET /orders/17?page=2", "HEAD /orders/17", "DELETE /reports/2026/11", "PUT /reports"] {
        assert_eq!(ask(&app, &olga, &secret, Some(route)).await.0, "VALID", "{route}");
    }
    let refused = |why: &str| ("FORBIDDEN".to_owned(), why.to_owned());
    for route in ["GET /orders", "POST /orders/17", "GET /orders/17/items", "GET /"] {
        assert_eq!(ask(&app, &olga, &secret, Some(route)).await, refused(NONE_OF_THEM), "{route}");
    }
    for untold in [None, Some("orders.list")] {
        assert_eq!(ask(&app, &olga, &secret, untold).await, refused(UNTOLD), "{untold:?}");
    }
    for veiled in ["GET /x/../orders/17", "GET /orders/%2e%2e", "GET //orders/17", "GET /Orders/17"] {
        let (code, why) = ask(&app, &olga, &secret, Some(veiled)).await;
        assert!(code == "FORBIDDEN" && why.starts_with("Its path"), "{veiled}: {why}");
    }
    let history = json(olga.get(&app, &format!("/api/v1/keys/{id}/history")).await).await.1;
    assert_eq!((&history["data"][0]["act"], &history["data"][0]["detail"]), (&json!("routed"), &json!("GET /orders/{id}, * /reports/*")));
    assert_eq!(list(&app, &olga, &id, &["* /reports/*", "GET /orders/{id}"]).await.0, 200);
    assert_eq!(events(&db, "key.routed").await, 1, "the same again is no change");

    // The list is the key's: another secret has it too.
    let (_, rotated) = json(olga.post(&app, &format!("/api/v1/keys/{id}/rotate"), json!({ "grace": 0 })).await).await;
    let secret = text(&rotated, "secret");
    assert_eq!(ask(&app, &olga, &secret, Some("GET /orders")).await, refused(NONE_OF_THEM));
    assert_eq!(list(&app, &olga, &id, &[]).await.0, 200);
    assert_eq!(ask(&app, &olga, &secret, None).await.0, "VALID", "every route again");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn k07_a_wrong_route_is_named_and_changes_nothing(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (id, _) = mara.new_key(&app, "k").await;
    let many: Vec<String> = (0..51).map(|n| format!("GET /r{n}")).collect();
    for (routes, pointer, words) in [
        (json!(["GET /orders", "FETCH /orders"]), "#/routes/1", "“FETCH /orders” does not begin with a method"),
        (json!(["GET orders"]), "#/routes/0", "A path begins with a slash"),
        (json!(["GET /a//b"]), "#/routes/0", "Two slashes"),
        (json!(["GET /orders/{id}", "GET /orders/{order}"]), "#/routes", "matches the same calls"),
        (json!(many), "#/routes", "at most 50 routes"),
    ] {
        let (status, body) = json(mara.call(&app, Method::PATCH, &format!("/api/v1/keys/{id}"), Some(json!({ "routes": routes }))).await).await;
        assert_eq!((status, body["errors"][0]["pointer"].as_str()), (422, Some(pointer)), "{body}");
        assert!(body["errors"][0]["detail"].as_str().is_some_and(|said| said.contains(words)), "{words}: {body}");
        let made = mara.post(&app, "/api/v1/keys", json!({ "name": "new", "routes": routes })).await;
        assert_eq!(made.status(), 422);
    }
    assert_eq!((events(&db, "key.routed").await, events(&db, "key.created").await), (0, 1));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn k07_what_is_not_on_the_list_is_charged_to_nothing_and_kept_as_a_sample(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let olga = person(&app, &db, "olga@example.com", "operator").await;
    let made = json(olga.post(&app, "/api/v1/keys", json!({ "name": "k", "api": "demo", "routes": ["GET /orders"] })).await).await.1;
    let (id, secret) = (text(&made, "id"), text(&made, "secret"));
    assert_eq!(made["routes"], json!(["GET /orders"]));
    for route in ["POST /orders", "GET /reports", "GET /orders", "-"] {
        ask(&app, &olga, &secret, Some(route)).await;
    }
    let lacking = json!({ "key": secret, "api": "demo", "route": "POST /orders", "permission": "orders:write" });
    let (_, lacking) = json(olga.post(&app, "/api/v1/keys/verify", lacking).await).await;
    assert_eq!(lacking["detail"], "This call needs orders:write, which this key was not given.", "the permission is looked at first");

    let gate = app.ctx.part::<Gate>().unwrap();
    assert_eq!(gate.limit_state(id.parse().unwrap(), app.ctx.clock.now_micros())[0].used, 1, "only what passed");
    app.flush().await;
    let grounds: Vec<String> = sqlx::query_scalar("select distinct ground from refusal_samples order by 1").fetch_all(&db).await.unwrap();
    assert_eq!(grounds, ["key_route", "permission"]);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn k07_a_proxy_that_tells_no_path_is_told_so(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (id, secret) = mara.new_key(&app, "k").await;
    // Also a list with the root: a call whose path is not told is counted as one of it.
    assert_eq!(list(&app, &mara, &id, &["GET /orders/{id}", "GET /"]).await.0, 200);
    let proxied = async |path: &str, uri: Option<&str>| {
        let request = app.http.get(app.url(path)).bearer_auth(&secret);
        let request = uri.into_iter().fold(request, |r, uri| r.header("x-forwarded-uri", uri).header("x-original-uri", uri));
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default();
        (status, body["detail"].as_str().unwrap_or_default().to_owned())
    };
    for path in ["/forward-auth/demo", "/forward-auth/demo/nginx"] {
        assert_eq!(proxied(path, Some("/orders/17?x=1")).await.0, 200);
        assert_eq!(proxied(path, Some("/")).await.0, 200);
        assert_eq!(proxied(path, Some("/orders")).await, (403, NONE_OF_THEM.to_owned()));
        assert_eq!(proxied(path, None).await, (403, "The proxy did not tell which path was called.".to_owned()));
        assert_eq!(proxied(path, Some("/x/%2e%2e/orders/17")).await.0, 403);
    }
    assert_eq!(proxied("/forward-auth/demo/envoy/orders/17", None).await.0, 200);
    assert_eq!(proxied("/forward-auth/demo/envoy/orders", None).await.0, 403);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn k07_the_tester_says_what_the_list_does(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (id, _) = mara.new_key(&app, "k").await;
    let step = async |path: &str| {
        let (_, body) = json(mara.post(&app, &format!("/api/v1/keys/{id}/test"), json!({ "method": "GET", "path": path })).await).await;
        let step = body["steps"].as_array().unwrap().iter().find(|step| step["check"] == "key_route").unwrap();
        (text(&body, "code"), step["passes"].as_bool().unwrap(), text(step, "detail"))
    };
    let said = |code: &str, passes: bool, detail: &str| (code.to_owned(), passes, detail.to_owned());
    assert_eq!(step("/orders").await, said("VALID", true, "It may call every route that its permissions allow."));
    assert_eq!(list(&app, &mara, &id, &["GET /orders"]).await.0, 200);
    assert_eq!(step("/orders").await, said("VALID", true, "It is among the routes that the key may call."));
    assert_eq!(step("/reports").await, said("FORBIDDEN", false, NONE_OF_THEM));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn k07_a_key_for_tollgate_itself_is_held_by_the_path_that_was_called(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (other, _) = mara.new_key(&app, "other").await;
    let own = format!("/api/v1/keys/{}", mara.rest_key);
    let (status, listed) = list(&app, &mara, &mara.rest_key.to_string(), &[&format!("* {own}"), &format!("* {own}/*"), "POST /api/v1/keys"]).await;
    assert_eq!(status, 200, "{listed}");
    assert_eq!(mara.get(&app, &own).await.status(), 200);
    for path in [format!("/api/v1/keys/{other}"), "/api/v1/keys".to_owned(), "/api/v1/me".to_owned()] {
        let (status, refused) = json(mara.get(&app, &path).await).await;
        assert_eq!((status, refused["detail"].as_str()), (403, Some(NONE_OF_THEM)), "{path}");
    }

    // No way around the list: it makes no key for Tollgate itself, and takes no route off.
    assert_eq!(mara.post(&app, "/api/v1/keys", json!({ "name": "shop", "api": "demo" })).await.status(), 201);
    for (method, path, body) in [
        (Method::POST, "/api/v1/keys".to_owned(), json!({ "name": "wide", "api": "tollgate", "permissions": ["keys:read"] })),
        (Method::PATCH, own.clone(), json!({ "routes": [] })),
        (Method::PATCH, own.clone(), json!({ "routes": ["* /*"] })),
    ] {
        let (status, refused) = json(mara.call(&app, method, &path, Some(body.clone())).await).await;
        assert!(status == 403 && text(&refused, "detail").starts_with("A key that may call certain routes only"), "{body}: {refused}");
    }
    let (_, rotated) = json(mara.post(&app, &format!("{own}/rotate"), json!({ "grace": 0 })).await).await;
    let again = Person { owner: Owner { ..mara.owner }, rest_key: mara.rest_key, secret: text(&rotated, "secret") };
    assert_eq!((again.get(&app, &own).await.status().as_u16(), again.get(&app, "/api/v1/me").await.status().as_u16()), (200, 403), "rotated by itself");
    assert_eq!(list(&app, &again, &mara.rest_key.to_string(), &[&format!("GET {own}")]).await.0, 200, "less is always possible");
    assert_eq!(again.post(&app, &format!("{own}/rotate"), json!({})).await.status(), 403);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn k07_a_service_asks_by_the_routes_of_its_own_key(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let olga = person(&app, &db, "olga@example.com", "operator").await;
    let (_, secret) = olga.new_key(&app, "k").await;
    assert_eq!(list(&app, &olga, &olga.rest_key.to_string(), &["POST /api/v1/keys/verify"]).await.0, 200);
    assert_eq!(ask(&app, &olga, &secret, None).await.0, "VALID");
    let (status, refused) = json(olga.post(&app, "/api/v1/keys/release", json!({ "hold": "hold_x" })).await).await;
    assert_eq!((status, refused["detail"].as_str()), (403, Some(NONE_OF_THEM)));
    assert_eq!(olga.get(&app, "/api/v1/keys").await.status(), 403);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn k07_pages_take_routes_line_by_line_and_keep_what_was_typed(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let vera = app.sign_in_as("developer").await;
    let dialog = "/keys?dialog=new";
    assert!(vera.browser.page(dialog).await.contains("Routes it may call"));
    let create = async |routes: &str| {
        let fields = [("name", "till 7"), ("chosen", "true"), ("api", "demo"), ("preset", "basic"), ("routes", routes)];
        vera.browser.post::<CreateKey>(dialog, &fields).await
    };
    let wrong = create("GET /orders\r\nFETCH /orders").await;
    assert_eq!(wrong.status(), 422);
    let wrong = wrong.text().await.unwrap();
    assert!(wrong.contains("does not begin with a method") && wrong.contains("value=\"till 7\""), "the name stays");
    assert!(wrong.contains("GET /orders\r\nFETCH /orders</textarea>") || wrong.contains("GET /orders\nFETCH /orders</textarea>"), "and so do the routes");
    let path = location(&create("GET /orders/{id}\r\n/reports/*\r\n").await).to_owned();
    let id = path.rsplit('/').next().unwrap();
    let stored = async || sqlx::query_scalar::<_, Vec<String>>("select routes from keys").fetch_one(&db).await.unwrap();
    assert_eq!(stored().await, ["GET /orders/{id}", "* /reports/*"]);

    assert!(vera.browser.page(&path).await.contains("GET /orders/{id}\n* /reports/*</textarea>"));
    let save = async |more: &[(&str, &str)]| {
        let fields: Vec<_> = [("id", id), ("name", "till 7")].iter().chain(more).copied().collect();
        vera.browser.post::<SaveKey>(&path, &fields).await
    };
    let wrong = save(&[("routes", "GET orders")]).await;
    assert_eq!(wrong.status(), 422);
    assert!(wrong.text().await.unwrap().contains("GET orders</textarea>"), "what was typed stays");
    assert_eq!((save(&[]).await.status().as_u16(), stored().await.len()), (303, 2), "a form without the field leaves them");
    assert!(vera.browser.page(&format!("{path}?method=GET&path=/orders")).await.contains(NONE_OF_THEM));
    assert_eq!((save(&[("routes", "")]).await.status().as_u16(), stored().await.len()), (303, 0));
    assert!(vera.browser.page(&path).await.contains("let it call every route"), "in its history");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn k07_files_and_the_command_line_know_routes(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let routes = json!(["GET /orders/{id}", "* /reports/*"]);
    let batch = json!({ "api": "demo", "keys": [{ "name": "of a batch", "routes": routes }] });
    assert_eq!(mara.post(&app, "/api/v1/keys/batch", batch).await.status(), 201);
    let import = json!({ "api": "demo", "keys": [{ "name": "of an import", "hash": "ab".repeat(32), "routes": "GET /orders/{id}; /reports/*" }] });
    let (_, imported) = json(mara.post(&app, "/api/v1/keys/import", import).await).await;
    assert_eq!(imported["created"], 1, "{imported}");
    let wrong = json!({ "api": "demo", "keys": [{ "name": "wrong", "hash": "cd".repeat(32), "routes": ["FETCH /orders"] }] });
    assert_eq!(json(mara.post(&app, "/api/v1/keys/import", wrong).await).await.1["data"][0]["outcome"], "wrong");

    let vera = app.sign_in_as("developer").await;
    let folder = Folder::new();
    let create = |route: &str| {
        run(
            &folder,
            &db,
            &["key", "create", "--account", &vera.email, "--api", "demo", "--name", "of a line", "--route", route, "--route", "/reports/*", "--json"],
        )
    };
    let wrong = create("FETCH /orders");
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("routes: “FETCH /orders” does not begin with a method"), "{wrong:?}");
    assert!(out(&create("GET /orders/{id}")).contains("secret"));
    std::fs::write(folder.path().join("keys.csv"), "name,routes\r\nof a list,GET /orders/{id}; * /reports/*\r\n").unwrap();
    let listed = run(&folder, &db, &["key", "create-many", "keys.csv", "--account", &vera.email, "--api", "demo"]);
    assert!(listed.status.success(), "{listed:?}");
    let stored: Vec<(String, Vec<String>)> =
        sqlx::query_as("select name, routes from keys where name like 'of a%' order by name").fetch_all(&db).await.unwrap();
    let both = || vec!["GET /orders/{id}".to_owned(), "* /reports/*".to_owned()];
    assert_eq!(stored, ["of a batch", "of a line", "of a list", "of an import"].map(|name| (name.to_owned(), both())));

    let file = mara.get(&app, "/api/v1/keys/export").await.text().await.unwrap();
    assert!(file.lines().next().unwrap().ends_with(",routes,workspace_id") && file.contains("GET /orders/{id}; * /reports/*"), "{file}");
}
