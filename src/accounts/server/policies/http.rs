//! The REST routes of policies. For operators: looking needs `admin:read`, changing `accounts:manage`.

use super::{PolicyOf, list_policies, set_policy};
use crate::{
    accounts::{
        Caller,
        model::{Policy, PolicyHolder},
        server::Visitor,
    },
    error::AppError,
    platform::{
        Ctx,
        http::{
            json::{Body, Query},
            pages::{Listed, PageQuery},
        },
    },
};
use axum::{
    Json, Router,
    extract::{Path, State},
    routing::{get, put},
};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

/// What `/api/v1/openapi.json` says of these routes.
#[derive(OpenApi)]
#[openapi(paths(list, set))]
pub struct Docs;

pub fn routes() -> Router<Ctx> {
    Router::new().route("/api/v1/session-policies", get(list)).route("/api/v1/session-policies/{kind}/{slug}", put(set))
}

/// What a role or a plan shall say, all of it: what is left out or `null` is not said, `0` is never.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PolicyBody {
    /// A session ends when it was not used for so long: 60 to 34560000 (400 days).
    #[serde(default)]
    #[schema(example = 28_800)]
    idle_seconds: Option<u32>,
    /// A session ends so long after sign-in: 60 to 34560000. Never is the cap of the site, `auth.session_cap`.
    #[serde(default)]
    #[schema(example = 2_592_000)]
    max_seconds: Option<u32>,
    /// Sessions at once, 1 to 200: a new one ends the oldest.
    #[serde(default)]
    #[schema(example = 3)]
    session_count: Option<u32>,
    /// The longest life of a key: 3600 to 316224000.
    #[serde(default)]
    #[schema(example = 7_776_000)]
    key_max_seconds: Option<u32>,
}

/// What a role or a plan says. `null`: nothing; 0: never.
#[derive(Debug, Serialize, ToSchema)]
struct PolicyOfBody {
    /// `role` or `plan`.
    #[schema(example = "role")]
    kind: &'static str,
    #[schema(example = "operator")]
    slug: String,
    #[schema(example = "Operator")]
    name: String,
    idle_seconds: Option<u32>,
    max_seconds: Option<u32>,
    session_count: Option<u32>,
    key_max_seconds: Option<u32>,
}

#[derive(Debug, Serialize, ToSchema)]
struct PolicyListBody {
    data: Vec<PolicyOfBody>,
    has_more: bool,
    next_cursor: Option<String>,
}

impl From<PolicyOf> for PolicyOfBody {
    fn from(row: PolicyOf) -> Self {
        let Policy { idle_seconds, max_seconds, session_count, key_max_seconds } = row.says;
        Self { kind: row.holder.kind(), slug: row.holder.slug().to_owned(), name: row.name, idle_seconds, max_seconds, session_count, key_max_seconds }
    }
}

/// How long sessions and keys last
///
/// Every role, then every plan, with what it says. Each value holds by the first that says it of: the roles of an account, the strictest of them; the plan
/// of its workspace; the plan of that workspace's group; the configuration.
#[utoipa::path(
    get, path = "/api/v1/session-policies", tag = "Session policies", operation_id = "list_session_policies", params(PageQuery),
    responses(
        (status = 200, body = PolicyListBody),
    ),
    security(("key" = [])),
)]
async fn list(State(ctx): State<Ctx>, caller: Caller, Query(asked): Query<PageQuery>) -> Result<Listed<PolicyListBody>, AppError> {
    let all: Vec<PolicyOfBody> = list_policies(&ctx, &caller).await?.into_iter().map(Into::into).collect();
    let place = |of: &PolicyOfBody| format!("{}{}\0{}", u8::from(of.kind != "role"), of.name.to_lowercase(), of.slug);
    let (data, next) = asked.page(all, "policies", place)?;
    Ok(Listed::page(next, |has_more, next_cursor| PolicyListBody { data, has_more, next_cursor }))
}

/// Set how long sessions and keys last
///
/// Of everybody with a role or a plan. Running sessions are held by it from their next request on; keys keep the end that they have.
#[utoipa::path(
    put, path = "/api/v1/session-policies/{kind}/{slug}", tag = "Session policies", operation_id = "set_session_policy", request_body = PolicyBody,
    params(("kind" = String, Path, description = "`role` or `plan`"), ("slug" = String, Path)),
    responses((status = 200, body = PolicyOfBody)),
    security(("key" = [])),
)]
async fn set(
    State(ctx): State<Ctx>,
    visitor: Visitor,
    caller: Caller,
    Path((kind, slug)): Path<(String, String)>,
    Body(body): Body<PolicyBody>,
) -> Result<Json<PolicyOfBody>, AppError> {
    let PolicyBody { idle_seconds, max_seconds, session_count, key_max_seconds } = body;
    let holder: PolicyHolder = format!("{kind}:{slug}").parse().map_err(|_| AppError::NotFound)?;
    let says = Policy { idle_seconds, max_seconds, session_count, key_max_seconds };
    Ok(Json(set_policy(&ctx, &caller, &visitor, &holder, &says, None).await?.into()))
}
