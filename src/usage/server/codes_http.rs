//! `GET /api/v1/usage/refusals/codes/export` and, for operators, `/api/v1/usage/refusals/all/codes/export`: the buttons beside the counts by
//! code of Requests and of Admin › Refusals.

use super::{
    codes,
    http::{known, value},
    lines::CodeLine,
    whose::Whose,
};
use crate::{
    accounts::Caller,
    error::AppError,
    platform::{
        Ctx,
        http::file::{self, Format},
    },
    usage::model::RefusalQuery,
};
use axum::{
    extract::{Query, State},
    response::Response,
};
use serde::Serialize;

/// The filters that counts know. The handlers read pairs (`http::known`), to name a parameter that nobody knows: this describes them only.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CodeParams {
    /// `csv` (default) or `json`
    pub format: Option<String>,
    /// Only this code, such as `FORBIDDEN`; `VALID`: calls that passed. Without it all that did not pass
    pub code: Option<String>,
    /// Only this key
    pub key: Option<String>,
    /// Only this route
    pub route: Option<String>,
    /// Only calls of the API with this slug
    pub api: Option<String>,
    /// `1h`, `24h`, `7d`, `30d` (default); it begins with a whole quarter of an hour
    pub range: Option<String>,
    /// In place of `range`: RFC 3339, or a day of your time zone
    pub from: Option<String>,
    /// RFC 3339, or a day, which is meant whole
    pub to: Option<String>,
}

const NAMES: [&str; 8] = ["format", "code", "key", "route", "api", "range", "from", "to"];

/// Counts by code.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CodeExport {
    pub data: Vec<CodeLine>,
}

/// Export counts of refusals
///
/// The counts by code on the page Requests for the same filters: exact, where what it lists are samples.
#[utoipa::path(
    get, path = "/api/v1/usage/refusals/codes/export", tag = "Usage", operation_id = "export_refusal_codes",
    params(CodeParams),
    responses(
        (status = 200, description = "The lines", content((String = "text/csv"), (CodeExport = "application/json"))),
        (status = 403, description = "The key lacks usage:read"),
        (status = 404, description = "There is no such key"),
    ),
    security(("key" = [])),
)]
pub async fn export_codes(State(ctx): State<Ctx>, caller: Caller, Query(given): Query<Vec<(String, String)>>) -> Result<Response, AppError> {
    answer(&ctx, &caller, Whose::Own, &given, &NAMES).await
}

/// Export counts of everybody's refusals
///
/// The counts by code under Admin › Refusals for the same filters: exact, of known keys.
#[utoipa::path(
    get, path = "/api/v1/usage/refusals/all/codes/export", tag = "Usage", operation_id = "export_all_refusal_codes",
    params(("owner" = Option<String>, Query, description = "Only calls with keys of the person who signs in with this address"), CodeParams),
    responses(
        (status = 200, description = "The lines", content((String = "text/csv"), (CodeExport = "application/json"))),
        (status = 403, description = "The key lacks admin:read"),
    ),
    security(("key" = [])),
)]
pub async fn export_all_codes(State(ctx): State<Ctx>, caller: Caller, Query(given): Query<Vec<(String, String)>>) -> Result<Response, AppError> {
    answer(&ctx, &caller, Whose::All, &given, &[&["owner"][..], &NAMES].concat()).await
}

async fn answer(ctx: &Ctx, caller: &Caller, whose: Whose, given: &[(String, String)], names: &[&str]) -> Result<Response, AppError> {
    known(given, names)?;
    let query = RefusalQuery::read(|name| value(given, name));
    let format = Format::read(value(given, "format").as_deref())?;
    let lines = codes::export_codes(ctx, caller, whose, &query).await?;
    Ok(file::answer("refusal-codes", ctx.clock.now().date(), format, lines, |data| CodeExport { data }))
}
