//! The REST routes of leaving.

use super::{Return, ask_deletion, come_back, confirm_deletion, deactivate};
use crate::{
    accounts::{
        Caller,
        server::{
            Visitor,
            http::{CurrentPasswordBody, LinkBody, MailedBody, mailed},
        },
    },
    error::AppError,
    platform::{
        Ctx,
        http::{json::Body, spread::SpreadBody},
    },
};
use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::Response,
    routing::{delete, post},
};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

/// What `/api/v1/openapi.json` says of these routes.
#[derive(OpenApi)]
#[openapi(paths(delete_me, confirm, leave_for_a_while, return_by_link))]
pub struct Docs;

pub fn routes() -> Router<Ctx> {
    Router::new()
        .route("/api/v1/me", delete(delete_me))
        .route("/api/v1/me/deletion/confirm", post(confirm))
        .route("/api/v1/me/deactivate", post(leave_for_a_while))
        .route("/api/v1/me/come-back", post(return_by_link))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteMeBody {
    /// Your email or your handle, as a confirmation.
    pub email: String,
    pub current_password: String,
}

/// That an account is left: on which servers its keys are refused.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeftBody {
    pub spread: SpreadBody,
}

/// Ask to delete your account
///
/// Mails a link; nothing is deleted before it is used.
#[utoipa::path(
    delete, path = "/api/v1/me", tag = "Account", operation_id = "delete_me", request_body = DeleteMeBody,
    responses(
        (status = 202, description = "A mail with the link is on its way", body = MailedBody),
        (status = 409, description = "You are the last operator"),
        (status = 422, description = "The confirmation or the password is wrong"),
    ),
    security(("key" = [])),
)]
pub async fn delete_me(State(ctx): State<Ctx>, visitor: Visitor, caller: Caller, Body(body): Body<DeleteMeBody>) -> Result<Response, AppError> {
    let sent_to = ask_deletion(&ctx, &caller, &visitor, &body.email, Some(&body.current_password.into())).await?;
    Ok(mailed(sent_to.to_string()))
}

/// Delete your account
///
/// By the token of the mailed link, once. Sessions end and keys are answered BANNED at once; after 30 days everything is erased. Answered when
/// every live server refuses the keys, after two seconds at most: `spread` names one that may not yet.
#[utoipa::path(
    post, path = "/api/v1/me/deletion/confirm", tag = "Account", operation_id = "confirm_deletion", request_body = LinkBody,
    responses(
        (status = 200, description = "The account is left, and erased in 30 days", body = LeftBody),
        (status = 409, description = "It is the last operator's"),
        (status = 422, description = "The link does not work"),
    ),
)]
pub async fn confirm(State(ctx): State<Ctx>, visitor: Visitor, Body(body): Body<LinkBody>) -> Result<Json<LeftBody>, AppError> {
    let spread = confirm_deletion(&ctx, &visitor, &body.token).await?.spread;
    Ok(Json(LeftBody { spread }))
}

/// Deactivate your account
///
/// Sessions end and keys are answered BANNED until you bring it back by signing in. Answered when every live server refuses the keys, after two
/// seconds at most: `spread` names one that may not yet.
#[utoipa::path(
    post, path = "/api/v1/me/deactivate", tag = "Account", operation_id = "deactivate", request_body = CurrentPasswordBody,
    responses(
        (status = 200, description = "The account is deactivated", body = LeftBody),
        (status = 409, description = "You are the last operator"),
        (status = 422, description = "The password is wrong"),
    ),
    security(("key" = [])),
)]
pub async fn leave_for_a_while(
    State(ctx): State<Ctx>,
    visitor: Visitor,
    caller: Caller,
    Body(body): Body<CurrentPasswordBody>,
) -> Result<Json<LeftBody>, AppError> {
    let spread = deactivate(&ctx, &caller, &visitor, Some(&body.current_password.into())).await?.spread;
    Ok(Json(LeftBody { spread }))
}

/// Bring your account back
///
/// By the token of the link in the mail about leaving, once, within 30 days.
#[utoipa::path(
    post, path = "/api/v1/me/come-back", tag = "Account", operation_id = "come_back", request_body = LinkBody,
    responses((status = 204, description = "The account is as it was"), (status = 422, description = "The link does not work")),
)]
pub async fn return_by_link(State(ctx): State<Ctx>, visitor: Visitor, Body(body): Body<LinkBody>) -> Result<StatusCode, AppError> {
    come_back(&ctx, &visitor, &Return::Link(body.token)).await?;
    Ok(StatusCode::NO_CONTENT)
}
