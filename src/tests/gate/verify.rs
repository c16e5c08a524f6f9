//! `POST /api/v1/keys/verify`.

use super::{Given, Scene, key, known};
use serde_json::{Value, json};
use sqlx::PgPool;
use tollgate::{
    keys::server::gate::{Gate, Question},
    values::Outcome,
};

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_valid_key_passes_and_says_what_remains(db: PgPool) {
    let scene = Scene::new(db).await;
    let (status, body) = scene.ask(json!({ "key": scene.secret, "api": "demo", "permission": "orders:read", "route": "GET /orders/7" })).await;
    assert_eq!(status, 200);
    assert_eq!(body["valid"], true);
    assert_eq!(body["code"], "VALID");
    assert_eq!(body["key_id"], scene.key.to_string());
    assert_eq!(body["account_id"], scene.owner.account.to_string());
    assert_eq!(body["permissions"], json!(["orders:read"]));
    assert_eq!(body["limits"], json!([{ "name": "default", "limit": 100, "remaining": 99, "reset_after": 3600 }]));
}

/// Who writes a client reads the sample: it has every field that such an answer has.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_sample_on_docs_has_the_fields_of_an_answer(db: PgPool) {
    let scene = Scene::new(db).await;
    let page = scene.app.get("/docs/verify").await.text().await.unwrap();
    let (_, block) = page.split_once(" id=\"verify-answer\"").unwrap();
    let (_, block) = block.split_once('>').unwrap();
    let text = block.split_once("</pre>").unwrap().0.replace("&quot;", "\"").replace("<!>", "");
    let sample: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    scene.execute("update keys set external_id = 'customer-42' where id = $1").await;
    let ask = || scene.ask(json!({ "key": scene.secret, "api": "demo", "permission": "orders:read", "route": "GET /orders" }));
    crate::support::until("the key has its external id", || async { ask().await.1["external_id"].is_string() }).await;
    let (_, answer) = ask().await;
    let fields = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(fields(&sample), fields(&answer));
    assert_eq!(fields(&sample["limits"][0]), fields(&answer["limits"][0]));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn every_refusal_has_its_code(db: PgPool) {
    let scene = Scene::new(db.clone()).await;
    let (_, body) = scene.ask(json!({ "key": "demo_live_nonsense" })).await;
    assert_eq!(body, json!({ "valid": false, "code": "MALFORMED", "permissions": [], "limits": [], "meta": {} }));
    let unknown = tollgate::keys::server::secret::mint(&scene.app.ctx.rng, &"demo".parse().unwrap(), "live");
    assert_eq!(scene.ask(json!({ "key": unknown })).await.1["code"], "UNKNOWN");
    assert_eq!(scene.ask(json!({ "key": scene.secret, "api": "tollgate" })).await.1["code"], "WRONG_API");
    let (_, body) = scene.ask(json!({ "key": scene.secret, "permission": "orders:write" })).await;
    assert_eq!((body["code"].as_str(), body["permissions"].as_array().map(Vec::len)), (Some("FORBIDDEN"), Some(0)));

    for (sql, code) in [
        ("update keys set state = 'disabled' where id = $1", "DISABLED"),
        ("update keys set state = 'active', expires_at = '2026-11-20 12:00Z' where id = $1", "EXPIRED"),
        ("update keys set expires_at = null where id = $1", "VALID"),
        (
            "insert into account_disablements (account_id, at) select w.personal_of, now() from keys k join workspaces w on w.id = k.workspace_id where k.id = $1",
            "",
        ),
    ] {
        scene.execute(sql).await;
        if code.is_empty() {
            break;
        }
        crate::support::until(code, || async { scene.code().await == code }).await;
    }
    // The owner is disabled: so is the asking service's key, which belongs to the same account.
    crate::support::until("the service is refused", || async { scene.ask(json!({ "key": scene.secret })).await.0 == 401 }).await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_question_is_about_its_secret_as_it_is_now_whatever_was_foreseen(db: PgPool) {
    let scene = Scene::new(db).await;
    let gate = scene.app.ctx.part::<Gate>().unwrap();
    assert!(gate.foresee("demo_live_nonsense").is_none());
    let foreseen = gate.foresee(&scene.secret).unwrap();
    let unknown = tollgate::keys::server::secret::mint(&scene.app.ctx.rng, &"demo".parse().unwrap(), "live");
    let nobodys = gate.foresee(&unknown).unwrap();
    let expect_all = || {
        for foreseen in [&foreseen, &nobodys] {
            gate.expect_place(foreseen);
            gate.expect_record(foreseen);
            gate.expect_counters(foreseen);
        }
    };
    let asked = |secret, foreseen, cost| gate.verify(Question { secret, foreseen: Some(foreseen), cost: Some(cost), ..Question::default() }).unwrap().outcome;
    expect_all();
    assert_eq!([asked(&scene.secret, &foreseen, 1), asked(&scene.secret, &nobodys, 1)], [Outcome::Valid; 2]);
    assert_eq!([asked(&unknown, &nobodys, 1), asked(&unknown, &foreseen, 1)], [Outcome::Unknown; 2]);
    expect_all();
    scene.execute("update keys set state = 'disabled' where id = $1").await;
    crate::support::until("it is disabled", || async { scene.code().await == "DISABLED" }).await;
    assert_eq!(asked(&scene.secret, &foreseen, 0), Outcome::Disabled);
    scene.execute("delete from keys where id = $1").await;
    crate::support::until("it is gone", || async { scene.code().await == "UNKNOWN" }).await;
    expect_all();
    assert_eq!(asked(&scene.secret, &foreseen, 0), Outcome::Unknown);
}

/// A short question is read before it is known who asks, a long one afterwards; who may not ask does not hear what is wrong with either.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn who_may_not_ask_hears_that_alone(db: PgPool) {
    let scene = Scene::new(db.clone()).await;
    let (other, reader) = key(&db, &scene.app, &scene.owner, Given { api: "tollgate", permissions: &["keys:read"], limit: None }).await;
    known(&scene.app, other).await;
    let ask = |secret: Option<&str>, body: &str| {
        let question = scene.app.http.post(scene.app.url("/api/v1/keys/verify")).header("content-type", "application/json").body(body.to_owned());
        let question = if let Some(secret) = secret { question.bearer_auth(secret) } else { question };
        async { question.send().await.unwrap().status().as_u16() }
    };
    let right = json!({ "key": scene.secret }).to_string();
    for (body, status) in [("{", 422), ("[]", 422), (r#"{"key": 7}"#, 422), (r#"{"key": "demo_live_nonsense"}"#, 200), (&right, 200)] {
        for body in [body.to_owned(), format!("{}{body}", " ".repeat(2_000))] {
            let told = (ask(None, &body).await, ask(Some(&reader), &body).await, ask(Some(&scene.service), &body).await);
            assert_eq!(told, (401, 403, status), "{body}");
        }
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn k02_a_refusal_tells_the_limits_to_who_holds_a_living_key_and_to_nobody_else(db: PgPool) {
    let scene = Scene::new(db).await;
    assert_eq!(scene.code().await, "VALID");
    for (question, code) in
        [(json!({ "key": scene.secret, "permission": "orders:write" }), "FORBIDDEN"), (json!({ "key": scene.secret, "api": "tollgate" }), "WRONG_API")]
    {
        let (_, body) = scene.ask(question).await;
        assert_eq!(body["code"], code);
        assert_eq!(body["limits"], json!([{ "name": "default", "limit": 100, "remaining": 99, "reset_after": 3600 }]), "{code}");
        assert_eq!(body.get("violated"), None, "{code}: none of them refused it");
    }
    let proxied = scene.app.http.get(scene.app.url("/forward-auth/demo?permission=orders:write")).bearer_auth(&scene.secret).send().await.unwrap();
    let field = |name: &str| proxied.headers()[name].to_str().unwrap().to_owned();
    assert_eq!((proxied.status().as_u16(), field("ratelimit-policy").as_str()), (403, "\"default\";q=100;w=3600"));
    assert_eq!(field("ratelimit"), "\"default\";r=99;t=3600");

    for (sql, code) in [
        ("update keys set addresses = '{192.0.2.1/32}' where id = $1", "IP_DENIED"),
        ("update keys set addresses = '{}', expires_at = '2026-11-20 12:00Z' where id = $1", "EXPIRED"),
        ("update keys set expires_at = null, state = 'disabled' where id = $1", "DISABLED"),
        ("update keys set state = 'revoked' where id = $1", "REVOKED"),
    ] {
        scene.execute(sql).await;
        crate::support::until(code, || async { scene.code().await == code }).await;
        let (_, body) = scene.ask(json!({ "key": scene.secret, "permission": "orders:write" })).await;
        assert_eq!(body["limits"], json!([]), "{code}");
        let says_untold = body["detail"].as_str().is_some_and(|words| words.contains("did not say from where"));
        assert_eq!(says_untold, code == "IP_DENIED", "{body}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn exactly_the_limit_passes_under_concurrency(db: PgPool) {
    let scene = Scene::with(db, Given { limit: Some((50, 3600)), ..Given::default() }).await;
    let asks = (0..120).map(|_| scene.ask(json!({ "key": scene.secret })));
    let answers = futures_util::future::join_all(asks).await;
    let count = |code: &str| answers.iter().filter(|(_, body)| body["code"] == code).count();
    assert_eq!((count("VALID"), count("RATE_LIMITED")), (50, 70));
    let refused = answers.iter().find(|(_, body)| body["code"] == "RATE_LIMITED").unwrap();
    assert_eq!(refused.1["retry_after"], 3600);
    scene.app.ctx.clock.advance(time::Duration::seconds(3600));
    assert_eq!(scene.code().await, "VALID");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_refused_call_is_not_charged(db: PgPool) {
    let scene = Scene::new(db).await;
    for _ in 0..5 {
        assert_eq!(scene.ask(json!({ "key": scene.secret, "permission": "orders:write" })).await.1["code"], "FORBIDDEN");
    }
    assert_eq!(scene.ask(json!({ "key": scene.secret, "cost": 3 })).await.1["limits"][0]["remaining"], 97);
    assert_eq!(scene.ask(json!({ "key": scene.secret, "cost": 0 })).await.1["limits"][0]["remaining"], 97);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn only_a_service_with_the_permission_may_ask(db: PgPool) {
    let scene = Scene::new(db.clone()).await;
    let (other, reader) = key(&db, &scene.app, &scene.owner, Given { api: "tollgate", permissions: &["keys:read"], limit: None }).await;
    known(&scene.app, other).await;
    let ask = |secret: Option<String>| {
        let request = scene.app.http.post(scene.app.url("/api/v1/keys/verify")).json(&json!({ "key": scene.secret }));
        async move { secret.into_iter().fold(request, |r, s| r.bearer_auth(s)).send().await.unwrap().status().as_u16() }
    };
    assert_eq!(ask(None).await, 401);
    assert_eq!(ask(Some("tg_live_nonsense".into())).await, 401);
    assert_eq!(ask(Some(scene.secret.clone())).await, 401, "a key of another API");
    assert_eq!(ask(Some(reader)).await, 403);
    assert_eq!(ask(Some(scene.service.clone())).await, 200);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn k03_a_service_loses_what_its_owner_loses(db: PgPool) {
    let scene = Scene::new(db).await;
    assert_eq!(scene.code().await, "VALID");
    scene
        .execute("delete from account_roles where account_id = (select w.personal_of from keys k join workspaces w on w.id = k.workspace_id where k.id = $1)")
        .await;
    crate::support::until("the service may no longer ask", || async { scene.ask(json!({ "key": scene.secret })).await.0 == 403 }).await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_malformed_question_names_the_field(db: PgPool) {
    let scene = Scene::new(db).await;
    for (question, pointer) in [
        (json!({ "key": scene.secret, "surprise": 1 }), "#/surprise"),
        (json!({ "api": "demo" }), "#/key"),
        (json!({ "key": scene.secret, "api": "nothing" }), "#/api"),
        (json!({ "key": 7 }), "#/key"),
        (json!({ "key": scene.secret, "cost": -1 }), "#/cost"),
        (json!({ "key": scene.secret, "ip": "nowhere" }), "#/ip"),
        (
            json!({ "key": scene.secret, "signature": { "method": "GET", "url": "https://x.example/", "headers": { "signature": 7 } } }),
            "#/signature/headers/signature",
        ),
        (json!({ "key": scene.secret, "signature": { "method": "GET", "headers": {} } }), "#/signature/url"),
        (json!([]), "#"),
        (json!([scene.secret, "demo"]), "#"),
        (json!([scene.secret, "demo", null, "GET /orders", 1, null, null, null]), "#"),
        (json!({ "key": scene.secret, "signature": ["GET", "https://x.example/", {}] }), "#/signature"),
    ] {
        let (status, body) = scene.ask(question).await;
        assert_eq!(status, 422, "{body}");
        assert_eq!(body["errors"][0]["pointer"], pointer, "{body}");
    }
    let release = scene.app.http.post(scene.app.url("/api/v1/keys/release")).bearer_auth(&scene.service);
    assert_eq!(release.json(&json!(["hold_x", []])).send().await.unwrap().json::<Value>().await.unwrap()["errors"][0]["pointer"], "#");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_door_refuses_what_is_no_question(db: PgPool) {
    let scene = Scene::new(db).await;
    let url = scene.app.url("/api/v1/keys/verify");
    let get = scene.app.http.get(&url).bearer_auth(&scene.service).send().await.unwrap();
    assert_eq!((get.status().as_u16(), get.headers()["allow"].to_str().unwrap()), (405, "POST"));
    assert_eq!(get.headers()["content-type"], "application/problem+json");
    let large = scene.app.http.post(&url).bearer_auth(&scene.service).body("x".repeat(20_000)).send().await.unwrap();
    assert_eq!(large.status(), 413);
    let problem: Value = large.json().await.unwrap();
    assert_eq!(problem["request_id"].as_str().map(str::len), Some(20), "{problem}");
    for path in ["/forward-auth/", "/forward-auth/demo/", "/forward-auth/demo/apache", "/forward-auth/demo/envoyage"] {
        assert_eq!(scene.app.get(path).await.status(), 404, "{path}");
    }
    let given = scene.app.http.get(scene.app.url("/forward-auth/demo")).header("x-request-id", "mine-12345678").send().await.unwrap();
    assert_eq!((given.status().as_u16(), given.headers()["x-request-id"].to_str().unwrap()), (401, "mine-12345678"));
}
