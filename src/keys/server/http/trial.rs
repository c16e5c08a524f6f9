//! `POST /api/v1/keys/{id}/test`: would this call pass?

use super::Id;
use crate::{
    accounts::Caller,
    error::AppError,
    keys::{
        model::{CallTrial, TrialStep, TryCall},
        server,
    },
    platform::{Ctx, http::json::Body},
    values::Outcome,
};
use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{OpenApi, ToSchema};

/// What `/api/v1/openapi.json` says of this route.
#[derive(OpenApi)]
#[openapi(paths(test_key))]
pub struct Docs;

/// A call to try.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TestBody {
    #[schema(example = "POST")]
    method: String,
    /// With its query, if you like.
    #[schema(example = "/orders/17?page=2")]
    path: String,
    /// From where it comes.
    #[serde(default)]
    #[schema(example = "203.0.113.7")]
    ip: Option<String>,
    /// The origin of the web page that makes it.
    #[serde(default)]
    #[schema(example = "https://app.example.com")]
    origin: Option<String>,
    /// A permission that the asking service names, beside what the route needs.
    #[serde(default)]
    permission: Option<String>,
    /// A cost that the asking service names, in place of the route's.
    #[serde(default)]
    cost: Option<u32>,
    /// When it comes; without it, now.
    #[serde(default, with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<OffsetDateTime>,
}

/// How the call would go.
#[derive(Debug, Serialize, ToSchema)]
pub struct TestAnswer {
    valid: bool,
    #[schema(value_type = String)]
    code: Outcome,
    /// The route that it is; none matches without it.
    #[schema(example = "POST /orders")]
    route: Option<String>,
    /// Cost units; none: the route has no quota.
    cost: Option<u32>,
    /// In the order in which the gate looks; the first that refuses decides.
    steps: Vec<StepBody>,
}

/// One thing that the gate looks at.
#[derive(Debug, Serialize, ToSchema)]
pub struct StepBody {
    /// `state`, `expiry`, `address`, `origin`, `api`, `route`, `permission`, `key_route` (the list of the key), `signature`, `pace` (a block that slows) or `limit`.
    check: String,
    passes: bool,
    /// The code where it refuses.
    #[schema(value_type = Option<String>)]
    code: Option<Outcome>,
    detail: String,
}

impl From<TrialStep> for StepBody {
    fn from(step: TrialStep) -> Self {
        Self { check: step.check, passes: step.refused.is_none(), code: step.refused, detail: step.detail }
    }
}

impl From<CallTrial> for TestAnswer {
    fn from(trial: CallTrial) -> Self {
        let steps = trial.steps.into_iter().map(Into::into).collect();
        Self { valid: trial.outcome == Outcome::Valid, code: trial.outcome, route: trial.route, cost: trial.cost, steps }
    }
}

/// Test a call with a key
///
/// The gate's own checks, step by step. The secret is not needed; nothing is charged or counted.
#[utoipa::path(
    post, path = "/api/v1/keys/{id}/test", tag = "Keys", operation_id = "test_key", params(("id" = String, Path)), request_body = TestBody,
    responses((status = 200, body = TestAnswer)),
    security(("key" = [])),
)]
pub(super) async fn test_key(State(ctx): State<Ctx>, caller: Caller, Id(id): Id, Body(call): Body<TestBody>) -> Result<Json<TestAnswer>, AppError> {
    let call =
        TryCall { method: call.method, path: call.path, address: call.ip, origin: call.origin, permission: call.permission, cost: call.cost, at: call.at };
    Ok(Json(server::try_call(&ctx, &caller, id, call).await?.into()))
}
