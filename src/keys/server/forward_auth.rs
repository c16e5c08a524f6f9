//! `/forward-auth/{api}`: a proxy asks with the client's own headers; the status decides (KEYS.md §3.9).
//!
//! 200 with an empty body and who it is in headers; else 401, 403 or 429 with a problem body. nginx understands only 401 and 403, so
//! `/nginx` says 403 and `X-Auth-Status: 429` (or 503). Envoy keeps the client's method and path behind `/envoy`. Any method is taken.

use super::{
    gate::{Answer, Gate, Question, Stopped},
    ratelimit,
    rest::presented,
};
use crate::{
    error::AppError,
    platform::{http::RequestInfo, telemetry::request_id},
    values::{Outcome, Permission},
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

/// Where the paths of this module begin.
pub const PATH: &str = "/forward-auth/";

/// Answers `/forward-auth/{api}`, `…/nginx` and `…/envoy/*path`.
pub async fn answer(gate: &Gate, info: &RequestInfo, head: &Parts) -> Response {
    let path = head.uri.path().strip_prefix(PATH).unwrap_or_default();
    let (api, dialect) = path.split_once('/').map_or((path, None), |(api, dialect)| (api, Some(dialect)));
    let (dialect, needs, told) = match dialect {
        None => (Dialect::Plain, needs(head), Told::of(head, "x-forwarded-method", "x-forwarded-uri")),
        Some("nginx") => (Dialect::Nginx, needs(head), Told::of(head, "x-original-method", "x-original-uri")),
        // Envoy appends the client's path, query included, so its own parameters can't stand in the query.
        Some(envoy) => match envoy.strip_prefix("envoy") {
            Some(path) if path.is_empty() || path.starts_with('/') => {
                let path = if path.is_empty() { "/" } else { path };
                (Dialect::Plain, Ok(Needs::default()), Told { method: head.method.as_str(), path: Some(path) })
            }
            _ => return AppError::NotFound.into_response(),
        },
    };
    decide(gate, info, api, dialect, needs, told, head).await
}

/// This node may not answer now: 503, for nginx 403 with `X-Auth-Status: 503`.
pub fn stopped(head: &Parts, stopped: Stopped) -> Response {
    unavailable(head, stopped.into_response())
}

fn unavailable(head: &Parts, mut response: Response) -> Response {
    let dialect = head.uri.path().strip_prefix(PATH).and_then(|path| path.split_once('/')).map(|(_, dialect)| dialect);
    if dialect == Some("nginx") {
        let status = std::mem::replace(response.status_mut(), StatusCode::FORBIDDEN);
        put(response.headers_mut(), "x-auth-status", status.as_u16().to_string());
    }
    response
}

fn needs(head: &Parts) -> Result<Needs, String> {
    match head.uri.query() {
        None => Ok(Needs::default()),
        Some(_) => Query::<Needs>::try_from_uri(&head.uri).map(|q| q.0).map_err(|rejection| rejection.body_text()),
    }
}

/// The client's method and path, as this kind of proxy tells them. Each dialect reads its own headers only: the other family passes
/// through the proxy as the client sent it.
struct Told<'a> {
    method: &'a str,
    path: Option<&'a str>,
}

impl<'a> Told<'a> {
    fn of(head: &'a Parts, method: &'static str, path: &'static str) -> Self {
        let told = |name: &'static str| head.headers.get(name).and_then(|v| v.to_str().ok());
        Self { method: told(method).unwrap_or(head.method.as_str()), path: told(path) }
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

async fn decide(gate: &Gate, info: &RequestInfo, api: &str, dialect: Dialect, needs: Result<Needs, String>, told: Told<'_>, head: &Parts) -> Response {
    let needs = match needs {
        Ok(needs) => needs,
        Err(words) => return AppError::invalid("query", format!("The proxy's address has a query that is not understood: {words}")).into_response(),
    };
    if needs.cost == Some(0) {
        // A proxy that appends the client's query would let the client ask without being charged.
        return AppError::invalid("cost", "A call through a proxy costs at least 1.").into_response();
    }
    let Some(api) = gate.api(api) else { return AppError::NotFound.into_response() };
    let route = told.route(gate.has_routes(api.id));
    let secret = match presented(&head.headers) {
        Some(secret) => secret,
        None if gate.turns_away(info.address) => "",
        None => {
            gate.nothing_presented(Some(api.id), &route, info);
            return missing(&api.slug);
        }
    };
    let decided = gate.ask(Question {
        secret,
        api: Some(api.id),
        permission: needs.permission.as_ref().map(Permission::as_str),
        route: &route,
        is_proxied: true,
        cost: needs.cost,
        address: Some(info.address),
        request_id: &info.id,
    });
    let answer = match decided.await {
        Ok(answer) => answer,
        Err(unleased) => return unavailable(head, unleased.into_response()),
    };
    let mut response = if answer.passes() { passed(&answer) } else { refused(&answer, &api.slug, dialect) };
    ratelimit::tell(response.headers_mut(), &answer.limits);
    response
}

fn passed(answer: &Answer) -> Response {
    let mut response = StatusCode::OK.into_response();
    if let Some(facts) = answer.facts() {
        let headers = response.headers_mut();
        put(headers, "x-key-id", facts.key.to_string());
        put(headers, "x-key-owner", facts.owner.to_string());
        put(headers, "x-key-plan", facts.plan().to_owned());
        put(headers, "x-key-permissions", facts.permissions.iter().map(Permission::as_str).collect::<Vec<_>>().join(" "));
    }
    response
}

fn refused(answer: &Answer, api: &str, dialect: Dialect) -> Response {
    let status = match answer.outcome {
        Outcome::RateLimited | Outcome::QuotaExceeded => StatusCode::TOO_MANY_REQUESTS,
        Outcome::Forbidden | Outcome::IpDenied | Outcome::Banned => StatusCode::FORBIDDEN,
        _ => StatusCode::UNAUTHORIZED,
    };
    let policies: Vec<&str> = answer.violated().map(|l| &*l.name).collect();
    let mut response = problem(status, answer, &policies);
    let headers = response.headers_mut();
    let challenge = match (answer.outcome, &answer.lacks) {
        (Outcome::Forbidden, Some(needed)) => Some(format!("Bearer realm=\"{api}\", error=\"insufficient_scope\", scope=\"{needed}\"")),
        _ if status == StatusCode::UNAUTHORIZED => Some(format!("Bearer realm=\"{api}\", error=\"invalid_token\"")),
        _ => None,
    };
    if let Some(challenge) = challenge {
        put(headers, "www-authenticate", challenge);
    }
    if let Some(seconds) = answer.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if dialect == Dialect::Nginx {
        put(headers, "x-auth-status", status.as_u16().to_string());
        if status == StatusCode::TOO_MANY_REQUESTS {
            *response.status_mut() = StatusCode::FORBIDDEN;
        }
    }
    response
}

/// No key was sent at all: 401 without an error attribute (RFC 6750 §3.1).
fn missing(api: &str) -> Response {
    let body = serde_json::json!({
        "type": "about:blank", "title": "Unauthorized", "status": 401, "code": "MISSING", "request_id": request_id(),
        "detail": "This API needs a key. Send it as Authorization: Bearer <key>, or as X-API-Key.",
    });
    let mut response = (StatusCode::UNAUTHORIZED, body.to_string()).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    put(response.headers_mut(), "www-authenticate", format!("Bearer realm=\"{api}\""));
    response
}

fn problem(status: StatusCode, answer: &Answer, policies: &[&str]) -> Response {
    let outcome = answer.outcome;
    let is_limit = status == StatusCode::TOO_MANY_REQUESTS;
    let mut body = serde_json::json!({
        "type": if is_limit { "https://iana.org/assignments/http-problem-types#quota-exceeded" } else { "about:blank" },
        "title": status.canonical_reason().unwrap_or("Error"),
        "status": status.as_u16(),
        "detail": answer.why.as_deref().unwrap_or(outcome.sentence()),
        "code": outcome.as_str(),
        "request_id": request_id(),
    });
    if is_limit {
        body["violated-policies"] = serde_json::json!(policies);
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
