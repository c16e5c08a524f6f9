//! `/forward-auth/…`: what each proxy is told.

use super::{Given, Scene, key, known};
use sqlx::PgPool;

async fn ask(scene: &Scene, path: &str, secret: Option<&str>) -> reqwest::Response {
    let request = scene.app.http.get(scene.app.url(path)).header("x-forwarded-method", "GET").header("x-forwarded-uri", "/orders/12?x=1");
    let request = secret.into_iter().fold(request, |r, s| r.header("authorization", format!("Bearer {s}")));
    request.send().await.unwrap()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_passing_call_is_200_empty_with_who_it_is(db: PgPool) {
    let scene = Scene::new(db).await;
    for path in ["/forward-auth/demo", "/forward-auth/demo/nginx", "/forward-auth/demo/envoy/orders/12", "/forward-auth/demo?permission=orders:read"] {
        let answer = ask(&scene, path, Some(&scene.secret)).await;
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.headers()["x-key-id"], scene.key.to_string());
        assert_eq!(answer.headers()["x-key-owner"], scene.owner.account.to_string());
        assert_eq!(answer.headers()["x-key-permissions"], "orders:read");
        assert_eq!(answer.headers()["ratelimit-policy"], "\"default\";q=100;w=3600");
        assert!(answer.bytes().await.unwrap().is_empty());
    }
    let posted = scene.app.http.post(scene.app.url("/forward-auth/demo")).header("x-api-key", &scene.secret).body("anything").send().await.unwrap();
    assert_eq!(posted.status(), 200);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn refusals_have_the_status_that_the_proxy_understands(db: PgPool) {
    let scene = Scene::with(db, Given { limit: Some((1, 60)), ..Given::default() }).await;
    let none = ask(&scene, "/forward-auth/demo", None).await;
    assert_eq!((none.status().as_u16(), none.headers()["www-authenticate"].to_str().unwrap()), (401, "Bearer realm=\"demo\""));
    let wrong = ask(&scene, "/forward-auth/demo", Some("demo_live_x")).await;
    assert_eq!(
        wrong.headers()["www-authenticate"],
        "Bearer realm=\"demo\", error=\"invalid_token\", error_description=\"This is not a key of this service. Check that the whole key was copied.\""
    );
    let forbidden = ask(&scene, "/forward-auth/demo?permission=orders:write", Some(&scene.secret)).await;
    let challenge = forbidden.headers()["www-authenticate"].to_str().unwrap();
    assert!(challenge.starts_with("Bearer realm=\"demo\", error=\"insufficient_scope\", error_description=\"This call needs orders:write"), "{challenge}");
    assert!(forbidden.status() == 403 && challenge.ends_with("\", scope=\"orders:write\""), "{challenge}");

    assert_eq!(ask(&scene, "/forward-auth/demo", Some(&scene.secret)).await.status(), 200);
    let limited = ask(&scene, "/forward-auth/demo", Some(&scene.secret)).await;
    assert_eq!((limited.status().as_u16(), limited.headers()["retry-after"].to_str().unwrap()), (429, "60"));
    assert_eq!(limited.headers()["ratelimit"], "\"default\";r=0;t=60");
    let body: serde_json::Value = limited.json().await.unwrap();
    assert_eq!((body["code"].as_str(), body["violated-policies"][0].as_str()), (Some("RATE_LIMITED"), Some("default")));
    let nginx = ask(&scene, "/forward-auth/demo/nginx", Some(&scene.secret)).await;
    assert_eq!((nginx.status().as_u16(), nginx.headers()["x-auth-status"].to_str().unwrap()), (403, "429"));
    assert_eq!(nginx.headers()["retry-after"], "60");

    assert_eq!(ask(&scene, "/forward-auth/demo?cost=0", Some(&scene.secret)).await.status(), 422);
    assert_eq!(ask(&scene, "/forward-auth/nothing", Some(&scene.secret)).await.status(), 404);
    assert_eq!(ask(&scene, "/forward-auth/demo?permision=x:y", Some(&scene.secret)).await.status(), 422);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn every_refusal_has_its_code_in_a_header_and_nginx_gets_the_sentence_too(db: PgPool) {
    let scene = Scene::with(db, Given { limit: Some((1, 60)), ..Given::default() }).await;
    assert_eq!(ask(&scene, "/forward-auth/demo", Some(&scene.secret)).await.status(), 200);
    for (query, secret, code, status) in [
        ("", None, "MISSING", "401"),
        ("", Some("demo_live_x"), "MALFORMED", "401"),
        ("?permission=orders:write", Some(scene.secret.as_str()), "FORBIDDEN", "403"),
        ("", Some(scene.secret.as_str()), "RATE_LIMITED", "429"),
    ] {
        let plain = ask(&scene, &format!("/forward-auth/demo{query}"), secret).await;
        assert_eq!((plain.headers()["x-auth-code"].to_str().unwrap(), plain.status().as_str()), (code, status));
        assert!(!plain.headers().contains_key("x-auth-detail"), "the body says it");
        let problem: serde_json::Value = plain.json().await.unwrap();
        assert_eq!(problem["code"], code);
        let nginx = ask(&scene, &format!("/forward-auth/demo/nginx{query}"), secret).await;
        let told = |name: &str| nginx.headers()[name].to_str().unwrap();
        assert_eq!((told("x-auth-code"), told("x-auth-status"), told("x-auth-detail")), (code, status, problem["detail"].as_str().unwrap()));
        assert_eq!(told("x-auth-type"), problem["type"]);
        let violated = nginx.headers().get("x-auth-violated").map(|list| serde_json::from_slice::<serde_json::Value>(list.as_bytes()).unwrap());
        assert_eq!(violated.as_ref(), problem.get("violated-policies"), "as it stands in JSON");
        assert_eq!(violated.is_some(), status == "429");
        assert_eq!(nginx.status(), if status == "401" { 401 } else { 403 });
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_wrong_address_in_nginx_is_no_outage(db: PgPool) {
    let scene = Scene::new(db).await;
    for (path, status) in [("nothing/nginx", "404"), ("demo/nginx?permision=x:y", "422"), ("demo/nginx?cost=0", "422")] {
        let answer = ask(&scene, &format!("/forward-auth/{path}"), Some(&scene.secret)).await;
        let told = |name: &str| answer.headers()[name].to_str().unwrap();
        assert_eq!((answer.status().as_u16(), told("x-auth-status"), told("x-auth-code")), (403, status, "MISCONFIGURED"), "{path}");
        assert!(!told("x-auth-detail").contains(['"', '\\']) && told("x-auth-detail").len() > 20, "{path}");
        assert!(!told("x-auth-detail").contains("deserialize"), "{}", told("x-auth-detail"));
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn of_a_long_wait_each_key_is_told_a_second_of_its_own(db: PgPool) {
    let scene = Scene::new(db.clone()).await;
    let mut waits = Vec::new();
    for _ in 0..5 {
        let (id, secret) = key(&db, &scene.app, &scene.owner, Given { limit: Some((1, 86_400)), ..Given::default() }).await;
        known(&scene.app, id).await;
        assert_eq!(ask(&scene, "/forward-auth/demo", Some(&secret)).await.status(), 200);
        let mut told = Vec::new();
        for _ in 0..2 {
            let refused = ask(&scene, "/forward-auth/demo", Some(&secret)).await;
            assert_eq!(refused.headers()["ratelimit"], "\"default\";r=0;t=43200", "the limit itself is told exactly");
            told.push(refused.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap());
        }
        assert!((43_200..43_260).contains(&told[0]) && told[0] == told[1], "{told:?}");
        waits.push(told[0]);
    }
    waits.dedup();
    assert!(waits.len() > 1, "not all come back at once: {waits:?}");
}
