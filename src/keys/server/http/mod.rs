//! The REST routes of keys. Each is a few lines over the operation that the pages use too; errors are problem documents.
//!
//! Answers that hold a secret say `no-store`: so they are not kept for whoever sends the same request again (`boot::once`).

pub mod apis;
mod batch;
mod bodies;
pub mod bundles;
mod changed;
mod credits;
mod leaks;
mod levels;
mod many;
mod new_key;
mod secret_bodies;
mod secrets;
mod signing;
pub mod transfer;
pub mod trial;

use self::{
    bodies::{CreatedKeyBody, EditKeyBody, HistoryListBody, KeyListBody, ReasonBody},
    changed::ChangedKeyBody,
    new_key::NewKeyBody,
    secret_bodies::KeyDetailBody,
};
pub use self::{
    bodies::{HistoryBody, KeyBody, KeyLimitBody, WindowSchema},
    changed::SpreadBody,
    secret_bodies::SecretBody,
};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::{model::KeyQuery, server},
    platform::{
        Ctx,
        http::{
            json::{Body, Query, located, page_size},
            pages::{Listed, PageQuery, foreign},
        },
    },
    values::KeyId,
};
use axum::{
    Json, Router,
    extract::{FromRequestParts, Path, State},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::Response,
    routing::{get, post},
};
use serde::Deserialize;
use time::OffsetDateTime;
use utoipa::{IntoParams, OpenApi};

/// What `/api/v1/openapi.json` says of these routes.
#[derive(OpenApi)]
#[openapi(paths(
    list_keys,
    create_key,
    read_key,
    edit_key,
    delete_key,
    disable_key,
    enable_key,
    revoke_key,
    read_history,
    many::change_many_keys,
    secrets::rotate_key,
    secrets::edit_secret,
    secrets::drop_secret,
    secrets::read_usage,
    signing::sign_key,
    signing::unsign_key,
    credits::add_credits,
    transfer::export_keys,
    transfer::import_keys,
    batch::create_keys,
    leaks::report_leaked_keys,
    leaks::mark_leaked,
    leaks::clear_leaks,
    leaks::read_leak_choice,
    leaks::edit_leak_choice
))]
pub struct Docs;

pub fn routes() -> Router<Ctx> {
    Router::new()
        .route("/api/v1/keys", get(list_keys).post(create_key))
        .route("/api/v1/keys/{id}", get(read_key).patch(edit_key).delete(delete_key))
        .route("/api/v1/keys/{id}/disable", post(disable_key))
        .route("/api/v1/keys/{id}/enable", post(enable_key))
        .route("/api/v1/keys/{id}/revoke", post(revoke_key))
        .route("/api/v1/keys/{id}/history", get(read_history))
        .merge(many::routes())
        .merge(secrets::routes())
        .merge(signing::routes())
        .merge(credits::routes())
        .route("/api/v1/keys/{id}/test", post(trial::test_key))
        .merge(apis::routes())
        .merge(bundles::routes())
        .merge(transfer::routes())
        .merge(batch::routes())
        .merge(leaks::routes())
}

/// The id in the path; one that can't be an id is a key that does not exist.
struct Id(KeyId);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AppError> {
        let Path(id) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| AppError::NotFound)?;
        id.parse().map(Self).map_err(|_| AppError::NotFound)
    }
}

/// The query of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// 1 to 100, 20 unless said otherwise.
    #[serde(default)]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    cursor: Option<String>,
    /// Part of a name or of an external id, how a tag begins, the start of a secret, or an id.
    #[serde(default)]
    q: Option<String>,
    /// The slug of an API.
    #[serde(default)]
    api: Option<String>,
    /// `passing`, `held`, `refused`, `expiring`, `new`, `idle`, `disabled`, `expired` or `revoked`.
    #[serde(default)]
    status: Option<String>,
    /// Keys that can pass and want a look: `idle-30` or `idle-90` (not used for so many days), `unused`, `endless` (never expires) or
    /// `broad` (has every permission of its API), or `leaked` (a secret of it was found in the open).
    #[serde(default)]
    review: Option<String>,
    #[serde(default)]
    tag: Option<String>,
    /// Exactly this external id.
    #[serde(default)]
    external_id: Option<String>,
    /// Part of the name of a workspace, or of its owner's name or email, in every workspace. Needs `keys:manage`.
    #[serde(default)]
    owner: Option<String>,
    /// `true`: of every workspace. Needs `keys:manage`.
    #[serde(default)]
    everywhere: Option<bool>,
    /// The SHA-256 of a whole secret in hexadecimal digits: whose is it? For keys that were imported also its SHA-512, after a dot.
    #[serde(default)]
    hash: Option<String>,
}

impl ListQuery {
    fn query(self) -> KeyQuery {
        KeyQuery {
            q: self.q,
            api: self.api,
            status: self.status,
            review: self.review,
            tag: self.tag,
            external_id: self.external_id,
            owner: self.owner,
            hash: self.hash,
            older: self.cursor,
            everywhere: self.everywhere.unwrap_or_default(),
            ..KeyQuery::default()
        }
    }
}

/// List keys
///
/// The keys of your workspace, newest first; with `owner` those of everybody whose name or email has it, with `everywhere` those of everybody.
#[utoipa::path(
    get, path = "/api/v1/keys", tag = "Keys", operation_id = "list_keys", params(ListQuery),
    responses((status = 200, body = KeyListBody)),
    security(("key" = [])),
)]
async fn list_keys(State(ctx): State<Ctx>, caller: Caller, Query(asked): Query<ListQuery>) -> Result<Listed<KeyListBody>, AppError> {
    let limit = page_size(asked.limit, "keys")?;
    let (keys, next) = server::page_of_keys(&ctx, &caller, &asked.query(), limit).await?;
    let now = ctx.clock.now();
    Ok(Listed::page(next, |has_more, next_cursor| KeyListBody { data: keys.into_iter().map(|k| KeyBody::of(k, now)).collect(), has_more, next_cursor }))
}

/// Create a key
///
/// The secret is in this answer and never shown again. `limits`, `plan` and `account` need the permission `keys:manage`; they hold before the
/// answer is given. Sent twice with an `Idempotency-Key`, the second answer is 409 and names the key;
/// rotate it if its secret got lost.
#[utoipa::path(
    post, path = "/api/v1/keys", tag = "Keys", operation_id = "create_key", request_body = NewKeyBody,
    responses((status = 201, body = CreatedKeyBody), (status = 409, description = "This Idempotency-Key made a key before, or is doing so")),
    security(("key" = [])),
)]
async fn create_key(State(ctx): State<Ctx>, caller: Caller, Body(new): Body<NewKeyBody>) -> Result<Response, AppError> {
    let (new, terms) = new.read();
    let created = server::create_key_on(&ctx, &caller, new, terms).await?;
    let id = created.key.id;
    let body = CreatedKeyBody::of(created, ctx.clock.now()).ok_or_else(|| AppError::internal("a new key without a secret"))?;
    Ok(no_store(located(StatusCode::CREATED, &format!("/api/v1/keys/{id}"), body)))
}

/// Read a key
///
/// With its secrets: of each its start, its end and who used it last, never the secret itself.
#[utoipa::path(
    get, path = "/api/v1/keys/{id}", tag = "Keys", operation_id = "read_key", params(("id" = String, Path)),
    responses((status = 200, body = KeyDetailBody)),
    security(("key" = [])),
)]
async fn read_key(State(ctx): State<Ctx>, caller: Caller, Id(id): Id) -> Result<Json<KeyDetailBody>, AppError> {
    let key = server::find_key(&ctx, &caller, id).await?;
    Ok(Json(secrets::detail(&ctx, &caller, key).await?))
}

/// Change a key
///
/// What is left out stays. `limits` needs the permission `keys:manage`. `spread` says on which nodes the change holds.
#[utoipa::path(
    patch, path = "/api/v1/keys/{id}", tag = "Keys", operation_id = "edit_key", params(("id" = String, Path)), request_body = EditKeyBody,
    responses((status = 200, body = ChangedKeyBody), (status = 409, description = "The key is revoked")),
    security(("key" = [])),
)]
async fn edit_key(State(ctx): State<Ctx>, caller: Caller, Id(id): Id, Body(edit): Body<EditKeyBody>) -> Result<Json<ChangedKeyBody>, AppError> {
    let changed = server::edit_key(&ctx, &caller, id, edit.edit()).await?;
    Ok(body(&ctx, changed))
}

/// Revoke a key
///
/// The same as `POST …/revoke`, which also says on which nodes it holds: its history and usage stay.
#[utoipa::path(
    delete, path = "/api/v1/keys/{id}", tag = "Keys", operation_id = "delete_key", params(("id" = String, Path)),
    responses((status = 204)),
    security(("key" = [])),
)]
async fn delete_key(State(ctx): State<Ctx>, caller: Caller, Id(id): Id) -> Result<StatusCode, AppError> {
    server::revoke_key(&ctx, &caller, id, "").await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Disable a key
///
/// Calls are answered `DISABLED` until it is enabled: on every node that `spread` counts as confirmed. One that is disabled already stays as
/// it is, with the reason that was said first.
#[utoipa::path(
    post, path = "/api/v1/keys/{id}/disable", tag = "Keys", operation_id = "disable_key", params(("id" = String, Path)), request_body = ReasonBody,
    responses((status = 200, body = ChangedKeyBody), (status = 409)),
    security(("key" = [])),
)]
async fn disable_key(State(ctx): State<Ctx>, caller: Caller, Id(id): Id, Body(why): Body<ReasonBody>) -> Result<Json<ChangedKeyBody>, AppError> {
    Ok(body(&ctx, server::disable_key(&ctx, &caller, id, &why.reason).await?))
}

/// Enable a key
#[utoipa::path(
    post, path = "/api/v1/keys/{id}/enable", tag = "Keys", operation_id = "enable_key", params(("id" = String, Path)), request_body = ReasonBody,
    responses((status = 200, body = ChangedKeyBody), (status = 409)),
    security(("key" = [])),
)]
async fn enable_key(State(ctx): State<Ctx>, caller: Caller, Id(id): Id, Body(why): Body<ReasonBody>) -> Result<Json<ChangedKeyBody>, AppError> {
    Ok(body(&ctx, server::enable_key(&ctx, &caller, id, &why.reason).await?))
}

/// Revoke a key for good
///
/// Calls are answered `REVOKED`: on every node that `spread` counts as confirmed. There is no way back. One that is revoked already stays
/// as it is, with the reason that was said first.
#[utoipa::path(
    post, path = "/api/v1/keys/{id}/revoke", tag = "Keys", operation_id = "revoke_key", params(("id" = String, Path)), request_body = ReasonBody,
    responses((status = 200, body = ChangedKeyBody)),
    security(("key" = [])),
)]
async fn revoke_key(State(ctx): State<Ctx>, caller: Caller, Id(id): Id, Body(why): Body<ReasonBody>) -> Result<Json<ChangedKeyBody>, AppError> {
    Ok(body(&ctx, server::revoke_key(&ctx, &caller, id, &why.reason).await?))
}

/// Read the history of a key
///
/// Who changed what, when and why, newest first.
#[utoipa::path(
    get, path = "/api/v1/keys/{id}/history", tag = "Keys", operation_id = "read_key_history", params(("id" = String, Path), PageQuery),
    responses(
        (status = 200, body = HistoryListBody),
    ),
    security(("key" = [])),
)]
async fn read_history(State(ctx): State<Ctx>, caller: Caller, Id(id): Id, Query(asked): Query<PageQuery>) -> Result<Listed<HistoryListBody>, AppError> {
    let (most, after) = (asked.rows("changes")?, asked.opened(&ctx, id.uuid().as_bytes())?);
    let before = after.map(|place| place_in(&place).ok_or_else(foreign)).transpose()?;
    let (entries, next) = server::key_history(&ctx, &caller, id, before, most).await?;
    // Sealed: the number counts the changes of all keys, whoever has them.
    let cursor = |(at, number): (OffsetDateTime, i64)| PageQuery::sealed(&ctx, id.uuid().as_bytes(), &format!("{}.{number}", at.unix_timestamp_nanos()));
    let next = next.map(cursor).transpose()?;
    Ok(Listed::page(next, |has_more, next_cursor| HistoryListBody { data: entries.into_iter().map(Into::into).collect(), has_more, next_cursor }))
}

/// A place in a history as a cursor tells it: nanoseconds since 1970, a dot, a number.
fn place_in(cursor: &str) -> Option<(OffsetDateTime, i64)> {
    let (at, number) = cursor.split_once('.')?;
    Some((OffsetDateTime::from_unix_timestamp_nanos(at.parse().ok()?).ok()?, number.parse().ok()?))
}

fn body(ctx: &Ctx, changed: server::Changed) -> Json<ChangedKeyBody> {
    Json(ChangedKeyBody::of(changed, ctx.clock.now()))
}

fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
