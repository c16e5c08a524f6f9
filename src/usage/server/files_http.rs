//! `GET /api/v1/usage/latencies/export` and `/api/v1/usage/limits/export`: the buttons beside these parts of the page Usage.

use super::{
    files,
    http::{read, value, zoned},
    lines::{LatencyLine, UsedLimit},
};
use crate::{
    accounts::Caller,
    error::AppError,
    platform::{
        Ctx,
        http::file::{self, Format},
    },
};
use axum::{
    extract::{Query, State},
    response::Response,
};
use serde::Serialize;

/// How long calls took, over time.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct LatencyExport {
    pub data: Vec<LatencyLine>,
}

/// Export how long calls took
///
/// The lines of the chart on the page Usage for the same filters: a line for each bucket of which something was told, with `compare` also of an
/// earlier time.
#[utoipa::path(
    get, path = "/api/v1/usage/latencies/export", tag = "Usage", operation_id = "export_latencies",
    params(
        ("format" = Option<String>, Query, description = "`csv` (default) or `json`"),
        ("range" = Option<String>, Query, description = "`24h`, `7d`, `30d` (default), `month`, `year`"),
        ("from" = Option<String>, Query, description = "In place of `range`: RFC 3339, or a day"),
        ("to" = Option<String>, Query, description = "RFC 3339, or a day, which is meant whole"),
        ("bucket" = Option<String>, Query, description = "`minute` or `5m` (both are told by quarters of an hour), `hour`, `day`, `week`, `month`; weeks and months are made of days of UTC"),
        ("key" = Option<String>, Query, description = "Only this key"),
        ("api" = Option<String>, Query, description = "Only keys of the API with this slug"),
        ("route" = Option<String>, Query, description = "Only this route"),
        ("outcome" = Option<String>, Query, description = "As in the export of usage. Services tell of calls that they answered: of an outcome that no call that passed has there is no line"),
        ("address" = Option<String>, Query, description = "As in the export of usage. It is not told by address: there is no line"),
        ("permission" = Option<String>, Query, description = "As in the export of usage. It is not told by permission: there is no line"),
        ("compare" = Option<String>, Query, description = "As in the export of usage: also the lines of an earlier time, with `period` `compared`"),
        ("tz" = Option<String>, Query, description = "The time zone of days and of times without an offset, such as `Europe/Stockholm`; `UTC` by default"),
    ),
    responses(
        (status = 200, description = "The lines", content((String = "text/csv"), (LatencyExport = "application/json"))),
        (status = 403, description = "The key lacks usage:read"),
        (status = 404, description = "There is no such key"),
    ),
    security(("key" = [])),
)]
pub async fn export_latencies(State(ctx): State<Ctx>, caller: Caller, Query(given): Query<Vec<(String, String)>>) -> Result<Response, AppError> {
    let names = ["format", "range", "bucket", "from", "to", "key", "api", "route", "outcome", "address", "permission", "compare", "tz"];
    let query = zoned(&caller, read(&given, &names)?);
    let format = Format::read(value(&given, "format").as_deref())?;
    let lines = files::export_latencies(&ctx, &caller, &query).await?;
    Ok(file::answer("latencies", ctx.clock.now().date(), format, lines, |data| LatencyExport { data }))
}

/// Limits and what is used of them.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct LimitExport {
    pub data: Vec<UsedLimit>,
}

/// Export limits
///
/// What the page Usage shows of limits at this moment: each of one key, or of all keys those nearest to their limit.
#[utoipa::path(
    get, path = "/api/v1/usage/limits/export", tag = "Usage", operation_id = "export_limits",
    params(
        ("format" = Option<String>, Query, description = "`csv` (default) or `json`"),
        ("key" = Option<String>, Query, description = "Every limit of this key"),
    ),
    responses(
        (status = 200, description = "The lines", content((String = "text/csv"), (LimitExport = "application/json"))),
        (status = 403, description = "The key lacks usage:read"),
        (status = 404, description = "There is no such key"),
    ),
    security(("key" = [])),
)]
pub async fn export_limits(State(ctx): State<Ctx>, caller: Caller, Query(given): Query<Vec<(String, String)>>) -> Result<Response, AppError> {
    let query = read(&given, &["format", "key"])?;
    let format = Format::read(value(&given, "format").as_deref())?;
    let lines = files::export_limits(&ctx, &caller, &query).await?;
    Ok(file::answer("limits", ctx.clock.now().date(), format, lines, |data| LimitExport { data }))
}
