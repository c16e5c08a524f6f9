//! The REST routes of groups. For operators: every operation needs `plans:manage`.

mod bodies;

use self::bodies::{EditGroupBody, GroupBody, GroupListBody, MemberListBody, NewGroupBody, NewMemberBody};
use super::{
    bodies::{DryRunBody, WorkspaceHoldBody},
    changed, trying, workspace,
};
use crate::{
    accounts::Caller,
    error::AppError,
    plans::server::{self, forms},
    platform::{
        Ctx,
        http::{
            json::{Body, Query, located},
            pages::{Listed, PageQuery},
            spread::GoneBody,
        },
    },
    values::WorkspaceId,
};
use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
    routing::{delete, get},
};
use serde::Deserialize;
use tokio::time::Instant;
use utoipa::{IntoParams, OpenApi};

/// What `/api/v1/openapi.json` says of these routes.
#[derive(OpenApi)]
#[openapi(paths(list_groups, create_group, read_group, edit_group, delete_group, dry_run, list_members, add_member, remove_member))]
pub struct Docs;

pub fn routes() -> Router<Ctx> {
    Router::new()
        .route("/api/v1/groups", get(list_groups).post(create_group))
        .route("/api/v1/groups/{slug}", get(read_group).patch(edit_group).delete(delete_group))
        .route("/api/v1/groups/{slug}/dry-run", get(dry_run).post(trying::try_group))
        .route("/api/v1/groups/{slug}/members", get(list_members).post(add_member))
        .route("/api/v1/groups/{slug}/members/{id}", delete(remove_member))
}

/// List groups
///
/// By name.
#[utoipa::path(
    get, path = "/api/v1/groups", tag = "Groups", operation_id = "list_groups", params(PageQuery),
    responses(
        (status = 200, body = GroupListBody),
    ),
    security(("key" = [])),
)]
async fn list_groups(State(ctx): State<Ctx>, caller: Caller, Query(asked): Query<PageQuery>) -> Result<Listed<GroupListBody>, AppError> {
    let groups = server::list_groups(&ctx, &caller).await?;
    let (groups, next) = asked.page(groups, "groups", |group| format!("{}\0{}", group.name.to_lowercase(), group.slug))?;
    Ok(Listed::page(next, |has_more, next_cursor| GroupListBody { data: groups.into_iter().map(Into::into).collect(), has_more, next_cursor }))
}

/// Create a group
#[utoipa::path(
    post, path = "/api/v1/groups", tag = "Groups", operation_id = "create_group", request_body = NewGroupBody,
    responses((status = 201, body = GroupBody)),
    security(("key" = [])),
)]
async fn create_group(State(ctx): State<Ctx>, caller: Caller, Body(new): Body<NewGroupBody>) -> Result<Response, AppError> {
    let group = server::create_group(&ctx, &caller, new.group()).await?;
    Ok(located(StatusCode::CREATED, &format!("/api/v1/groups/{}", group.slug), GroupBody::from(group)))
}

/// Read a group
#[utoipa::path(
    get, path = "/api/v1/groups/{slug}", tag = "Groups", operation_id = "read_group", params(("slug" = String, Path)),
    responses((status = 200, body = GroupBody)),
    security(("key" = [])),
)]
async fn read_group(State(ctx): State<Ctx>, caller: Caller, Path(slug): Path<String>) -> Result<Json<GroupBody>, AppError> {
    Ok(Json(server::find_group(&ctx, &caller, &slug).await?.into()))
}

/// Change a group
///
/// What is left out stays. New limits and another plan hold at once, for each of its workspaces: on every node that `spread` counts as confirmed.
#[utoipa::path(
    patch, path = "/api/v1/groups/{slug}", tag = "Groups", operation_id = "edit_group", params(("slug" = String, Path)), request_body = EditGroupBody,
    responses((status = 200, body = GroupBody)),
    security(("key" = [])),
)]
async fn edit_group(State(ctx): State<Ctx>, caller: Caller, Path(slug): Path<String>, Body(edit): Body<EditGroupBody>) -> Result<Json<GroupBody>, AppError> {
    let since = Instant::now();
    let group = server::edit_group(&ctx, &caller, &slug, edit.edit()).await?;
    let spread = server::spread_of(&ctx, group.id.uuid(), since).await;
    Ok(Json(GroupBody::changed(group, spread)))
}

/// Delete a group
///
/// One that nobody is in.
#[utoipa::path(
    delete, path = "/api/v1/groups/{slug}", tag = "Groups", operation_id = "delete_group", params(("slug" = String, Path)),
    responses((status = 204), (status = 409, description = "Workspaces are in this group")),
    security(("key" = [])),
)]
async fn delete_group(State(ctx): State<Ctx>, caller: Caller, Path(slug): Path<String>) -> Result<StatusCode, AppError> {
    server::delete_group(&ctx, &caller, &slug).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Try a group on last month's usage
///
/// Who of its workspaces would have been limited since the first of last month (UTC) by what the group allows now; at most 50, the most held
/// back first. A workspace with limits of its own is left out, as the group does not hold it; by the limits of the group's plan also one whose own
/// plan has limits.
#[utoipa::path(
    get, path = "/api/v1/groups/{slug}/dry-run", tag = "Groups", operation_id = "dry_run_group", params(("slug" = String, Path)),
    responses((status = 200, body = DryRunBody)),
    security(("key" = [])),
)]
async fn dry_run(State(ctx): State<Ctx>, caller: Caller, Path(slug): Path<String>) -> Result<Json<DryRunBody>, AppError> {
    Ok(Json(server::dry_run_group(&ctx, &caller, &slug).await?.into()))
}

/// Which members.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct MembersQuery {
    /// 1 to 100, by default 50.
    #[serde(default)]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    cursor: Option<String>,
}

/// List the members of a group
#[utoipa::path(
    get, path = "/api/v1/groups/{slug}/members", tag = "Groups", operation_id = "list_group_members", params(("slug" = String, Path), MembersQuery),
    responses((status = 200, body = MemberListBody)),
    security(("key" = [])),
)]
async fn list_members(
    State(ctx): State<Ctx>,
    caller: Caller,
    Path(slug): Path<String>,
    Query(asked): Query<MembersQuery>,
) -> Result<Listed<MemberListBody>, AppError> {
    let most = asked.limit.unwrap_or(50);
    if !(1..=100).contains(&most) {
        return Err(AppError::invalid("limit", "A page has 1 to 100 rows."));
    }
    let begin = |_| AppError::invalid("cursor", "This cursor is not one of this list. Begin without a cursor.");
    let after = asked.cursor.map(|id| id.parse::<WorkspaceId>().map_err(begin)).transpose()?;
    let members = server::list_members(&ctx, &caller, &slug, after, most).await?;
    let next = members.next.map(|id| id.to_string());
    Ok(Listed::page(next, |has_more, next_cursor| MemberListBody { data: members.rows.into_iter().map(Into::into).collect(), has_more, next_cursor }))
}

/// Put somebody into a group
///
/// A workspace, or an account by its personal workspace (which needs `admin:read` beside `plans:manage`). A workspace is in one group at
/// most.
#[utoipa::path(
    post, path = "/api/v1/groups/{slug}/members", tag = "Groups", operation_id = "add_group_member", params(("slug" = String, Path)), request_body = NewMemberBody,
    responses((status = 200, body = WorkspaceHoldBody), (status = 409, description = "It is in another group")),
    security(("key" = [])),
)]
async fn add_member(
    State(ctx): State<Ctx>,
    caller: Caller,
    Path(slug): Path<String>,
    Body(asked): Body<NewMemberBody>,
) -> Result<Json<WorkspaceHoldBody>, AppError> {
    server::find_group(&ctx, &caller, &slug).await?;
    let id = match (&asked.workspace_id, &asked.account) {
        (Some(id), None) => workspace(id).map_err(|_| AppError::invalid("workspace_id", "A workspace's id looks like ws_01…"))?,
        (None, Some(account)) => {
            let found = forms::workspace_of_account(&ctx, &caller, account).await?;
            found.ok_or_else(|| AppError::invalid("account", "Nobody has this email or id."))?
        }
        _ => return Err(AppError::invalid("workspace_id", "Say workspace_id or account, one of both.")),
    };
    let since = Instant::now();
    let hold = server::add_member(&ctx, &caller, &slug, id).await?;
    Ok(Json(changed(&ctx, hold, since).await))
}

/// Take a workspace out of a group
///
/// One that is not in it stays as it is. `spread` says on which nodes it is out.
#[utoipa::path(
    delete, path = "/api/v1/groups/{slug}/members/{id}", tag = "Groups", operation_id = "remove_group_member",
    params(("slug" = String, Path), ("id" = String, Path, description = "The workspace's id")),
    responses((status = 200, body = GoneBody)),
    security(("key" = [])),
)]
async fn remove_member(State(ctx): State<Ctx>, caller: Caller, Path((slug, id)): Path<(String, String)>) -> Result<Json<GoneBody>, AppError> {
    let since = Instant::now();
    let hold = server::remove_member(&ctx, &caller, &slug, workspace(&id)?).await?;
    let spread = server::spread_of(&ctx, hold.workspace.uuid(), since).await;
    Ok(Json(GoneBody { spread: spread.into() }))
}
