//! `GET /api/v1/usage`, `/api/v1/usage/export` and `/api/v1/usage/refusals/export`: for programs with a key that has `usage:read`, and for the button on the page.

use super::{
    refusals,
    series::{ExportLine, SeriesPoint, export_usage, list_series},
};
use crate::{
    error::AppError,
    keys::server::rest::RestCaller,
    platform::{Ctx, csv},
    usage::model::{RefusalQuery, RefusalSample, UsageQuery},
};
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
    Router::new()
        .route("/api/v1/usage", get(list_usage))
        .route("/api/v1/usage/export", get(export))
        .route("/api/v1/usage/refusals/export", get(export_refusals))
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
        ("outcome" = Option<String>, Query, description = "`passed`, `limited`, `refused`, `errors` (all that did not pass), or a code"),
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
    let query = read(&given, &["key", "api", "route", "outcome", "from", "to", "bucket"])?;
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
        ("outcome" = Option<String>, Query, description = "`passed`, `limited`, `refused`, `errors` (all that did not pass), or a code"),
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
    let query = read(&given, &["format", "range", "bucket", "from", "to", "key", "api", "route", "outcome"])?;
    let lines = export_usage(&ctx, &caller, &query).await?;
    let file = File { name: "usage", day: ctx.clock.now().date(), format: Format::read(&given)? };
    Ok(file.answer(|| table(&lines), || UsageExport { data: lines.iter().map(body).collect() }))
}

/// Samples of refusals.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RefusalExport {
    pub data: Vec<RefusalLine>,
}

/// One call that did not pass. These are samples: at most one per key, code and minute is kept.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct RefusalLine {
    /// RFC 3339, UTC.
    pub at: String,
    pub code: String,
    /// Why, in words.
    pub detail: String,
    pub key_id: Option<String>,
    pub key: Option<String>,
    pub route: String,
    pub address: String,
    pub request_id: String,
}

/// Export refusals
///
/// The samples that the page Requests lists for the same filters, newest first, at most 10,000. Samples are kept for 30 days; their
/// counts are exact in `/api/v1/usage/export?outcome=errors`.
#[utoipa::path(
    get, path = "/api/v1/usage/refusals/export", tag = "Usage", operation_id = "export_refusals",
    params(
        ("format" = Option<String>, Query, description = "`csv` (default) or `json`"),
        ("code" = Option<String>, Query, description = "Only this code, such as `FORBIDDEN`"),
        ("key" = Option<String>, Query, description = "Only this key"),
        ("route" = Option<String>, Query, description = "Only this route"),
        ("address" = Option<String>, Query, description = "Only calls from this address"),
        ("range" = Option<String>, Query, description = "`1h`, `24h`, `7d`, `30d` (default)"),
        ("from" = Option<String>, Query, description = "In place of `range`: RFC 3339, or a day of your time zone"),
        ("to" = Option<String>, Query, description = "RFC 3339, or a day, which is meant whole"),
    ),
    responses(
        (status = 200, description = "The samples", content((String = "text/csv"), (RefusalExport = "application/json"))),
        (status = 401, description = "No valid key", content_type = "application/problem+json"),
        (status = 403, description = "The key lacks usage:read", content_type = "application/problem+json"),
        (status = 422, description = "A parameter is wrong; `errors` names it", content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
pub async fn export_refusals(State(ctx): State<Ctx>, RestCaller(caller): RestCaller, Query(given): Query<Vec<(String, String)>>) -> Result<Response, AppError> {
    known(&given, &["format", "code", "key", "route", "address", "range", "from", "to"])?;
    let query = RefusalQuery::read(|name| value(&given, name));
    let samples = refusals::export_refusals(&ctx, &caller, &query).await?;
    let file = File { name: "refusals", day: ctx.clock.now().date(), format: Format::read(&given)? };
    let lines: Vec<RefusalLine> = samples.into_iter().map(refusal).collect();
    Ok(file.answer(|| refusal_table(&lines), || RefusalExport { data: lines.clone() }))
}

/// How a file is written.
#[derive(Clone, Copy)]
enum Format {
    Csv,
    Json,
}

impl Format {
    fn read(given: &[(String, String)]) -> Result<Self, AppError> {
        match value(given, "format").as_deref() {
            None | Some("" | "csv") => Ok(Self::Csv),
            Some("json") => Ok(Self::Json),
            Some(_) => Err(AppError::invalid("format", "A format is csv or json.")),
        }
    }
}

/// A file that a browser saves.
struct File {
    name: &'static str,
    day: time::Date,
    format: Format,
}

impl File {
    fn answer<T: Serialize>(&self, csv: impl FnOnce() -> String, json: impl FnOnce() -> T) -> Response {
        let saved = |ending: &str| [(header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}-{}.{ending}\"", self.name, self.day))];
        match self.format {
            Format::Csv => (saved("csv"), [(header::CONTENT_TYPE, "text/csv; charset=utf-8")], csv()).into_response(),
            Format::Json => (saved("json"), Json(json())).into_response(),
        }
    }
}

/// Reads a query; a parameter that nobody knows is an error, not silence.
fn read(given: &[(String, String)], known: &[&str]) -> Result<UsageQuery, AppError> {
    self::known(given, known)?;
    Ok(UsageQuery::read(|name| value(given, name)))
}

fn known(given: &[(String, String)], known: &[&str]) -> Result<(), AppError> {
    match given.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        Some((name, _)) => Err(AppError::invalid(name, format!("There is no such parameter. Known are {}.", known.join(", ")))),
        None => Ok(()),
    }
}

fn value(given: &[(String, String)], name: &str) -> Option<String> {
    given.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone())
}

fn table(lines: &[ExportLine]) -> String {
    let mut out = String::with_capacity(120 * (lines.len() + 1));
    csv::line(["at", "local_time", "key_id", "key", "api", "route", "code", "calls"], &mut out);
    for l in lines {
        csv::line([&*rfc3339(l.at), &l.local, &l.key.to_string(), &l.key_name, &l.api, &l.route, &l.code, &l.calls.to_string()], &mut out);
    }
    out
}

fn body(l: &ExportLine) -> UsageLine {
    UsageLine {
        at: rfc3339(l.at),
        key_id: l.key.to_string(),
        key: l.key_name.clone(),
        api: l.api.clone(),
        route: l.route.clone(),
        code: l.code.clone(),
        calls: l.calls,
    }
}

fn refusal(sample: RefusalSample) -> RefusalLine {
    RefusalLine {
        at: sample.at,
        code: sample.code.to_string(),
        detail: sample.detail,
        key_id: sample.key.map(|key| key.to_string()),
        key: sample.key_name,
        route: sample.route,
        address: sample.address,
        request_id: sample.request_id,
    }
}

fn refusal_table(lines: &[RefusalLine]) -> String {
    let mut out = String::with_capacity(200 * (lines.len() + 1));
    csv::line(["at", "code", "detail", "key_id", "key", "route", "address", "request_id"], &mut out);
    for l in lines {
        let key = |text: &Option<String>| text.clone().unwrap_or_default();
        csv::line([&*l.at, &l.code, &l.detail, &key(&l.key_id), &key(&l.key), &l.route, &l.address, &l.request_id], &mut out);
    }
    out
}

fn rfc3339(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}
