//! What Traefik and Envoy send, byte for byte, against the real listener; neither runs here. The requests are those that their sources make of
//! a client's call with the files of `examples/orders`, whose lists decide which of its fields go along. Read were, on 2026-11-22:
//! - traefik/traefik, `pkg/middlewares/auth/forward.go` at `bd22897c` (version 3) and at `0331801c` (branch 2.11, with what 3.6.14 and 3.7.12
//!   changed), `pkg/middlewares/forwardedheaders/forwarded_header.go`, `docs/content/migrate/v3.md` at `0076e17e`. Go sorts fields by name;
//! - envoyproxy/envoy, `source/extensions/filters/common/ext_authz/ext_authz_http_impl.cc` at `9c276e34`, later versions of
//!   `check_request_utils.cc` beside it, of `source/extensions/filters/http/ext_authz/ext_authz.cc` and `source/common/http/conn_manager_utility.cc`,
//!   `async_client_impl.cc` there at `02a45cb9`, `changelogs/1.28.0.yaml`: since then Envoy adds no address of its own to `x-forwarded-for`.
//!   Its fields come from a hash map, so in any order.
//!
//! nginx and Caddy run for real in `end2end/proxies.spec.ts`.

use crate::{
    keys::{Person, json, person, person_with},
    support::TestApp,
};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const CLIENT: &str = "203.0.113.7";
const APP: &str = "https://app.example.com";
const TRAEFIK: &str = include_str!("../../../examples/orders/traefik.yaml");
const ENVOY: &str = include_str!("../../../examples/orders/envoy.yaml");

/// A call as its client would like it to be seen: none of it is believed.
const PRETENDED: [(&str, &str); 6] = [
    ("X-Forwarded-For", CLIENT),
    ("X-Forwarded-Host", "else.example"),
    ("X-Forwarded-Method", "POST"),
    ("X-Forwarded-Uri", "/orders"),
    ("X-Original-Method", "POST"),
    ("X-Original-Uri", "/orders"),
];

/// A proxy's question about a call of `method` and `target` that came from `client` with these fields.
type Ask = fn(method: &str, target: &str, client: &str, fields: &[(&str, &str)]) -> String;

/// Whether a list of this configuration, in one line, names the field.
fn names(config: &str, list: &str, field: &str) -> bool {
    let line = config.lines().map(str::trim).find(|line| line.starts_with(list)).unwrap();
    line.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').any(|word| word.eq_ignore_ascii_case(field))
}

/// Always a GET to the configured address; of the call's own fields what `authRequestHeaders` names, all else as `X-Forwarded-*`, which with
/// `trustForwardHeader: false` is what Traefik saw.
fn traefik(method: &str, target: &str, client: &str, fields: &[(&str, &str)]) -> String {
    let mut named: Vec<_> = fields.iter().filter(|(name, _)| names(TRAEFIK, "authRequestHeaders:", name)).collect();
    named.sort_unstable();
    let named = named.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect::<Vec<_>>().concat();
    format!(
        "GET /forward-auth/demo HTTP/1.1\r\nHost: 127.0.0.1:3000\r\nUser-Agent: curl/7.88.1\r\n{named}X-Forwarded-For: {client}\r\n\
         X-Forwarded-Host: api.example.com\r\nX-Forwarded-Method: {method}\r\nX-Forwarded-Port: 443\r\nX-Forwarded-Proto: https\r\n\
         X-Forwarded-Uri: {target}\r\nAccept-Encoding: gzip\r\n\r\n"
    )
}

/// Method, path and host of the call, behind `path_prefix`; of its fields what `allowed_headers` names. To `x-forwarded-for` of the client its
/// address was added.
fn envoy(method: &str, target: &str, client: &str, fields: &[(&str, &str)]) -> String {
    let is_origin = |name: &str| name.eq_ignore_ascii_case("x-forwarded-for");
    let goes_along = |name: &str| name.eq_ignore_ascii_case("authorization") || names(ENVOY, "allowed_headers:", name);
    let said = fields.iter().find(|(name, _)| is_origin(name)).map(|(_, value)| format!("{value},")).unwrap_or_default();
    let named = fields.iter().filter(|(name, _)| goes_along(name) && !is_origin(name));
    let named = named.map(|(name, value)| format!("{}: {value}\r\n", name.to_ascii_lowercase())).collect::<Vec<_>>().concat();
    format!(
        "{method} /forward-auth/demo/envoy{target} HTTP/1.1\r\nhost: api.example.com\r\ncontent-length: 0\r\nuser-agent: curl/7.88.1\r\n{named}\
         x-forwarded-for: {said}{client}\r\nx-forwarded-proto: https\r\nx-envoy-internal: true\r\nx-envoy-expected-rq-timeout-ms: 3000\r\n\r\n"
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

/// Behind a proxy on this machine.
async fn start(db: &PgPool) -> TestApp {
    TestApp::start_with(db.clone(), |config| config.server.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()]).await
}

/// Changes a key, or an API.
async fn change(app: &TestApp, person: &Person, path: &str, to: Value) {
    let (status, said) = json(person.call(app, Method::PATCH, path, Some(to)).await).await;
    assert_eq!(status, 200, "{said}");
}

/// A key that is bound to all that only the proxy can tell: route, address and origin of the call.
async fn is_told_what_was_called(db: PgPool, ask: Ask) {
    let app = start(&db).await;
    let olga = person(&app, &db, "olga@example.com", "operator").await;
    let (id, secret) = olga.new_key(&app, "behind a proxy").await;
    let bound =
        json!({ "addresses": ["203.0.113.0/24"], "origins": [APP], "routes": ["POST /orders"], "limits": [{ "name": "day", "limit": 1, "window": 86400 }] });
    change(&app, &olga, &format!("/api/v1/keys/{id}"), bound).await;

    let bearer = format!("Bearer {secret}");
    let key = [("Authorization", bearer.as_str())];
    let of_page = [key[0], ("Origin", APP)];
    let pretended = [&key[..], &PRETENDED[..]].concat();
    let refused = async |question: String, status: u16, code: &str| {
        let answer = send(&app, question).await;
        assert_eq!((answer.status, answer.field("x-auth-code")), (status, code), "{}", answer.body);
        let problem = answer.problem();
        assert_eq!((&problem["status"], &problem["code"], &problem["request_id"]), (&json!(status), &json!(code), &json!(answer.field("x-request-id"))));
        assert_eq!(answer.field("x-key-id"), "", "who it is is told only where it passes");
        answer
    };
    let missing = refused(ask("POST", "/orders?page=2", CLIENT, &[]), 401, "MISSING").await;
    assert_eq!(missing.field("www-authenticate"), "Bearer realm=\"demo\"");
    refused(ask("GET", "/orders?page=2", CLIENT, &key), 403, "FORBIDDEN").await;
    refused(ask("POST", "/order", CLIENT, &key), 403, "FORBIDDEN").await;
    refused(ask("POST", "/orders", "198.51.100.9", &key), 403, "IP_DENIED").await;
    let of_another = refused(ask("POST", "/orders", CLIENT, &[key[0], ("Origin", "https://evil.example")]), 403, "FORBIDDEN").await;
    assert_eq!(of_another.field("access-control-allow-origin"), "");
    refused(ask("DELETE", "/orders", CLIENT, &pretended), 403, "FORBIDDEN").await;
    refused(ask("POST", "/order", CLIENT, &pretended), 403, "FORBIDDEN").await;
    refused(ask("POST", "/orders", "198.51.100.9", &pretended), 403, "IP_DENIED").await;

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
    assert_eq!(over.field("ratelimit"), "\"day\";r=0;t=43200");
    assert!((43_200..43_260).contains(&over.field("retry-after").parse::<u64>().unwrap()), "{}", over.field("retry-after"));
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

/// A browser's question before a call, for a page that a key names.
async fn is_asked_for_preflights(db: PgPool, ask: Ask) {
    let app = start(&db).await;
    let olga = person_with(&app, &db, "olga@example.com", "operator", &["keys:read", "keys:write", "apis:manage"]).await;
    let (id, _) = olga.new_key(&app, "in a web page").await;
    change(&app, &olga, &format!("/api/v1/keys/{id}"), json!({ "origins": [APP] })).await;
    change(&app, &olga, "/api/v1/apis/demo", json!({ "answers_preflights": true })).await;
    let of = |origin| [("Access-Control-Request-Headers", "authorization"), ("Access-Control-Request-Method", "POST"), ("Origin", origin)];
    let may = send(&app, ask("OPTIONS", "/orders", CLIENT, &of(APP))).await;
    assert_eq!((may.status, may.field("access-control-allow-origin")), (200, APP), "{}", may.body);
    assert_eq!((may.field("access-control-allow-methods"), may.field("access-control-allow-headers")), ("POST", "authorization"));
    let may_not = send(&app, ask("OPTIONS", "/orders", CLIENT, &of("https://evil.example"))).await;
    assert_eq!((may_not.status, may_not.field("access-control-allow-origin")), (403, ""));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn traefik_hands_on_what_a_browser_asks_before_a_call(db: PgPool) {
    is_asked_for_preflights(db, traefik).await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn envoy_hands_on_what_a_browser_asks_before_a_call(db: PgPool) {
    is_asked_for_preflights(db, envoy).await;
}
