//! The REST routes of signed requests: `signing` of a key.

use super::{Id, body, changed::ChangedKeyBody, changed::SpreadBody, no_store};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::{
        model::{Algorithm, Signing},
        server::signing::{self, NewSigning},
    },
    platform::{Ctx, http::json::Body},
};
use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::put,
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

pub fn routes() -> Router<Ctx> {
    Router::new().route("/api/v1/keys/{id}/signing", put(sign_key).delete(unsign_key))
}

/// How calls of a key must be signed.
#[derive(Debug, Serialize, ToSchema)]
pub struct SigningBody {
    /// `ed25519` or `hmac-sha256`.
    #[schema(example = "ed25519")]
    pub algorithm: &'static str,
    /// The SHA-256 of the public key or of the secret, in hexadecimal digits.
    pub fingerprint: String,
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub since: OffsetDateTime,
}

impl From<Signing> for SigningBody {
    fn from(signing: Signing) -> Self {
        Self { algorithm: signing.algorithm.as_str(), fingerprint: signing.fingerprint, since: signing.since }
    }
}

/// How calls are to be signed from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignKeyBody {
    /// `ed25519` or `hmac-sha256`.
    #[schema(value_type = String, example = "ed25519")]
    algorithm: Algorithm,
    /// For `ed25519`: the public key, its 32 bytes in base64, PEM or a JWK.
    #[serde(default)]
    #[schema(example = "JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=")]
    public_key: Option<String>,
}

/// Signed requests are on.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignedKeyBody {
    #[serde(flatten)]
    pub signing: SigningBody,
    /// Of `hmac-sha256`: keep it, it is not shown again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    pub spread: SpreadBody,
}

/// Ask for signed requests
///
/// From now on every call of the key must be signed (RFC 9421): on every node that `spread` counts as confirmed. Another public key or a
/// new secret takes the place of the old one at once. With `hmac-sha256` each request makes a new secret, which is in this answer only.
#[utoipa::path(
    put, path = "/api/v1/keys/{id}/signing", tag = "Keys", operation_id = "sign_key", params(("id" = String, Path)), request_body = SignKeyBody,
    responses((status = 200, body = SignedKeyBody), (status = 409, description = "The key is revoked")),
    security(("key" = [])),
)]
pub async fn sign_key(State(ctx): State<Ctx>, caller: Caller, Id(id): Id, Body(asked): Body<SignKeyBody>) -> Result<Response, AppError> {
    let new = match (asked.algorithm, asked.public_key) {
        (Algorithm::Ed25519, Some(text)) => NewSigning::Ed25519(text),
        (Algorithm::Ed25519, None) => return Err(AppError::invalid("public_key", "Send the public key.")),
        (Algorithm::HmacSha256, None) => NewSigning::HmacSha256 { once: None },
        (Algorithm::HmacSha256, Some(_)) => return Err(AppError::invalid("public_key", "A signing secret has no public key: leave it out.")),
    };
    let set = signing::turn_on_signing(&ctx, &caller, id, new).await?;
    Ok(no_store(Json(SignedKeyBody { signing: set.signing.into(), secret: set.secret, spread: set.changed.spread.into() }).into_response()))
}

/// Ask for no signatures any more
///
/// Without effect if none are asked for.
#[utoipa::path(
    delete, path = "/api/v1/keys/{id}/signing", tag = "Keys", operation_id = "unsign_key", params(("id" = String, Path)),
    responses((status = 200, body = ChangedKeyBody), (status = 409, description = "The key is revoked")),
    security(("key" = [])),
)]
pub async fn unsign_key(State(ctx): State<Ctx>, caller: Caller, Id(id): Id) -> Result<Json<ChangedKeyBody>, AppError> {
    let changed = signing::turn_off_signing(&ctx, &caller, id).await?;
    Ok(body(&ctx, changed))
}
