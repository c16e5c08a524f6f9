//! `POST /api/v1/keys/verify`: a service asks whether a key may pass. 200 with the outcome, whatever it is; 4xx only for the asking
//! service's own faults. No database work but for leases between nodes, no session, no quota of its own.

use super::{
    gate::{Answer, Gate, LimitState, Question},
    ratelimit,
    rest::presented,
};
use crate::{
    error::AppError,
    platform::http::RequestInfo,
    values::{AccountId, KeyId, Outcome, Permission, WorkspaceId, permission_names as may},
};
use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, net::IpAddr};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Where it is asked.
pub const PATH: &str = "/api/v1/keys/verify";
/// The route under which the asking service's own secret is seen.
const ASKING: &str = "POST /api/v1/keys/verify";

/// What a service asks.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyRequest<'a> {
    /// The secret that the caller of the service presented.
    #[serde(borrow)]
    pub key: Cow<'a, str>,
    /// The slug of the API that was called; a key of another API is then `WRONG_API`.
    #[serde(borrow, default)]
    pub api: Option<Cow<'a, str>>,
    /// A permission that the call needs, beside the one that its route needs.
    #[serde(borrow, default)]
    pub permission: Option<Cow<'a, str>>,
    /// The method and path that were called, `GET /orders/17`: what the API's routes are matched with, and how usage is counted.
    #[serde(borrow, default)]
    pub route: Option<Cow<'a, str>>,
    /// Cost units; without it what the route costs, else 1; 0 asks without charging.
    #[serde(default)]
    pub cost: Option<u32>,
    /// The address of the end client. A key that may be used from certain addresses only is `IP_DENIED` without it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub ip: Option<IpAddr>,
}

/// How a limit stands after this verification.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct LimitBody {
    #[schema(value_type = String)]
    pub name: std::sync::Arc<str>,
    pub limit: u64,
    /// Where several nodes share the limit: as far as the one that answers knows.
    pub remaining: u64,
    /// Seconds.
    pub reset_after: u64,
}

/// The answer. What the holder of an unknown key may not know is left out.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct VerifyAnswer<'a> {
    pub valid: bool,
    #[schema(value_type = String)]
    pub code: Outcome,
    /// Why exactly, where the code does not say it all: the missing permission, a path that matches no route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub key_id: Option<KeyId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub account_id: Option<AccountId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub workspace_id: Option<WorkspaceId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<&'a str>,
    #[schema(value_type = Vec<String>)]
    pub permissions: &'a [Permission],
    pub limits: Vec<LimitBody>,
    /// Seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    #[schema(value_type = Object)]
    pub meta: serde_json::Map<String, serde_json::Value>,
}

/// Verify a key
///
/// The asking service presents a key for the API `tollgate` that has the permission `keys:verify`.
#[utoipa::path(
    post, path = "/api/v1/keys/verify", tag = "Verification", operation_id = "verify_key",
    request_body = VerifyRequest<'static>,
    responses(
        (status = 200, description = "The outcome, valid or not", body = VerifyAnswer<'static>),
        (status = 401, description = "The asking service presents no valid key", content_type = "application/problem+json"),
        (status = 403, description = "The asking service's key lacks keys:verify", content_type = "application/problem+json"),
        (status = 422, description = "The question is malformed", content_type = "application/problem+json"),
        (
            status = 503, content_type = "application/problem+json",
            description = "This node was cut off from the database for longer than it may go on from memory (15 minutes unless set otherwise), or could not lease more of a limit that several nodes share; Retry-After says when to ask again",
        ),
    ),
    security(("key" = [])),
)]
pub async fn verify_key(gate: &Gate, info: &RequestInfo, headers: &HeaderMap, body: &[u8]) -> Result<Response, AppError> {
    may_ask(gate, headers, info.address)?;
    let asked: VerifyRequest<'_> = serde_json::from_slice(body).map_err(|error| malformed(&error))?;
    let api = match asked.api.as_deref() {
        None => None,
        Some(slug) => Some(gate.api(slug).ok_or_else(|| AppError::invalid("api", format!("There is no API {slug}.")))?.id),
    };
    let decided = gate.ask(Question {
        secret: &asked.key,
        api,
        permission: asked.permission.as_deref(),
        route: asked.route.as_deref().unwrap_or("-"),
        cost: asked.cost,
        address: asked.ip,
        request_id: &info.id,
        ..Question::default()
    });
    let answer = match decided.await {
        Ok(answer) => answer,
        Err(unleased) => return Ok(unleased.into_response()),
    };
    let bytes = serde_json::to_vec(&told(&answer)).map_err(AppError::internal)?;
    let mut response = bytes.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    ratelimit::tell(response.headers_mut(), &answer.limits);
    Ok(response)
}

/// The asking service's own key: any key for `tollgate` with `keys:verify`. Looked up, not charged: asking has no quota.
fn may_ask(gate: &Gate, headers: &HeaderMap, address: IpAddr) -> Result<(), AppError> {
    let secret = presented(headers).ok_or(AppError::Unauthenticated)?;
    match gate.standing(secret, "tollgate", may::KEYS_VERIFY.as_str(), ASKING, Some(address)) {
        Outcome::Valid => Ok(()),
        outcome @ Outcome::IpDenied => Err(AppError::refused(outcome.sentence())),
        Outcome::Forbidden => Err(AppError::forbidden(&may::KEYS_VERIFY)),
        _ => Err(AppError::Unauthenticated),
    }
}

fn told(answer: &Answer) -> VerifyAnswer<'_> {
    let facts = answer.facts();
    let valid = answer.passes();
    VerifyAnswer {
        valid,
        code: answer.outcome,
        detail: answer.why.as_deref(),
        api: facts.map(|f| &*f.api_slug),
        key_id: facts.map(|f| f.key),
        account_id: facts.map(|f| f.owner),
        workspace_id: facts.map(|f| f.workspace),
        plan: facts.map(|f| f.plan()),
        permissions: facts.filter(|_| valid).map_or(&[], |f| &f.permissions),
        limits: answer.limits.iter().map(limit).collect(),
        retry_after: answer.retry_after,
        expires_at: facts.and_then(|f| f.expires_at).and_then(rfc3339),
        meta: serde_json::Map::new(),
    }
}

fn limit(state: &LimitState) -> LimitBody {
    LimitBody { name: state.name.clone(), limit: state.limit, remaining: state.remaining, reset_after: state.reset_after }
}

fn rfc3339(micros: i64) -> Option<String> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000).ok()?.format(&Rfc3339).ok()
}

/// Names the field where serde names one.
fn malformed(error: &serde_json::Error) -> AppError {
    let words = error.to_string();
    let field = words.split('`').nth(1).filter(|_| words.contains("field")).unwrap_or_default();
    AppError::invalid(field, format!("The body is not a verification question: {words}."))
}
