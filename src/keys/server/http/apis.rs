//! The REST routes of APIs: what operators describe. Whoever may read keys may read them; changing needs `apis:manage`.

use super::changed::SpreadBody;
use crate::{
    accounts::Caller,
    error::AppError,
    keys::{
        model::{Api, ApiEdit, ApiPermission, ApiRoute, NewApi, NewRoute, Unmatched},
        server,
    },
    platform::{
        Ctx,
        http::{
            json::{Body, Query, located},
            pages::{Listed, PageQuery},
        },
    },
};
use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
    routing::get,
};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

/// What `/api/v1/openapi.json` says of these routes.
#[derive(OpenApi)]
#[openapi(paths(list_apis, create_api, read_api, edit_api, read_routes, replace_routes))]
pub struct Docs;

pub fn routes() -> Router<Ctx> {
    Router::new()
        .route("/api/v1/apis", get(list_apis).post(create_api))
        .route("/api/v1/apis/{slug}", get(read_api).patch(edit_api))
        .route("/api/v1/apis/{slug}/routes", get(read_routes).put(replace_routes))
}

/// A permission of an API.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ApiPermissionBody {
    #[schema(example = "orders:read")]
    name: String,
    /// What it allows; at most 200 characters.
    #[serde(default)]
    description: String,
    /// In the preset `basic`. Where none is, that preset gives those that only read.
    #[serde(default)]
    basic: bool,
    /// Keys have it only where a plan, a group or the workspace grants it. Left out: as it is, and false of a new permission.
    #[serde(default)]
    needs_grant: Option<bool>,
}

impl From<ApiPermission> for ApiPermissionBody {
    fn from(p: ApiPermission) -> Self {
        Self { name: p.permission.to_string(), description: p.description, basic: p.is_basic, needs_grant: Some(p.needs_grant) }
    }
}

/// Permissions as the operations read them.
#[derive(Default)]
struct Described {
    lines: Vec<String>,
    /// Names of those in the preset Basic.
    basic: Vec<String>,
    /// Of those where it is said.
    needs_grant: Vec<(String, bool)>,
}

fn described(permissions: Vec<ApiPermissionBody>) -> Described {
    let mut described = Described::default();
    for ApiPermissionBody { name, description, basic, needs_grant } in permissions {
        described.lines.push(format!("{name} {description}"));
        described.basic.extend(basic.then(|| name.clone()));
        described.needs_grant.extend(needs_grant.map(|needs_grant| (name, needs_grant)));
    }
    described
}

/// An API.
#[derive(Debug, Serialize, ToSchema)]
struct ApiBody {
    id: String,
    #[schema(example = "orders")]
    slug: String,
    name: String,
    /// What its keys begin with.
    key_prefix: String,
    /// What becomes of a call that no route matches: `allow` (no permission needed) or `refuse` (`FORBIDDEN`).
    #[schema(value_type = String)]
    unmatched: Unmatched,
    /// Browsers that ask before a call (CORS) are answered at `/forward-auth` for the origins of its keys, without a key.
    answers_preflights: bool,
    /// One in so many calls that pass is kept as a sample (`GET /api/v1/usage/requests?code=VALID`); 0: none.
    sample_one_in: u32,
    permissions: Vec<ApiPermissionBody>,
}

impl From<Api> for ApiBody {
    fn from(api: Api) -> Self {
        Self {
            id: api.id.to_string(),
            slug: api.slug.to_string(),
            name: api.name,
            key_prefix: api.key_prefix.to_string(),
            unmatched: api.unmatched,
            answers_preflights: api.answers_preflights,
            sample_one_in: api.sample_one_in,
            permissions: api.permissions.into_iter().map(Into::into).collect(),
        }
    }
}

/// An API after a change, and how far the change has got.
#[derive(Debug, Serialize, ToSchema)]
struct ChangedApiBody {
    #[serde(flatten)]
    api: ApiBody,
    spread: SpreadBody,
}

/// Every API.
#[derive(Debug, Serialize, ToSchema)]
struct ApiListBody {
    data: Vec<ApiBody>,
    has_more: bool,
    next_cursor: Option<String>,
}

/// An API that an operator describes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewApiBody {
    /// Its name in addresses: lower-case letters, digits and hyphens. It stays.
    #[schema(example = "orders")]
    slug: String,
    #[schema(example = "Orders")]
    name: String,
    /// What its keys begin with; without it, made from the slug. It stays.
    #[serde(default)]
    key_prefix: Option<String>,
    #[serde(default)]
    permissions: Vec<ApiPermissionBody>,
    /// `allow` (the default) or `refuse`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    unmatched: Option<Unmatched>,
}

/// Changes of an API; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EditApiBody {
    #[serde(default)]
    name: Option<String>,
    /// All of them. One that is left out stays with the keys that have it, and no other key gets it.
    #[serde(default)]
    permissions: Option<Vec<ApiPermissionBody>>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    unmatched: Option<Unmatched>,
    /// False unless it was set: a preflight is then a call without a key.
    #[serde(default)]
    answers_preflights: Option<bool>,
    /// 1 to 10,000: one in so many calls that pass is kept as a sample. 0, the default: none.
    #[serde(default)]
    sample_one_in: Option<u32>,
}

/// What calls of one method and path need.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RouteBody {
    /// `GET`, `HEAD`, `POST`, `PUT`, `PATCH`, `DELETE`, `OPTIONS`, or `*` for any (the default).
    #[serde(default = "RouteBody::any")]
    #[schema(example = "GET")]
    method: String,
    /// Words, parameters `{id}`, at the end a tail `*` or `{path...}`.
    #[schema(example = "/orders/{id}")]
    path: String,
    /// None: a valid key is enough.
    #[serde(default)]
    #[schema(example = "orders:read")]
    permission: Option<String>,
    /// Cost units of one call, 1 to 1,000,000; 1 unless said otherwise.
    #[serde(default = "RouteBody::one")]
    #[schema(example = 1)]
    cost: u32,
    /// `counted` (the default), or `none`: verified and metered, but charged to no limit.
    #[serde(default)]
    quota: Quota,
    #[serde(default)]
    description: String,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Quota {
    #[default]
    Counted,
    None,
}

impl RouteBody {
    fn any() -> String {
        ApiRoute::ANY.to_owned()
    }
    const fn one() -> u32 {
        1
    }
}

impl From<ApiRoute> for RouteBody {
    fn from(r: ApiRoute) -> Self {
        let quota = if r.is_counted { Quota::Counted } else { Quota::None };
        Self { method: r.method, path: r.pattern, permission: r.permission.map(|p| p.to_string()), cost: r.cost, quota, description: r.description }
    }
}

impl From<RouteBody> for NewRoute {
    fn from(r: RouteBody) -> Self {
        let is_free = r.quota == Quota::None;
        Self { method: r.method, pattern: r.path, permission: r.permission, cost: Some(r.cost), is_free, description: r.description }
    }
}

/// The routes of an API.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RoutesBody {
    /// At most 500. The most specific one that matches a call counts, in whatever order they stand.
    routes: Vec<RouteBody>,
}

impl From<Vec<ApiRoute>> for RoutesBody {
    fn from(routes: Vec<ApiRoute>) -> Self {
        Self { routes: routes.into_iter().map(Into::into).collect() }
    }
}

/// The routes of an API after a change, and how far the change has got: where `confirmed` equals `nodes`, every call needs what they say.
#[derive(Debug, Serialize, ToSchema)]
struct ChangedRoutesBody {
    routes: Vec<RouteBody>,
    spread: SpreadBody,
}

/// List APIs
///
/// All of them, Tollgate's own last.
#[utoipa::path(
    get, path = "/api/v1/apis", tag = "APIs", operation_id = "list_apis", params(PageQuery),
    responses(
        (status = 200, body = ApiListBody),
    ),
    security(("key" = [])),
)]
async fn list_apis(State(ctx): State<Ctx>, caller: Caller, Query(asked): Query<PageQuery>) -> Result<Listed<ApiListBody>, AppError> {
    let apis = server::list_apis(&ctx, &caller).await?;
    let place = |api: &Api| format!("{}{}\0{}", u8::from(api.is_own()), api.name.to_lowercase(), api.slug);
    let (apis, next) = asked.page(apis, "APIs", place)?;
    Ok(Listed::page(next, |has_more, next_cursor| ApiListBody { data: apis.into_iter().map(Into::into).collect(), has_more, next_cursor }))
}

/// Describe an API
///
/// Needs `apis:manage`.
#[utoipa::path(
    post, path = "/api/v1/apis", tag = "APIs", operation_id = "create_api", request_body = NewApiBody,
    responses((status = 201, body = ApiBody)),
    security(("key" = [])),
)]
async fn create_api(State(ctx): State<Ctx>, caller: Caller, Body(new): Body<NewApiBody>) -> Result<Response, AppError> {
    let Described { lines, basic, needs_grant } = described(new.permissions);
    let needs_grant = needs_grant.into_iter().filter(|(_, needs_grant)| *needs_grant).map(|(name, _)| name).collect();
    let NewApiBody { slug, name, key_prefix, unmatched, .. } = new;
    let new = NewApi { slug, name, key_prefix, permissions: lines, basic, needs_grant, unmatched: unmatched.unwrap_or_default() };
    let api = server::create_api(&ctx, &caller, new).await?;
    Ok(located(StatusCode::CREATED, &format!("/api/v1/apis/{}", api.slug), ApiBody::from(api)))
}

/// Read an API
#[utoipa::path(
    get, path = "/api/v1/apis/{slug}", tag = "APIs", operation_id = "read_api", params(("slug" = String, Path)),
    responses((status = 200, body = ApiBody)),
    security(("key" = [])),
)]
async fn read_api(State(ctx): State<Ctx>, caller: Caller, Path(slug): Path<String>) -> Result<Json<ApiBody>, AppError> {
    Ok(Json(server::api_by_slug(&ctx, &caller, &slug).await?.into()))
}

/// Change an API
///
/// Needs `apis:manage`. A permission that a route needs, or that needs a grant, can't be left out. Answered when every node knows, after two
/// seconds at most.
#[utoipa::path(
    patch, path = "/api/v1/apis/{slug}", tag = "APIs", operation_id = "edit_api", params(("slug" = String, Path)), request_body = EditApiBody,
    responses((status = 200, body = ChangedApiBody)),
    security(("key" = [])),
)]
async fn edit_api(State(ctx): State<Ctx>, caller: Caller, Path(slug): Path<String>, Body(edit): Body<EditApiBody>) -> Result<Json<ChangedApiBody>, AppError> {
    let EditApiBody { name, permissions, unmatched, answers_preflights, sample_one_in } = edit;
    let (permissions, basic, needs_grant) = match permissions.map(described) {
        Some(Described { lines, basic, needs_grant }) => (Some(lines), Some(basic), needs_grant),
        None => (None, None, Vec::new()),
    };
    let edit = ApiEdit { name, permissions, basic, needs_grant, unmatched, answers_preflights, sample_one_in, seen: None };
    let changed = server::edit_api(&ctx, &caller, &slug, edit).await?;
    Ok(Json(ChangedApiBody { api: changed.api.into(), spread: changed.spread.into() }))
}

/// Read the routes of an API
///
/// What calls need and cost, by path.
#[utoipa::path(
    get, path = "/api/v1/apis/{slug}/routes", tag = "APIs", operation_id = "read_routes", params(("slug" = String, Path)),
    responses((status = 200, body = RoutesBody)),
    security(("key" = [])),
)]
async fn read_routes(State(ctx): State<Ctx>, caller: Caller, Path(slug): Path<String>) -> Result<Json<RoutesBody>, AppError> {
    Ok(Json(server::list_routes(&ctx, &caller, &slug).await?.into()))
}

/// Replace the routes of an API
///
/// Needs `apis:manage`. The routes become these, all or nothing. Answered when every node knows, after two seconds at most.
#[utoipa::path(
    put, path = "/api/v1/apis/{slug}/routes", tag = "APIs", operation_id = "replace_routes", params(("slug" = String, Path)), request_body = RoutesBody,
    responses((status = 200, body = ChangedRoutesBody), (status = 409, description = "Tollgate's own API")),
    security(("key" = [])),
)]
async fn replace_routes(
    State(ctx): State<Ctx>,
    caller: Caller,
    Path(slug): Path<String>,
    Body(new): Body<RoutesBody>,
) -> Result<Json<ChangedRoutesBody>, AppError> {
    let new = new.routes.into_iter().map(Into::into).collect();
    let changed = server::replace_routes(&ctx, &caller, &slug, new).await?;
    let routes = changed.routes.into_iter().map(Into::into).collect();
    Ok(Json(ChangedRoutesBody { routes, spread: changed.spread.into() }))
}
