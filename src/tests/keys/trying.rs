//! "Would this call pass?", and which permissions a key used.

use super::*;
use serde_json::json;
use tollgate::{
    accounts::Caller,
    keys::{
        api::{CreateKey, HideSecret, NarrowKey},
        model::NewRoute,
        server::{gate::Gate, replace_routes},
    },
};

async fn describe(app: &TestApp) {
    let route = |method: &str, pattern: &str, permission: &str, cost: u32| NewRoute {
        method: method.into(),
        pattern: pattern.into(),
        permission: Some(permission.into()),
        cost: (cost > 0).then_some(cost),
        is_free: cost == 0,
        ..NewRoute::default()
    };
    let routes = vec![route("GET", "/orders/{id}", "orders:read", 1), route("POST", "/orders", "orders:write", 5), route("GET", "/health", "", 0)];
    replace_routes(&app.ctx, &Caller::cli(), "demo", routes).await.unwrap();
}

fn refusing(body: &Value) -> Vec<(String, String)> {
    let steps = body["steps"].as_array().unwrap_or_else(|| panic!("{body}"));
    steps.iter().filter(|s| s["passes"] == false).map(|s| (text(s, "check"), text(s, "code"))).collect()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_call_is_explained_step_by_step_and_charged_to_nobody(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    describe(&app).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let olga = person(&app, &db, "olga@example.com", "operator").await;
    let (id, _) = mara.new_key(&app, "k").await;
    let path = format!("/api/v1/keys/{id}/test");
    let ask = async |person: &Person, call: Value| json(person.post(&app, &path, call).await).await;

    let (status, body) = ask(&mara, json!({ "method": "get", "path": "/orders/17?x=1" })).await;
    assert_eq!((status, &body["valid"], &body["route"], &body["cost"]), (200, &json!(true), &json!("GET /orders/{id}"), &json!(1)), "{body}");
    let checks: Vec<&str> = body["steps"].as_array().unwrap().iter().map(|s| s["check"].as_str().unwrap()).collect();
    assert_eq!(checks, ["state", "expiry", "address", "origin", "api", "route", "permission", "key_route", "signature", "limit"]);
    assert_eq!(body["steps"][9]["detail"], "default: 100 of 100 units left, the call costs 1 unit.");

    let (_, body) = ask(&mara, json!({ "method": "POST", "path": "/orders" })).await;
    assert_eq!((&body["code"], refusing(&body)), (&json!("FORBIDDEN"), vec![("permission".to_owned(), "FORBIDDEN".to_owned())]));
    let (_, body) = ask(&mara, json!({ "method": "GET", "path": "/x/../orders/1" })).await;
    assert_eq!(refusing(&body), [("route".to_owned(), "FORBIDDEN".to_owned())]);
    let (_, body) = ask(&mara, json!({ "method": "GET", "path": "/orders/1", "cost": 101 })).await;
    assert_eq!((&body["code"], refusing(&body)), (&json!("RATE_LIMITED"), vec![("limit".to_owned(), "RATE_LIMITED".to_owned())]));
    let beyond = async |over: Value| {
        let limits = json!({ "limits": [{ "name": "default", "limit": 100, "window": 3600, "over": over }] });
        assert_eq!(olga.call(&app, Method::PATCH, &format!("/api/v1/keys/{id}"), Some(limits)).await.status(), 200);
        ask(&mara, json!({ "method": "GET", "path": "/orders/1", "cost": 101 })).await.1
    };
    let body = beyond(json!({ "action": "throttle", "per_second": 5 })).await;
    assert_eq!((&body["valid"], refusing(&body)), (&json!(true), vec![]));
    let words = "default: 100 of 100 units left, the call costs 101 units. Beyond it 5 calls a second pass, this one among them.";
    assert_eq!(body["steps"][9]["detail"], words);
    assert!(beyond(json!({ "action": "mark" })).await["steps"][9]["detail"].as_str().unwrap().ends_with("Beyond it calls pass and are marked."));
    let (_, body) = ask(&mara, json!({ "method": "GET", "path": "/health" })).await;
    assert_eq!((&body["valid"], &body["cost"]), (&json!(true), &Value::Null));

    // Several reasons at once are all named; the first one decides.
    let narrowed = json!({ "addresses": ["203.0.113.0/24"], "expires_at": "2026-12-24T00:00:00Z" });
    mara.call(&app, Method::PATCH, &format!("/api/v1/keys/{id}"), Some(narrowed)).await;
    mara.post(&app, &format!("/api/v1/keys/{id}/disable"), json!({})).await;
    let (_, body) = ask(&olga, json!({ "method": "POST", "path": "/orders", "ip": "198.51.100.7", "at": "2027-01-01T00:00:00Z" })).await;
    let refused = [("state", "DISABLED"), ("expiry", "EXPIRED"), ("address", "IP_DENIED"), ("permission", "FORBIDDEN")];
    assert_eq!(refusing(&body), refused.map(|(check, code)| (check.to_owned(), code.to_owned())), "an operator tries any key");
    assert_eq!(body["code"], "DISABLED");

    for (wrong, pointer) in [
        (json!({ "method": "", "path": "/" }), "#/method"),
        (json!({ "method": "GET", "path": "orders" }), "#/path"),
        (json!({ "method": "GET", "path": "/a b" }), "#/path"),
        (json!({ "method": "GET", "path": "/", "ip": "home" }), "#/ip"),
        (json!({ "method": "GET", "path": "/", "at": "2020-01-01T00:00:00Z" }), "#/at"),
    ] {
        let (status, body) = ask(&mara, wrong.clone()).await;
        assert_eq!((status, body["errors"][0]["pointer"].as_str()), (422, Some(pointer)), "{wrong} → {body}");
    }
    let nora = person(&app, &db, "nora@example.com", "developer").await;
    assert_eq!(ask(&nora, json!({ "method": "GET", "path": "/" })).await.0, 404, "somebody else's key");

    let gate = app.ctx.part::<Gate>().unwrap();
    let key: KeyId = id.parse().unwrap();
    assert_eq!(gate.limit_state(key, app.ctx.clock.now_micros())[0].used, 0);
    assert!(!gate.meter().take(app.ctx.new_id()).counts.iter().any(|tally| tally.key == key), "nothing was counted");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_page_tries_a_call_without_a_script(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    describe(&app).await;
    let vera = app.sign_in_as("developer").await;
    let answer = vera.browser.post::<CreateKey>("/keys", &[("name", "shop")]).await;
    let path = crate::support::browser::location(&answer).to_owned();
    assert!(vera.browser.page(&path).await.contains("Would this call pass?"));
    let passes = vera.browser.page(&format!("{path}?method=GET&path=/orders/17&ip=")).await;
    assert!(passes.contains("GET /orders/17 would pass.") && passes.contains("GET /orders/{id} matches."));
    let refused = vera.browser.page(&format!("{path}?method=POST&path=/orders")).await;
    assert!(refused.contains("POST /orders would be answered FORBIDDEN.") && refused.contains("This call needs orders:write, which this key was not given."));
    let first = vera.browser.page(&path).await;
    let more = first.split_once("class=\"more-fields\"").expect("fields for more").1;
    let open = "<details open class=\"more-fields\"";
    assert!(!first.contains(open), "what few calls need waits");
    for field in ["name=\"permission\"", "name=\"cost\"", "name=\"at\"", "<option value=\"orders:write\""] {
        assert!(more.contains(field), "{field}");
    }
    let asked = vera.browser.page(&format!("{path}?method=GET&path=/orders/17&permission=orders:write")).await;
    assert!(asked.contains("would be answered FORBIDDEN") && asked.contains("<option value=\"orders:write\" selected"), "{asked}");
    assert!(asked.contains(open), "and is shown where it was said");
    let dear = vera.browser.page(&format!("{path}?method=GET&path=/orders/17&cost=101&permission=")).await;
    assert!(dear.contains("would be answered RATE_LIMITED") && dear.contains("the call costs 101 units") && dear.contains("value=\"101\""), "{dear}");
    let later = vera.browser.page(&format!("{path}?method=GET&path=/orders/17&at=2026-11-21T14:00")).await;
    assert!(later.contains("would pass") && later.contains("value=\"2026-11-21T14:00\""), "{later}");
    let wrong = vera.browser.page(&format!("{path}?method=GET&path=orders&cost=many&at=soon")).await;
    for words in ["A path begins with a slash", "A cost is a whole number", "A time looks like", "value=\"many\""] {
        assert!(wrong.contains(words), "{words}: all that is wrong is named, and stays: {wrong}");
    }
    let past = vera.browser.page(&format!("{path}?method=GET&path=/orders/17&at=2026-11-19T14:00")).await;
    assert!(past.contains("Choose a time that lies ahead"), "{past}");
    let wrong = vera.browser.page(&format!("{path}?method=GET&path=%3Cb%3E&ip=home")).await;
    assert!(wrong.contains("A path begins with a slash") && wrong.contains("An address looks like") && wrong.contains("&lt;b&gt;"));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_a_key_never_used_is_said_and_taken_away(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    describe(&app).await;
    sqlx::query("insert into api_permissions (api_id, permission) select id, 'orders:audit' from apis where slug = 'demo'").execute(&db).await.unwrap();
    let vera = app.sign_in_as("developer").await;
    let answer = vera.browser.post::<CreateKey>("/keys", &[("name", "shop"), ("preset", "admin"), ("api", "demo")]).await;
    let path = crate::support::browser::location(&answer).to_owned();
    let id = path.rsplit('/').next().unwrap().to_owned();
    let key: KeyId = id.parse().unwrap();
    vera.browser.post::<HideSecret>(&path, &[("id", id.as_str()), ("stored", "true")]).await;
    for (route, outcome, days, count) in [
        ("GET /orders/{id}", "VALID", 2, 40_i64),
        ("HEAD /orders/{id}", "RATE_LIMITED", 3, 2),
        ("GET /orders/{id}", "FORBIDDEN", 1, 500),
        ("POST /orders", "VALID", 40, 7),
    ] {
        sqlx::query("insert into usage_quarters (key_id, quarter, route, outcome, workspace_id, api_id, count) select id, $2, $3, $4, workspace_id, api_id, $5 from keys where id = $1")
            .bind(key.uuid())
            .bind(app.ctx.clock.now() - time::Duration::days(days))
            .bind(route)
            .bind(outcome)
            .bind(count)
            .execute(&db)
            .await
            .unwrap();
    }
    let detail = tollgate::keys::server::key_detail(&app.ctx, &Caller::cli(), key).await.unwrap();
    let uses: Vec<(&str, u64, bool)> = detail.uses.iter().map(|u| (u.permission.as_str(), u.calls, u.is_known)).collect();
    assert_eq!(uses, [("orders:audit", 0, false), ("orders:read", 42, true), ("orders:write", 0, true)], "older calls and refused ones are no use");
    let page = vera.browser.page(&path).await;
    assert!(page.contains("Never used") && page.contains("unknown: no route or service asks for it") && page.contains("dialog=narrow"));

    let dialog = vera.browser.page(&format!("{path}?dialog=narrow")).await;
    assert!(dialog.contains("Take away") && dialog.contains("name=\"keep[]\" value=\"orders:audit\""));
    let fields = [("id", id.as_str()), ("keep[]", "orders:read"), ("keep[]", "orders:audit"), ("keep[]", "orders:everything")];
    assert_eq!(vera.browser.post::<NarrowKey>(&path, &fields).await.status(), 303);
    let held: Vec<String> = sqlx::query_scalar("select permissions from keys where id = $1").bind(key.uuid()).fetch_one(&db).await.unwrap();
    assert_eq!(held, ["orders:audit", "orders:read"]);
    assert_eq!(events(&db, "key.permitted").await, 1);
    let stranger = app.sign_in_as("developer").await;
    assert_eq!(stranger.browser.post::<NarrowKey>("/keys", &[("id", id.as_str())]).await.status(), 404);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_permission_that_services_ask_for_is_used_and_is_no_candidate(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    describe(&app).await;
    sqlx::query(
        "insert into api_permissions (api_id, permission) select id, p from apis, unnest(array['orders:audit', 'orders:export']) p where slug = 'demo'",
    )
    .execute(&db)
    .await
    .unwrap();
    let vera = app.sign_in_as("developer").await;
    let (mut paths, mut keys) = (Vec::new(), Vec::new());
    for name in ["shop", "desk"] {
        let answer = vera.browser.post::<CreateKey>("/keys", &[("name", name), ("preset", "admin"), ("api", "demo")]).await;
        let path = crate::support::browser::location(&answer).to_owned();
        let id = path.rsplit('/').next().unwrap().to_owned();
        vera.browser.post::<HideSecret>(&path, &[("id", id.as_str()), ("stored", "true")]).await;
        keys.push(id.parse::<KeyId>().unwrap());
        paths.push(path);
    }
    for (key, permission, days) in [(keys[0], "orders:audit", 2), (keys[0], "orders:write", 3), (keys[0], "orders:export", 40)] {
        sqlx::query("insert into usage_permissions (key_id, quarter, permission, outcome, workspace_id, api_id, count) select id, $2, $3, 'VALID', workspace_id, api_id, 9 from keys where id = $1")
            .bind(key.uuid())
            .bind(app.ctx.clock.now() - time::Duration::days(days))
            .bind(permission)
            .execute(&db)
            .await
            .unwrap();
    }
    let uses = async |key: KeyId| {
        let detail = tollgate::keys::server::key_detail(&app.ctx, &Caller::cli(), key).await.unwrap();
        detail.uses.iter().map(|u| (u.permission.to_string(), u.calls, u.is_known, u.can_be_taken())).collect::<Vec<_>>()
    };
    let row = |permission: &str, calls: u64, is_known: bool, can_be_taken: bool| (permission.to_owned(), calls, is_known, can_be_taken);
    let of_shop =
        [row("orders:audit", 9, true, false), row("orders:export", 0, false, false), row("orders:read", 0, true, true), row("orders:write", 9, true, false)];
    assert_eq!(uses(keys[0]).await, of_shop, "nobody asked for orders:export in the last 30 days");
    let of_desk =
        [row("orders:audit", 0, true, true), row("orders:export", 0, false, false), row("orders:read", 0, true, true), row("orders:write", 0, true, true)];
    assert_eq!(uses(keys[1]).await, of_desk, "what is asked of another key of the API would have been seen of this one");

    // Where calls were counted before permissions were, nobody can say "never" yet.
    sqlx::query("insert into permission_counting (since) values ($1)").bind(app.ctx.clock.now() + time::Duration::seconds(1)).execute(&db).await.unwrap();
    assert!(uses(keys[0]).await.iter().all(|(_, calls, is_known, can_be_taken)| *is_known == (*calls > 0) && !can_be_taken));
    assert!(vera.browser.page(&paths[1]).await.contains("counted for less than 30 days"));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_is_kept_for_less_than_30_days_says_of_no_permission_that_it_was_never_used(db: PgPool) {
    let app = TestApp::start_with(db.clone(), |config| config.retention.addresses = std::time::Duration::from_secs(7 * 86_400)).await;
    describe(&app).await;
    let vera = app.sign_in_as("developer").await;
    let answer = vera.browser.post::<CreateKey>("/keys", &[("name", "shop"), ("preset", "admin"), ("api", "demo")]).await;
    let key: KeyId = crate::support::browser::location(&answer).rsplit('/').next().unwrap().parse().unwrap();
    let are_known = async || {
        let detail = tollgate::keys::server::key_detail(&app.ctx, &Caller::cli(), key).await.unwrap();
        detail.uses.iter().any(|u| u.is_known)
    };
    assert!(are_known().await, "all that a new key ever called is kept");
    app.ctx.clock.advance(time::Duration::days(8));
    assert!(!are_known().await, "a call of the first day would be forgotten");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn of_a_key_that_is_new_and_was_not_used_nothing_is_taken_away(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    describe(&app).await;
    let vera = app.sign_in_as("developer").await;
    let (mut paths, mut keys) = (Vec::new(), Vec::new());
    for name in ["shop", "desk"] {
        let answer = vera.browser.post::<CreateKey>("/keys", &[("name", name), ("preset", "admin"), ("api", "demo")]).await;
        let path = crate::support::browser::location(&answer).to_owned();
        let id = path.rsplit('/').next().unwrap().to_owned();
        vera.browser.post::<HideSecret>(&path, &[("id", id.as_str()), ("stored", "true")]).await;
        keys.push(id.parse::<KeyId>().unwrap());
        paths.push(path);
    }
    let page = vera.browser.page(&paths[0]).await;
    assert!(page.contains("has no calls yet") && !page.contains("dialog=narrow"), "{page}");
    assert!(!vera.browser.page(&format!("{}?dialog=narrow", paths[0])).await.contains("Take permissions from"), "nor by its address");

    // The other one was used, so the rest of what it may says something.
    sqlx::query("insert into usage_permissions (key_id, quarter, permission, outcome, workspace_id, api_id, count) select id, $2, 'orders:write', 'VALID', workspace_id, api_id, 9 from keys where id = $1")
        .bind(keys[1].uuid())
        .bind(app.ctx.clock.now() - time::Duration::days(2))
        .execute(&db)
        .await
        .unwrap();
    let page = vera.browser.page(&paths[1]).await;
    assert!(page.contains("dialog=narrow") && page.contains("counted since today,"), "{page}");

    let can_narrow = async || tollgate::keys::server::key_detail(&app.ctx, &Caller::cli(), keys[0]).await.unwrap().can_narrow();
    app.ctx.clock.advance(time::Duration::hours(23));
    assert!(!can_narrow().await);
    app.ctx.clock.advance(time::Duration::hours(1));
    assert!(can_narrow().await);
}
