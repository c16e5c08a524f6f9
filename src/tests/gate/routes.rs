//! Routes of an API: what a call needs is known from its method and path.

use super::{Given, Scene};
use crate::support::until;
use serde_json::{Value, json};
use sqlx::PgPool;
use tollgate::{
    accounts::Caller,
    keys::{
        model::{ApiEdit, NewRoute, Unmatched},
        server::{Replaced, edit_api, gate::Gate, put_route, replace_routes},
    },
};

fn route(method: &str, pattern: &str, permission: &str, cost: u32) -> NewRoute {
    NewRoute {
        method: method.into(),
        pattern: pattern.into(),
        permission: Some(permission.into()),
        cost: (cost > 0).then_some(cost),
        is_free: cost == 0,
        ..NewRoute::default()
    }
}

/// A key that may read, and an API with routes.
async fn scene(db: PgPool, limit: i64) -> Scene {
    let scene = Scene::with(db, Given { limit: Some((limit, 3600)), ..Given::default() }).await;
    let routes = vec![
        route("GET", "/orders/{id}", "orders:read", 1),
        route("POST", "/orders", "orders:write", 5),
        route("*", "/reports/*", "orders:read", 7),
        route("GET", "/health", "", 0),
    ];
    replace_routes(&scene.app.ctx, &Caller::cli(), "demo", routes).await.unwrap();
    scene
}

async fn code(scene: &Scene, route: &str) -> (String, i64, String) {
    let (status, body) = scene.ask(json!({ "key": scene.secret, "route": route })).await;
    assert_eq!(status, 200, "{body}");
    let remaining = body["limits"][0]["remaining"].as_i64().unwrap_or(-1);
    (body["code"].as_str().unwrap().to_owned(), remaining, body["detail"].as_str().unwrap_or_default().to_owned())
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_route_says_what_a_call_needs_and_costs(db: PgPool) {
    let scene = scene(db, 20).await;
    let valid = |left| ("VALID".to_owned(), left, String::new());
    assert_eq!(code(&scene, "GET /orders/17").await, valid(19));
    assert_eq!(code(&scene, "DELETE /reports/2026/11").await, valid(12), "seven units");
    assert_eq!(code(&scene, "GET /anything").await, valid(11), "no route matches: one unit, no permission");
    let (refused, _, why) = code(&scene, "POST /orders").await;
    assert_eq!((refused.as_str(), why.as_str()), ("FORBIDDEN", "This call needs orders:write, which this key was not given."));
    assert_eq!(code(&scene, "HEAD /orders/17").await, valid(10), "as GET");

    // The question may ask for more, never for less; its cost wins.
    let (_, body) = scene.ask(json!({ "key": scene.secret, "route": "GET /orders/17", "permission": "orders:write" })).await;
    assert_eq!(body["code"], "FORBIDDEN");
    let (_, body) = scene.ask(json!({ "key": scene.secret, "route": "POST /orders", "permission": "orders:read" })).await;
    assert_eq!(body["code"], "FORBIDDEN");
    let (_, body) = scene.ask(json!({ "key": scene.secret, "route": "DELETE /reports", "cost": 2 })).await;
    assert_eq!((&body["code"], &body["limits"][0]["remaining"]), (&json!("VALID"), &json!(8)));
    let (_, body) = scene.ask(json!({ "key": scene.secret, "route": "GET /health", "cost": 3 })).await;
    assert_eq!(body["limits"][0]["remaining"], 5);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_call_that_is_not_written_as_one_passes_over_no_route(db: PgPool) {
    let scene = scene(db, 20).await;
    let ask = async |api: Option<&str>, route: &str| scene.ask(json!({ "key": scene.secret, "api": api, "route": route })).await;
    assert_eq!(ask(None, "post /orders").await.1["code"], "FORBIDDEN", "servers differ in the case of methods");
    // No method, no path, more than a call: what else is malformed stands beside `gate::path`.
    for wrong in ["/orders", "POST orders", "POST /orders HTTP/1.1"] {
        for api in [Some("demo"), None] {
            let (status, body) = ask(api, wrong).await;
            assert_eq!((status, &body["errors"][0]["pointer"]), (422, &json!("#/route")), "{wrong:?}: {body}");
            assert!(body["detail"].as_str().unwrap().contains("\"METHOD /path\""), "{body}");
        }
    }
    let (status, body) = scene.ask(json!({ "key": "tg_live_nobody", "route": "/orders" })).await;
    assert_eq!((status, &body["code"]), (200, &json!("MALFORMED")), "of a key that nobody has no API is known");
    assert_eq!(code(&scene, "export-job").await, ("VALID".to_owned(), 19, String::new()), "a name of the service's own; nothing was charged before");
    replace_routes(&scene.app.ctx, &Caller::cli(), "demo", Vec::new()).await.unwrap();
    assert_eq!(code(&scene, "/orders").await.0, "VALID", "without routes it is how usage is counted");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn t20_a_route_without_quota_passes_when_all_is_used_up(db: PgPool) {
    let scene = scene(db, 1).await;
    assert_eq!(code(&scene, "GET /orders/1").await.0, "VALID");
    assert_eq!(code(&scene, "GET /orders/1").await.0, "RATE_LIMITED");
    for _ in 0..3 {
        assert_eq!(code(&scene, "GET /health").await, ("VALID".to_owned(), 0, String::new()));
    }
    scene.execute("update keys set state = 'disabled' where id = $1").await;
    until("it is verified all the same", || async { code(&scene, "GET /health").await.0 == "DISABLED" }).await;
    scene.app.flush().await;
    let of = async |label: &str, outcome: &str| {
        let counted = sqlx::query_scalar::<_, i64>("select coalesce(sum(count), 0)::bigint from usage_minutes where route = $1 and outcome = $2");
        counted.bind(label).bind(outcome).fetch_one(&scene.app.ctx.db).await.unwrap()
    };
    assert!(of("GET /health", "VALID").await >= 3, "metered all the same");
    assert_eq!((of("GET /orders/{id}", "VALID").await, of("GET /orders/{id}", "RATE_LIMITED").await), (1, 1));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_proxy_is_told_the_missing_permission(db: PgPool) {
    let scene = scene(db, 100).await;
    let ask = async |path: &str, method: &str, uri: Option<&str>| {
        let request =
            scene.app.http.get(scene.app.url(path)).bearer_auth(&scene.secret).header("x-forwarded-method", method).header("x-original-method", method);
        let request = uri.into_iter().fold(request, |r, uri| r.header("x-forwarded-uri", uri).header("x-original-uri", uri));
        let answer = request.send().await.unwrap();
        let challenge = answer.headers().get("www-authenticate").map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        let detail = serde_json::from_str::<Value>(&text).map(|b| b["detail"].as_str().unwrap_or_default().to_owned()).unwrap_or_default();
        (status, challenge, detail)
    };
    for path in ["/forward-auth/demo", "/forward-auth/demo/nginx"] {
        assert_eq!(ask(path, "GET", Some("/orders/1?x=1")).await.0, 200);
        let (status, challenge, detail) = ask(path, "POST", Some("/orders")).await;
        assert_eq!(detail, "This call needs orders:write, which this key was not given.");
        let told = format!("Bearer realm=\"demo\", error=\"insufficient_scope\", error_description=\"{detail}\", scope=\"orders:write\"");
        assert_eq!((status, challenge), (403, told));
        assert_eq!(ask(path, "GET", Some("/nothing/here")).await.0, 200);
        for dodge in ["/x/../orders", "/%2e%2e/orders", "//orders", "/orders%2f", "/Orders", "/orders;a", "/%6frders"] {
            let (status, _, detail) = ask(path, "POST", Some(dodge)).await;
            assert_eq!(status, 403, "{dodge}: {detail}");
        }
        assert_eq!(ask(path, "GET", None).await.2, "The proxy did not tell which path was called.");
    }
    let envoy = scene.app.http.post(scene.app.url("/forward-auth/demo/envoy/orders?x=1")).bearer_auth(&scene.secret).send().await.unwrap();
    assert_eq!(envoy.status(), 403);
    let envoy = scene.app.http.get(scene.app.url("/forward-auth/demo/envoy/orders/1")).bearer_auth(&scene.secret).send().await.unwrap();
    assert_eq!(envoy.status(), 200);
    let wrong = ask("/forward-auth/demo?permission=orders:write", "GET", Some("/health")).await;
    assert_eq!(wrong.0, 403, "what the proxy asks for is needed too");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_no_route_matches_may_be_refused(db: PgPool) {
    let scene = scene(db, 100).await;
    let edit = ApiEdit { unmatched: Some(Unmatched::Refuse), ..ApiEdit::default() };
    edit_api(&scene.app.ctx, &Caller::cli(), "demo", edit).await.unwrap();
    let (refused, _, why) = code(&scene, "GET /anything").await;
    assert_eq!((refused.as_str(), why.as_str()), ("FORBIDDEN", "No route of the API matches this call, and the API refuses such calls."));
    assert_eq!(code(&scene, "orders.list").await.0, "FORBIDDEN");
    assert_eq!(code(&scene, "GET /orders/1").await.0, "VALID");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn while_a_route_is_changed_in_place_no_call_passes_without_its_permission(db: PgPool) {
    let scene = scene(db, 1_000).await;
    let put = async |method: &str, permission: &str, cost: u32, replaced: &str| {
        let replaced = Replaced { method: replaced, pattern: "/orders", seen: None };
        put_route(&scene.app.ctx, &Caller::cli(), "demo", route(method, "/orders", permission, cost), Some(replaced)).await.unwrap();
    };
    let changes = async {
        for cost in 6..9 {
            put("*", "orders:write", cost, "POST").await;
            put("POST", "orders:write", cost, "*").await;
        }
    };
    let mut changes = std::pin::pin!(changes);
    loop {
        tokio::select! {
            () = &mut changes => break,
            (answer, ..) = code(&scene, "POST /orders") => assert_eq!(answer, "FORBIDDEN"),
        }
    }
    put("POST", "orders:read", 2, "POST").await;
    assert_eq!(code(&scene, "POST /orders").await, ("VALID".to_owned(), 998, String::new()), "in force when it is answered");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn another_node_hears_of_routes_even_if_the_notification_is_lost(db: PgPool) {
    let scene = scene(db.clone(), 100).await;
    let other = crate::support::TestApp::start(db.clone()).await;
    put_route(&other.ctx, &Caller::cli(), "demo", route("PUT", "/orders/{id}", "orders:write", 1), None).await.unwrap();
    until("the first node knows the route", || async { code(&scene, "PUT /orders/1").await.0 == "FORBIDDEN" }).await;

    // A session that replays changes does not fire triggers: nothing is notified, as when the listener's connection was away.
    let mut tx = db.begin().await.unwrap();
    sqlx::query("set local session_replication_role = replica").execute(&mut *tx).await.unwrap();
    sqlx::query("delete from api_routes where method = 'PUT'").execute(&mut *tx).await.unwrap();
    sqlx::query("update apis set changed_in = pg_current_xact_id() where slug = 'demo'").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    until("the poll found it", || async { code(&scene, "PUT /orders/1").await.0 == "VALID" }).await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_key_names_a_hundred_routes_in_a_minute_and_what_is_more_is_one(db: PgPool) {
    let scene = Scene::with(db, Given { limit: Some((1_000, 3600)), ..Given::default() }).await;
    for n in 0..130 {
        assert_eq!(code(&scene, &format!("GET /page{n}")).await.0, "VALID");
    }
    let gate = scene.app.ctx.part::<Gate>().unwrap();
    let folded = gate.meter().folded();
    assert!((20..=30).contains(&folded), "{folded} of 30: one may look like another");
    // What operators made a route is told apart.
    replace_routes(&scene.app.ctx, &Caller::cli(), "demo", vec![route("GET", "/last", "", 1)]).await.unwrap();
    assert_eq!(code(&scene, "GET /last").await.0, "VALID");
    assert_eq!(gate.meter().folded(), folded);
}
