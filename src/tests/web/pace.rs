//! How fast accounts and addresses may go, in every way in: pages, functions, REST with a session and by a program.

use crate::support::{
    TestApp,
    browser::{Browser, PASSWORD},
};
use leptos::server_fn::ServerFn;
use reqwest::Response;
use serde_json::{Value, json};
use sqlx::PgPool;
use time::Duration;
use tollgate::accounts::api;

async fn app_with(db: PgPool, account_rate: u32, address_rate: u32) -> TestApp {
    let change = |config: &mut tollgate::platform::config::Config| {
        (config.limits.account_rate, config.limits.address_rate) = (account_rate, address_rate);
        config.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    };
    TestApp::start_with(db, change).await
}

fn field(answer: &Response, name: &str) -> String {
    answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

/// Status, policy and state as they are told.
fn told(answer: &Response) -> (u16, String, String) {
    (answer.status().as_u16(), field(answer, "ratelimit-policy"), field(answer, "ratelimit"))
}

fn of(status: u16, policy: &str, state: &str) -> (u16, String, String) {
    (status, policy.to_owned(), state.to_owned())
}

async fn signed_in(app: &TestApp, email: &str) -> Browser {
    app.account(email, "Mara", "developer").await;
    let browser = app.browser();
    assert_eq!(browser.sign_in(email, PASSWORD).await.status(), 303);
    browser
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_account_goes_no_faster_than_its_rate_whatever_it_asks(db: PgPool) {
    let app = app_with(db, 5, 0).await;
    let mara = signed_in(&app, "mara@example.com").await;
    const POLICY: &str = "\"account\";q=5;w=60";

    let pages = [mara.get("/settings/profile").await, mara.get("/keys").await, mara.get("/settings/profile").await];
    let states: Vec<_> = pages.iter().map(told).collect();
    assert_eq!(states[0], of(200, POLICY, "\"account\";r=4;t=12"));
    assert_eq!(states[2], of(200, POLICY, "\"account\";r=2;t=36"));
    let rest = mara.http.get(app.url("/api/v1/me")).send().await.unwrap();
    assert_eq!(told(&rest), of(200, POLICY, "\"account\";r=1;t=48"), "over REST with the same cookie");
    assert_eq!(mara.get("/keys").await.status(), 200);

    let page = mara.get("/keys").await;
    assert_eq!((told(&page), field(&page, "retry-after")), (of(429, POLICY, "\"account\";r=0;t=12"), "12".to_owned()));
    let kind = field(&page, "content-type");
    assert!(kind.starts_with("text/html") && page.text().await.unwrap().contains("Wait 12 seconds"), "{kind}");

    let refused = mara.http.get(app.url("/api/v1/me")).send().await.unwrap();
    assert_eq!((refused.status().as_u16(), field(&refused, "retry-after").as_str()), (429, "12"));
    let problem: Value = refused.json().await.unwrap();
    assert_eq!(problem["violated-policies"], json!(["account"]), "{problem}");

    let call = mara.http.post(app.url(api::SignOut::PATH)).header("sec-fetch-site", "same-origin");
    let refused = call.form(&[("_", "")]).send().await.unwrap();
    assert_eq!((refused.status().as_u16(), field(&refused, "retry-after").as_str()), (429, "12"));
    let id = field(&refused, "x-request-id");
    let error: Value = refused.json().await.unwrap();
    assert_eq!((&error["error"], &error["retry_after"]), (&json!("rate_limited"), &json!(12)), "as a script reads it");
    assert!(!id.is_empty() && error["request_id"] == id, "{error}");

    let nina = signed_in(&app, "nina@example.com").await;
    assert_eq!(nina.get("/keys").await.status(), 200, "each account for itself");
    app.ctx.clock.advance(Duration::seconds(12));
    assert_eq!((mara.get("/keys").await.status().as_u16(), mara.get("/keys").await.status().as_u16()), (200, 429));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_program_that_signed_in_goes_at_the_pace_of_its_account(db: PgPool) {
    let app = app_with(db, 3, 40).await;
    let mara = signed_in(&app, "mara@example.com").await;
    let program = reqwest::Client::new();
    let grant = json!({ "grant_type": "password", "client_id": "nightly backup", "email": "mara@example.com", "password": PASSWORD });
    let answer = program.post(app.url("/api/v1/auth/token")).json(&grant).send().await.unwrap();
    assert!(field(&answer, "ratelimit-policy").starts_with("\"address\";q=40"), "nobody is signed in yet");
    let token = answer.json::<Value>().await.unwrap()["access_token"].as_str().unwrap().to_owned();

    assert_eq!(mara.get("/keys").await.status(), 200);
    let ask = || program.get(app.url("/api/v1/me")).bearer_auth(&token).send();
    assert_eq!(told(&ask().await.unwrap()), of(200, "\"account\";q=3;w=60", "\"account\";r=1;t=40"));
    assert_eq!(ask().await.unwrap().status(), 200);
    let over = ask().await.unwrap();
    assert_eq!((told(&over), field(&over, "retry-after")), (of(429, "\"account\";q=3;w=60", "\"account\";r=0;t=20"), "20".to_owned()));
    assert_eq!(over.json::<Value>().await.unwrap()["violated-policies"], json!(["account"]));

    // A token that does not work is nobody's.
    app.ctx.clock.advance(Duration::minutes(16));
    let mut answers = Vec::new();
    for _ in 0..41 {
        answers.push(ask().await.unwrap().status().as_u16());
    }
    assert_eq!((answers[0], answers[39], answers[40]), (401, 401, 429));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn strangers_share_the_pace_of_their_address(db: PgPool) {
    let app = app_with(db, 0, 3).await;
    let get = async |path: &str, from: &str| app.http.get(app.url(path)).header("accept", "text/html").header("x-forwarded-for", from).send().await.unwrap();
    let first = get("/", "203.0.113.7").await;
    assert_eq!(told(&first), of(200, "\"address\";q=3;w=60", "\"address\";r=2;t=20"));
    assert_eq!(get("/docs", "203.0.113.7").await.status(), 200);
    assert_eq!(get("/api/v1/openapi.json", "203.0.113.7").await.status(), 200);
    let over = get("/sign-in", "203.0.113.7").await;
    assert_eq!((over.status().as_u16(), field(&over, "retry-after").as_str()), (429, "20"));
    assert_eq!(get("/sign-in", "203.0.113.8").await.status(), 200, "each address for itself");
    for n in 0..3 {
        assert_eq!(get("/", &format!("2001:db8::{n}")).await.status(), 200);
    }
    assert_eq!(get("/", "2001:db8::ffff").await.status(), 429, "of IPv6 the network");

    for path in ["/healthz", "/readyz"] {
        assert_eq!(told(&get(path, "203.0.113.7").await), of(200, "", ""), "{path}");
    }
    assert_eq!(get("/forward-auth/demo", "203.0.113.7").await.status(), 401, "the gate's door is no page");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn who_shows_a_key_that_lets_nobody_in_is_a_stranger(db: PgPool) {
    let app = app_with(db, 0, 3).await;
    let from = async |address: &str, key: &str| app.http.get(app.url("/api/v1/keys")).header("x-forwarded-for", address).bearer_auth(key).send().await.unwrap();
    for n in 0..3 {
        let state = format!("\"address\";r={};t={}", 2 - n, if n == 2 { 20 } else { 20 * (n + 1) });
        assert_eq!(told(&from("203.0.113.7", "tg_live_nonsense").await), of(401, "\"address\";q=3;w=60", &state), "{n}");
    }
    let over = from("203.0.113.7", "tg_live_nonsense").await;
    assert_eq!((over.status().as_u16(), field(&over, "retry-after")), (429, "20".to_owned()));
    assert_eq!(over.json::<Value>().await.unwrap()["violated-policies"], json!(["address"]));
    let anonymous = app.http.get(app.url("/")).header("x-forwarded-for", "203.0.113.7").send().await.unwrap();
    assert_eq!(anonymous.status(), 429, "from one bucket");
    assert_eq!(from("203.0.113.8", "tg_live_nonsense").await.status(), 401, "each address for itself");
}
