//! `GET /api/v1/usage/requests`: what the page Requests lists, page by page, for programs with a key that has `usage:read`.

use super::{
    http::{known, value},
    lines::RefusalLine,
    refusals::read_refusals,
};
use crate::{
    accounts::Caller,
    error::AppError,
    platform::{
        Ctx,
        http::{json::page_size, pages::Listed},
    },
    usage::model::RefusalQuery,
};
use axum::extract::{Query, State};
use serde::Serialize;

/// Samples of calls, newest first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RequestList {
    pub data: Vec<RefusalLine>,
    pub has_more: bool,
    pub next_cursor: Option<String>,
}

/// List requests
///
/// Samples of calls, newest first: of those that did not pass, or with `code=VALID` of those that passed, where their API keeps some
/// (`sample_one_in`). Kept for 30 days unless the operator chose otherwise; the counts of `/api/v1/usage` are exact.
#[utoipa::path(
    get, path = "/api/v1/usage/requests", tag = "Usage", operation_id = "list_requests",
    params(
        ("code" = Option<String>, Query, description = "Only this code, such as `FORBIDDEN`; `VALID`: calls that passed. Without it all that did not pass"),
        ("key" = Option<String>, Query, description = "Only this key"),
        ("route" = Option<String>, Query, description = "Only this route"),
        ("address" = Option<String>, Query, description = "Only calls from this address"),
        ("permission" = Option<String>, Query, description = "Only calls that needed this permission, which their key had not; not beside `code=VALID`"),
        ("api" = Option<String>, Query, description = "Only calls of the API with this slug"),
        ("request" = Option<String>, Query, description = "Only the request with this id"),
        ("limit_name" = Option<String>, Query, description = "Only calls that the limit of this name refused; not beside `code=VALID`"),
        ("rule" = Option<String>, Query, description = "Only what this refused, as in the export of refusals; not beside `code=VALID`"),
        ("range" = Option<String>, Query, description = "`1h`, `24h`, `7d`, `30d` (default)"),
        ("from" = Option<String>, Query, description = "In place of `range`: RFC 3339, or a day of your time zone"),
        ("to" = Option<String>, Query, description = "RFC 3339, or a day, which is meant whole"),
        ("limit" = Option<usize>, Query, description = "1 to 100, 100 unless said otherwise"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "The samples", body = RequestList), (status = 404, description = "There is no such key")),
    security(("key" = [])),
)]
pub async fn list(State(ctx): State<Ctx>, caller: Caller, Query(given): Query<Vec<(String, String)>>) -> Result<Listed<RequestList>, AppError> {
    let names = ["code", "key", "api", "route", "address", "permission", "request", "limit_name", "rule", "range", "from", "to", "limit", "cursor"];
    known(&given, &names)?;
    let rows = match value(&given, "limit") {
        Some(text) => text.parse::<usize>().map_err(|_| AppError::invalid("limit", "Ask for 1 to 100 requests."))?,
        None => 100,
    };
    let query = RefusalQuery::read(|name| match name {
        "limit" => value(&given, "limit_name"),
        "before" => value(&given, "cursor"),
        // Of pages, and of operators.
        "open" | "owner" => None,
        name => value(&given, name),
    });
    let (samples, next) = read_refusals(&ctx, &caller, &query, page_size(Some(rows), "requests")?).await?;
    Ok(Listed::page(next, |has_more, next_cursor| RequestList { data: samples.into_iter().map(Into::into).collect(), has_more, next_cursor }))
}
