//! The REST routes of exports; the page's link leads to the same address.

use super::{ask_export, finished, store};
use crate::{
    accounts::{
        Caller,
        server::{Visitor, http::CurrentPasswordBody},
    },
    error::AppError,
    platform::{Ctx, http::json::Body},
};
use axum::{
    Router,
    body::Body as Stream,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use futures_util::stream;
use utoipa::OpenApi;

/// What `/api/v1/openapi.json` says of these routes.
#[derive(OpenApi)]
#[openapi(paths(ask, fetch))]
pub struct Docs;

pub fn routes() -> Router<Ctx> {
    Router::new().route("/api/v1/me/export", get(fetch).post(ask))
}

/// Ask for all your data
///
/// A job writes it; a mail says when it can be fetched. A newer request takes the place of an older one.
#[utoipa::path(
    post, path = "/api/v1/me/export", tag = "Account", operation_id = "ask_export", request_body = CurrentPasswordBody,
    responses(
        (status = 202, description = "It is being written"),
        (status = 422, description = "The password is wrong"),
        (status = 429),
    ),
    security(("key" = [])),
)]
pub async fn ask(State(ctx): State<Ctx>, visitor: Visitor, caller: Caller, Body(body): Body<CurrentPasswordBody>) -> Result<StatusCode, AppError> {
    ask_export(&ctx, &caller, &visitor, Some(&body.current_password.into())).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Fetch all your data
///
/// A JSON file, for 24 hours after it was written; 404 before and after. No secret is in it. Needs `account:write`.
#[utoipa::path(
    get, path = "/api/v1/me/export", tag = "Account", operation_id = "fetch_export",
    responses(
        (status = 200, description = "The file", content_type = "application/json"),
        (status = 403, description = "The key lacks `account:write`"),
        (status = 404, description = "There is none"),
    ),
    security(("key" = [])),
)]
pub async fn fetch(State(ctx): State<Ctx>, caller: Caller) -> Result<Response, AppError> {
    let export = finished(&ctx, &caller).await?;
    let pieces = stream::try_unfold(0, move |number| {
        let db = ctx.db.clone();
        async move { Ok::<_, sqlx::Error>(store::find_chunk(&db, export.id, number).await?.map(|bytes| (bytes, number + 1))) }
    });
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CONTENT_DISPOSITION, "attachment; filename=\"tollgate-account.json\"")];
    Ok((headers, Stream::from_stream(pieces)).into_response())
}
