//! `/forward-auth/{api}`: a proxy asks with the client's own headers; the status decides (KEYS.md §3.9).
//!
//! 200 with an empty body and who it is in headers (`X-External-Id` where the key has one), and `X-Hold` where the call takes a place (`gate::seats`), which the service gives back
//! that the call is for: the proxy does not tell when it has ended; else 401, 403 or 429 with a problem body, and the code in `X-Auth-Code`.
//! nginx understands only 401 and 403 and drops the body, so `/nginx` says 403 and `X-Auth-Status: 429` (or 503, or 404 and 422 where its own
//! address is wrong), the sentence in `X-Auth-Detail`, and what the problem is about in `X-Auth-Type` and `X-Auth-Violated`. Envoy keeps the
//! client's method and path behind `/envoy`. Any method is taken.

use super::{
    coming_back,
    gate::{Answer, Gate, Question, Stopped},
    limited, origins, ratelimit,
    rest::presented,
    salted::upgrade,
    signing::{self, Message, Proof, field_of, may_have_body},
};
use crate::{
    error::AppError,
    platform::{Ctx, http::RequestInfo, telemetry::request_id},
    values::{NotNow, Outcome, Permission},
};
use axum::{
    extract::Query,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

/// What the proxy's configuration may add to its address: `?permission=orders:read&cost=2`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Needs {
    permission: Option<Permission>,
    cost: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Plain,
    Nginx,
}

/// What was called, where the proxy does not tell it: the routes of a key match nothing then.
static UNTOLD: String = String::new();
const AUTH_CODE: HeaderName = HeaderName::from_static("x-auth-code");

/// Where the paths of this module begin.
pub const PATH: &str = "/forward-auth/";

/// Answers `/forward-auth/{api}`, `…/nginx` and `…/envoy/*path`.
pub async fn answer(ctx: &Ctx, gate: &Gate, info: &RequestInfo, head: &Parts) -> Response {
    let door = Asked { ctx, gate, info, headers: &head.headers };
    let path = head.uri.path().strip_prefix(PATH).unwrap_or_default();
    let (api, dialect) = path.split_once('/').map_or((path, None), |(api, dialect)| (api, Some(dialect)));
    match dialect {
        None => door.decide(api, Dialect::Plain, needs(head), Told::of(head, "x-forwarded")).await,
        Some("nginx") => door.decide(api, Dialect::Nginx, needs(head), Told::of(head, "x-original")).await,
        // Envoy appends the client's path, query included, so its own parameters can't stand in the query.
        Some(envoy) => match envoy.strip_prefix("envoy") {
            Some(path) if path.is_empty() || path.starts_with('/') => {
                let path = if path.is_empty() { "/" } else { path };
                let target = head.uri.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
                // What it tells of itself it tells as the others do; where the call went stands in its own line.
                let told = Told { method: head.method.as_str(), path: Some(&target), host: value(head, "host"), ..Told::of(head, "x-forwarded") };
                door.decide(api, Dialect::Plain, Ok(Needs::default()), told).await
            }
            _ => AppError::NotFound.into_response(),
        },
    }
}

/// This node may not answer now: 503, for nginx 403 with `X-Auth-Status: 503`.
pub fn stopped(head: &Parts, stopped: Stopped) -> Response {
    let dialect = head.uri.path().strip_prefix(PATH).and_then(|path| path.split_once('/')).map(|(_, dialect)| dialect);
    unavailable(stopped.into(), if dialect == Some("nginx") { Dialect::Nginx } else { Dialect::Plain })
}

/// Nobody can say whether the key may pass: 503 with the code of why, or what failed on our side.
fn unavailable(error: AppError, dialect: Dialect) -> Response {
    let (why, words) = (error.why_not_now(), error.to_string());
    let about = About { kind: why.map_or(BLANK, NotNow::kind), policies: Vec::new() };
    saying(error.into_response(), dialect, why.map_or("FAILED", NotNow::as_str), &words, &about)
}

/// The proxy's own address is wrong, which is nothing that a client could mend.
fn misconfigured(error: AppError, dialect: Dialect, words: &str) -> Response {
    saying(error.into_response(), dialect, "MISCONFIGURED", words, &About::NOTHING)
}

/// The type of a problem that says no more than its status.
const BLANK: &str = "about:blank";

/// What a problem is about: its type, and the policies that are named beside it.
struct About<'a> {
    kind: &'static str,
    policies: Vec<&'a str>,
}

impl<'a> About<'a> {
    const NOTHING: Self = Self { kind: BLANK, policies: Vec::new() };

    fn of(answer: &'a Answer, status: StatusCode) -> Self {
        match answer.blocked_by() {
            Some(block) => Self { kind: AppError::ABNORMAL_USAGE, policies: vec![block.as_str()] },
            None if status == StatusCode::TOO_MANY_REQUESTS => {
                Self { kind: AppError::QUOTA_EXCEEDED, policies: answer.violated().map(|limit| &*limit.name).collect() }
            }
            None => Self::NOTHING,
        }
    }
}

/// The code beside the body. nginx drops the body and takes only 401 and 403, so it gets what stands there beside, too: as it may stand in the
/// JSON of an error page.
fn saying(mut response: Response, dialect: Dialect, code: &'static str, words: &str, about: &About<'_>) -> Response {
    let status = response.status();
    let headers = response.headers_mut();
    headers.insert(AUTH_CODE, HeaderValue::from_static(code));
    if dialect == Dialect::Nginx {
        put(headers, "x-auth-status", status.as_u16().to_string());
        put(headers, "x-auth-detail", plain(words));
        put(headers, "x-auth-type", about.kind.to_owned());
        if !about.policies.is_empty() {
            put(headers, "x-auth-violated", serde_json::json!(about.policies).to_string());
        }
        if status != StatusCode::UNAUTHORIZED {
            *response.status_mut() = StatusCode::FORBIDDEN;
        }
    }
    response
}

/// As it may stand between quotes in a challenge (RFC 6750 §3) and in the JSON of an error page.
fn plain(words: &str) -> String {
    let plain = |c| match c {
        '"' => '\'',
        '\\' => '/',
        ' '..='~' => c,
        _ => '?',
    };
    words.chars().map(plain).collect()
}

fn needs(head: &Parts) -> Result<Needs, String> {
    match head.uri.query() {
        None => Ok(Needs::default()),
        Some(_) => Query::<Needs>::try_from_uri(&head.uri).map(|q| q.0).map_err(|rejection| query_fault(&rejection.body_text())),
    }
}

/// What is wrong with the query, without what the library says of itself: `cost: Write a whole number.`
fn query_fault(words: &str) -> String {
    let words = words.strip_prefix("Failed to deserialize query string: ").unwrap_or(words);
    words.replace("invalid digit found in string", "Write a whole number.")
}

/// The client's method and path, and where it sent them, as this kind of proxy tells them. Each dialect reads its own headers only: the
/// other family passes through the proxy as the client sent it.
struct Told<'a> {
    method: &'a str,
    path: Option<&'a str>,
    /// Only signatures look at it: `https` unless told otherwise.
    scheme: &'a str,
    host: Option<&'a str>,
}

fn value<'a>(head: &'a Parts, name: &str) -> Option<&'a str> {
    head.headers.get(name).and_then(|v| v.to_str().ok())
}

impl<'a> Told<'a> {
    /// By a family of headers: `x-forwarded-uri`, `x-original-uri`.
    fn of(head: &'a Parts, family: &'static str) -> Self {
        let [method, path, scheme, host] = match family {
            "x-original" => ["x-original-method", "x-original-uri", "x-original-proto", "x-original-host"],
            _ => ["x-forwarded-method", "x-forwarded-uri", "x-forwarded-proto", "x-forwarded-host"],
        };
        Self {
            method: value(head, method).unwrap_or(head.method.as_str()),
            path: value(head, path),
            scheme: value(head, scheme).unwrap_or("https"),
            host: value(head, host).or_else(|| value(head, "host")),
        }
    }

    /// `GET /orders/17`. Without a path `GET /`; where the path matters the method only, which no route matches.
    fn route(&self, path_matters: bool) -> String {
        match self.path {
            Some(path) => [self.method, " ", path].concat(),
            None if path_matters => self.method.to_owned(),
            None => [self.method, " /"].concat(),
        }
    }
}

/// What a proxy asks with.
struct Asked<'a> {
    ctx: &'a Ctx,
    gate: &'a Gate,
    info: &'a RequestInfo,
    headers: &'a HeaderMap,
}

impl Asked<'_> {
    async fn decide(&self, api: &str, dialect: Dialect, needs: Result<Needs, String>, told: Told<'_>) -> Response {
        let Self { gate, info, headers, .. } = *self;
        let needs = match needs {
            Ok(needs) => needs,
            Err(words) => {
                let words = format!("The proxy's address has a query that is not understood: {words}");
                return misconfigured(AppError::invalid("query", words.as_str()), dialect, &words);
            }
        };
        if needs.cost == Some(0) {
            // A proxy that appends the client's query would let the client ask without being charged.
            let words = "A call through a proxy costs at least 1.";
            return misconfigured(AppError::invalid("cost", words), dialect, words);
        }
        // Loaded meanwhile (`gate::finding`).
        let shown = presented(headers);
        let foreseen = shown.and_then(|secret| gate.foresee(secret)).inspect(|foreseen| gate.expect_place(foreseen));
        let Some(api) = gate.api(api) else { return misconfigured(AppError::NotFound, dialect, "The proxy's address names an API that is not there.") };
        let route = told.route(gate.has_routes(api.id));
        let origin = origins::told(headers);
        foreseen.iter().for_each(|foreseen| gate.expect_record(foreseen));
        let secret = match shown {
            Some(secret) => secret,
            None if gate.turns_away(info.address) => "",
            None => {
                if api.answers_preflights
                    && let Some(origin) = origin.filter(|_| origins::is_preflight(told.method, headers))
                {
                    return if gate.names_origin(api.id, origin) { origins::preflight(headers, origin) } else { no_page(origin, dialect) };
                }
                gate.nothing_presented(Some(api.id), &route, info);
                return missing(&api.slug, dialect);
            }
        };
        let mut question = Question {
            secret,
            foreseen: foreseen.as_ref(),
            api: Some(api.id),
            permission: needs.permission.as_ref().map(Permission::as_str),
            route: &route,
            is_proxied: true,
            called: told.path.is_none().then_some(&UNTOLD),
            cost: needs.cost,
            address: Some(info.address),
            origin,
            proof: Proof::Absent,
            request_id: &info.id,
        };
        foreseen.iter().for_each(|foreseen| gate.expect_counters(foreseen));
        if let Err(error) = upgrade(self.ctx, gate, secret, question.address).await {
            return unavailable(error, dialect);
        }
        if headers.contains_key("signature-input") {
            question.proof = match Box::pin(self.proof(&question, &told)).await {
                Ok(proof) => proof,
                Err(error) => return unavailable(error, dialect),
            };
        }
        let answer = match gate.ask(question).await {
            Ok(answer) => answer,
            Err(unleased) => return unavailable(unleased.into(), dialect),
        };
        let mut response = if answer.passes() { passed(&answer) } else { refused(&answer, &api.slug, dialect) };
        ratelimit::tell(response.headers_mut(), &answer.limits);
        ratelimit::tell_over(response.headers_mut(), answer.over());
        if let Some(facts) = answer.facts() {
            if let Some(origin) = origin.filter(|origin| !facts.rights.origins.is_empty() && origins::allows(&facts.rights.origins, origin)) {
                origins::let_read(&mut response, origin);
            }
            if let Some(signer) = facts.signer().filter(|_| answer.outcome == Outcome::Forbidden) {
                put(response.headers_mut(), "accept-signature", signing::hint(facts.key, signer, may_have_body(told.method, headers)));
            }
        }
        response
    }

    /// What is known of the call's signature. A proxy that does not tell the path tells nothing that could be signed.
    async fn proof(&self, question: &Question<'_>, told: &Told<'_>) -> Result<Proof, AppError> {
        let field = |name: &str| field_of(self.headers, name);
        let message = Message {
            method: told.method,
            scheme: told.scheme,
            authority: told.host.unwrap_or("\0"),
            target: told.path.unwrap_or("\0"),
            field: &field,
            has_body: may_have_body(told.method, self.headers),
            body_sha256: None,
        };
        signing::prove(self.ctx, self.gate, question, &message).await
    }
}

/// A browser asks for a page whose origin no key of the API names.
fn no_page(origin: &str, dialect: Dialect) -> Response {
    let shown: String = origin.chars().take(200).collect();
    let words = format!("No key of this API may be used by pages of {shown}.");
    saying(AppError::refused(words.as_str()).into_response(), dialect, Outcome::Forbidden.as_str(), &words, &About::NOTHING)
}

fn passed(answer: &Answer) -> Response {
    let mut response = StatusCode::OK.into_response();
    if let Some(facts) = answer.facts() {
        let headers = response.headers_mut();
        put(headers, "x-key-id", facts.key.to_string());
        put(headers, "x-key-owner", facts.home.owner.to_string());
        put(headers, "x-key-plan", facts.plan().to_owned());
        if let Some(id) = facts.external_id() {
            put(headers, "x-external-id", id.to_owned());
        }
        if !facts.entitlements().is_empty() {
            put(headers, "x-key-entitlements", facts.entitlements().join(", "));
        }
        if let Some(hold) = &answer.hold {
            put(headers, "x-hold", hold.to_string());
        }
        put(headers, "x-key-permissions", facts.permissions().iter().map(Permission::as_str).collect::<Vec<_>>().join(" "));
    }
    response
}

fn refused(answer: &Answer, api: &str, dialect: Dialect) -> Response {
    let status = StatusCode::from_u16(answer.outcome.status().0).unwrap_or(StatusCode::UNAUTHORIZED);
    let limited = if answer.why.is_none() { limited::words(answer) } else { None };
    let words = answer.why.as_deref().or(limited.as_deref()).unwrap_or(answer.outcome.sentence());
    let about = About::of(answer, status);
    let mut response = problem(status, answer, words, &about);
    let headers = response.headers_mut();
    let challenge = match (answer.outcome, &answer.lacks) {
        (Outcome::Forbidden, Some(needed)) => Some(("insufficient_scope", format!(", scope=\"{needed}\""))),
        _ if status == StatusCode::UNAUTHORIZED => Some(("invalid_token", String::new())),
        _ => None,
    };
    let challenge = challenge.map(|(error, scope)| format!("Bearer realm=\"{api}\", error=\"{error}\", error_description=\"{}\"{scope}", plain(words)));
    if let Some(challenge) = challenge {
        put(headers, "www-authenticate", challenge);
    }
    if let Some(seconds) = coming_back::retry_after(answer) {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    saying(response, dialect, answer.outcome.as_str(), words, &about)
}

/// No key was sent at all: 401 without an error attribute (RFC 6750 §3.1).
fn missing(api: &str, dialect: Dialect) -> Response {
    let words = "This API needs a key. Send it as Authorization: Bearer <key>, or as X-API-Key.";
    let body = serde_json::json!({
        "type": BLANK, "title": "Unauthorized", "status": 401, "code": "MISSING", "request_id": request_id(),
        "detail": words,
    });
    let mut response = (StatusCode::UNAUTHORIZED, body.to_string()).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    put(response.headers_mut(), "www-authenticate", format!("Bearer realm=\"{api}\""));
    saying(response, dialect, "MISSING", words, &About::NOTHING)
}

fn problem(status: StatusCode, answer: &Answer, words: &str, about: &About<'_>) -> Response {
    let mut body = serde_json::json!({
        "type": about.kind,
        "title": status.canonical_reason().unwrap_or("Error"),
        "status": status.as_u16(),
        "detail": words,
        "code": answer.outcome.as_str(),
        "request_id": request_id(),
    });
    if !about.policies.is_empty() {
        body["violated-policies"] = serde_json::json!(about.policies);
    }
    let mut response = (status, body.to_string()).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response
}

fn put(headers: &mut HeaderMap, name: &'static str, value: String) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}
