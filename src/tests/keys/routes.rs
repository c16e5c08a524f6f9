//! Routes of APIs over REST and the pages of operators: who may, what is refused, and how it is said.

use super::*;
use crate::support::browser::location;
use serde_json::json;
use tollgate::admin::api::{RemoveRoute, SaveApi, SaveRoute};

/// An operator whose key may describe APIs.
async fn operator(app: &TestApp, db: &PgPool) -> Person {
    let permissions: Vec<&str> = OPERATOR.iter().copied().chain(["apis:manage"]).collect();
    person_with(app, db, "olga@example.com", "operator", &permissions).await
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_operator_describes_an_api_over_rest(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let olga = operator(&app, &db).await;
    let new = json!({ "slug": "prices", "name": "Prices", "permissions": [{ "name": "prices:read", "description": "Read prices" }, { "name": "prices:set", "basic": true }] });
    let answer = olga.post(&app, "/api/v1/apis", new).await;
    assert_eq!((answer.status().as_u16(), answer.headers()["location"].to_str().unwrap()), (201, "/api/v1/apis/prices"));
    let (_, api) = json(olga.get(&app, "/api/v1/apis/prices").await).await;
    assert_eq!((&api["key_prefix"], &api["unmatched"]), (&json!("prices"), &json!("allow")));
    assert_eq!(api["permissions"][1], json!({ "name": "prices:set", "description": "", "basic": true, "needs_grant": false }));

    let routes = json!({ "routes": [{ "method": "get", "path": "/prices/", "permission": "prices:read" }, { "path": "/health", "quota": "none" }] });
    let (status, mut body) = json(olga.call(&app, Method::PUT, "/api/v1/apis/prices/routes", Some(routes.clone())).await).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(body.as_object_mut().unwrap().remove("spread").unwrap()["confirmed"], 1);
    let stored = json!({ "routes": [
        { "method": "*", "path": "/health", "permission": null, "cost": 1, "quota": "none", "description": "" },
        { "method": "GET", "path": "/prices", "permission": "prices:read", "cost": 1, "quota": "counted", "description": "" },
    ] });
    assert_eq!(body, stored, "in order, and spelled one way");
    olga.call(&app, Method::PUT, "/api/v1/apis/prices/routes", Some(routes)).await;
    assert_eq!(events(&db, "api.routed").await, 1, "the same again changes nothing");

    let (status, body) = json(olga.call(&app, Method::PATCH, "/api/v1/apis/prices", Some(json!({ "permissions": [{ "name": "prices:set" }] }))).await).await;
    assert_eq!((status, body["errors"][0]["detail"].as_str()), (422, Some("The route GET /prices needs prices:read. Change the route first.")));
    let (status, body) = json(olga.call(&app, Method::PATCH, "/api/v1/apis/prices", Some(json!({ "unmatched": "refuse", "name": "Price list" }))).await).await;
    assert_eq!((status, &body["unmatched"], &body["name"]), (200, &json!("refuse"), &json!("Price list")));
    assert_eq!(body["permissions"].as_array().unwrap().len(), 2, "what is left out stays");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn wrong_routes_are_refused_whole_and_named(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let olga = operator(&app, &db).await;
    let fine = json!({ "method": "GET", "path": "/orders" });
    for (wrong, pointer) in [
        (json!({ "method": "FETCH", "path": "/x" }), "#/routes/1/method"),
        (json!({ "method": "GET", "path": "x" }), "#/routes/1/path"),
        (json!({ "method": "GET", "path": "/x/../y" }), "#/routes/1/path"),
        (json!({ "method": "GET", "path": "/orders/" }), "#/routes/1/path"),
        (json!({ "method": "GET", "path": "/x", "permission": "orders:burn" }), "#/routes/1/permission"),
        (json!({ "method": "GET", "path": "/x", "cost": 0 }), "#/routes/1/cost"),
        (json!({ "method": "GET", "path": "/x", "description": "a\nb" }), "#/routes/1/description"),
        (json!({ "method": "GET", "path": "/x", "quota": "some" }), "#/routes/1/quota"),
        (json!({ "method": "GET", "path": "/x", "price": 1 }), "#/routes/1/price"),
    ] {
        let (status, body) = json(olga.call(&app, Method::PUT, "/api/v1/apis/demo/routes", Some(json!({ "routes": [fine, wrong] }))).await).await;
        assert_eq!((status, body["errors"][0]["pointer"].as_str()), (422, Some(pointer)), "{wrong} → {body}");
    }
    assert_eq!(json(olga.get(&app, "/api/v1/apis/demo/routes").await).await.1, json!({ "routes": [] }));
    let own = olga.call(&app, Method::PUT, "/api/v1/apis/tollgate/routes", Some(json!({ "routes": [] }))).await;
    assert_eq!(own.status(), 409);
    assert_eq!(olga.get(&app, "/api/v1/apis/nothing/routes").await.status(), 404);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn only_operators_change_apis(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    assert_eq!(mara.get(&app, "/api/v1/apis").await.status(), 200, "whoever makes keys may read them");
    assert_eq!(mara.get(&app, "/api/v1/apis/demo/routes").await.status(), 200);
    assert_eq!(mara.post(&app, "/api/v1/apis", json!({ "slug": "mine", "name": "Mine" })).await.status(), 403);
    assert_eq!(mara.call(&app, Method::PATCH, "/api/v1/apis/demo", Some(json!({ "name": "Mine" }))).await.status(), 403);
    assert_eq!(mara.call(&app, Method::PUT, "/api/v1/apis/demo/routes", Some(json!({ "routes": [] }))).await.status(), 403);
    // A key that its operator did not give the permission to.
    let olga = person(&app, &db, "olga@example.com", "operator").await;
    assert_eq!(olga.call(&app, Method::PUT, "/api/v1/apis/demo/routes", Some(json!({ "routes": [] }))).await.status(), 403);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_page_of_an_api_edits_its_routes(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (olga, mara) = (app.sign_in_as("operator").await, app.sign_in_as("developer").await);
    let path = "/admin/apis/demo";
    assert!(olga.browser.page(path).await.contains("No routes yet"));
    let fields = [
        ("_form", "route"),
        ("slug", "demo"),
        ("method", "POST"),
        ("path", "/orders"),
        ("permission", "orders:write"),
        ("cost", "5"),
        ("description", "A <new> order"),
    ];
    assert_eq!(location(&olga.browser.post::<SaveRoute>(path, &fields).await), path);
    assert_eq!(location(&olga.browser.post::<SaveRoute>(path, &fields).await), path, "sent twice it is there once");
    let page = olga.browser.page(path).await;
    assert!(page.contains("/orders") && page.contains("A &lt;new&gt; order") && page.contains("orders:write"));

    let wrong = olga.browser.post::<SaveRoute>(path, &[("_form", "route"), ("slug", "demo"), ("method", "GET"), ("path", "orders"), ("cost", "many")]).await;
    assert_eq!(wrong.status(), 422);
    assert!(wrong.text().await.unwrap().contains("value=\"many\""), "what was typed stays");

    let form = olga.browser.page(&format!("{path}?route=POST%20/orders")).await;
    assert!(form.contains("Change the route") && form.contains("value=\"5\""));
    let changed =
        [("_form", "route"), ("slug", "demo"), ("replaces", "POST /orders"), ("method", "PUT"), ("path", "/orders/{id}"), ("cost", ""), ("is_free", "true")];
    assert_eq!(location(&olga.browser.post::<SaveRoute>(&format!("{path}?route=POST%20/orders"), &changed).await), path);
    let stored: Vec<(String, String, bool)> = sqlx::query_as("select method, pattern, is_counted from api_routes").fetch_all(&db).await.unwrap();
    assert_eq!(stored, [("PUT".to_owned(), "/orders/{id}".to_owned(), false)]);
    assert_eq!(olga.browser.get(&format!("{path}?route=POST%20/orders")).await.status(), 404);

    // One that is to become what another is stays, as does the other, and that is said.
    let other = [("_form", "route"), ("slug", "demo"), ("method", "GET"), ("path", "/orders")];
    assert_eq!(location(&olga.browser.post::<SaveRoute>(path, &other).await), path);
    let same = [&other[..], &[("replaces", "PUT /orders/{id}")]].concat();
    let taken = olga.browser.post::<SaveRoute>(&format!("{path}?route=PUT%20/orders/%7Bid%7D"), &same).await;
    assert_eq!(taken.status(), 422);
    assert!(taken.text().await.unwrap().contains("Another route matches the same calls as GET /orders."));
    let stored: i64 = sqlx::query_scalar("select count(*) from api_routes").fetch_one(&db).await.unwrap();
    assert_eq!(stored, 2);
    let other = [("slug", "demo"), ("method", "GET"), ("path", "/orders")];
    assert_eq!(location(&olga.browser.post::<RemoveRoute>(path, &other).await), path);

    let this = [("slug", "demo"), ("method", "PUT"), ("path", "/orders/{id}")];
    assert_eq!(location(&olga.browser.post::<RemoveRoute>(path, &this).await), path);
    assert!(olga.browser.page(path).await.contains("No routes yet"));
    for answer in [mara.browser.post::<RemoveRoute>("/keys", &this).await, mara.browser.post::<SaveRoute>("/keys", &fields).await] {
        assert_eq!(answer.status(), 403);
    }
    let settings = [("slug", "demo"), ("name", "Demo"), ("permissions", "orders:read\r\norders:write"), ("basic[]", "orders:write"), ("unmatched", "refuse")];
    assert_eq!(location(&olga.browser.post::<SaveApi>(path, &settings).await), path);
    let basic: Vec<String> = sqlx::query_scalar("select permission from api_permissions where is_basic").fetch_all(&db).await.unwrap();
    assert_eq!(basic, ["orders:write"]);
    assert_eq!(mara.browser.get(path).await.status(), 403);
}
