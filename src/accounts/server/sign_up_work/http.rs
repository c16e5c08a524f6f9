//! The REST route for the work before signing up; the work itself is sent with the sign-up.

use super::work_asked;
use crate::{
    accounts::{model::WorkDone, server::Visitor},
    error::AppError,
    platform::Ctx,
};
use axum::{Json, Router, extract::State, routing::get};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

/// What `/api/v1/openapi.json` says of this route.
#[derive(OpenApi)]
#[openapi(paths(read))]
pub struct Docs;

pub fn routes() -> Router<Ctx> {
    Router::new().route("/api/v1/auth/register/challenge", get(read))
}

/// The work that was done, where it is asked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkBody {
    /// The challenge as it was given.
    pub challenge: String,
    /// A number whose SHA-256 with the first 32 characters of the challenge (`FIRST:NUMBER`) begins with `bits` zero bits. Without it the challenge is taken
    /// once it is `wait_seconds` old.
    #[serde(default)]
    #[schema(example = "271828")]
    pub answer: Option<String>,
}

impl From<WorkBody> for WorkDone {
    fn from(body: WorkBody) -> Self {
        Self { challenge: body.challenge, answer: body.answer.unwrap_or_default() }
    }
}

/// What is asked before the next sign-up; all `null` where nothing is.
#[derive(Debug, Serialize, ToSchema)]
struct ChallengeBody {
    challenge: Option<String>,
    #[schema(example = 18)]
    bits: Option<u32>,
    #[schema(example = 60)]
    wait_seconds: Option<u64>,
}

/// Ask for the work before signing up
///
/// Where a site asks for work before a sign-up (`auth.sign_up_work`), `POST /api/v1/auth/register` takes it in `work`. A challenge is good once, for half an hour.
#[utoipa::path(
    get, path = "/api/v1/auth/register/challenge", tag = "Account", operation_id = "read_sign_up_challenge",
    responses((status = 200, body = ChallengeBody), (status = 403)),
)]
async fn read(State(ctx): State<Ctx>, visitor: Visitor) -> Result<Json<ChallengeBody>, AppError> {
    let asked = work_asked(&ctx, &visitor).await?;
    let (bits, wait_seconds) = (asked.as_ref().map(|it| it.bits), asked.as_ref().map(|it| it.wait_seconds));
    Ok(Json(ChallengeBody { challenge: asked.map(|it| it.challenge), bits, wait_seconds }))
}
