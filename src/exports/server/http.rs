//! The REST routes of exports: ask for a file, see how far it is, download it, let it go.

use super::{
    asking::{self, Export, Wanted},
    serving::{Served, serve_export},
};
use crate::{
    accounts::Caller,
    error::{AppError, FieldError},
    exports::model::Subject,
    platform::{
        Ctx,
        http::{
            file::{Format, attachment},
            json::{Body, Query, located},
            pages::{Listed, PageQuery},
        },
    },
    values::{ExportId, JobState},
};
use axum::{
    Json, Router, body,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use time::OffsetDateTime;
use utoipa::{OpenApi, ToSchema};

/// What `/api/v1/openapi.json` says of these routes.
#[derive(OpenApi)]
#[openapi(paths(list_exports, create_export, read_export, download_export, delete_export))]
pub struct Docs;

pub fn routes() -> Router<Ctx> {
    Router::new()
        .route("/api/v1/exports", get(list_exports).post(create_export))
        .route("/api/v1/exports/{id}", get(read_export).delete(delete_export))
        .route("/api/v1/exports/{id}/file", get(download_export))
}

/// A file that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewExportBody {
    /// `usage`, `refusals`, `keys`, or for operators `all-refusals`.
    #[schema(value_type = String, example = "usage")]
    of: Subject,
    /// `csv` (the default) or `json`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    format: Format,
    /// Those of `/api/v1/usage/export`, `/api/v1/usage/refusals/export`, `/api/v1/usage/refusals/all/export` and `/api/v1/keys/export`, as texts.
    #[serde(default)]
    #[schema(example = json!({"range": "year", "bucket": "day"}))]
    filters: BTreeMap<String, String>,
}

/// A file and how far it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportBody {
    pub id: String,
    pub of: &'static str,
    pub format: &'static str,
    pub filters: BTreeMap<String, String>,
    /// What it holds, in words.
    pub description: String,
    /// `waiting`, `running`, `done` or `failed`.
    pub state: &'static str,
    /// Why it failed.
    pub problem: Option<String>,
    pub rows_written: u64,
    /// About how many it will have; null while nobody knows.
    pub rows_expected: Option<u64>,
    pub bytes: u64,
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<OffsetDateTime>,
    /// From then on it is not there any more.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: OffsetDateTime,
    /// Where it can be downloaded; null until it is done.
    pub file: Option<String>,
}

impl From<Export> for ExportBody {
    fn from(export: Export) -> Self {
        Self {
            id: export.id.to_string(),
            of: export.subject.as_str(),
            format: export.format.as_str(),
            filters: export.filters,
            description: export.words,
            state: export.state.as_str(),
            problem: export.problem,
            rows_written: export.rows_written,
            rows_expected: export.rows_expected,
            bytes: export.bytes,
            created_at: export.created_at,
            finished_at: export.finished_at,
            expires_at: export.expires_at,
            file: (export.state == JobState::Done).then(|| format!("/api/v1/exports/{}/file", export.id)),
        }
    }
}

/// The files of an account.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportListBody {
    pub data: Vec<ExportBody>,
    pub has_more: bool,
    pub next_cursor: Option<String>,
}

/// A file as JSON.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedBody {
    /// Lines as those of the export that is answered at once.
    #[schema(value_type = Vec<Object>)]
    pub data: Vec<serde_json::Value>,
}

/// An id in the path; one that can't be an id is a file that does not exist.
fn id(text: &str) -> Result<ExportId, AppError> {
    text.parse().map_err(|_| AppError::NotFound)
}

/// List files
///
/// Your files that are not a day old, the newest first: those whose lines you may see.
#[utoipa::path(
    get, path = "/api/v1/exports", tag = "Exports", operation_id = "list_exports", params(PageQuery),
    responses((status = 200, body = ExportListBody)),
    security(("key" = [])),
)]
async fn list_exports(State(ctx): State<Ctx>, caller: Caller, Query(asked): Query<PageQuery>) -> Result<Listed<ExportListBody>, AppError> {
    // The younger it is the earlier it stands.
    let place = |export: &Export| format!("{:032x}", u128::MAX - export.id.uuid().as_u128());
    let (exports, next) = asked.page(asking::list_exports(&ctx, &caller).await?, "files", place)?;
    Ok(Listed::page(next, |has_more, next_cursor| ExportListBody { data: exports.into_iter().map(Into::into).collect(), has_more, next_cursor }))
}

/// Have a file prepared
///
/// For exports of more than 50,000 lines, up to 2,000,000. Safe to send twice: the same that is still prepared, or was asked for within a
/// minute, is answered again. It is there for a day after it is done. At most ten at a time. Of usage and refusals for keys with
/// `usage:read`, of keys for those with `keys:read`, of everybody's refusals for those with `admin:read`.
#[utoipa::path(
    post, path = "/api/v1/exports", tag = "Exports", operation_id = "create_export", request_body = NewExportBody,
    responses(
        (status = 202, description = "It is being prepared; `Location` says where to look", body = ExportBody),
        (status = 404, description = "There is no such key"),
        (status = 409, description = "You have ten files"),
    ),
    security(("key" = [])),
)]
async fn create_export(State(ctx): State<Ctx>, caller: Caller, Body(new): Body<NewExportBody>) -> Result<Response, AppError> {
    let wanted = Wanted { subject: new.of, format: new.format, filters: new.filters };
    let export = asking::create_export(&ctx, &caller, wanted).await.map_err(in_filters)?;
    Ok(located(StatusCode::ACCEPTED, &format!("/api/v1/exports/{}", export.id), ExportBody::from(export)))
}

/// What is wrong with a filter stands within `filters` in the body.
fn in_filters(error: AppError) -> AppError {
    let within = |wrong: FieldError| {
        let is_placed = wrong.field.is_empty() || wrong.field.starts_with("filters.");
        if is_placed { wrong } else { FieldError { field: format!("filters.{}", wrong.field), ..wrong } }
    };
    match error {
        AppError::Invalid { fields } => AppError::Invalid { fields: fields.into_iter().map(within).collect() },
        error => error,
    }
}

/// Read a file's state
#[utoipa::path(
    get, path = "/api/v1/exports/{id}", tag = "Exports", operation_id = "read_export", params(("id" = String, Path, description = "`exp_…`")),
    responses((status = 200, body = ExportBody)),
    security(("key" = [])),
)]
async fn read_export(State(ctx): State<Ctx>, caller: Caller, Path(text): Path<String>) -> Result<Json<ExportBody>, AppError> {
    Ok(Json(asking::find_export(&ctx, &caller, id(&text)?).await?.into()))
}

/// Download a file
#[utoipa::path(
    get, path = "/api/v1/exports/{id}/file", tag = "Exports", operation_id = "download_export", params(("id" = String, Path, description = "`exp_…`")),
    responses(
        (status = 200, description = "The file", content((String = "text/csv"), (ExportedBody = "application/json"))),
        (status = 409, description = "It is not done, or it failed"),
    ),
    security(("key" = [])),
)]
async fn download_export(State(ctx): State<Ctx>, caller: Caller, Path(text): Path<String>) -> Result<Response, AppError> {
    let Served { export, pieces } = serve_export(&ctx, &caller, id(&text)?).await?;
    let head = [
        (header::CONTENT_TYPE, export.format.content_type().to_owned()),
        (header::CONTENT_DISPOSITION, attachment(export.subject.as_str(), export.created_at.date(), export.format)),
        (header::CONTENT_LENGTH, export.bytes.to_string()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((head, body::Body::from_stream(pieces)).into_response())
}

/// Cancel or delete a file
///
/// Sent twice, the second finds nothing.
#[utoipa::path(
    delete, path = "/api/v1/exports/{id}", tag = "Exports", operation_id = "delete_export", params(("id" = String, Path, description = "`exp_…`")),
    responses((status = 204, description = "It is gone")),
    security(("key" = [])),
)]
async fn delete_export(State(ctx): State<Ctx>, caller: Caller, Path(text): Path<String>) -> Result<StatusCode, AppError> {
    asking::delete_export(&ctx, &caller, id(&text)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
