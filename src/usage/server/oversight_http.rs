//! `GET /api/v1/usage/refusals/all/export` and `/api/v1/usage/attempts/export`: the buttons of Admin › Refusals.

use super::{
    http::{RefusalExport, known, page, value},
    lines::{AttemptLine, RefusalLine},
    oversight::attempts_by_address_today,
    refusal_params::RefusalParams,
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
    http::HeaderMap,
    response::Response,
};
use serde::Serialize;

/// Lines of attempts.
const MOST: u16 = 50_000;

/// Export everybody's refusals
///
/// The samples that operators see under Admin › Refusals for the same filters, newest first, also those of no known key. More than 50,000
/// are not answered at once, as for usage.
#[utoipa::path(
    get, path = "/api/v1/usage/refusals/all/export", tag = "Usage", operation_id = "export_all_refusals",
    params(("owner" = Option<String>, Query, description = "Only calls with keys of the person who signs in with this address"), RefusalParams),
    responses(
        (status = 200, description = "The samples", content((String = "text/csv"), (RefusalExport = "application/json"))),
        (status = 303, description = "More than 50,000 samples, for a browser"),
        (status = 403, description = "The key lacks admin:read"),
        (status = 409, description = "More than 50,000 samples"),
    ),
    security(("key" = [])),
)]
pub async fn export_all(State(ctx): State<Ctx>, caller: Caller, headers: HeaderMap, Query(given): Query<Vec<(String, String)>>) -> Result<Response, AppError> {
    known(&given, &[&["owner"][..], &RefusalParams::NAMES].concat())?;
    let query = RefusalQuery::read(|name| value(&given, name));
    let format = Format::read(value(&given, "format").as_deref())?;
    let Some(samples) = export_all_refusals(&ctx, &caller, &query).await? else {
        return Ok(file::too_large(&headers, &page("all-refusals", format, query.pairs())));
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
