//! The REST routes of the own sessions: where one is signed in, and ending that.

use crate::{
    accounts::{
        Caller,
        model::SessionView,
        server::{Visitor, end_session, end_sessions, list_sessions},
    },
    error::AppError,
    platform::{
        Ctx,
        http::{
            json::Query,
            pages::{Listed, PageQuery},
        },
    },
    values::SessionId,
};
use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::get,
};
use serde::Serialize;
use time::format_description::well_known::Rfc3339;
use utoipa::ToSchema;

pub fn routes() -> Router<Ctx> {
    Router::new()
        .route("/api/v1/me/sessions", get(read_sessions).delete(delete_sessions))
        .route("/api/v1/me/sessions/{id}", get(read_session).delete(delete_session))
}

/// One signed-in browser or program.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionBody {
    pub id: String,
    /// `browser` or `program`.
    pub kind: &'static str,
    /// In words: `Firefox on macOS`; of a program what it calls itself.
    pub device: String,
    pub address: String,
    /// City and country of the address, as far as the operator's database knows them: `Stockholm, Sweden`. Null if there is none.
    pub place: Option<String>,
    pub created_at: String,
    pub last_used_at: String,
    /// The one that asks.
    pub current: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SessionsBody {
    pub data: Vec<SessionBody>,
    pub has_more: bool,
    pub next_cursor: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct EndedBody {
    pub ended: u64,
}

/// List your sessions
///
/// The one used last first.
#[utoipa::path(
    get, path = "/api/v1/me/sessions", tag = "Account", operation_id = "list_sessions", params(PageQuery),
    responses(
        (status = 200, description = "Where you are signed in", body = SessionsBody),

    ),
    security(("key" = [])),
)]
pub async fn read_sessions(State(ctx): State<Ctx>, caller: Caller, Query(asked): Query<PageQuery>) -> Result<Listed<SessionsBody>, AppError> {
    let list = list_sessions(&ctx, &caller).await?;
    let (sessions, next) = asked.page(list.sessions, "sessions", place)?;
    Ok(Listed::page(next, |has_more, next_cursor| SessionsBody { data: sessions.into_iter().map(session).collect(), has_more, next_cursor }))
}

/// The later it was used the earlier it stands; of two at once the younger one.
fn place(view: &SessionView) -> String {
    let micros = view.last_used_at.unix_timestamp_nanos() / 1000;
    format!("{:032x}{:032x}", i128::MAX - micros, u128::MAX - view.id.uuid().as_u128())
}

/// Read one of your sessions
#[utoipa::path(
    get, path = "/api/v1/me/sessions/{id}", tag = "Account", operation_id = "read_session", params(("id" = String, Path, description = "`ses_…`")),
    responses(
        (status = 200, description = "Where and when it was used", body = SessionBody),

    ),
    security(("key" = [])),
)]
pub async fn read_session(State(ctx): State<Ctx>, caller: Caller, Path(id): Path<String>) -> Result<Json<SessionBody>, AppError> {
    let id: SessionId = id.parse().map_err(|_| AppError::NotFound)?;
    let found = list_sessions(&ctx, &caller).await?.sessions.into_iter().find(|view| view.id == id);
    found.map(session).map(Json).ok_or(AppError::NotFound)
}

/// End your other sessions
///
/// All but the one that asks, programs too; with a key, all.
#[utoipa::path(
    delete, path = "/api/v1/me/sessions", tag = "Account", operation_id = "end_sessions",
    responses((status = 200, description = "How many ended", body = EndedBody), (status = 403, description = "A program needs a proof that is not older than ten minutes")),
    security(("key" = [])),
)]
pub async fn delete_sessions(State(ctx): State<Ctx>, visitor: Visitor, caller: Caller) -> Result<Json<EndedBody>, AppError> {
    Ok(Json(EndedBody { ended: end_sessions(&ctx, &caller, &visitor, false).await? }))
}

/// End one of your sessions
#[utoipa::path(
    delete, path = "/api/v1/me/sessions/{id}", tag = "Account", operation_id = "end_session", params(("id" = String, Path, description = "`ses_…`")),
    responses(
        (status = 204, description = "It has ended"),
        (status = 403, description = "A program needs a proof that is not older than ten minutes"),
        (status = 404, description = "There is no such session"),
    ),
    security(("key" = [])),
)]
pub async fn delete_session(State(ctx): State<Ctx>, visitor: Visitor, caller: Caller, Path(id): Path<String>) -> Result<StatusCode, AppError> {
    let id: SessionId = id.parse().map_err(|_| AppError::NotFound)?;
    end_session(&ctx, &caller, &visitor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn session(view: SessionView) -> SessionBody {
    SessionBody {
        id: view.id.to_string(),
        kind: if view.is_program { "program" } else { "browser" },
        device: view.device,
        address: view.address,
        place: view.place,
        created_at: view.created_at.format(&Rfc3339).unwrap_or_default(),
        last_used_at: view.last_used_at.format(&Rfc3339).unwrap_or_default(),
        current: view.is_this_one,
    }
}
