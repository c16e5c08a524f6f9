//! The REST routes that try limits which are saved nowhere on last month's usage. They write nothing; they are POST for their bodies.

use super::{bodies::DryRunBody, workspace};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::{model::KeyLimit, server::http::KeyLimitBody},
    plans::server::{self, PlanTry},
    platform::{Ctx, http::json::Body},
};
use axum::{
    Json,
    extract::{Path, State},
};
use serde::Deserialize;
use utoipa::ToSchema;

/// Limits to try.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TryBody {
    /// All that there would be, at most 32; without it those that are saved.
    #[serde(default)]
    limits: Option<Vec<KeyLimitBody>>,
}

/// Limits of a plan to try, and whom on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TryPlanBody {
    /// All that the plan would have, at most 32; without it those that are saved.
    #[serde(default)]
    limits: Option<Vec<KeyLimitBody>>,
    /// `everybody` (the default), or `holders`: only those who have the plan.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "holders")]
    of: Option<OfWord>,
    /// `workspace` (the default): all keys of a workspace together; `key`: each alone.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "workspace")]
    by: Option<ByWord>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OfWord {
    Everybody,
    Holders,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ByWord {
    Workspace,
    Key,
}

fn limits(bodies: Option<Vec<KeyLimitBody>>) -> Option<Vec<KeyLimit>> {
    bodies.map(super::bodies::limits)
}

/// Try limits of a plan on last month's usage
///
/// Who would have been limited since the first of last month (UTC) had the plan these limits, which are saved nowhere; at most 50, the most held
/// back first.
#[utoipa::path(
    post, path = "/api/v1/plans/{slug}/dry-run", tag = "Plans", operation_id = "try_plan_limits", params(("slug" = String, Path)),
    request_body = TryPlanBody,
    responses((status = 200, body = DryRunBody)),
    security(("key" = [])),
)]
pub async fn try_plan(State(ctx): State<Ctx>, caller: Caller, Path(slug): Path<String>, Body(asked): Body<TryPlanBody>) -> Result<Json<DryRunBody>, AppError> {
    let wanted = PlanTry { limits: limits(asked.limits), of_holders: asked.of == Some(OfWord::Holders), by_key: asked.by == Some(ByWord::Key) };
    Ok(Json(server::try_plan_limits(&ctx, &caller, &slug, wanted).await?.into()))
}

/// Try limits of a group on last month's usage
///
/// Which of its workspaces would have been limited had the group these limits of its own, which are saved nowhere.
#[utoipa::path(
    post, path = "/api/v1/groups/{slug}/dry-run", tag = "Groups", operation_id = "try_group_limits", params(("slug" = String, Path)), request_body = TryBody,
    responses((status = 200, body = DryRunBody)),
    security(("key" = [])),
)]
pub async fn try_group(State(ctx): State<Ctx>, caller: Caller, Path(slug): Path<String>, Body(asked): Body<TryBody>) -> Result<Json<DryRunBody>, AppError> {
    Ok(Json(server::try_group_limits(&ctx, &caller, &slug, limits(asked.limits)).await?.into()))
}

/// Try limits of a workspace on last month's usage
///
/// Whether it would have been limited had it these limits of its own, which are saved nowhere: all its keys together that have no limits and no plan
/// with limits themselves.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{id}/dry-run", tag = "Plans", operation_id = "try_workspace_limits", params(("id" = String, Path)),
    request_body = TryBody,
    responses((status = 200, body = DryRunBody)),
    security(("key" = [])),
)]
pub async fn try_workspace(State(ctx): State<Ctx>, caller: Caller, Path(id): Path<String>, Body(asked): Body<TryBody>) -> Result<Json<DryRunBody>, AppError> {
    Ok(Json(server::try_workspace_limits(&ctx, &caller, workspace(&id)?, limits(asked.limits)).await?.into()))
}

/// Try limits of an API on last month's usage
///
/// Which of its keys would have been limited had the API these limits, which are saved nowhere: those that nothing nearer limits, each alone.
#[utoipa::path(
    post, path = "/api/v1/apis/{slug}/dry-run", tag = "Plans", operation_id = "try_api_limits", params(("slug" = String, Path)), request_body = TryBody,
    responses((status = 200, body = DryRunBody)),
    security(("key" = [])),
)]
pub async fn try_api(State(ctx): State<Ctx>, caller: Caller, Path(slug): Path<String>, Body(asked): Body<TryBody>) -> Result<Json<DryRunBody>, AppError> {
    Ok(Json(server::try_api_limits(&ctx, &caller, &slug, limits(asked.limits)).await?.into()))
}
