//! `POST /api/v1/usage/latencies`: a service tells how long calls took.

use super::latency::{Reported, Took, report_latencies};
use crate::{
    accounts::Caller,
    error::AppError,
    platform::{Ctx, http::json::Body},
    values::KeyId,
};
use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

/// What a service tells.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LatenciesBody {
    /// 1 to 1,000 calls.
    latencies: Vec<LatencyBody>,
}

/// How long one call took.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LatencyBody {
    /// As a verification answers it.
    #[schema(value_type = String)]
    key_id: KeyId,
    /// The method and path that were called, as in a verification.
    #[schema(example = "GET /orders/17")]
    route: String,
    /// 0 to 3,600,000.
    #[schema(example = 12.5)]
    milliseconds: f64,
    /// When it was called, at most a day ago; without it, now.
    #[serde(default, with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<OffsetDateTime>,
}

/// What became of them.
#[derive(Debug, Serialize, ToSchema)]
pub struct LatenciesAnswer {
    pub accepted: u64,
    /// Of keys that are not known (any more): left out.
    pub unknown: u64,
    /// Left out because there was no room until the next write, some seconds later.
    pub dropped: u64,
}

/// Report latencies
///
/// How long calls took that a service answered. Kept in memory and written within two seconds as counts on a logarithmic scale, so that
/// percentiles of any keys, routes and times are right within 10 %; what was not written when a node ends by force is lost. Sent twice,
/// it counts twice. For whoever may verify keys.
#[utoipa::path(
    post, path = "/api/v1/usage/latencies", tag = "Usage", operation_id = "report_latencies", request_body = LatenciesBody,
    responses(
        (status = 202, description = "Counted", body = LatenciesAnswer),
        (status = 403, description = "The key lacks keys:verify"),
        (status = 422, description = "Something is wrong, and nothing was counted; `errors` names it"),
    ),
    security(("key" = [])),
)]
pub async fn report(State(ctx): State<Ctx>, caller: Caller, Body(told): Body<LatenciesBody>) -> Result<(StatusCode, Json<LatenciesAnswer>), AppError> {
    let took = |l: LatencyBody| Took { key: l.key_id, route: l.route, milliseconds: l.milliseconds, at: l.at };
    let calls: Vec<Took> = told.latencies.into_iter().map(took).collect();
    let Reported { accepted, unknown, dropped } = report_latencies(&ctx, &caller, &calls)?;
    Ok((StatusCode::ACCEPTED, Json(LatenciesAnswer { accepted, unknown, dropped })))
}
