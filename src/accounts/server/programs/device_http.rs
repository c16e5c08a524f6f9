//! `POST /api/v1/auth/device`: a program asks to be let in by its person's browser (RFC 8628 §3.1). It then polls `/api/v1/auth/token`.

use super::{
    TokenError, ask_device,
    device::{INTERVAL, LIVES},
    http::Asked,
};
use crate::{accounts::server::Visitor, platform::Ctx};
use axum::{
    Json, Router,
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
    routing::post,
};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

/// What `/api/v1/openapi.json` says of this route.
#[derive(OpenApi)]
#[openapi(paths(device))]
pub struct Docs;

pub fn routes() -> Router<Ctx> {
    Router::new().route("/api/v1/auth/device", post(device))
}

/// Who asks.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceBody {
    /// What the program calls itself, shown to the person: at most 60 letters, digits, blanks and `-_.()/+@`.
    #[serde(default)]
    #[schema(example = "nightly backup")]
    pub client_id: Option<String>,
}

/// What to show and what to poll with.
#[derive(Serialize, ToSchema)]
pub struct DeviceCodesBody {
    pub device_code: String,
    /// For the person to type.
    #[schema(example = "WXZB-CDFG")]
    pub user_code: String,
    pub verification_uri: String,
    /// The same page, with the code in it.
    pub verification_uri_complete: String,
    /// Seconds.
    pub expires_in: i64,
    /// Seconds to wait between two questions.
    pub interval: i32,
}

/// Ask to be let in by a browser
///
/// Show `verification_uri` and `user_code`, and ask `POST /api/v1/auth/token` with the `device_code` every `interval` seconds. Also in
/// the encoding of forms.
#[utoipa::path(
    post, path = "/api/v1/auth/device", tag = "Account", operation_id = "ask_device",
    request_body(content((DeviceBody = "application/json"), (DeviceBody = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, description = "The codes", body = DeviceCodesBody),
        (status = 403, description = "Nobody from this network may use accounts: it is banned"),
        (status = 429),
    ),
)]
pub async fn device(State(ctx): State<Ctx>, visitor: Visitor, Asked(body, _): Asked<DeviceBody>) -> Result<Response, TokenError> {
    let codes = ask_device(&ctx, &visitor, body.client_id.as_deref().unwrap_or_default()).await?;
    let body = DeviceCodesBody {
        device_code: codes.device.expose_secret().to_owned(),
        verification_uri: ctx.config.link("/device"),
        verification_uri_complete: ctx.config.link(&format!("/device?user_code={}", codes.user)),
        user_code: codes.user,
        expires_in: LIVES.whole_seconds(),
        interval: INTERVAL,
    };
    Ok(([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(body)).into_response())
}
