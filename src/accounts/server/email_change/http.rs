//! The REST routes of a change of address.

use super::{NewAddress, ask_email_change, cancel_email_change, confirm_email_change, undo_email_change};
use crate::{
    accounts::{
        model::Caller,
        server::{
            Visitor,
            http::{LinkBody, MailedBody, mailed},
        },
    },
    error::AppError,
    platform::{Ctx, http::json::Body},
};
use axum::{Extension, Router, extract::State, http::StatusCode, response::Response, routing::post};
use serde::Deserialize;
use utoipa::{OpenApi, ToSchema};

/// What `/api/v1/openapi.json` says of these routes.
#[derive(OpenApi)]
#[openapi(paths(ask, cancel, confirm, undo))]
pub struct Docs;

pub fn routes() -> Router<Ctx> {
    Router::new()
        .route("/api/v1/me/email", post(ask).delete(cancel))
        .route("/api/v1/me/email/confirm", post(confirm))
        .route("/api/v1/me/email/undo", post(undo))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEmailBody {
    /// The new address.
    #[schema(example = "mara@example.org")]
    pub email: String,
    pub current_password: String,
}

/// A proof of the new address: the token of the mailed link, or the code by who is signed in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmEmailBody {
    #[serde(default)]
    pub token: Option<String>,
    #[serde(default)]
    pub code: Option<String>,
}

/// Ask for another address
///
/// Mails a link and a code to the new address. The address changes when one of them is used. The answer is the same for an address
/// that belongs to somebody; its owner is told by mail.
#[utoipa::path(
    post, path = "/api/v1/me/email", tag = "Account", operation_id = "ask_email_change", request_body = NewEmailBody,
    responses(
        (status = 202, description = "A mail is on its way", body = MailedBody),
        (status = 422, description = "The address or the password is wrong"),
        (status = 429),
    ),
    security(("key" = [])),
)]
pub async fn ask(State(ctx): State<Ctx>, visitor: Visitor, caller: Caller, Body(body): Body<NewEmailBody>) -> Result<Response, AppError> {
    let sent_to = ask_email_change(&ctx, &caller, &visitor, &body.email, Some(&body.current_password.into())).await?;
    Ok(mailed(sent_to.to_string()))
}

/// Keep the present address
///
/// What was mailed to the new one dies.
#[utoipa::path(
    delete, path = "/api/v1/me/email", tag = "Account", operation_id = "cancel_email_change",
    responses((status = 204, description = "No change waits")),
    security(("key" = [])),
)]
pub async fn cancel(State(ctx): State<Ctx>, visitor: Visitor, caller: Caller) -> Result<StatusCode, AppError> {
    cancel_email_change(&ctx, &caller, &visitor).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Prove the new address
///
/// By the token of the mailed link, which needs no key, or by the code. Works once. The old address is told, and can take the change
/// back for seven days.
#[utoipa::path(
    post, path = "/api/v1/me/email/confirm", tag = "Account", operation_id = "confirm_email_change", request_body = ConfirmEmailBody,
    responses(
        (status = 204, description = "The new address is in use"),
        (status = 401, description = "A code without a valid key"),
        (status = 409, description = "Another account has the address by now"),
        (status = 422, description = "The link or code does not work"),
    ),
)]
pub async fn confirm(
    State(ctx): State<Ctx>,
    visitor: Visitor,
    caller: Option<Extension<Caller>>,
    Body(body): Body<ConfirmEmailBody>,
) -> Result<StatusCode, AppError> {
    let proof = match (body.token, body.code, caller) {
        (Some(token), None, _) => NewAddress::Link(token),
        (None, Some(code), Some(caller)) => NewAddress::Code { caller: Box::new(caller.0), code },
        (None, Some(_), None) => return Err(AppError::Unauthenticated),
        _ => return Err(AppError::invalid("token", "Send either token or code.")),
    };
    confirm_email_change(&ctx, &visitor, proof).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take a change of address back
///
/// By the token of the link in the mail to the old address, once. Every session and the password end; a link to set a new one is mailed.
#[utoipa::path(
    post, path = "/api/v1/me/email/undo", tag = "Account", operation_id = "undo_email_change", request_body = LinkBody,
    responses(
        (status = 204, description = "The old address is back"),
        (status = 409, description = "Another account has the address by now"),
        (status = 422, description = "The link does not work"),
    ),
)]
pub async fn undo(State(ctx): State<Ctx>, visitor: Visitor, Body(body): Body<LinkBody>) -> Result<StatusCode, AppError> {
    undo_email_change(&ctx, &visitor, &body.token).await?;
    Ok(StatusCode::NO_CONTENT)
}
