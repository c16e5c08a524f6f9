//! The REST routes of bans. For operators: looking needs `admin:read`, everything else `accounts:manage`.

use crate::{
    accounts::{
        Caller,
        server::{self as accounts, BanFacts, Term, Visitor},
    },
    error::AppError,
    keys::server::{http::SpreadBody, nodes},
    platform::{
        Ctx,
        http::{
            json::{Body, Query, located, page_size},
            pages::Listed,
        },
    },
    values::{AccountId, BanId},
};
use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use utoipa::{IntoParams, OpenApi, ToSchema};

/// What `/api/v1/openapi.json` says of these routes.
#[derive(OpenApi)]
#[openapi(paths(list_bans, add_ban, read_ban, delete_ban, lift_ban))]
pub struct Docs;

pub fn routes() -> Router<Ctx> {
    Router::new()
        .route("/api/v1/bans", get(list_bans).post(add_ban))
        .route("/api/v1/bans/{id}", get(read_ban).delete(delete_ban))
        .route("/api/v1/bans/{id}/lift", post(lift_ban))
}

/// The longest ban with an end, in seconds: a hundred years.
const LONGEST: u64 = 36_500 * 86_400;

/// A ban that an operator wants.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewBanBody {
    /// The id of an account, a mail domain (with all below it), an address, or a network (IPv4 /8 to /32, IPv6 /16 to /128).
    #[schema(example = "spam.example")]
    target: String,
    /// 1 to 300 characters; whoever is banned reads it.
    #[schema(example = "Sends spam")]
    reason: String,
    /// How long, 1 second to 100 years; left out or `null`: until it is lifted.
    #[serde(default)]
    #[schema(example = 604_800)]
    seconds: Option<u64>,
}

/// A ban. One of `account_id`, `domain` and `network` says of what.
#[derive(Debug, Serialize, ToSchema)]
struct BanBody {
    #[schema(example = "ban_01K3V7QDE4S8T1N5W9Y2B6C0XZ")]
    id: String,
    account_id: Option<String>,
    /// The account's address, as long as it exists.
    email: Option<String>,
    #[schema(example = "spam.example")]
    domain: Option<String>,
    network: Option<String>,
    /// `active`, `ended` or `lifted`.
    #[schema(example = "active")]
    state: &'static str,
    reason: String,
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    since: OffsetDateTime,
    /// `null`: until it is lifted.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<OffsetDateTime>,
    /// Who gave it: a name, or `cli`.
    by: String,
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    lifted_at: Option<OffsetDateTime>,
    lifted_by: Option<String>,
}

impl BanBody {
    fn of(ban: BanFacts, now: OffsetDateTime) -> Self {
        let state = match (ban.lifted_at, ban.until) {
            (Some(_), _) => "lifted",
            (None, Some(until)) if until <= now => "ended",
            (None, _) => "active",
        };
        Self {
            id: ban.id.to_string(),
            account_id: ban.account.map(|id| id.to_string()),
            email: ban.account_email,
            domain: ban.domain,
            network: ban.network,
            state,
            reason: ban.reason,
            since: ban.at,
            until: ban.until,
            by: ban.by,
            lifted_at: ban.lifted_at,
            lifted_by: ban.lifter,
        }
    }
}

/// A ban that was given or lifted, and how far that has got.
#[derive(Debug, Serialize, ToSchema)]
struct ChangedBanBody {
    #[serde(flatten)]
    ban: BanBody,
    /// On which nodes the keys of the account are answered so; `null` where the ban is of a domain or a network, which no key belongs to.
    spread: Option<SpreadBody>,
}

/// Bans, newest first.
#[derive(Debug, Serialize, ToSchema)]
struct BanListBody {
    data: Vec<BanBody>,
    has_more: bool,
    next_cursor: Option<String>,
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
    /// `active` (unless said otherwise), or `past`: those that ended or were lifted.
    #[serde(default)]
    state: Option<String>,
}

/// An id in the path; one that can't be an id is a ban that does not exist.
fn ban(id: &str) -> Result<BanId, AppError> {
    id.parse().map_err(|_| AppError::NotFound)
}

/// List bans
///
/// Accounts, mail domains and networks that may not come in, newest first.
#[utoipa::path(
    get, path = "/api/v1/bans", tag = "Bans", operation_id = "list_bans", params(ListQuery),
    responses((status = 200, body = BanListBody)),
    security(("key" = [])),
)]
async fn list_bans(State(ctx): State<Ctx>, caller: Caller, Query(asked): Query<ListQuery>) -> Result<Listed<BanListBody>, AppError> {
    let limit = page_size(asked.limit, "bans")?;
    let over = match asked.state.as_deref() {
        None | Some("active") => false,
        Some("past") => true,
        Some(_) => return Err(AppError::invalid("state", "Ask for active or past.")),
    };
    let wrong = |_| AppError::invalid("cursor", "This list can't be continued here. Start at its beginning.");
    let older = asked.cursor.as_deref().map(str::parse::<BanId>).transpose().map_err(wrong)?;
    // One more than a page tells whether there is another.
    let mut bans = accounts::page_of_bans(&ctx, &caller, over, older, i64::try_from(limit + 1).unwrap_or(i64::MAX)).await?;
    let has_more = bans.len() > limit;
    bans.truncate(limit);
    let next = bans.last().filter(|_| has_more).map(|ban| ban.id.to_string());
    let now = ctx.clock.now();
    Ok(Listed::page(next, |has_more, next_cursor| BanListBody { data: bans.into_iter().map(|ban| BanBody::of(ban, now)).collect(), has_more, next_cursor }))
}

/// Ban an account, a mail domain or a network
///
/// The sessions of a banned account end, its person is told by mail, and the answer comes when every live server answers its keys `BANNED`:
/// `spread` says on which. The same ban of an account, sent again, changes nothing (200); a different one is refused (409), as is one of a domain or a network that is banned already. Nobody bans
/// themself, nor the last operator.
#[utoipa::path(
    post, path = "/api/v1/bans", tag = "Bans", operation_id = "add_ban", request_body = NewBanBody,
    responses(
        (status = 201, body = ChangedBanBody),
        (status = 200, description = "It was banned so already", body = ChangedBanBody),
        (status = 404),
        (status = 409),
        (status = 429),
    ),
    security(("key" = [])),
)]
async fn add_ban(State(ctx): State<Ctx>, from: Visitor, caller: Caller, Body(new): Body<NewBanBody>) -> Result<Response, AppError> {
    let lasting = match new.seconds {
        Some(seconds) if !(1..=LONGEST).contains(&seconds) => return Err(AppError::invalid("seconds", "A ban lasts 1 second to 100 years.")),
        seconds => seconds.and_then(|seconds| i64::try_from(seconds).ok()).map(Duration::seconds),
    };
    let term = Term { reason: &new.reason, until: lasting.map(|lasting| ctx.clock.now() + lasting) };
    let (ban, is_new, spread) = match new.target.trim().parse::<AccountId>() {
        Ok(account) => {
            let before = accounts::find_account(&ctx, &caller, account).await?.ban.map(|ban| ban.id);
            accounts::ban_account(&ctx, &caller, &from, account, term).await?;
            let spread = nodes::spread_of_account(&ctx, account).await;
            let ban = accounts::find_account(&ctx, &caller, account).await?.ban.ok_or(AppError::NotFound)?.id;
            (accounts::find_ban(&ctx, &caller, ban).await?, before != Some(ban), Some(spread.into()))
        }
        Err(_) => (accounts::add_ban(&ctx, &caller, &from, &new.target, term).await?, true, None),
    };
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    let location = format!("/api/v1/bans/{}", ban.id);
    Ok(located(status, &location, ChangedBanBody { ban: BanBody::of(ban, ctx.clock.now()), spread }))
}

/// One ban
#[utoipa::path(
    get, path = "/api/v1/bans/{id}", tag = "Bans", operation_id = "read_ban", params(("id" = String, Path)),
    responses((status = 200, body = BanBody)),
    security(("key" = [])),
)]
async fn read_ban(State(ctx): State<Ctx>, caller: Caller, Path(id): Path<String>) -> Result<Json<BanBody>, AppError> {
    let ban = accounts::find_ban(&ctx, &caller, ban(&id)?).await?;
    Ok(Json(BanBody::of(ban, ctx.clock.now())))
}

/// Lift a ban
///
/// The same as `POST …/lift`, which also says on which nodes it holds. One that is over stays as it is.
#[utoipa::path(
    delete, path = "/api/v1/bans/{id}", tag = "Bans", operation_id = "delete_ban", params(("id" = String, Path)),
    responses((status = 204)),
    security(("key" = [])),
)]
async fn delete_ban(State(ctx): State<Ctx>, visitor: Visitor, caller: Caller, Path(id): Path<String>) -> Result<StatusCode, AppError> {
    super::super::lift_ban(&ctx, &caller, &visitor, ban(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lift a ban and say where it holds
///
/// Of an account, its keys pass as before: on every node that `spread` counts as confirmed. One that is over stays as it is.
#[utoipa::path(
    post, path = "/api/v1/bans/{id}/lift", tag = "Bans", operation_id = "lift_ban", params(("id" = String, Path)),
    responses((status = 200, body = ChangedBanBody)),
    security(("key" = [])),
)]
async fn lift_ban(State(ctx): State<Ctx>, visitor: Visitor, caller: Caller, Path(id): Path<String>) -> Result<Json<ChangedBanBody>, AppError> {
    let id = ban(&id)?;
    // Who may not see it is told before anything is done.
    accounts::find_ban(&ctx, &caller, id).await?;
    let (_, spread) = super::super::lift_ban(&ctx, &caller, &visitor, id).await?;
    let lifted = accounts::find_ban(&ctx, &caller, id).await?;
    Ok(Json(ChangedBanBody { ban: BanBody::of(lifted, ctx.clock.now()), spread: spread.map(Into::into) }))
}
