//! `/forward-auth/…`: what each proxy is told.

use super::{Given, Scene};
use sqlx::PgPool;

async fn ask(scene: &Scene, path: &str, secret: Option<&str>) -> reqwest::Response {
    let request = scene.app.http.get(scene.app.url(path)).header("x-forwarded-method", "GET").header("x-forwarded-uri", "/orders/12?x=1");
    let request = secret.into_iter().fold(request, |r, s| r.header("authorization", format!("Bearer {s}")));
    request.send().await.unwrap()
}

#[sqlx::test]
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

#[sqlx::test]
async fn refusals_have_the_status_that_the_proxy_understands(db: PgPool) {
    let scene = Scene::with(db, Given { limit: Some((1, 60)), ..Given::default() }).await;
    let none = ask(&scene, "/forward-auth/demo", None).await;
    assert_eq!((none.status().as_u16(), none.headers()["www-authenticate"].to_str().unwrap()), (401, "Bearer realm=\"demo\""));
    let wrong = ask(&scene, "/forward-auth/demo", Some("demo_live_x")).await;
    assert_eq!(wrong.headers()["www-authenticate"], "Bearer realm=\"demo\", error=\"invalid_token\"");
    let forbidden = ask(&scene, "/forward-auth/demo?permission=orders:write", Some(&scene.secret)).await;
    assert_eq!(
        (forbidden.status().as_u16(), forbidden.headers()["www-authenticate"].to_str().unwrap()),
        (403, "Bearer realm=\"demo\", error=\"insufficient_scope\", scope=\"orders:write\"")
    );

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
