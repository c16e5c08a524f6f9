//! The REST route of the own password: a new one for whoever knows the present one.

use super::sessions::EndedBody;
use crate::{
    accounts::{
        Caller,
        server::{Visitor, change_password},
    },
    error::AppError,
    platform::{Ctx, http::json::Body},
};
use axum::{Json, Router, extract::State, routing::post};
use serde::Deserialize;
use utoipa::ToSchema;

pub fn routes() -> Router<Ctx> {
    Router::new().route("/api/v1/me/password", post(change))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePasswordBody {
    pub current_password: String,
    /// At least 15 characters, unless the site says otherwise.
    pub new_password: String,
}

/// Change your password
///
/// Takes the present one, also from a key. All sessions but the browser's that asks end, programs too, and a mail tells you.
#[utoipa::path(
    post, path = "/api/v1/me/password", tag = "Account", operation_id = "change_password", request_body = ChangePasswordBody,
    responses(
        (status = 200, description = "It is set; how many sessions ended", body = EndedBody),
        (status = 422, description = "The present password is wrong, or the new one is too easy; `errors` names the field"),
        (status = 429, description = "Too many wrong tries; `Retry-After` says how long to wait"),
    ),
    security(("key" = [])),
)]
pub async fn change(State(ctx): State<Ctx>, visitor: Visitor, caller: Caller, Body(body): Body<ChangePasswordBody>) -> Result<Json<EndedBody>, AppError> {
    let ended = change_password(&ctx, &caller, &visitor, &body.current_password.into(), &body.new_password.into()).await?;
    Ok(Json(EndedBody { ended }))
}
