//! `GET /api/v1/usage/refusals/all/export` and `/api/v1/usage/attempts/export`: the buttons of Admin › Refusals.

use super::{
    http::{RefusalExport, known, value},
    lines::{AttemptLine, RefusalLine},
    oversight::attempts_by_address_today,
    refusals::export_all_refusals,
};
use crate::{
    accounts::Caller,
    error::AppError,
    platform::{
        Ctx,
        http::file::{self, Format},
    },
    usage::model::{AttemptsFrom, RefusalQuery},
};
use axum::{
    extract::{Query, State},
    response::Response,
};
use serde::Serialize;

/// Lines of attempts.
const MOST: u16 = 50_000;

/// Export everybody's refusals
///
/// The samples that operators see under Admin › Refusals for the same filters, newest first, also those of no known key. At most 50,000:
/// take a shorter time if there are more.
#[utoipa::path(
    get, path = "/api/v1/usage/refusals/all/export", tag = "Usage", operation_id = "export_all_refusals",
    params(
        ("format" = Option<String>, Query, description = "`csv` (default) or `json`"),
        ("owner" = Option<String>, Query, description = "Only calls with keys of the person who signs in with this address"),
        ("code" = Option<String>, Query, description = "Only this code, such as `FORBIDDEN`; `VALID`: calls that passed. Without it all that did not pass"),
        ("key" = Option<String>, Query, description = "Only this key"),
        ("route" = Option<String>, Query, description = "Only this route"),
        ("address" = Option<String>, Query, description = "Only calls from this address"),
        ("permission" = Option<String>, Query, description = "Only calls that needed this permission, which their key had not, such as `orders:write`"),
        ("api" = Option<String>, Query, description = "Only calls of the API with this slug"),
        ("request" = Option<String>, Query, description = "Only the request with this id"),
        ("limit" = Option<String>, Query, description = "Only calls that the limit of this name refused"),
        ("rule" = Option<String>, Query, description = "Only what this refused, as in the export of one's own refusals"),
        ("range" = Option<String>, Query, description = "`1h`, `24h`, `7d`, `30d` (default)"),
        ("from" = Option<String>, Query, description = "In place of `range`: RFC 3339, or a day of your time zone"),
        ("to" = Option<String>, Query, description = "RFC 3339, or a day, which is meant whole"),
    ),
    responses(
        (status = 200, description = "The samples", content((String = "text/csv"), (RefusalExport = "application/json"))),
        (status = 403, description = "The key lacks admin:read"),
        (status = 409, description = "More than 50,000 samples"),
    ),
    security(("key" = [])),
)]
pub async fn export_all(State(ctx): State<Ctx>, caller: Caller, Query(given): Query<Vec<(String, String)>>) -> Result<Response, AppError> {
    let names = ["format", "owner", "code", "key", "api", "route", "address", "permission", "request", "limit", "rule", "range", "from", "to"];
    known(&given, &names)?;
    let query = RefusalQuery::read(|name| value(&given, name));
    let format = Format::read(value(&given, "format").as_deref())?;
    let Some(samples) = export_all_refusals(&ctx, &caller, &query).await? else {
        return Err(AppError::conflict("These are more than 50,000 samples. Take a shorter time: from, to."));
    };
    let lines: Vec<RefusalLine> = samples.into_iter().map(Into::into).collect();
    Ok(file::answer("all-refusals", ctx.clock.now().date(), format, lines, |data| RefusalExport { data }))
}

/// Attempts without a known key.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AttemptExport {
    pub data: Vec<AttemptLine>,
}

/// Export unknown keys
///
/// Calls since midnight (of your time zone) with secrets that no key has, by address and reason, the most first: counted exactly.
#[utoipa::path(
    get, path = "/api/v1/usage/attempts/export", tag = "Usage", operation_id = "export_attempts",
    params(("format" = Option<String>, Query, description = "`csv` (default) or `json`")),
    responses(
        (status = 200, description = "The lines", content((String = "text/csv"), (AttemptExport = "application/json"))),
        (status = 403, description = "The key lacks admin:read"),
    ),
    security(("key" = [])),
)]
pub async fn export_attempts(State(ctx): State<Ctx>, caller: Caller, Query(given): Query<Vec<(String, String)>>) -> Result<Response, AppError> {
    known(&given, &["format"])?;
    let format = Format::read(value(&given, "format").as_deref())?;
    let line = |from: AttemptsFrom| AttemptLine { address: from.address, reason: from.reason.to_string(), calls: from.calls };
    let lines: Vec<AttemptLine> = attempts_by_address_today(&ctx, &caller, MOST).await?.into_iter().map(line).collect();
    Ok(file::answer("unknown-keys", ctx.clock.now().date(), format, lines, |data| AttemptExport { data }))
}
