//! The REST routes of bundles: named sets of an API's permissions. Whoever may read keys may read them; changing needs `apis:manage`.

use super::changed::SpreadBody;
use crate::{
    accounts::Caller,
    error::AppError,
    keys::{
        model::{Bundle, NewBundle},
        server,
    },
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
    http::StatusCode,
    routing::{get, put},
};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

/// What `/api/v1/openapi.json` says of these routes.
#[derive(OpenApi)]
#[openapi(paths(list_bundles, put_bundle, delete_bundle))]
pub struct Docs;

pub fn routes() -> Router<Ctx> {
    Router::new().route("/api/v1/apis/{slug}/bundles", get(list_bundles)).route("/api/v1/apis/{slug}/bundles/{name}", put(put_bundle).delete(delete_bundle))
}

/// A bundle of permissions.
#[derive(Debug, Serialize, ToSchema)]
struct BundleBody {
    #[schema(example = "order-desk")]
    name: String,
    description: String,
    /// Those that it names itself.
    permissions: Vec<String>,
    /// Other bundles of the API that it includes.
    includes: Vec<String>,
    /// Everything that it gives: its own permissions and those of what it includes, at any depth.
    gives: Vec<String>,
}

impl From<Bundle> for BundleBody {
    fn from(bundle: Bundle) -> Self {
        Self {
            name: bundle.name.into(),
            description: bundle.description,
            permissions: bundle.permissions.into_iter().map(Into::into).collect(),
            includes: bundle.includes.into_iter().map(Into::into).collect(),
            gives: bundle.gives.into_iter().map(Into::into).collect(),
        }
    }
}

/// The bundles of an API, by name.
#[derive(Debug, Serialize, ToSchema)]
struct BundleListBody {
    data: Vec<BundleBody>,
    has_more: bool,
    next_cursor: Option<String>,
}

/// What a bundle becomes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PutBundleBody {
    /// At most 200 characters.
    #[serde(default)]
    description: String,
    /// Permissions of the API.
    #[serde(default)]
    #[schema(example = json!(["orders:read"]))]
    permissions: Vec<String>,
    /// Names of other bundles of the API; none that includes this one.
    #[serde(default)]
    includes: Vec<String>,
}

/// A bundle after a change, and how far the change has got: where `confirmed` equals `nodes`, every key that holds it has what it gives.
#[derive(Debug, Serialize, ToSchema)]
struct ChangedBundleBody {
    #[serde(flatten)]
    bundle: BundleBody,
    spread: SpreadBody,
}

/// List the bundles of an API
///
/// Named sets of its permissions, which keys hold beside single ones.
#[utoipa::path(
    get, path = "/api/v1/apis/{slug}/bundles", tag = "APIs", operation_id = "list_bundles", params(("slug" = String, Path), PageQuery),
    responses((status = 200, body = BundleListBody)),
    security(("key" = [])),
)]
async fn list_bundles(
    State(ctx): State<Ctx>,
    caller: Caller,
    Path(slug): Path<String>,
    Query(asked): Query<PageQuery>,
) -> Result<Listed<BundleListBody>, AppError> {
    let all: Vec<BundleBody> = server::list_bundles(&ctx, &caller, &slug).await?.into_iter().map(Into::into).collect();
    let (data, next) = asked.page(all, "bundles", |bundle| bundle.name.clone())?;
    Ok(Listed::page(next, |has_more, next_cursor| BundleListBody { data, has_more, next_cursor }))
}

/// Describe a bundle
///
/// Needs `apis:manage`. Makes the bundle of this name, or puts this in its place on every key that holds it. Of a bundle of `tollgate` you
/// need all that it gives, and gave. Answered when every node knows, after two seconds at most.
#[utoipa::path(
    put, path = "/api/v1/apis/{slug}/bundles/{name}", tag = "APIs", operation_id = "put_bundle",
    params(("slug" = String, Path), ("name" = String, Path, description = "Lower-case letters, digits and hyphens, at most 40")), request_body = PutBundleBody,
    responses((status = 200, body = ChangedBundleBody)),
    security(("key" = [])),
)]
async fn put_bundle(
    State(ctx): State<Ctx>,
    caller: Caller,
    Path((slug, name)): Path<(String, String)>,
    Body(body): Body<PutBundleBody>,
) -> Result<Json<ChangedBundleBody>, AppError> {
    let new = NewBundle { name, description: body.description, permissions: body.permissions, includes: body.includes, seen: None };
    let changed = server::put_bundle(&ctx, &caller, &slug, new, true).await?;
    Ok(Json(ChangedBundleBody { bundle: changed.bundle.into(), spread: changed.spread.into() }))
}

/// Delete a bundle
///
/// Needs `apis:manage`. Keys that are not revoked must have let go of it, and other bundles must not include it. One that is not there is
/// gone already.
#[utoipa::path(
    delete, path = "/api/v1/apis/{slug}/bundles/{name}", tag = "APIs", operation_id = "delete_bundle",
    params(("slug" = String, Path), ("name" = String, Path)),
    responses((status = 204), (status = 409, description = "A key holds it, or a bundle includes it")),
    security(("key" = [])),
)]
async fn delete_bundle(State(ctx): State<Ctx>, caller: Caller, Path((slug, name)): Path<(String, String)>) -> Result<StatusCode, AppError> {
    server::delete_bundle(&ctx, &caller, &slug, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
