//! Routes of APIs over REST and the pages of operators: who may, what is refused, and how it is said.

use super::*;
use crate::support::browser::location;
use leptos::server_fn::ServerFn;
use serde_json::json;
use tollgate::{
    accounts::Caller,
    admin::api::{RemoveRoute, SaveApi, SaveRoute},
    error::AppError,
    keys::{
        model::{ApiEdit, NewRoute, Unmatched},
        server::{ChangedRoutes, Replaced, edit_api, put_route, remove_route, replace_routes},
    },
};

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
    let taken = taken.text().await.unwrap();
    assert!(taken.contains("Another route matches the same calls as GET /orders."));
    assert!(taken.contains("Change the route") && taken.contains("name=\"path\" value=\"/orders\""), "what was typed stays: {taken}");
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

fn route(method: &str, pattern: &str, permission: &str, cost: u32) -> NewRoute {
    NewRoute { method: method.into(), pattern: pattern.into(), permission: Some(permission.into()), cost: Some(cost), ..NewRoute::default() }
}

/// As an event keeps it.
fn kept(method: &str, pattern: &str, permission: Option<&str>, cost: u32, description: &str) -> Value {
    json!({ "method": method, "pattern": pattern, "permission": permission, "cost": cost, "is_counted": true, "description": description })
}

async fn put(app: &TestApp, new: NewRoute, replaced: Option<Replaced<'_>>) -> Result<ChangedRoutes, AppError> {
    put_route(&app.ctx, &Caller::cli(), "demo", new, replaced).await
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_route_is_changed_in_place_with_one_event_that_keeps_both(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let orders = Replaced { method: "POST", pattern: "/orders", seen: None };
    let first = put(&app, route("POST", "/orders", "orders:write", 5), None).await.unwrap();
    put(&app, route("GET", "/orders", "orders:read", 1), None).await.unwrap();
    let seen = first.routes[0].version().to_string();

    let opened = NewRoute { description: "New orders".into(), ..route("post", "/orders/", "", 1) };
    for _ in 0..2 {
        // Sent twice it is no conflict, although the state that was seen is over by then.
        let changed = put(&app, opened.clone(), Some(Replaced { seen: Some(&seen), ..orders })).await.unwrap();
        assert_eq!((changed.routes.len(), changed.spread.confirmed, changed.spread.missing.len()), (2, 1, 0));
    }
    let late = put(&app, route("POST", "/orders", "orders:read", 1), Some(Replaced { seen: Some(&seen), ..orders })).await.unwrap_err();
    assert_eq!(late.status(), 409);
    let taken = put(&app, route("GET", "/orders", "", 1), Some(orders)).await.unwrap_err();
    assert_eq!(taken.field("path"), Some("Another route matches the same calls as GET /orders."));

    let renamed = route("PUT", "/orders/{id}", "orders:write", 2);
    for _ in 0..2 {
        put(&app, renamed.clone(), Some(orders)).await.unwrap();
    }
    let by_change = "select data from events where kind = 'api.routed' order by jsonb_array_length(data->'changed'), data->'changed'->0->'from'->>'permission'";
    let told: Vec<Value> = sqlx::query_scalar(by_change).fetch_all(&db).await.unwrap();
    assert_eq!(told.len(), 4, "two were added and one changed twice: {told:?}");
    let (was, open) = (kept("POST", "/orders", Some("orders:write"), 5, ""), kept("POST", "/orders", None, 1, "New orders"));
    let now = kept("PUT", "/orders/{id}", Some("orders:write"), 2, "");
    for (event, from, to) in [(&told[2], &was, &open), (&told[3], &open, &now)] {
        let expected = json!({ "slug": "demo", "added": [], "removed": [], "changed": [{ "from": from, "to": to }], "routes": 2 });
        assert_eq!(*event, expected);
    }

    // The whole list names what it adds, removes and changes, too.
    replace_routes(&app.ctx, &Caller::cli(), "demo", vec![route("PUT", "/orders/{id}", "orders:write", 3), route("GET", "/prices", "", 1)]).await.unwrap();
    let removing = "select data from events where kind = 'api.routed' and jsonb_array_length(data->'removed') = 1";
    let told: Value = sqlx::query_scalar(removing).fetch_one(&db).await.unwrap();
    assert_eq!((&told["added"], &told["removed"]), (&json!(["GET /prices"]), &json!(["GET /orders"])));
    assert_eq!((&told["changed"][0]["from"]["cost"], &told["changed"][0]["to"]["cost"]), (&json!(2), &json!(3)));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_route_is_removed_after_its_page_said_what_opens(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (ctx, caller) = (&app.ctx, Caller::cli());
    let olga = app.sign_in_as("operator").await.browser;
    let routes = vec![route("GET", "/orders/{id}", "orders:read", 3), route("*", "/orders/*", "orders:write", 7), route("POST", "/prices", "orders:write", 1)];
    replace_routes(ctx, &caller, "demo", routes).await.unwrap();
    let path = "/admin/apis/demo";
    let asked = |route: &str| format!("{path}?dialog=remove&route={}", route.replace(' ', "%20").replace('{', "%7B").replace('}', "%7D"));
    let list = olga.page(path).await;
    for name in ["Edit GET /orders/{id}", "Remove GET /orders/{id}", "Remove POST /prices"] {
        assert!(list.contains(&format!("aria-label=\"{name}\"")), "{name}: {list}");
    }
    assert!(!list.contains(RemoveRoute::PATH), "nothing is removed by the list itself");
    for (label, words) in [
        ("GET /orders/{id}", "Calls to GET /orders/{id} then match * /orders/*: they need orders:write and cost 7 units."),
        ("* /orders/*", "Calls to * /orders/* then need no permission and cost 1 unit."),
        ("POST /prices", "Calls to POST /prices then need no permission and cost 1 unit."),
    ] {
        let page = olga.page(&asked(label)).await;
        assert!(page.contains(&format!("Remove {label}")) && page.contains(words), "{label}: {page}");
        assert!(!page.contains("Change the route"), "{label}");
    }
    assert_eq!(olga.get(&asked("GET /nothing")).await.status(), 404);

    // It was changed since its page was read.
    let version = |page: &str| {
        let (_, form) = page.split_once(RemoveRoute::PATH).unwrap();
        let (_, rest) = form.split_once("name=\"version\" value=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    let dialog = asked("POST /prices");
    let old = version(&olga.page(&dialog).await);
    let prices = Replaced { method: "POST", pattern: "/prices", seen: None };
    put_route(ctx, &caller, "demo", route("POST", "/prices", "orders:write", 9), Some(prices)).await.unwrap();
    let this = |version| [("slug", "demo"), ("method", "POST"), ("path", "/prices"), ("version", version)];
    let late = olga.post::<RemoveRoute>(&dialog, &this(&old)).await;
    assert_eq!(late.status(), 409);
    let late = late.text().await.unwrap();
    assert!(late.contains("Remove POST /prices") && late.contains("changed after you opened this page"), "it asks again: {late}");
    let now = version(&late);
    for _ in 0..2 {
        assert_eq!(location(&olga.post::<RemoveRoute>(&dialog, &this(&now)).await), path, "sent twice it is gone all the same");
    }
    assert_eq!(olga.get(&dialog).await.status(), 404);
    assert_eq!(events(&db, "api.routed").await, 3);

    let edit = ApiEdit { unmatched: Some(Unmatched::Refuse), ..ApiEdit::default() };
    let orders = asked("* /orders/*");
    let open = version(&olga.page(&orders).await);
    edit_api(ctx, &caller, "demo", edit).await.unwrap();
    let late = olga.post::<RemoveRoute>(&orders, &[("slug", "demo"), ("method", "*"), ("path", "/orders/*"), ("version", open.as_str())]).await;
    assert_eq!(late.status(), 409, "the route is as it was, what becomes of its calls is not");
    let page = olga.page(&orders).await;
    assert!(page.contains("Calls to * /orders/* are then answered FORBIDDEN, because no route matches them."), "{page}");

    let mara = app.sign_in_as("developer").await;
    assert_eq!(mara.browser.get(&dialog).await.status(), 403);
    assert_eq!(remove_route(ctx, &caller, "tollgate", "GET", "/x", None).await.unwrap_err().status(), 409, "Tollgate's own API has none");
}
