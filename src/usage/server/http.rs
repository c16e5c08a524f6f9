//! `GET /api/v1/usage` and `/api/v1/usage/export`: for programs with a key that has `usage:read`, and for the button on the page.

use super::{
    csv,
    series::{ExportLine, SeriesPoint, export_usage, list_series},
};
use crate::{error::AppError, keys::server::rest::RestCaller, platform::Ctx, usage::model::UsageQuery};
use axum::{
    Json, Router,
    extract::{Query, State},
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Serialize;
use std::collections::BTreeMap;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// The routes of usage, for the REST part of the router.
pub fn routes() -> Router<Ctx> {
    Router::new().route("/api/v1/usage", get(list_usage)).route("/api/v1/usage/export", get(export))
}

/// Calls over time.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct UsageAnswer {
    /// One entry per bucket, those without calls included.
    pub data: Vec<UsagePoint>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct UsagePoint {
    /// Where the bucket begins, RFC 3339, UTC.
    pub at: String,
    pub total: u64,
    /// By code: `VALID`, `RATE_LIMITED` …; codes without calls are left out.
    #[schema(example = json!({"VALID": 120, "RATE_LIMITED": 3}))]
    pub by_code: BTreeMap<String, u64>,
}

/// Usage taken apart.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct UsageExport {
    pub data: Vec<UsageLine>,
}

/// Calls of one key to one route with one outcome in one bucket.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct UsageLine {
    /// Where the bucket begins, RFC 3339, UTC.
    pub at: String,
    pub key_id: String,
    pub key: String,
    /// The slug of the API.
    pub api: String,
    pub route: String,
    pub code: String,
    pub calls: u64,
}

/// Read usage
///
/// Calls per bucket and code. `from` is rounded down and `to` up to whole buckets of UTC; without them the last 24 hours are told.
#[utoipa::path(
    get, path = "/api/v1/usage", tag = "Usage", operation_id = "list_usage",
    params(
        ("key" = Option<String>, Query, description = "Only this key"),
        ("api" = Option<String>, Query, description = "Only keys of the API with this slug"),
        ("route" = Option<String>, Query, description = "Only this route, such as `GET /orders`"),
        ("from" = Option<String>, Query, description = "RFC 3339, or a day"),
        ("to" = Option<String>, Query, description = "RFC 3339, or a day, which is meant whole"),
        ("bucket" = Option<String>, Query, description = "`minute` (kept for 45 days), `hour` (default) or `day`"),
    ),
    responses(
        (status = 200, description = "Calls over time", body = UsageAnswer),
        (status = 401, description = "No valid key", content_type = "application/problem+json"),
        (status = 403, description = "The key lacks usage:read", content_type = "application/problem+json"),
        (status = 404, description = "There is no such key", content_type = "application/problem+json"),
        (status = 422, description = "A parameter is wrong; `errors` names it", content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
pub async fn list_usage(
    State(ctx): State<Ctx>,
    RestCaller(caller): RestCaller,
    Query(given): Query<Vec<(String, String)>>,
) -> Result<Json<UsageAnswer>, AppError> {
    let query = read(&given, &["key", "api", "route", "from", "to", "bucket"])?;
    let points = list_series(&ctx, &caller, &query).await?;
    let point =
        |p: SeriesPoint| UsagePoint { at: rfc3339(p.at), total: p.total, by_code: p.by_code.into_iter().map(|(code, n)| (code.to_string(), n)).collect() };
    Ok(Json(UsageAnswer { data: points.into_iter().map(point).collect() }))
}

/// Export usage
///
/// Exactly what the page Usage shows for the same filters, by bucket, key, route and code. At most 100,000 lines.
#[utoipa::path(
    get, path = "/api/v1/usage/export", tag = "Usage", operation_id = "export_usage",
    params(
        ("format" = Option<String>, Query, description = "`csv` (default) or `json`"),
        ("range" = Option<String>, Query, description = "`24h`, `7d`, `30d` (default), `month`, `year`"),
        ("from" = Option<String>, Query, description = "In place of `range`: RFC 3339, or a day of your time zone"),
        ("to" = Option<String>, Query, description = "RFC 3339, or a day, which is meant whole"),
        ("bucket" = Option<String>, Query, description = "`hour`, `day`, `week`, `month`, in your time zone"),
        ("key" = Option<String>, Query, description = "Only this key"),
        ("api" = Option<String>, Query, description = "Only keys of the API with this slug"),
        ("route" = Option<String>, Query, description = "Only this route"),
    ),
    responses(
        (status = 200, description = "The lines", content((String = "text/csv"), (UsageExport = "application/json"))),
        (status = 401, description = "No valid key", content_type = "application/problem+json"),
        (status = 403, description = "The key lacks usage:read", content_type = "application/problem+json"),
        (status = 404, description = "There is no such key", content_type = "application/problem+json"),
        (status = 422, description = "A parameter is wrong; `errors` names it", content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
pub async fn export(State(ctx): State<Ctx>, RestCaller(caller): RestCaller, Query(given): Query<Vec<(String, String)>>) -> Result<Response, AppError> {
    let query = read(&given, &["format", "range", "bucket", "from", "to", "key", "api", "route"])?;
    let format = given.iter().find(|(name, _)| name == "format").map_or("csv", |(_, value)| value.as_str());
    let today = ctx.clock.now().date();
    match format {
        "csv" => {
            let lines = export_usage(&ctx, &caller, &query).await?;
            let headers = [
                (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
                (header::CONTENT_DISPOSITION, format!("attachment; filename=\"usage-{today}.csv\"")),
            ];
            Ok((headers, table(&lines)).into_response())
        }
        "json" => {
            let lines = export_usage(&ctx, &caller, &query).await?;
            let disposition = [(header::CONTENT_DISPOSITION, format!("attachment; filename=\"usage-{today}.json\""))];
            Ok((disposition, Json(UsageExport { data: lines.into_iter().map(body).collect() })).into_response())
        }
        _ => Err(AppError::invalid("format", "A format is csv or json.")),
    }
}

/// Reads a query; a parameter that nobody knows is an error, not silence.
fn read(given: &[(String, String)], known: &[&str]) -> Result<UsageQuery, AppError> {
    if let Some((name, _)) = given.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        return Err(AppError::invalid(name, format!("There is no such parameter. Known are {}.", known.join(", "))));
    }
    Ok(UsageQuery::read(|name| given.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone())))
}

fn table(lines: &[ExportLine]) -> String {
    let mut out = String::with_capacity(120 * (lines.len() + 1));
    csv::line(["at", "local_time", "key_id", "key", "api", "route", "code", "calls"], &mut out);
    for l in lines {
        csv::line([&*rfc3339(l.at), &l.local, &l.key.to_string(), &l.key_name, &l.api, &l.route, &l.code, &l.calls.to_string()], &mut out);
    }
    out
}

fn body(line: ExportLine) -> UsageLine {
    UsageLine { at: rfc3339(line.at), key_id: line.key.to_string(), key: line.key_name, api: line.api, route: line.route, code: line.code, calls: line.calls }
}

fn rfc3339(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}
