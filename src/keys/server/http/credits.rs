//! The REST route of credits: adding some to a limit of a key.

use crate::{
    accounts::Caller,
    error::AppError,
    keys::server::{self, Credited, NewCredits},
    platform::{Ctx, http::json::Body, once},
    values::KeyId,
};
use axum::{
    Json, Router,
    extract::{FromRequestParts, Path, State},
    http::{HeaderMap, request::Parts},
    routing::post,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub fn routes() -> Router<Ctx> {
    Router::new().route("/api/v1/keys/{id}/limits/{name}/credits", post(add_credits))
}

/// The key and the name of its limit in the path; what can't be an id is a key that does not exist.
pub struct OfKey(KeyId, String);

impl<S: Send + Sync> FromRequestParts<S> for OfKey {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AppError> {
        let Path((key, limit)) = Path::<(String, String)>::from_request_parts(parts, state).await.map_err(|_| AppError::NotFound)?;
        Ok(Self(key.parse().map_err(|_| AppError::NotFound)?, limit))
    }
}

/// Credits to add.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddCreditsBody {
    /// How many: 1 to 4,294,967,295. They stay until they are used, also beyond what the limit holds.
    #[schema(example = 500)]
    units: u64,
    /// At most 200 characters; stands in the history.
    #[serde(default)]
    reason: String,
}

/// Credits that were added.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreditsBody {
    /// The name of the limit.
    #[schema(example = "default")]
    pub limit: String,
    /// So many were added, by this request or an earlier one with this Idempotency-Key.
    #[schema(example = 500)]
    pub units: u64,
    /// So many are left now; what servers have taken for the next seconds is not among them.
    #[schema(example = 740)]
    pub left: u64,
    /// Whether all keys of the workspace draw from them.
    pub is_shared: bool,
}

impl From<Credited> for CreditsBody {
    fn from(done: Credited) -> Self {
        Self { limit: done.limit, units: done.units, left: done.left, is_shared: done.is_shared }
    }
}

/// Add credits
///
/// To the limit of this name that holds the key; where all keys of the workspace share it, for all of them. They may be used at once, on other
/// nodes within about a second. An `Idempotency-Key` adds to a limit once for good, also beyond a day and whoever sends it. Needs the
/// permission `keys:manage`.
#[utoipa::path(
    post, path = "/api/v1/keys/{id}/limits/{name}/credits", tag = "Keys", operation_id = "add_key_credits",
    params(
        ("id" = String, Path),
        ("name" = String, Path, description = "The name of a limit of credits"),
    ),
    request_body = AddCreditsBody,
    responses((status = 200, body = CreditsBody), (status = 409, description = "The key is revoked")),
    security(("key" = [])),
)]
pub async fn add_credits(
    State(ctx): State<Ctx>,
    caller: Caller,
    OfKey(id, limit): OfKey,
    headers: HeaderMap,
    Body(new): Body<AddCreditsBody>,
) -> Result<Json<CreditsBody>, AppError> {
    let new = NewCredits { limit, units: new.units, reason: new.reason, once: once::name(&headers)? };
    Ok(Json(server::add_credits(&ctx, &caller, id, new).await?.into()))
}
