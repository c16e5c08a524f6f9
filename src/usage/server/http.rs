//! `GET /api/v1/usage` (and under it `addresses`, `permissions` and `latencies`), `/api/v1/usage/export` and `/api/v1/usage/refusals/export`: for programs with a key that has `usage:read`, and for the button on the page.

use super::{
    addresses::report_addresses,
    codes_http,
    exporting::export_usage,
    files_http, latency_http,
    lines::{RefusalLine, UsageLine},
    oversight_http,
    parts::report_permissions,
    refusal_params::RefusalParams,
    refusals, requests_http,
    series::{SeriesPoint, Usage, list_series},
};
use crate::{
    accounts::{Caller, Via},
    error::AppError,
    platform::{
        Ctx,
        http::file::{self, Format, PREPARE},
    },
    usage::model::{AddressUsage, PermissionUsage, RefusalQuery, UsageQuery},
    values::{Counts, link},
};
use axum::{
    Json, Router,
    extract::{Query, State},
    http::HeaderMap,
    response::Response,
    routing::{get, post},
};
use serde::Serialize;
use std::collections::BTreeMap;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// The routes of usage, for the REST part of the router.
pub fn routes() -> Router<Ctx> {
    Router::new()
        .route("/api/v1/usage", get(list_usage))
        .route("/api/v1/usage/addresses", get(list_addresses))
        .route("/api/v1/usage/permissions", get(list_permissions))
        .route("/api/v1/usage/latencies", post(latency_http::report))
        .route("/api/v1/usage/latencies/export", get(files_http::export_latencies))
        .route("/api/v1/usage/limits/export", get(files_http::export_limits))
        .route("/api/v1/usage/refusals/all/export", get(oversight_http::export_all))
        .route("/api/v1/usage/refusals/codes/export", get(codes_http::export_codes))
        .route("/api/v1/usage/refusals/all/codes/export", get(codes_http::export_all_codes))
        .route("/api/v1/usage/attempts/export", get(oversight_http::export_attempts))
        .route("/api/v1/usage/export", get(export))
        .route("/api/v1/usage/refusals/export", get(export_refusals))
        .route("/api/v1/usage/requests", get(requests_http::list))
}

/// Calls over time.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct UsageAnswer {
    /// One entry per bucket, those without calls included.
    pub data: Vec<UsagePoint>,
    /// How long the calls of all buckets took, in milliseconds, where services tell it (`POST /api/v1/usage/latencies`). Null where
    /// nothing was told, and where only calls that did not pass are asked for. It is read by whole quarters of an hour, also for minutes.
    pub latency: Option<LatencyAnswer>,
}

/// Percentiles in milliseconds, each at most 10 % off.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct LatencyAnswer {
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
    /// Of how many calls it was told.
    pub count: u64,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct UsagePoint {
    /// Where the bucket begins, RFC 3339, UTC.
    pub at: String,
    pub total: u64,
    /// By code: `VALID`, `RATE_LIMITED` …; codes without calls are left out.
    #[schema(example = json!({"VALID": 120, "RATE_LIMITED": 3}))]
    pub by_code: BTreeMap<String, u64>,
    /// Cost units of the calls that passed: of routes that cost more than one, more than calls. Null of an address or a permission.
    pub units: Option<u64>,
}

/// Usage taken apart.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct UsageExport {
    pub data: Vec<UsageLine>,
}

/// Read usage
///
/// Calls per bucket and code, and what they cost. `from` is rounded down and `to` up to whole buckets; without them the last 24 hours are told.
#[utoipa::path(
    get, path = "/api/v1/usage", tag = "Usage", operation_id = "list_usage",
    params(
        ("key" = Option<String>, Query, description = "Only this key"),
        ("api" = Option<String>, Query, description = "Only keys of the API with this slug"),
        ("route" = Option<String>, Query, description = "Only this route, such as `GET /orders`"),
        ("outcome" = Option<String>, Query, description = "`passed`, `limited`, `refused`, `errors` (all that did not pass), or a code"),
        ("address" = Option<String>, Query, description = "Only calls from this address, IPv6 by its /64; not beside `route`, and by hour or day only. Kept for 30 days unless the operator chose otherwise"),
        ("permission" = Option<String>, Query, description = "Only calls that needed this permission and passed, or that only a limit held; not beside `route` or `address`, and by hour or day only. Kept for 30 days unless the operator chose otherwise"),
        ("from" = Option<String>, Query, description = "RFC 3339, or a day"),
        ("to" = Option<String>, Query, description = "RFC 3339, or a day, which is meant whole"),
        ("bucket" = Option<String>, Query, description = "`minute` (kept for 45 days unless the operator chose otherwise), `hour` (default) or `day`"),
        ("tz" = Option<String>, Query, description = "The time zone of days and of times without an offset, such as `Europe/Stockholm`; `UTC` by default"),
    ),
    responses(
        (status = 200, description = "Calls over time", body = UsageAnswer),
        (status = 403, description = "The key lacks usage:read"),
        (status = 404, description = "There is no such key"),
    ),
    security(("key" = [])),
)]
pub async fn list_usage(State(ctx): State<Ctx>, caller: Caller, Query(given): Query<Vec<(String, String)>>) -> Result<Json<UsageAnswer>, AppError> {
    let query = read(&given, &["key", "api", "route", "outcome", "address", "permission", "from", "to", "bucket", "tz"])?;
    let Usage { points, latency } = list_series(&ctx, &caller, &query).await?;
    let point = |p: SeriesPoint| UsagePoint {
        at: rfc3339(p.at),
        total: p.total,
        by_code: p.by_code.into_iter().map(|(code, n)| (code.to_string(), n)).collect(),
        units: p.units,
    };
    #[allow(clippy::cast_precision_loss, reason = "some hours of microseconds")]
    let millis = |micros: u64| micros as f64 / 1000.0;
    let latency = latency.map(|l| LatencyAnswer { p50: millis(l.p50), p95: millis(l.p95), p99: millis(l.p99), count: l.count });
    Ok(Json(UsageAnswer { data: points.into_iter().map(point).collect(), latency }))
}

/// Usage by address.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AddressesAnswer {
    /// The busiest first, at most 100.
    pub data: Vec<AddressPoint>,
    /// Calls of all addresses, exactly.
    pub total: u64,
    /// What `data` leaves of `total`: from other addresses, or from where nobody told.
    pub others: u64,
}

/// Calls from one address.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AddressPoint {
    /// IPv4 whole, IPv6 by its /64.
    #[schema(example = "203.0.113.7")]
    pub address: String,
    pub total: u64,
    pub passed: u64,
    pub limited: u64,
    pub refused: u64,
}

/// Read usage by address
///
/// From where calls came, where the asking service or a trusted proxy tells it. The counts of `/api/v1/usage` are exact; by address some
/// calls are left out (see `others`): of a key about 64 addresses are counted at once and the 100 busiest are kept for each quarter of an
/// hour, for 30 days unless the operator chose otherwise.
#[utoipa::path(
    get, path = "/api/v1/usage/addresses", tag = "Usage", operation_id = "list_usage_addresses",
    params(
        ("range" = Option<String>, Query, description = "`24h`, `7d`, `30d` (default), `month`, `year`"),
        ("from" = Option<String>, Query, description = "In place of `range`: RFC 3339, or a day"),
        ("to" = Option<String>, Query, description = "RFC 3339, or a day, which is meant whole"),
        ("key" = Option<String>, Query, description = "Only this key"),
        ("api" = Option<String>, Query, description = "Only keys of the API with this slug"),
        ("outcome" = Option<String>, Query, description = "`passed`, `limited`, `refused`, `errors` (all that did not pass), or a code"),
        ("tz" = Option<String>, Query, description = "The time zone of days and of times without an offset, such as `Europe/Stockholm`; `UTC` by default"),
    ),
    responses(
        (status = 200, description = "Calls by address", body = AddressesAnswer),
        (status = 403, description = "The key lacks usage:read"),
        (status = 404, description = "There is no such key"),
    ),
    security(("key" = [])),
)]
pub async fn list_addresses(State(ctx): State<Ctx>, caller: Caller, Query(given): Query<Vec<(String, String)>>) -> Result<Json<AddressesAnswer>, AppError> {
    let query = zoned(&caller, read(&given, &["range", "from", "to", "key", "api", "outcome", "tz"])?);
    let report = report_addresses(&ctx, &caller, &query).await?;
    let point = |a: AddressUsage| {
        let Counts { passed, limited, refused } = a.counts;
        AddressPoint { address: a.address, total: a.counts.total(), passed, limited, refused }
    };
    Ok(Json(AddressesAnswer { others: report.others(), total: report.total, data: report.rows.into_iter().map(point).collect() }))
}

/// Usage by permission.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PermissionsAnswer {
    /// What most calls needed first, at most 100. A call may need two, so this adds up to nothing.
    pub data: Vec<PermissionPoint>,
}

/// Calls that needed one permission.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PermissionPoint {
    #[schema(example = "orders:read")]
    pub permission: String,
    pub total: u64,
    pub passed: u64,
    pub limited: u64,
}

/// Read usage by permission
///
/// What calls needed, by their route or because the asking service named it: of calls that passed, or that only a limit held. Kept for 30
/// days unless the operator chose otherwise.
#[utoipa::path(
    get, path = "/api/v1/usage/permissions", tag = "Usage", operation_id = "list_usage_permissions",
    params(
        ("range" = Option<String>, Query, description = "`24h`, `7d`, `30d` (default), `month`, `year`"),
        ("from" = Option<String>, Query, description = "In place of `range`: RFC 3339, or a day"),
        ("to" = Option<String>, Query, description = "RFC 3339, or a day, which is meant whole"),
        ("key" = Option<String>, Query, description = "Only this key"),
        ("api" = Option<String>, Query, description = "Only keys of the API with this slug"),
        ("tz" = Option<String>, Query, description = "The time zone of days and of times without an offset, such as `Europe/Stockholm`; `UTC` by default"),
    ),
    responses(
        (status = 200, description = "Calls by permission", body = PermissionsAnswer),
        (status = 403, description = "The key lacks usage:read"),
        (status = 404, description = "There is no such key"),
    ),
    security(("key" = [])),
)]
pub async fn list_permissions(State(ctx): State<Ctx>, caller: Caller, Query(given): Query<Vec<(String, String)>>) -> Result<Json<PermissionsAnswer>, AppError> {
    let query = zoned(&caller, read(&given, &["range", "from", "to", "key", "api", "tz"])?);
    let point = |p: PermissionUsage| {
        let Counts { passed, limited, .. } = p.counts;
        PermissionPoint { permission: p.permission, total: p.counts.total(), passed, limited }
    };
    Ok(Json(PermissionsAnswer { data: report_permissions(&ctx, &caller, &query).await?.into_iter().map(point).collect() }))
}

/// Export usage
///
/// Exactly what the page Usage shows for the same filters, by bucket, key, route and code, with an estimate of what it costs. More than
/// 50,000 lines are not answered at once: a browser is sent to the page that prepares the file, a program is told to
/// (`POST /api/v1/exports`).
#[utoipa::path(
    get, path = "/api/v1/usage/export", tag = "Usage", operation_id = "export_usage",
    params(
        ("format" = Option<String>, Query, description = "`csv` (default) or `json`"),
        ("range" = Option<String>, Query, description = "`24h`, `7d`, `30d` (default), `month`, `year`"),
        ("from" = Option<String>, Query, description = "In place of `range`: RFC 3339, or a day"),
        ("to" = Option<String>, Query, description = "RFC 3339, or a day, which is meant whole"),
        ("bucket" = Option<String>, Query, description = "`minute` (of about an hour), `5m` (of about six), `hour`, `day`, `week`, `month`. Minutes are kept for 45 days unless the operator chose otherwise, and of no address or permission; in their place there are hours"),
        ("key" = Option<String>, Query, description = "Only this key"),
        ("api" = Option<String>, Query, description = "Only keys of the API with this slug"),
        ("route" = Option<String>, Query, description = "Only this route"),
        ("outcome" = Option<String>, Query, description = "`passed`, `limited`, `refused`, `errors` (all that did not pass), or a code"),
        ("address" = Option<String>, Query, description = "Only calls from this address, IPv6 by its /64; lines are then by address"),
        ("permission" = Option<String>, Query, description = "Only calls that needed this permission; lines are then by permission"),
        ("by" = Option<String>, Query, description = "`address`: by address in place of by route; calls of which no address is kept are in lines of their own, `Others or unknown`. `permission`: by permission; a call that needed two is in two lines"),
        ("compare" = Option<String>, Query, description = "Also the lines of an earlier time, with `period` `compared`: `before`, the time just before, `year`, the same a year ago, or the day when it begins"),
        ("tz" = Option<String>, Query, description = "The time zone of days and of times without an offset, such as `Europe/Stockholm`; `UTC` by default"),
    ),
    responses(
        (status = 200, description = "The lines", content((String = "text/csv"), (UsageExport = "application/json"))),
        (status = 303, description = "More than 50,000 lines, for a browser"),
        (status = 403, description = "The key lacks usage:read"),
        (status = 404, description = "There is no such key"),
        (status = 409, description = "More than 50,000 lines"),
    ),
    security(("key" = [])),
)]
pub async fn export(State(ctx): State<Ctx>, caller: Caller, headers: HeaderMap, Query(given): Query<Vec<(String, String)>>) -> Result<Response, AppError> {
    let names = ["format", "range", "bucket", "from", "to", "key", "api", "route", "outcome", "address", "permission", "by", "compare", "tz"];
    let query = zoned(&caller, read(&given, &names)?);
    let format = Format::read(value(&given, "format").as_deref())?;
    let Some(lines) = export_usage(&ctx, &caller, &query).await? else { return Ok(file::too_large(&headers, &page("usage", format, query.pairs()))) };
    Ok(file::answer("usage", ctx.clock.now().date(), format, lines, |data| UsageExport { data }))
}

/// The page that prepares this file.
pub(super) fn page(of: &str, format: Format, filters: Vec<(&'static str, &str)>) -> String {
    link(PREPARE, [("of", of), ("format", format.as_str())].into_iter().chain(filters))
}

/// Samples of refusals.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RefusalExport {
    pub data: Vec<RefusalLine>,
}

/// Export refusals
///
/// The samples that the page Requests lists for the same filters, newest first: of calls that did not pass, or with `code=VALID` of those
/// that passed. More than 50,000 are not answered at once, as for usage.
/// Samples are kept for 30 days unless the operator chose otherwise, in a minute one for each key, code, rule and address and at most 8 of a key and a code; their counts are exact in `/api/v1/usage/export?outcome=errors`.
#[utoipa::path(
    get, path = "/api/v1/usage/refusals/export", tag = "Usage", operation_id = "export_refusals",
    params(RefusalParams),
    responses(
        (status = 200, description = "The samples", content((String = "text/csv"), (RefusalExport = "application/json"))),
        (status = 303, description = "More than 50,000 samples, for a browser"),
        (status = 403, description = "The key lacks usage:read"),
        (status = 404, description = "There is no such key"),
        (status = 409, description = "More than 50,000 samples"),
    ),
    security(("key" = [])),
)]
pub async fn export_refusals(
    State(ctx): State<Ctx>,
    caller: Caller,
    headers: HeaderMap,
    Query(given): Query<Vec<(String, String)>>,
) -> Result<Response, AppError> {
    known(&given, &RefusalParams::NAMES)?;
    let query = RefusalQuery::read(|name| value(&given, name));
    let format = Format::read(value(&given, "format").as_deref())?;
    let Some(samples) = refusals::export_refusals(&ctx, &caller, &query).await? else {
        return Ok(file::too_large(&headers, &page("refusals", format, query.pairs())));
    };
    let lines: Vec<RefusalLine> = samples.into_iter().map(Into::into).collect();
    Ok(file::answer("refusals", ctx.clock.now().date(), format, lines, |data| RefusalExport { data }))
}

/// A program's days are those of UTC unless it names a zone, in all that it reads of usage; the files of a page are in the person's zone, as it is.
pub(super) fn zoned(caller: &Caller, query: UsageQuery) -> UsageQuery {
    match caller.via {
        Via::Token(_) | Via::Key(_) => query.of_program(),
        Via::Session(_) | Via::Acting(_) | Via::Cli => query,
    }
}

/// Reads a query; a parameter that nobody knows, or that is said twice, is an error, not silence.
pub(super) fn read(given: &[(String, String)], known: &[&str]) -> Result<UsageQuery, AppError> {
    self::known(given, known)?;
    Ok(UsageQuery::read(|name| value(given, name)))
}

pub(super) fn known(given: &[(String, String)], known: &[&str]) -> Result<(), AppError> {
    for (place, (name, _)) in given.iter().enumerate() {
        if !known.contains(&name.as_str()) {
            return Err(AppError::invalid(name, format!("There is no such parameter. Known are {}.", known.join(", "))));
        }
        if given.iter().take(place).any(|(earlier, _)| earlier == name) {
            return Err(AppError::invalid(name, format!("{name} is said twice. Say it once.")));
        }
    }
    Ok(())
}

pub(super) fn value(given: &[(String, String)], name: &str) -> Option<String> {
    given.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone())
}

fn rfc3339(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}
