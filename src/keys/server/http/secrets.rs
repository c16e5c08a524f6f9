//! The REST routes of a key's secrets: a new one, what still comes with an old one, its end.

use super::{
    Id,
    bodies::KeyBody,
    changed::{RotatedKeyBody, SpreadBody},
    levels::{LevelBody, LimitStateBody, PermissionUseBody},
    no_store,
    secret_bodies::{GraceBody, KeyDetailBody, SecretUsageBody},
};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::{
        model::{Grace, Key},
        server,
    },
    platform::{
        Ctx,
        http::json::{Body, with_location},
    },
    values::{KeyId, SecretId},
};
use axum::{
    Json, Router,
    extract::{FromRequestParts, Path, State},
    http::request::Parts,
    response::{IntoResponse, Response},
    routing::{get, patch, post},
};
use serde::Serialize;
use utoipa::ToSchema;

/// Unless said otherwise an old secret lives on for so many seconds.
const GRACE: u32 = 3_600;

pub fn routes() -> Router<Ctx> {
    Router::new()
        .route("/api/v1/keys/{id}/rotate", post(rotate_key))
        .route("/api/v1/keys/{id}/secrets/{secret_id}", patch(edit_secret).delete(drop_secret))
        .route("/api/v1/keys/{id}/secrets/{secret_id}/usage", get(read_usage))
}

/// The ids in the path; those that can't be ids are of a secret that does not exist.
pub struct Ids(KeyId, SecretId);

impl<S: Send + Sync> FromRequestParts<S> for Ids {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AppError> {
        let Path((key, secret)) = Path::<(String, String)>::from_request_parts(parts, state).await.map_err(|_| AppError::NotFound)?;
        Ok(Self(key.parse().map_err(|_| AppError::NotFound)?, secret.parse().map_err(|_| AppError::NotFound)?))
    }
}

/// Rotate a key
///
/// Adds a secret, which is in this answer only. The old one is accepted for `grace` more seconds (an hour unless said otherwise),
/// until `expires_at`, or, with `until: "first_use"`, until a call passes with the new one: on the node of that call at once, on others
/// within seconds. Older secrets keep their ends; `grace` 0 ends them all. `spread` says on which nodes this holds. Sent twice with an
/// `Idempotency-Key`, the second answer is 409 and names the key.
#[utoipa::path(
    post, path = "/api/v1/keys/{id}/rotate", tag = "Keys", operation_id = "rotate_key", params(("id" = String, Path)), request_body = GraceBody,
    responses((status = 200, body = RotatedKeyBody), (status = 409, description = "The key is revoked, or this Idempotency-Key rotated it before")),
    security(("key" = [])),
)]
pub async fn rotate_key(State(ctx): State<Ctx>, caller: Caller, Id(id): Id, Body(asked): Body<GraceBody>) -> Result<Response, AppError> {
    let grace = asked.grace()?.unwrap_or(Grace::For(GRACE));
    let rotated = server::rotate_key(&ctx, &caller, id, grace, None).await?;
    let body = RotatedKeyBody::of(rotated, ctx.clock.now()).ok_or_else(|| AppError::internal("a rotation without a secret"))?;
    // Sent again it is answered without the secret: then this says whose it was.
    Ok(no_store(with_location(&format!("/api/v1/keys/{id}"), Json(body).into_response())))
}

/// Move the end of an old secret
///
/// To earlier or later, counted from now. The newest secret has no end: rotate the key. `spread` says on which nodes the new end holds.
#[utoipa::path(
    patch, path = "/api/v1/keys/{id}/secrets/{secret_id}", tag = "Keys", operation_id = "edit_key_secret",
    params(("id" = String, Path), ("secret_id" = String, Path)), request_body = GraceBody,
    responses(
        (status = 200, body = KeyDetailBody),
        (status = 404, description = "There is no such key, or it has no such old secret"),
        (status = 409, description = "The key is revoked"),
    ),
    security(("key" = [])),
)]
pub async fn edit_secret(State(ctx): State<Ctx>, caller: Caller, Ids(id, secret): Ids, Body(asked): Body<GraceBody>) -> Result<Json<KeyDetailBody>, AppError> {
    let grace = asked.grace()?.ok_or_else(|| AppError::invalid("grace", "Say until when: grace, until or expires_at."))?;
    let changed = server::extend_secret(&ctx, &caller, id, secret, grace).await?;
    Ok(Json(KeyDetailBody { spread: Some(changed.spread.into()), ..detail(&ctx, &caller, changed.key).await? }))
}

/// How far the end of a secret has got.
#[derive(Debug, Serialize, ToSchema)]
pub struct DroppedBody {
    pub spread: SpreadBody,
}

/// Drop an old secret
///
/// Calls with it are answered `EXPIRED`; `spread` says on which nodes. Without effect if it is gone already.
#[utoipa::path(
    delete, path = "/api/v1/keys/{id}/secrets/{secret_id}", tag = "Keys", operation_id = "drop_key_secret",
    params(("id" = String, Path), ("secret_id" = String, Path)),
    responses((status = 200, body = DroppedBody), (status = 409, description = "It is the newest secret of the key")),
    security(("key" = [])),
)]
pub async fn drop_secret(State(ctx): State<Ctx>, caller: Caller, Ids(id, secret): Ids) -> Result<Json<DroppedBody>, AppError> {
    let spread = server::drop_secret(&ctx, &caller, id, secret).await?.into();
    Ok(Json(DroppedBody { spread }))
}

/// Read what comes with a secret
///
/// While a key has several secrets, calls are counted by the secret that was sent, whatever became of them: who still uses the old one, and
/// whether it is safe to drop.
#[utoipa::path(
    get, path = "/api/v1/keys/{id}/secrets/{secret_id}/usage", tag = "Keys", operation_id = "read_key_secret_usage",
    params(("id" = String, Path), ("secret_id" = String, Path)),
    responses((status = 200, body = SecretUsageBody), (status = 404, description = "There is no such key, or it has no such secret (any more)")),
    security(("key" = [])),
)]
pub async fn read_usage(State(ctx): State<Ctx>, caller: Caller, Ids(id, secret): Ids) -> Result<Json<SecretUsageBody>, AppError> {
    Ok(Json(server::secret_calls(&ctx, &caller, id, secret).await?.into()))
}

/// A key with its secrets, and with what holds it.
pub async fn detail(ctx: &Ctx, caller: &Caller, key: Key) -> Result<KeyDetailBody, AppError> {
    let secrets = server::key_secrets(ctx, caller, key.id).await?.into_iter().map(Into::into).collect();
    let state_reason = server::state_reason(ctx, &key).await?;
    let leaks = server::key_leaks(ctx, caller, key.id).await?.into_iter().map(Into::into).collect();
    let signing = server::signing::find_signing(ctx, caller, key.id).await?.map(Into::into);
    let limits_in_force = server::limits::live(ctx, &key).await?.into_iter().map(LimitStateBody::from).collect();
    let levels = server::why::why(ctx, &key).await?.into_iter().map(LevelBody::from).collect();
    let permission_uses = server::key_uses(ctx, caller, &key).await?.into_iter().map(PermissionUseBody::from).collect();
    let key = KeyBody::of(key, ctx.clock.now());
    Ok(KeyDetailBody { key, state_reason, secrets, leaks, signing, limits_in_force, levels, permission_uses, spread: None })
}
