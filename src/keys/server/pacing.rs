//! How fast an account may go, with pages, with functions and with programs that signed in; and an address where nobody is signed in. Keys
//! have limits of their own. What is asked of the gate, files and health never come here.

use super::{gate::LimitState, ratelimit, rest::presented};
use crate::{
    accounts::{Caller, server::network},
    error::AppError,
    keys::model::{LimitUnit, OverAction, Window},
    platform::{
        Ctx,
        config::Limits,
        http::{
            RequestInfo,
            pace::{Pace, Standing},
            reply::with_request_id,
        },
    },
    values::AccountId,
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use leptos::server_fn::error::{FromServerFnError, SERVER_FN_ERROR_HEADER};
use std::net::IpAddr;

/// Where everybody stands, in this process.
pub struct Paces {
    accounts: Pace<AccountId>,
    addresses: Pace<String>,
    emergencies: Pace<AccountId>,
}

/// So many acts a minute that stop a key are free of limits, for the keys of one account.
const EMERGENCIES: u32 = 60;

impl Paces {
    pub fn new(limits: &Limits) -> Self {
        Self { accounts: Pace::new(limits.account_rate), addresses: Pace::new(limits.address_rate), emergencies: Pace::new(EMERGENCIES) }
    }
}

/// One request of an account, or from an address; the default is one that nothing limits.
#[derive(Debug, Default)]
pub struct Turn {
    state: Option<LimitState>,
    is_over: bool,
}

impl Turn {
    pub fn of_account(ctx: &Ctx, account: AccountId) -> Self {
        Self::taken(ctx, "account", |paces, now| paces.accounts.take(account, now))
    }

    /// Of everybody who comes from there.
    pub fn of_address(ctx: &Ctx, address: IpAddr) -> Self {
        Self::taken(ctx, "address", |paces, now| paces.addresses.take(network(address), now))
    }

    fn taken(ctx: &Ctx, name: &str, take: impl FnOnce(&Paces, i64) -> Option<Standing>) -> Self {
        let Some(standing) = ctx.part::<Paces>().and_then(|paces| take(&paces, ctx.clock.now_micros())) else { return Self::default() };
        let (limit, remaining) = (u64::from(standing.rate), u64::from(standing.remaining));
        let state = LimitState {
            name: name.into(),
            limit,
            used: limit - remaining,
            remaining,
            reset_after: standing.reset_after,
            window: Window::Seconds(60),
            unit: LimitUnit::Units,
            length: 60,
            over: OverAction::Refuse,
        };
        Self { state: Some(state), is_over: standing.is_over }
    }

    /// What a program is told, if it is one too many.
    pub fn over(&self) -> Option<AppError> {
        let state = self.state.as_ref().filter(|_| self.is_over)?;
        Some(AppError::QuotaExceeded { quotas: vec![state.name.to_string()], retry_after: Some(state.reset_after) })
    }

    /// Writes the RateLimit fields.
    pub fn tell(&self, headers: &mut HeaderMap) {
        ratelimit::tell(headers, self.state.as_slice());
    }
}

/// Whether this account may do one more of what stops a key without a limit being asked: beyond, it is a call as any other.
pub fn is_free(ctx: &Ctx, account: AccountId) -> bool {
    let standing = ctx.part::<Paces>().and_then(|paces| paces.emergencies.take(account, ctx.clock.now_micros()));
    standing.is_some_and(|standing| !standing.is_over)
}

/// The layer behind `identify`. A browser that goes to a page is told by one: the last look at the answer makes it.
pub async fn pace(State(ctx): State<Ctx>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let (is_rest, is_function) = (path.starts_with("/api/"), path.starts_with("/fn/"));
    // A key, or a program that signed in: `rest` knows who it is.
    if is_rest && presented(request.headers()).is_some() {
        return next.run(request).await;
    }
    let turn = match (request.extensions().get::<Caller>(), request.extensions().get::<RequestInfo>()) {
        // Who acts as somebody else goes at their own pace.
        (Some(caller), _) => Turn::of_account(&ctx, caller.operator.unwrap_or(caller.account)),
        (None, Some(info)) => Turn::of_address(&ctx, info.address),
        (None, None) => Turn::default(),
    };
    let mut response = match turn.over() {
        None => next.run(request).await,
        Some(over) if is_rest => over.into_response(),
        Some(over) => too_fast(over.retry_after().unwrap_or(1), is_function),
    };
    turn.tell(response.headers_mut());
    response
}

/// For a person, and for the script of a page.
fn too_fast(retry_after: u64, is_function: bool) -> Response {
    let error = AppError::RateLimited { retry_after };
    if !is_function {
        return error.into_response();
    }
    let mut response = (StatusCode::TOO_MANY_REQUESTS, [(SERVER_FN_ERROR_HEADER, "refused")], with_request_id(error.ser())).into_response();
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(retry_after));
    response
}
