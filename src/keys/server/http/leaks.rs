//! Leaked keys over REST: the endpoint that GitHub's secret scanning calls, an operator's own word, and what a workspace wants done.
//!
//! The contract is GitHub's (secret scanning partner program): a JSON array, signed by ECDSA P-256 with SHA-256 over the raw body. It is
//! their document, so fields that we don't know are left alone here, unlike everywhere else.

use super::{Id, bodies::ReasonBody, body, changed::ChangedKeyBody};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::server::{
        self,
        leaks::{FoundToken, Signature, Verdict, check_signature, report_found},
    },
    platform::{Ctx, http::json::Body},
    values::permission_names as may,
};
use axum::{
    Json, Router,
    body::Bytes,
    extract::{FromRequest, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Tokens of one report.
const MOST: usize = 1_000;
const IDENTIFIER: HeaderName = HeaderName::from_static("github-public-key-identifier");
const SIGNATURE: HeaderName = HeaderName::from_static("github-public-key-signature");

pub fn routes() -> Router<Ctx> {
    Router::new()
        .route("/api/v1/leaked-keys", post(report_leaked_keys))
        .route("/api/v1/keys/{id}/leaked", post(mark_leaked).delete(clear_leaks))
        .route("/api/v1/me/leaked-keys", get(read_leak_choice).patch(edit_leak_choice))
}

/// A token that was found. No `Debug`, so that no log line can hold it by mistake.
#[derive(Deserialize, ToSchema)]
pub struct LeakedKeyBody {
    token: String,
    /// The name of its kind, as registered with the scanner.
    #[serde(default, rename = "type")]
    #[schema(example = "tollgate_key")]
    kind: String,
    /// Where it was found.
    #[serde(default)]
    #[schema(example = "https://github.com/octocat/shop/blob/main/.env")]
    url: String,
    /// What kind of place that is.
    #[serde(default)]
    #[schema(example = "content")]
    source: String,
}

/// What a token is.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeakedKeyLabel {
    /// Its SHA-256, in hexadecimal digits.
    pub token_hash: String,
    /// As it was sent.
    pub token_type: String,
    /// `true_positive`: it is, or was, the secret of a key here; else `false_positive`.
    pub label: &'static str,
}

/// Report leaked keys
///
/// For secret scanning: GitHub calls it as the contract of its partner program says, without a key but with a signature over the raw body
/// by one of the public keys that `tollgate leaks keys set` was given. Until then, 404. Each token that is a secret of a key marks that key
/// as leaked, once for each place, tells its owner by mail, and disables it where its workspace wants that. Safe to send twice. The
/// tokens themselves are neither stored nor logged. At most 1,000 tokens and 256 KiB.
#[utoipa::path(
    post, path = "/api/v1/leaked-keys", tag = "Leaked keys", operation_id = "report_leaked_keys", request_body = Vec<LeakedKeyBody>,
    params(
        ("Github-Public-Key-Identifier" = String, Header, description = "Which public key checks the signature"),
        ("Github-Public-Key-Signature" = String, Header, description = "ECDSA P-256 with SHA-256 over the raw body: ASN.1 DER, in base64"),
    ),
    responses(
        (status = 200, body = Vec<LeakedKeyLabel>),
        (status = 401, description = "The signature is missing or wrong"),
        (status = 404, description = "Nobody may report"),
    ),
)]
pub async fn report_leaked_keys(State(ctx): State<Ctx>, request: Request) -> Result<Response, AppError> {
    let headers = request.headers().clone();
    let body = Bytes::from_request(request, &()).await.map_err(|_| AppError::invalid("", "The body did not arrive whole, or is too long."))?;
    match check_signature(&ctx, text(&headers, &IDENTIFIER), text(&headers, &SIGNATURE), &body).await? {
        Signature::Valid => {}
        Signature::Wrong => return Ok(unsigned()),
        Signature::NobodyAsked => return Err(AppError::NotFound),
    }
    let tokens: Vec<LeakedKeyBody> = serde_json::from_slice(&body).map_err(|error| {
        // Only the place: the error's own words may repeat the token.
        let place = format!("line {}, column {}", error.line(), error.column());
        AppError::invalid("", format!("This is no JSON array of objects with token, type, url and source: see {place}."))
    })?;
    if tokens.len() > MOST {
        return Err(AppError::invalid("", "A report has at most 1,000 tokens."));
    }
    let (kinds, found): (Vec<String>, Vec<FoundToken>) =
        tokens.into_iter().map(|LeakedKeyBody { token, kind, url, source }| (kind, FoundToken { token, url, source })).unzip();
    let verdicts = report_found(&ctx, found).await?;
    Ok(Json(verdicts.into_iter().zip(kinds).map(label).collect::<Vec<_>>()).into_response())
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// 401 in words that fit: nobody can sign in here.
fn unsigned() -> Response {
    let mut problem = AppError::Unauthenticated.problem();
    problem["detail"] = "The signature is missing, by an unknown key, or not of this body.".into();
    let mut response = (StatusCode::UNAUTHORIZED, problem.to_string()).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response
}

fn label((verdict, token_type): (Verdict, String)) -> LeakedKeyLabel {
    let token_hash = verdict.hash.iter().map(|byte| format!("{byte:02x}")).collect();
    LeakedKeyLabel { token_hash, token_type, label: if verdict.is_real { "true_positive" } else { "false_positive" } }
}

/// Where a key was found.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeakedAtBody {
    /// An address that begins with `https://` or `http://`, at most 2,000 characters.
    #[schema(example = "https://example.com/forum/17")]
    url: String,
    /// At most 200 characters; stands in the history.
    #[serde(default)]
    reason: String,
}

/// Mark a key as leaked
///
/// As if secret scanning had found its newest secret there: a mail to its owner, a mark on the key, and, where its workspace wants that,
/// it is disabled. The mark goes when the secret is rotated away. Needs `keys:manage`; said twice it is written once.
#[utoipa::path(
    post, path = "/api/v1/keys/{id}/leaked", tag = "Leaked keys", operation_id = "mark_leaked", params(("id" = String, Path)), request_body = LeakedAtBody,
    responses((status = 200, body = ChangedKeyBody), (status = 409, description = "The key is revoked")),
    security(("key" = [])),
)]
pub async fn mark_leaked(State(ctx): State<Ctx>, caller: Caller, Id(id): Id, Body(at): Body<LeakedAtBody>) -> Result<Json<ChangedKeyBody>, AppError> {
    Ok(body(&ctx, server::leaks::mark_leaked(&ctx, &caller, id, &at.url, &at.reason).await?))
}

/// Clear a leak
///
/// What was reported is none, or means no harm. Whoever owns the key rotates it instead. Needs `keys:manage`. The key is not enabled by it.
#[utoipa::path(
    delete, path = "/api/v1/keys/{id}/leaked", tag = "Leaked keys", operation_id = "clear_leaks", params(("id" = String, Path)), request_body = ReasonBody,
    responses((status = 200, body = ChangedKeyBody)),
    security(("key" = [])),
)]
pub async fn clear_leaks(State(ctx): State<Ctx>, caller: Caller, Id(id): Id, Body(why): Body<ReasonBody>) -> Result<Json<ChangedKeyBody>, AppError> {
    Ok(body(&ctx, server::leaks::clear_leaks(&ctx, &caller, id, &why.reason).await?))
}

/// What becomes of the leaked keys of your workspace, besides a mail.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeakChoiceBody {
    /// They are disabled at once, on every node.
    pub disables: bool,
}

/// Read what becomes of leaked keys
///
/// Of your workspace.
#[utoipa::path(
    get, path = "/api/v1/me/leaked-keys", tag = "Leaked keys", operation_id = "read_leak_choice",
    responses((status = 200, body = LeakChoiceBody)),
    security(("key" = [])),
)]
pub async fn read_leak_choice(State(ctx): State<Ctx>, caller: Caller) -> Result<Json<LeakChoiceBody>, AppError> {
    caller.require(&may::KEYS_READ)?;
    Ok(Json(LeakChoiceBody { disables: server::leaks::leak_choice(&ctx, &caller).await? }))
}

/// Choose what becomes of leaked keys
///
/// Of your workspace, from the next report on. The owner gets a mail either way.
#[utoipa::path(
    patch, path = "/api/v1/me/leaked-keys", tag = "Leaked keys", operation_id = "edit_leak_choice", request_body = LeakChoiceBody,
    responses((status = 200, body = LeakChoiceBody)),
    security(("key" = [])),
)]
pub async fn edit_leak_choice(State(ctx): State<Ctx>, caller: Caller, Body(choice): Body<LeakChoiceBody>) -> Result<Json<LeakChoiceBody>, AppError> {
    server::leaks::save_leak_choice(&ctx, &caller, choice.disables).await?;
    Ok(Json(choice))
}
