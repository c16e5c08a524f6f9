//! The REST routes of blocks. For operators: every operation needs `blocks:manage`.

mod bodies;
mod rules;

use self::bodies::{BlockBody, BlockListBody, ChangedBlockBody, NewBlockBody};
use super as server;
use crate::{
    accounts::{Caller, server::Visitor},
    blocks::model::BlockQuery,
    error::AppError,
    platform::{
        Ctx,
        http::{
            json::{Body, Query, located, page_size},
            pages::Listed,
            spread::GoneBody,
        },
    },
    values::BlockId,
};
use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use serde::Deserialize;
use utoipa::{IntoParams, OpenApi};

/// What `/api/v1/openapi.json` says of these routes.
#[derive(OpenApi)]
#[openapi(paths(
    list_blocks,
    add_block,
    read_block,
    delete_block,
    lift_block,
    rules::list_rules,
    rules::read_rule,
    rules::change_rule,
    rules::read_exemptions,
    rules::set_exemptions
))]
pub struct Docs;

pub fn routes() -> Router<Ctx> {
    Router::new()
        .route("/api/v1/blocks", get(list_blocks).post(add_block))
        .route("/api/v1/blocks/{id}", get(read_block).delete(delete_block))
        .route("/api/v1/blocks/{id}/lift", post(lift_block))
        .merge(rules::routes())
}

/// An id in the path; one that can't be an id is a block that does not exist.
fn block(id: &str) -> Result<BlockId, AppError> {
    id.parse().map_err(|_| AppError::NotFound)
}

/// The query of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// 1 to 100, 20 unless said otherwise.
    #[serde(default)]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    cursor: Option<String>,
    /// `active` (unless said otherwise), `past` or `all`; those that ended are kept for 30 days.
    #[serde(default)]
    state: Option<String>,
    /// `address`, `key` or `workspace`.
    #[serde(default)]
    of: Option<String>,
    /// `operator`, or the name of a rule: `unknown-keys`, `refusals`, `spread`.
    #[serde(default)]
    by: Option<String>,
    /// An address or a network that blocks meet, or the id of a key or a workspace.
    #[serde(default)]
    q: Option<String>,
}

/// List blocks
///
/// What is blocked, newest first.
#[utoipa::path(
    get, path = "/api/v1/blocks", tag = "Blocks", operation_id = "list_blocks", params(ListQuery),
    responses((status = 200, body = BlockListBody)),
    security(("key" = [])),
)]
async fn list_blocks(State(ctx): State<Ctx>, caller: Caller, Query(asked): Query<ListQuery>) -> Result<Listed<BlockListBody>, AppError> {
    let limit = page_size(asked.limit, "blocks")?;
    let query = BlockQuery { state: asked.state, of: asked.of, by: asked.by, q: asked.q, older: asked.cursor };
    let list = server::list_blocks(&ctx, &caller, &query, limit).await?;
    let next = list.older.map(|id| id.to_string());
    Ok(Listed::page(next, |has_more, next_cursor| BlockListBody { data: list.blocks.into_iter().map(Into::into).collect(), has_more, next_cursor }))
}

/// Block an address, a key, a workspace or an account
///
/// Its calls are refused, or slowed to so many a second. Of one target one block of each kind is in force at most: blocking it again makes
/// that one longer (200), never shorter, and slows to the new rate. The answer comes when every live server obeys: `spread` says which do.
#[utoipa::path(
    post, path = "/api/v1/blocks", tag = "Blocks", operation_id = "add_block", request_body = NewBlockBody,
    responses((status = 201, body = ChangedBlockBody), (status = 200, description = "It was blocked already", body = ChangedBlockBody)),
    security(("key" = [])),
)]
async fn add_block(State(ctx): State<Ctx>, visitor: Visitor, caller: Caller, Body(new): Body<NewBlockBody>) -> Result<Response, AppError> {
    let added = server::add_block(&ctx, &caller, Some(visitor.address), new.block()?).await?;
    let status = if added.is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok(located(status, &format!("/api/v1/blocks/{}", added.block.id), ChangedBlockBody::from(added)))
}

/// Read a block
#[utoipa::path(
    get, path = "/api/v1/blocks/{id}", tag = "Blocks", operation_id = "read_block", params(("id" = String, Path)),
    responses((status = 200, body = BlockBody)),
    security(("key" = [])),
)]
async fn read_block(State(ctx): State<Ctx>, caller: Caller, Path(id): Path<String>) -> Result<Json<BlockBody>, AppError> {
    Ok(Json(server::find_block(&ctx, &caller, block(&id)?).await?.into()))
}

/// Why a block is lifted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LiftQuery {
    /// At most 200 characters.
    #[serde(default)]
    note: String,
}

/// Lift a block
///
/// The same as `POST …/lift`; `spread` says on which nodes it holds. One that is not in force any more stays as it is.
#[utoipa::path(
    delete, path = "/api/v1/blocks/{id}", tag = "Blocks", operation_id = "delete_block", params(("id" = String, Path), LiftQuery),
    responses((status = 200, body = GoneBody)),
    security(("key" = [])),
)]
async fn delete_block(State(ctx): State<Ctx>, caller: Caller, Path(id): Path<String>, Query(why): Query<LiftQuery>) -> Result<Json<GoneBody>, AppError> {
    let lifted = server::lift_block(&ctx, &caller, block(&id)?, &why.note).await?;
    Ok(Json(GoneBody { spread: lifted.spread.into() }))
}

/// Lift a block and say where that holds
///
/// The answer comes when every live server lets pass again: `spread` says which do. One that is not in force any more stays as it is.
#[utoipa::path(
    post, path = "/api/v1/blocks/{id}/lift", tag = "Blocks", operation_id = "lift_block", params(("id" = String, Path), LiftQuery),
    responses((status = 200, body = ChangedBlockBody)),
    security(("key" = [])),
)]
async fn lift_block(State(ctx): State<Ctx>, caller: Caller, Path(id): Path<String>, Query(why): Query<LiftQuery>) -> Result<Json<ChangedBlockBody>, AppError> {
    Ok(Json(server::lift_block(&ctx, &caller, block(&id)?, &why.note).await?.into()))
}
