//! The REST routes of plans, and of what holds workspaces and APIs. For operators: every operation needs `plans:manage`.

mod bodies;
pub mod groups;
mod trying;

use self::bodies::{
    AccountBody, ChangedLimitsBody, DryRunBody, EditPlanBody, GrantsBody, LimitsBody, NewPlanBody, PlanBody, PlanListBody, PlanOfBody, WorkspaceHoldBody,
};
use super as server;
use crate::{
    accounts::Caller,
    error::AppError,
    plans::model::WorkspaceHold,
    platform::{
        Ctx,
        http::{
            json::{Body, Query, located},
            pages::{Listed, PageQuery},
        },
    },
    values::WorkspaceId,
};
use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use serde::Deserialize;
use tokio::time::Instant;
use utoipa::{IntoParams, OpenApi};

/// What `/api/v1/openapi.json` says of these routes.
#[derive(OpenApi)]
#[openapi(paths(
    list_plans,
    create_plan,
    read_plan,
    edit_plan,
    delete_plan,
    dry_run,
    trying::try_plan,
    trying::try_group,
    trying::try_workspace,
    trying::try_api,
    assign_to_account,
    read_workspace_plan,
    assign_plan,
    set_workspace_limits,
    set_workspace_grants,
    read_api_limits,
    set_api_limits
))]
pub struct Docs;

pub fn routes() -> Router<Ctx> {
    Router::new()
        .route("/api/v1/plans", get(list_plans).post(create_plan))
        .route("/api/v1/plans/{slug}", get(read_plan).patch(edit_plan).delete(delete_plan))
        .route("/api/v1/plans/{slug}/dry-run", get(dry_run).post(trying::try_plan))
        .route("/api/v1/workspaces/{id}/dry-run", post(trying::try_workspace))
        .route("/api/v1/apis/{slug}/dry-run", post(trying::try_api))
        .route("/api/v1/plans/{slug}/accounts", post(assign_to_account))
        .route("/api/v1/workspaces/{id}/plan", get(read_workspace_plan).put(assign_plan))
        .route("/api/v1/workspaces/{id}/limits", axum::routing::put(set_workspace_limits))
        .route("/api/v1/workspaces/{id}/grants", axum::routing::put(set_workspace_grants))
        .route("/api/v1/apis/{slug}/limits", get(read_api_limits).put(set_api_limits))
        .merge(groups::routes())
}

/// An id in the path; one that can't be an id is a workspace that does not exist.
fn workspace(id: &str) -> Result<WorkspaceId, AppError> {
    id.parse().map_err(|_| AppError::NotFound)
}

/// What holds a workspace after a change that began then, and where.
async fn changed(ctx: &Ctx, hold: WorkspaceHold, since: Instant) -> WorkspaceHoldBody {
    let spread = server::spread_of(ctx, hold.workspace.uuid(), since).await;
    WorkspaceHoldBody::changed(hold, spread)
}

/// List plans
///
/// By name.
#[utoipa::path(
    get, path = "/api/v1/plans", tag = "Plans", operation_id = "list_plans", params(PageQuery),
    responses(
        (status = 200, body = PlanListBody),
    ),
    security(("key" = [])),
)]
async fn list_plans(State(ctx): State<Ctx>, caller: Caller, Query(asked): Query<PageQuery>) -> Result<Listed<PlanListBody>, AppError> {
    let plans = server::list_plans(&ctx, &caller).await?;
    let (plans, next) = asked.page(plans, "plans", |plan| format!("{}\0{}", plan.name.to_lowercase(), plan.slug))?;
    Ok(Listed::page(next, |has_more, next_cursor| PlanListBody { data: plans.into_iter().map(Into::into).collect(), has_more, next_cursor }))
}

/// Create a plan
#[utoipa::path(
    post, path = "/api/v1/plans", tag = "Plans", operation_id = "create_plan", request_body = NewPlanBody,
    responses((status = 201, body = PlanBody)),
    security(("key" = [])),
)]
async fn create_plan(State(ctx): State<Ctx>, caller: Caller, Body(new): Body<NewPlanBody>) -> Result<Response, AppError> {
    let plan = server::create_plan(&ctx, &caller, new.plan()).await?;
    Ok(located(StatusCode::CREATED, &format!("/api/v1/plans/{}", plan.slug), PlanBody::from(plan)))
}

/// Read a plan
#[utoipa::path(
    get, path = "/api/v1/plans/{slug}", tag = "Plans", operation_id = "read_plan", params(("slug" = String, Path)),
    responses((status = 200, body = PlanBody)),
    security(("key" = [])),
)]
async fn read_plan(State(ctx): State<Ctx>, caller: Caller, Path(slug): Path<String>) -> Result<Json<PlanBody>, AppError> {
    Ok(Json(server::find_plan(&ctx, &caller, &slug).await?.into()))
}

/// Change a plan
///
/// What is left out stays. New limits hold at once, for everybody who has the plan: on every node that `spread` counts as confirmed.
#[utoipa::path(
    patch, path = "/api/v1/plans/{slug}", tag = "Plans", operation_id = "edit_plan", params(("slug" = String, Path)), request_body = EditPlanBody,
    responses((status = 200, body = PlanBody)),
    security(("key" = [])),
)]
async fn edit_plan(State(ctx): State<Ctx>, caller: Caller, Path(slug): Path<String>, Body(edit): Body<EditPlanBody>) -> Result<Json<PlanBody>, AppError> {
    let since = Instant::now();
    let plan = server::edit_plan(&ctx, &caller, &slug, edit.edit()).await?;
    let spread = server::spread_of(&ctx, plan.id.uuid(), since).await;
    Ok(Json(PlanBody::changed(plan, spread)))
}

/// Delete a plan
///
/// One that nobody has.
#[utoipa::path(
    delete, path = "/api/v1/plans/{slug}", tag = "Plans", operation_id = "delete_plan", params(("slug" = String, Path)),
    responses((status = 204), (status = 409, description = "Somebody has this plan")),
    security(("key" = [])),
)]
async fn delete_plan(State(ctx): State<Ctx>, caller: Caller, Path(slug): Path<String>) -> Result<StatusCode, AppError> {
    server::delete_plan(&ctx, &caller, &slug).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whom a dry run is asked by.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DryRunQuery {
    /// `workspace` (default): all keys of a workspace together; `key`: each alone.
    #[serde(default)]
    by: Option<String>,
}

/// Try a plan on last month's usage
///
/// Who would have been limited since the first of last month (UTC), had everybody this plan; at most 50, the most held back first.
#[utoipa::path(
    get, path = "/api/v1/plans/{slug}/dry-run", tag = "Plans", operation_id = "dry_run_plan", params(("slug" = String, Path), DryRunQuery),
    responses((status = 200, body = DryRunBody)),
    security(("key" = [])),
)]
async fn dry_run(State(ctx): State<Ctx>, caller: Caller, Path(slug): Path<String>, Query(asked): Query<DryRunQuery>) -> Result<Json<DryRunBody>, AppError> {
    let by_key = match asked.by.as_deref() {
        None | Some("workspace") => false,
        Some("key") => true,
        Some(_) => return Err(AppError::invalid("by", "Ask by workspace or by key.")),
    };
    Ok(Json(server::dry_run(&ctx, &caller, &slug, by_key).await?.into()))
}

/// Assign a plan to an account
///
/// To its personal workspace, in place of the plan that it has. Needs `admin:read` beside `plans:manage`, since it looks for an account.
#[utoipa::path(
    post, path = "/api/v1/plans/{slug}/accounts", tag = "Plans", operation_id = "assign_plan_to_account", params(("slug" = String, Path)), request_body = AccountBody,
    responses((status = 200, body = WorkspaceHoldBody)),
    security(("key" = [])),
)]
async fn assign_to_account(
    State(ctx): State<Ctx>,
    caller: Caller,
    Path(slug): Path<String>,
    Body(asked): Body<AccountBody>,
) -> Result<Json<WorkspaceHoldBody>, AppError> {
    let since = Instant::now();
    let hold = server::assign_plan_to_account(&ctx, &caller, &slug, &asked.account).await?;
    Ok(Json(changed(&ctx, hold, since).await))
}

/// Read what holds a workspace
#[utoipa::path(
    get, path = "/api/v1/workspaces/{id}/plan", tag = "Plans", operation_id = "read_workspace_plan", params(("id" = String, Path)),
    responses((status = 200, body = WorkspaceHoldBody)),
    security(("key" = [])),
)]
async fn read_workspace_plan(State(ctx): State<Ctx>, caller: Caller, Path(id): Path<String>) -> Result<Json<WorkspaceHoldBody>, AppError> {
    Ok(Json(server::workspace_hold(&ctx, &caller, workspace(&id)?).await?.into()))
}

/// Assign a plan to a workspace
///
/// Its limits are then counted for all keys of the workspace together.
#[utoipa::path(
    put, path = "/api/v1/workspaces/{id}/plan", tag = "Plans", operation_id = "assign_plan", params(("id" = String, Path)), request_body = PlanOfBody,
    responses((status = 200, body = WorkspaceHoldBody)),
    security(("key" = [])),
)]
async fn assign_plan(
    State(ctx): State<Ctx>,
    caller: Caller,
    Path(id): Path<String>,
    Body(asked): Body<PlanOfBody>,
) -> Result<Json<WorkspaceHoldBody>, AppError> {
    let since = Instant::now();
    let hold = server::assign_plan(&ctx, &caller, workspace(&id)?, asked.plan.as_deref()).await?;
    Ok(Json(changed(&ctx, hold, since).await))
}

/// Set the limits of a workspace
///
/// Counted for all its keys together; they stand before those of its plan. An empty list: its plan's.
#[utoipa::path(
    put, path = "/api/v1/workspaces/{id}/limits", tag = "Plans", operation_id = "set_workspace_limits", params(("id" = String, Path)), request_body = LimitsBody,
    responses((status = 200, body = WorkspaceHoldBody)),
    security(("key" = [])),
)]
async fn set_workspace_limits(
    State(ctx): State<Ctx>,
    caller: Caller,
    Path(id): Path<String>,
    Body(asked): Body<LimitsBody>,
) -> Result<Json<WorkspaceHoldBody>, AppError> {
    let since = Instant::now();
    let hold = server::set_workspace_limits(&ctx, &caller, workspace(&id)?, asked.limits()).await?;
    Ok(Json(changed(&ctx, hold, since).await))
}

/// Set the grants of a workspace
///
/// Permissions that need a grant, for its keys, beside what its plan and its group grant. What is left out passes no more, on any node, when
/// this is answered. An empty list: none of its own.
#[utoipa::path(
    put, path = "/api/v1/workspaces/{id}/grants", tag = "Plans", operation_id = "set_workspace_grants", params(("id" = String, Path)), request_body = GrantsBody,
    responses((status = 200, body = WorkspaceHoldBody)),
    security(("key" = [])),
)]
async fn set_workspace_grants(
    State(ctx): State<Ctx>,
    caller: Caller,
    Path(id): Path<String>,
    Body(asked): Body<GrantsBody>,
) -> Result<Json<WorkspaceHoldBody>, AppError> {
    let since = Instant::now();
    let hold = server::set_workspace_grants(&ctx, &caller, workspace(&id)?, &asked.grants).await?;
    Ok(Json(changed(&ctx, hold, since).await))
}

/// Read the limits of an API
#[utoipa::path(
    get, path = "/api/v1/apis/{slug}/limits", tag = "Plans", operation_id = "read_api_limits", params(("slug" = String, Path)),
    responses((status = 200, body = LimitsBody)),
    security(("key" = [])),
)]
async fn read_api_limits(State(ctx): State<Ctx>, caller: Caller, Path(slug): Path<String>) -> Result<Json<LimitsBody>, AppError> {
    Ok(Json(server::api_limits(&ctx, &caller, &slug).await?.into()))
}

/// Set the limits of an API
///
/// For each key of the API that nothing nearer limits, in place of the default. An empty list: the default.
#[utoipa::path(
    put, path = "/api/v1/apis/{slug}/limits", tag = "Plans", operation_id = "set_api_limits", params(("slug" = String, Path)), request_body = LimitsBody,
    responses((status = 200, body = ChangedLimitsBody)),
    security(("key" = [])),
)]
async fn set_api_limits(
    State(ctx): State<Ctx>,
    caller: Caller,
    Path(slug): Path<String>,
    Body(asked): Body<LimitsBody>,
) -> Result<Json<ChangedLimitsBody>, AppError> {
    let since = Instant::now();
    let limits = server::set_api_limits(&ctx, &caller, &slug, asked.limits()).await?;
    let spread = server::spread_of_api(&ctx, &slug, since).await?;
    Ok(Json(ChangedLimitsBody::new(limits, spread)))
}
