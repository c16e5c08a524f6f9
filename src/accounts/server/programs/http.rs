//! `POST /api/v1/auth/token`: tokens for a password, a refresh token or an approved device. Errors are problem documents that carry
//! `error`, too, so that clients of RFC 6749 and RFC 8628 read them.
//!
//! The password goes as JSON only: there is no OAuth password grant here (R70; RFC 9700 §2.4). What RFC 6749 §6 and RFC 8628 have, the
//! other two grants, may come in the encoding of forms.

use super::{Issued, TokenError, poll, refresh, sign_in_program};
use crate::{
    accounts::server::{Visitor, factors::Offered},
    error::AppError,
    platform::{
        Ctx,
        http::json::{read, read_form},
        telemetry::request_id,
    },
};
use axum::{
    Json, Router,
    body::Bytes,
    extract::{FromRequest, Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{OpenApi, ToSchema};

/// What `/api/v1/openapi.json` says of this route.
#[derive(OpenApi)]
#[openapi(paths(token))]
pub struct Docs;

pub fn routes() -> Router<Ctx> {
    Router::new().route("/api/v1/auth/token", post(token)).merge(super::device_http::routes())
}

const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
const FORM: &str = "application/x-www-form-urlencoded";

/// Which proof, and the proof.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenBody {
    /// `password`, `refresh_token` or `urn:ietf:params:oauth:grant-type:device_code`.
    #[schema(example = "refresh_token")]
    pub grant_type: String,
    /// What the program calls itself: at most 60 letters, digits, blanks and `-_.()/+@`. With the other two grants it may be left out.
    #[serde(default)]
    #[schema(example = "nightly backup")]
    pub client_id: Option<String>,
    /// With `password`.
    #[serde(default)]
    pub email: Option<String>,
    /// With `password`.
    #[serde(default)]
    pub password: Option<String>,
    /// With `password`, where the account has an authenticator app: its six digits.
    #[serde(default)]
    pub code: Option<String>,
    /// In place of `code`.
    #[serde(default)]
    pub recovery_code: Option<String>,
    /// With `refresh_token`.
    #[serde(default)]
    pub refresh_token: Option<String>,
    /// With the grant for devices.
    #[serde(default)]
    pub device_code: Option<String>,
}

/// New tokens.
#[derive(Serialize, ToSchema)]
pub struct TokensBody {
    /// Send it as `Authorization: Bearer`.
    #[schema(example = "tga_…")]
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: &'static str,
    /// Seconds.
    pub expires_in: i64,
    /// Brings the next pair, once. Keep the new one in its place.
    #[schema(example = "tgr_…")]
    pub refresh_token: String,
}

/// Sign a program in, or refresh its tokens
///
/// `password` takes the same path as signing in with a browser: the same locks, the same bans, the second factor. Where that is missing,
/// `error` is `mfa_required`. A refresh token works once; one that is used again more than 30 seconds later ends the program's sign-in,
/// and the owner is told by mail. Of the grant for devices `error` says `authorization_pending`, `slow_down`, `access_denied` or
/// `expired_token`. `password` is read from JSON only, the other two also in the encoding of forms.
#[utoipa::path(
    post, path = "/api/v1/auth/token", tag = "Account", operation_id = "issue_tokens",
    request_body(content((TokenBody = "application/json"), (TokenBody = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, description = "The tokens; they are not shown again", body = TokensBody),
        (status = 400, description = "No tokens; `error` says why"),
        (status = 403, description = "The account or its network is banned, or a second factor must be set up first"),
        (status = 409, description = "The address is not confirmed, or the account is disabled or was left"),
        (status = 422, description = "The input is wrong, or email and password do not belong together; `errors` names the fields"),
        (status = 429),
    ),
)]
pub async fn token(State(ctx): State<Ctx>, from: Visitor, Asked(body, is_form): Asked<TokenBody>) -> Result<Response, TokenError> {
    let missing = |field: &str| TokenError::Other(AppError::invalid(field, "This is missing."));
    let TokenBody { grant_type, client_id, email, password, code, recovery_code, refresh_token, device_code } = body;
    let issued = match grant_type.as_str() {
        "password" if is_form => return Err(AppError::invalid("grant_type", "A password is sent as JSON, with Content-Type: application/json.").into()),
        "password" => {
            let email = email.ok_or_else(|| missing("email"))?;
            let password: SecretString = password.ok_or_else(|| missing("password"))?.into();
            let offered = recovery_code.map(Offered::Recovery).or_else(|| code.map(Offered::Code));
            sign_in_program(&ctx, &from, client_id.as_deref().unwrap_or_default(), &email, &password, offered.as_ref()).await?
        }
        "refresh_token" => refresh(&ctx, &from, &refresh_token.ok_or_else(|| missing("refresh_token"))?.into(), client_id.as_deref()).await?,
        DEVICE_GRANT => poll(&ctx, &from, &device_code.ok_or_else(|| missing("device_code"))?.into(), client_id.as_deref()).await?,
        _ => return Err(TokenError::UnsupportedGrant),
    };
    Ok(tokens(&issued))
}

/// A body as JSON, or in the encoding of forms, which is then said.
pub struct Asked<T>(pub T, pub bool);

impl<T: serde::de::DeserializeOwned, S: Send + Sync> FromRequest<S> for Asked<T> {
    type Rejection = TokenError;

    async fn from_request(request: Request, state: &S) -> Result<Self, TokenError> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        let is = |wanted: &str| kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(wanted);
        let bytes = Bytes::from_request(request, state).await.map_err(|_| AppError::invalid("", "The body did not arrive whole, or is too long."))?;
        match () {
            () if is(FORM) => Ok(Self(read_form(&bytes)?, true)),
            () if bytes.is_empty() => Ok(Self(read(b"{}")?, false)),
            () if is("application/json") => Ok(Self(read(&bytes)?, false)),
            () => Err(AppError::invalid("", "Send JSON, with Content-Type: application/json.").into()),
        }
    }
}

fn tokens(issued: &Issued) -> Response {
    let body = TokensBody {
        access_token: issued.access.expose_secret().to_owned(),
        token_type: "Bearer",
        expires_in: issued.expires_in,
        refresh_token: issued.refresh.expose_secret().to_owned(),
    };
    ([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(body)).into_response()
}

impl TokenError {
    /// The word that clients of the RFCs read.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::UnsupportedGrant => "unsupported_grant_type",
            Self::InvalidGrant => "invalid_grant",
            Self::Pending => "authorization_pending",
            Self::SlowDown => "slow_down",
            Self::Denied => "access_denied",
            Self::Expired => "expired_token",
            Self::CodeNeeded => "mfa_required",
            Self::Refused(error) | Self::Other(error) => match error {
                AppError::RateLimited { .. } | AppError::QuotaExceeded { .. } | AppError::Unavailable { .. } | AppError::NotNow { .. } => {
                    "temporarily_unavailable"
                }
                AppError::Internal { .. } | AppError::Transport { .. } => "server_error",
                _ if matches!(self, Self::Refused(_)) => "invalid_grant",
                _ => "invalid_request",
            },
        }
    }
}

impl IntoResponse for TokenError {
    fn into_response(self) -> Response {
        let word = self.word();
        let (mut head, mut body) = match self {
            Self::Refused(error) | Self::Other(error) => {
                let body = error.problem();
                (error.into_response().into_parts().0, body)
            }
            ours => {
                let body = json!({ "type": "about:blank", "title": "Bad Request", "status": 400, "detail": ours.to_string(), "request_id": request_id() });
                (StatusCode::BAD_REQUEST.into_response().into_parts().0, body)
            }
        };
        body["error"] = word.into();
        head.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        head.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        head.headers.remove(header::CONTENT_LENGTH);
        Response::from_parts(head, body.to_string().into())
    }
}
