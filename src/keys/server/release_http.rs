//! `POST /api/v1/keys/release`: a service says that calls have ended, and gives back the places that they took (`gate::seats`). As safe to
//! send twice as once. No database work but where another node gave the place.

use super::{
    gate::{Gate, Hold},
    nodes::{Nodes, store::tell_released},
    verify_http::may_ask,
};
use crate::{
    error::{AppError, Fields},
    platform::{
        Ctx,
        http::{RequestInfo, json::read_in_haste},
    },
};
use axum::{
    Json,
    http::request::Parts,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, time::Duration};

/// Where it is said.
pub const PATH: &str = "/api/v1/keys/release";
/// The most holds at once.
const MOST: usize = 100;
/// The database takes word for another node within this time, or is away.
const ANSWER: Duration = Duration::from_secs(2);

/// What a service gives back: one hold, or several.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseRequest<'a> {
    /// `hold.id` of a verification, or the `X-Hold` that a proxy passed on.
    #[serde(borrow, default)]
    pub hold: Option<Cow<'a, str>>,
    /// Up to 100 of them.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub holds: Vec<String>,
}

/// What became of them.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ReleaseAnswer {
    /// All were given back by this call, or sent to the server that gave them. False too where one was given back before, or has ended by
    /// itself: then there is nothing to do either.
    pub released: bool,
    pub data: Vec<ReleasedBody>,
}

/// What became of one.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ReleasedBody {
    pub hold: String,
    /// It was given back by this call.
    pub released: bool,
    /// Another server gave it and was told just now; if that word is lost, the place ends by itself.
    pub sent_on: bool,
}

/// Give places back
///
/// For calls that have ended: what a verification answered as `hold`. The asking service's key needs what it needs to verify.
#[utoipa::path(
    post, path = "/api/v1/keys/release", tag = "Verification", operation_id = "release_holds",
    request_body = ReleaseRequest<'static>,
    responses(
        (status = 200, description = "What became of each; one that is not known any more is not released, and no error", body = ReleaseAnswer),
        (status = 401, description = "The asking service presents no valid key"),
        (status = 403, description = "The asking service's key lacks keys:verify, or a block refuses it or its address: the problem names the policy"),
        (status = 422, description = "No hold, too many, or something else"),
        (status = 429, description = "A block slows the asking service's key or address: the problem and the RateLimit fields name it"),
    ),
    security(("key" = [])),
)]
pub async fn release_holds(ctx: &Ctx, gate: &Gate, info: &RequestInfo, head: &Parts, body: &[u8]) -> Result<Response, AppError> {
    if let Err(denied) = may_ask(ctx, gate, head, body, info).await {
        return Ok(denied.into_response());
    }
    let asked: ReleaseRequest<'_> = read_in_haste(body)?;
    let mut fields = Fields::default();
    let one = asked.hold.as_deref().and_then(|text| fields.check("hold", text.parse::<Hold>()));
    let many: Vec<Hold> = asked.holds.iter().take(MOST).enumerate().filter_map(|(i, text)| fields.check(&format!("holds.{i}"), text.parse::<Hold>())).collect();
    match (asked.hold.is_some(), asked.holds.len()) {
        (false, 0) => fields.add("hold", "Send the hold of a verification, or several as holds."),
        (_, count) if count > MOST => fields.add("holds", "Send at most 100 holds at once."),
        _ => {}
    }
    fields.done()?;
    let holds: Vec<Hold> = one.into_iter().chain(many).collect();
    let sent = send_on(ctx, gate, &holds).await;
    let data = holds.iter().map(|hold| ReleasedBody { hold: hold.to_string(), released: gate.release(hold), sent_on: sent && hold.node != gate.node() });
    let data: Vec<ReleasedBody> = data.collect();
    Ok(Json(ReleaseAnswer { released: data.iter().all(|of| of.released || of.sent_on), data }).into_response())
}

/// Tells other nodes of the places that they gave. False if none of them is there, or the database is away: the places end by themselves.
async fn send_on(ctx: &Ctx, gate: &Gate, holds: &[Hold]) -> bool {
    let elsewhere: Vec<String> = holds.iter().filter(|hold| hold.node != gate.node()).map(Hold::to_string).collect();
    let is_alone = ctx.part::<Nodes>().is_none_or(|nodes| nodes.is_alone());
    if elsewhere.is_empty() || is_alone {
        return false;
    }
    match tokio::time::timeout(ANSWER, tell_released(&ctx.db, &elsewhere.join(" "))).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::warn!("places that other nodes gave were not given back, they end by themselves: {error}");
            false
        }
        Err(_) => {
            tracing::warn!("places that other nodes gave were not given back in time, they end by themselves");
            false
        }
    }
}
