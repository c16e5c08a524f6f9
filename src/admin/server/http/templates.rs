//! A mail as HTML, for the frame of its preview.

use crate::{
    accounts::Caller,
    admin::{model::TemplateQuery, server::templates},
    error::AppError,
    platform::Ctx,
};
use axum::{
    Router,
    extract::{Query, State},
    http::header,
    response::{Html, IntoResponse, Response},
    routing::get,
};

/// Nothing runs, nothing is fetched, no form and no link leads anywhere; only our own page may frame it. Mails style themselves in place.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

pub fn routes() -> Router<Ctx> {
    Router::new().route("/admin/templates/preview", get(preview))
}

async fn preview(State(ctx): State<Ctx>, caller: Caller, Query(query): Query<TemplateQuery>) -> Result<Response, AppError> {
    let html = templates::preview(&ctx, &caller, &query).await?;
    Ok(([(header::CONTENT_SECURITY_POLICY, POLICY), (header::X_FRAME_OPTIONS, "SAMEORIGIN")], Html(html)).into_response())
}
