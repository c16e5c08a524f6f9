//! Many new keys at once: `POST /api/v1/keys/batch`, and the file of secrets that `/keys/create-many` gives.

use super::{bodies::KeyLimitBody, new_key::new_key, no_store};
use crate::{
    accounts::Caller,
    error::{AppError, FieldError},
    keys::{
        model::{BatchLine, Environment, Meta, Preset},
        server::{self, Batch, BatchKey, MadeKey, forms::page_token},
    },
    platform::{
        Ctx,
        http::json::{Body, with_location},
    },
    values::BatchId,
};
use axum::{
    Form, Json, Router,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::post,
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

pub fn routes() -> Router<Ctx> {
    Router::new()
        .route("/api/v1/keys/batch", post(create_keys))
        .route("/keys/create-many/file", post(give_file).get(|| async { Redirect::to("/keys/create-many") }))
}

/// Keys that a client wants.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchBody {
    /// The slug of the API that they call.
    #[schema(example = "demo")]
    api: String,
    /// 1 to 1,000 keys.
    keys: Vec<BatchKeyBody>,
    /// Only say what is wrong with each.
    #[serde(default)]
    dry_run: bool,
}

/// One of many new keys.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchKeyBody {
    /// 1 to 80 characters; each name once, since the answer is told apart by names.
    #[schema(example = "till 1")]
    name: String,
    /// Without it, those of the preset, or none beside the bundles that are named.
    #[serde(default)]
    permissions: Option<Vec<String>>,
    /// In place of `permissions`: `basic` (the default unless bundles are named), `read-only` or `admin`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    preset: Option<Preset>,
    /// Names of bundles of the API, whose permissions it has beside its own.
    #[serde(default)]
    #[schema(example = json!(["order-desk"]))]
    bundles: Vec<String>,
    #[serde(default)]
    addresses: Vec<String>,
    /// Origins of web pages whose browsers may use it; empty: it does not matter.
    #[serde(default)]
    origins: Vec<String>,
    /// Routes that it may call; empty: all that its permissions allow.
    #[serde(default)]
    #[schema(example = json!(["GET /orders/{id}"]))]
    routes: Vec<String>,
    #[serde(default)]
    tags: Vec<String>,
    /// Your own id of who uses it.
    #[serde(default)]
    external_id: Option<String>,
    /// What verifications answer when it passes; at most 1 KiB.
    #[serde(default)]
    #[schema(value_type = Object)]
    meta: Meta,
    #[serde(default, with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<OffsetDateTime>,
    /// `live` (the default) or `test`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    environment: Option<Environment>,
    /// Limits of its own. Needs `keys:manage`.
    #[serde(default)]
    limits: Vec<KeyLimitBody>,
    /// The email of its owner; without it, you. Needs `keys:manage`.
    #[serde(default)]
    account: Option<String>,
}

impl BatchKeyBody {
    fn key(self, number: usize) -> BatchKey {
        let limits = self.limits.into_iter().map(Into::into).collect();
        BatchKey { number, new: new_key!(self, None), limits, account: self.account, errors: Vec::new() }
    }
}

/// A key that was made: the only answer that ever holds its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct MadeKeyBody {
    pub name: String,
    #[schema(example = "key_01K3V7QDE4S8T1N5W9Y2B6C0XZ")]
    pub id: String,
    /// Keep it: it is not stored and not shown again.
    pub secret: String,
}

/// The keys that were made.
#[derive(Debug, Serialize, ToSchema)]
pub struct MadeKeysBody {
    pub data: Vec<MadeKeyBody>,
}

/// What a list says.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchReportBody {
    /// How many objects make a key, and how many are wrong. One that is wrong keeps all from being made.
    pub keys: u64,
    pub wrong: u64,
    pub data: Vec<BatchLineBody>,
}

/// What one object says.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchLineBody {
    /// Its place in the list, from 1.
    pub line: u64,
    pub name: String,
    /// What is wrong with which field; empty: it makes a key.
    pub errors: Vec<BatchErrorBody>,
}

/// What is wrong with a field.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchErrorBody {
    /// Empty: the object as a whole.
    pub field: String,
    pub detail: String,
}

/// Create many keys
///
/// All of them or none, in one transaction, each with a line of history and an event of its own. Their secrets are in this answer and
/// never shown again: JSON, or with `Accept: text/csv` a file `name,key_id,secret`. Sent twice with an `Idempotency-Key`, the second
/// answer is 409, and its `Location` the list that has them. With `dry_run` nothing is made, and the answer is 200 with what is wrong with each. A request has at most 256 KiB.
#[utoipa::path(
    post, path = "/api/v1/keys/batch", tag = "Keys", operation_id = "create_keys", request_body = BatchBody,
    responses(
        (status = 200, description = "A dry run", body = BatchReportBody),
        (status = 201, description = "The keys and their secrets", content((MadeKeysBody = "application/json"), (String = "text/csv"))),
        (status = 409, description = "This Idempotency-Key made keys before, or is doing so"),
    ),
    security(("key" = [])),
)]
pub async fn create_keys(State(ctx): State<Ctx>, caller: Caller, headers: HeaderMap, Body(asked): Body<BatchBody>) -> Result<Response, AppError> {
    let keys = asked.keys.into_iter().enumerate().map(|(i, key)| key.key(i + 1)).collect();
    if asked.dry_run {
        let lines = server::check_batch(&ctx, &caller, &asked.api, keys).await?;
        return Ok(Json(report(lines)).into_response());
    }
    // Where they are found, newest first.
    let place = format!("/api/v1/keys?api={}", asked.api);
    match server::create_batch(&ctx, &caller, &asked.api, keys).await? {
        Batch::Made(made) if wants_csv(&headers) => Ok(with_location(&place, (StatusCode::CREATED, file(&ctx, &made)).into_response())),
        Batch::Made(made) => {
            let data = made.into_iter().map(|key| MadeKeyBody { name: key.name, id: key.id.to_string(), secret: key.secret }).collect();
            Ok(with_location(&place, no_store((StatusCode::CREATED, Json(MadeKeysBody { data })).into_response())))
        }
        Batch::Wrong(lines) => Err(AppError::Invalid { fields: lines.into_iter().flat_map(wrong).collect() }),
        Batch::Given => Err(AppError::internal("keys of a list without a page were given before")),
    }
}

fn wants_csv(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    accept.split(',').any(|kind| kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/csv")))
}

fn report(lines: Vec<BatchLine>) -> BatchReportBody {
    let wrong = lines.iter().filter(|line| !line.errors.is_empty()).count() as u64;
    let errors = |errors: Vec<FieldError>| errors.into_iter().map(|e| BatchErrorBody { field: in_json(&e.field).to_owned(), detail: e.message }).collect();
    let data: Vec<BatchLineBody> = lines.into_iter().map(|line| BatchLineBody { line: line.line, name: line.name, errors: errors(line.errors) }).collect();
    BatchReportBody { keys: data.len() as u64 - wrong, wrong, data }
}

/// A list in CSV calls the end of a key `expires`.
fn in_json(field: &str) -> &str {
    if field == "expires" { "expires_at" } else { field }
}

/// `keys.3.name`, which the problem shows as `#/keys/3/name`.
fn wrong(line: BatchLine) -> Vec<FieldError> {
    let place = format!("keys.{}", line.line.saturating_sub(1));
    let named = |field: &str| if field.is_empty() { place.clone() } else { format!("{place}.{}", in_json(field)) };
    line.errors.into_iter().map(|e| FieldError { field: named(&e.field), message: e.message }).collect()
}

/// The file of secrets, to be saved.
fn file(ctx: &Ctx, made: &[MadeKey]) -> Response {
    let name = format!("attachment; filename=\"secrets-{}.csv\"", ctx.clock.now().date());
    let mut response = ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], server::file_of_secrets(made)).into_response();
    if let Ok(name) = HeaderValue::from_str(&name) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    no_store(response)
}

/// The button of `/keys/create-many`.
#[derive(Deserialize)]
struct GiveFile {
    list: String,
    #[serde(default)]
    once: Option<String>,
}

/// Makes the keys of a list that was looked at, and answers with the file. Anything else is said by the page.
async fn give_file(State(ctx): State<Ctx>, caller: Caller, Form(asked): Form<GiveFile>) -> Result<Response, AppError> {
    let id: BatchId = asked.list.parse().map_err(|_| AppError::NotFound)?;
    let token = page_token(asked.once)?.ok_or_else(|| AppError::invalid("", "This form is damaged. Reload the page and try again."))?;
    match server::run_batch(&ctx, &caller, id, &token).await {
        Ok(Batch::Made(made)) => Ok(file(&ctx, &made)),
        Ok(Batch::Wrong(_) | Batch::Given) | Err(AppError::Invalid { .. } | AppError::NotFound) => {
            Ok(Redirect::to(&format!("/keys/create-many?list={id}")).into_response())
        }
        Err(AppError::StepUpNeeded) => Ok(Redirect::to("/step-up").into_response()),
        Err(error) => Err(error),
    }
}
