//! `GET /readyz`: whether this node can be given work, and how each of its parts does (`site::server::read_parts`). People have `/status`.

use crate::{
    error::wait_in_words,
    platform::{Ctx, telemetry},
    site::server::{Parts, read_parts},
    values::NotNow,
};
use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

/// Seconds after which a node that is not ready may be asked again.
const AGAIN: u64 = 5;

/// Ready when the key table is loaded, this node may answer from it, and the database answers.
pub async fn ready(State(ctx): State<Ctx>) -> Response {
    let (parts, stopped) = read_parts(&ctx).await;
    match stopped {
        Some(detail) => not_ready(if parts.keys.loaded { NotNow::CutOff } else { NotNow::Starting }, &detail, &parts),
        None if !parts.database.up => {
            let left = wait_in_words(parts.keys.verified_for.unwrap_or(0));
            not_ready(NotNow::DatabaseAway, &format!("The database does not answer. Keys are verified from memory, for {left} at most."), &parts)
        }
        None => Json(serde_json::json!({ "status": "ready", "parts": parts })).into_response(),
    }
}

fn not_ready(why: NotNow, detail: &str, parts: &Parts) -> Response {
    let body = serde_json::json!({
        "type": why.kind(), "title": why.title(), "status": 503, "code": why, "detail": detail, "request_id": telemetry::request_id(), "parts": parts,
    });
    let mut response = (StatusCode::SERVICE_UNAVAILABLE, body.to_string()).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(AGAIN));
    response
}
