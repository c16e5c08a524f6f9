//! What Traefik and Envoy send, byte for byte, against the real listener; neither runs here. The requests are those that their sources make
//! with the files of `examples/orders`: Traefik 3 in `pkg/middlewares/auth/forward.go`, Envoy in `ext_authz_http_impl.cc` and
//! `async_client_impl.cc`. nginx and Caddy run for real in `end2end/proxies.spec.ts`.

use crate::{
    keys::{json, person},
    support::TestApp,
};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The proxy, and the address of its own that Envoy adds.
const TRUSTED: [&str; 2] = ["127.0.0.0/8", "10.0.0.7/32"];
const CLIENT: &str = "203.0.113.7";
const APP: &str = "https://app.example.com";

/// A proxy's question about a call of `method` and `target` that came from `client`, with further lines of the head.
type Ask = fn(method: &str, target: &str, client: &str, more: &str) -> String;

/// Always a GET to the configured address; of the call's own head what `authRequestHeaders` names, all else as `X-Forwarded-*`.
fn traefik(method: &str, target: &str, client: &str, more: &str) -> String {
    format!(
        "GET /forward-auth/demo HTTP/1.1\r\nHost: 127.0.0.1:3000\r\nUser-Agent: curl/7.88.1\r\n{more}X-Forwarded-For: {client}\r\n\
         X-Forwarded-Host: api.example.com\r\nX-Forwarded-Method: {method}\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Uri: {target}\r\n\
         Accept-Encoding: gzip\r\n\r\n"
    )
}

/// Method, path and host of the call, behind `path_prefix`; of its head what `allowed_headers` names.
fn envoy(method: &str, target: &str, client: &str, more: &str) -> String {
    format!(
        "{method} /forward-auth/demo/envoy{target} HTTP/1.1\r\nhost: api.example.com\r\nuser-agent: curl/7.88.1\r\n{more}x-forwarded-proto: https\r\n\
         content-length: 0\r\nx-envoy-internal: true\r\nx-forwarded-for: {client},10.0.0.7\r\nx-envoy-expected-rq-timeout-ms: 3000\r\n\r\n"
    )
}

/// What the proxy gets.
struct Answer {
    status: u16,
    fields: Vec<(String, String)>,
    body: String,
}

impl Answer {
    /// The answer in these bytes, once all of it has come.
    fn of(bytes: &[u8]) -> Option<Self> {
        let (head, body) = std::str::from_utf8(bytes).ok()?.split_once("\r\n\r\n")?;
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let fields: Vec<_> = lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let answer = Self { status, fields, body: body.to_owned() };
        let length: usize = answer.field("content-length").parse().ok()?;
        (answer.body.len() == length).then_some(answer)
    }

    fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    fn problem(&self) -> Value {
        assert_eq!(self.field("content-type"), "application/problem+json");
        serde_json::from_str(&self.body).unwrap()
    }
}

/// Sends it as it is. Proxies keep their connections, so the end of the answer is where its length says.
async fn send(app: &TestApp, request: String) -> Answer {
    let mut stream = TcpStream::connect(app.base.strip_prefix("http://").unwrap()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    loop {
        if let Some(answer) = Answer::of(&bytes) {
            return answer;
        }
        let read = stream.read_buf(&mut bytes).await.unwrap();
        assert!(read > 0, "no whole answer: {}", String::from_utf8_lossy(&bytes));
    }
}

/// A key that is bound to all that only the proxy can tell: route, address and origin of the call.
async fn is_told_what_was_called(db: PgPool, ask: Ask) {
    let app = TestApp::start_with(db.clone(), |config| config.server.trusted_proxies = TRUSTED.map(|network| network.parse().unwrap()).to_vec()).await;
    let olga = person(&app, &db, "olga@example.com", "operator").await;
    let (id, secret) = olga.new_key(&app, "behind a proxy").await;
    let bound =
        json!({ "addresses": ["203.0.113.0/24"], "origins": [APP], "routes": ["POST /orders"], "limits": [{ "name": "day", "limit": 1, "window": 86400 }] });
    let (status, said) = json(olga.call(&app, Method::PATCH, &format!("/api/v1/keys/{id}"), Some(bound)).await).await;
    assert_eq!(status, 200, "{said}");

    let key = format!("Authorization: Bearer {secret}\r\n");
    let of_page = format!("{key}Origin: {APP}\r\n");
    let refused = async |question: String, status: u16, code: &str| {
        let answer = send(&app, question).await;
        assert_eq!((answer.status, answer.field("x-auth-code")), (status, code), "{}", answer.body);
        let problem = answer.problem();
        assert_eq!((&problem["status"], &problem["code"], &problem["request_id"]), (&json!(status), &json!(code), &json!(answer.field("x-request-id"))));
        assert_eq!(answer.field("x-key-id"), "", "who it is is told only where it passes");
        answer
    };
    let missing = refused(ask("POST", "/orders?page=2", CLIENT, ""), 401, "MISSING").await;
    assert_eq!(missing.field("www-authenticate"), "Bearer realm=\"demo\"");
    refused(ask("GET", "/orders?page=2", CLIENT, &key), 403, "FORBIDDEN").await;
    refused(ask("POST", "/order", CLIENT, &key), 403, "FORBIDDEN").await;
    refused(ask("POST", "/orders", "198.51.100.9", &key), 403, "IP_DENIED").await;
    let of_another = refused(ask("POST", "/orders", CLIENT, &format!("{key}Origin: https://evil.example\r\n")), 403, "FORBIDDEN").await;
    assert_eq!(of_another.field("access-control-allow-origin"), "");

    let passed = send(&app, ask("POST", "/orders?page=2", CLIENT, &of_page)).await;
    assert_eq!((passed.status, passed.body.as_str()), (200, ""), "Envoy takes nothing else for a yes");
    for (name, value) in [
        ("x-key-id", id.as_str()),
        ("ratelimit-policy", "\"day\";q=1;w=86400"),
        ("ratelimit", "\"day\";r=0;t=43200"),
        ("access-control-allow-origin", APP),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(passed.field(name), value, "{name}");
    }
    assert!(passed.field("x-key-owner").starts_with("acc_") && passed.field("x-request-id").len() >= 8);
    assert!(passed.field("access-control-expose-headers").contains("RateLimit-Policy"));

    let over = refused(ask("POST", "/orders", CLIENT, &of_page), 429, "QUOTA_EXCEEDED").await;
    assert_eq!((over.field("retry-after"), over.field("ratelimit")), ("43200", "\"day\";r=0;t=43200"));
    assert_eq!(over.field("access-control-allow-origin"), APP, "the page may read why");
    let problem = over.problem();
    assert_eq!(problem["type"], "https://iana.org/assignments/http-problem-types#quota-exceeded");
    assert_eq!(problem["violated-policies"], json!(["day"]));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn traefik_tells_the_call_in_x_forwarded_fields(db: PgPool) {
    is_told_what_was_called(db, traefik).await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn envoy_tells_the_call_in_its_own_line(db: PgPool) {
    is_told_what_was_called(db, envoy).await;
}
