//! A sign-in on its way to a provider and back. All of it (state, nonce, PKCE verifier, what it is for) is sealed in the browser that
//! began it, so that nobody else's browser can end it (R72; RFC 9700 §4.7); of the state a hash stays here, so that it ends once. It
//! lasts ten minutes, and a browser has one at a time.

use super::{named, store, talk};
use crate::{
    accounts::{
        model::{Caller, Onward},
        server::{
            Visitor,
            attempts::{self, Attempt},
            factors::{require_recent_proof, session_of},
            is_time_zone,
        },
    },
    error::AppError,
    platform::{Ctx, config::Provider, crypto::sha256},
    values::{SessionId, Slug, permission_names as may},
};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use time::Duration;

/// How long somebody may take at the provider.
pub const LASTS: Duration = Duration::minutes(10);
/// A longer way on is forgotten: a cookie has 4 kB.
const NEXT_CHARS: usize = 500;
const OVER: &str = "This was not started in this browser, expired after ten minutes, or is already complete. Start again.";

/// What the browser holds, sealed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Flow {
    pub provider: Slug,
    pub state: String,
    pub nonce: String,
    /// PKCE (RFC 7636): 43 characters.
    pub verifier: String,
    pub purpose: Purpose,
    /// Where a sign-in leads then.
    pub next: Option<String>,
    /// In which zone the browser is, as it said; one that there is.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// Seconds since 1970.
    pub begun: i64,
}

/// What somebody goes to the provider for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    SignIn,
    /// To link what they are there, in this session.
    Link {
        session: SessionId,
    },
    /// To prove again who sits at this session (`factors::step_up`), for a form that waits.
    Prove {
        session: SessionId,
        form: Option<String>,
    },
}

/// Begins a sign-in.
pub async fn begin(ctx: &Ctx, from: &Visitor, slug: &str, next: Option<String>, time_zone: Option<String>) -> Result<Flow, AppError> {
    let next = next.filter(|next| next.len() <= NEXT_CHARS);
    let flow = start(ctx, from, named(ctx, slug)?, Purpose::SignIn, next).await?;
    Ok(Flow { time_zone: time_zone.filter(|zone| is_time_zone(zone)), ..flow })
}

/// Begins to link another sign-in to the caller's account.
pub async fn begin_link(ctx: &Ctx, caller: &Caller, from: &Visitor, slug: &str) -> Result<Flow, AppError> {
    caller.require(&may::ACCOUNT_WRITE)?;
    let session = session_of(caller)?;
    require_recent_proof(ctx, caller).await?;
    start(ctx, from, named(ctx, slug)?, Purpose::Link { session }, None).await
}

/// Begins to prove again who the caller is.
pub async fn begin_proof(ctx: &Ctx, caller: &Caller, from: &Visitor, slug: &str, form: Option<String>) -> Result<Flow, AppError> {
    let session = session_of(caller)?;
    start(ctx, from, named(ctx, slug)?, Purpose::Prove { session, form }, None).await
}

/// A provider that can't be reached says so here, before the browser leaves.
async fn start(ctx: &Ctx, from: &Visitor, provider: &Provider, purpose: Purpose, next: Option<String>) -> Result<Flow, AppError> {
    Attempt::charge(ctx, &attempts::PROOF_FROM, &attempts::network(from.address)).await?;
    let now = ctx.clock.now();
    let secret = || ctx.rng.base62(43);
    let (state, nonce, verifier) = (secret(), secret(), secret());
    let flow = Flow { provider: provider.slug.clone(), state, nonce, verifier, purpose, next, time_zone: None, begun: now.unix_timestamp() };
    talk::authorization(ctx, provider, &flow).await?;
    store::insert_flow(&ctx.db, &sha256(&flow.state), now + LASTS).await?;
    Ok(flow)
}

/// Where the browser that holds a flow goes now; none if it holds none for this provider.
pub async fn onward(ctx: &Ctx, slug: &str, held: Option<&str>) -> Result<Option<Onward>, AppError> {
    let provider = named(ctx, slug)?;
    match Flow::of(ctx, held).filter(|flow| flow.provider == provider.slug) {
        Some(flow) => Ok(Some(Onward { name: provider.name.clone(), url: talk::authorization(ctx, provider, &flow).await?.into() })),
        None => Ok(None),
    }
}

/// Takes up the flow that this browser began, once, if the provider sent its state along.
pub(super) async fn take(ctx: &Ctx, provider: &Provider, held: Option<&str>, state: &str) -> Result<Flow, AppError> {
    let over = || AppError::conflict(OVER);
    let is_it = |flow: &Flow| flow.provider == provider.slug && bool::from(flow.state.as_bytes().ct_eq(state.as_bytes()));
    let flow = Flow::of(ctx, held).filter(is_it).ok_or_else(over)?;
    let is_first = store::take_flow(&ctx.db, &sha256(&flow.state), ctx.clock.now()).await?;
    if is_first { Ok(flow) } else { Err(over()) }
}

impl Flow {
    /// The path where the browser goes on.
    pub fn path(&self) -> String {
        format!("/sign-in/with/{}", self.provider)
    }

    pub fn text(&self) -> Result<String, AppError> {
        serde_json::to_string(self).map_err(AppError::internal)
    }

    pub(super) fn is_proof(&self) -> bool {
        matches!(self.purpose, Purpose::Prove { .. })
    }

    fn of(ctx: &Ctx, held: Option<&str>) -> Option<Self> {
        let flow: Self = serde_json::from_str(held?).ok()?;
        (ctx.clock.now().unix_timestamp() < flow.begun + LASTS.whole_seconds()).then_some(flow)
    }
}
