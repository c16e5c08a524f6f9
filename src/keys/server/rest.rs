//! Who calls the REST API: a key for the API `tollgate`, a program that signed in, or the signed-in person.
//!
//! A key passes the very same gate as anybody's: its limits hold, the call is metered under the route's pattern, and the RateLimit
//! fields are told. The caller's permissions are those of the key that its owner still has. A program goes at the pace of its account
//! (`pacing`), and so does a browser, before it comes here. A key that lets nobody in goes at the pace of its address.
//!
//! A page of another site reads an answer only if the key names its origin; a preflight is answered if any key for Tollgate does.

use super::{
    coming_back,
    gate::{Answer, Gate, Hold, Question},
    origins,
    pacing::{Turn, is_free},
    signing::{Proof, field_of, hint, may_have_body, own_message, prove},
};
use crate::{
    accounts::{
        Caller, Via,
        server::{Visitor, asker_for_sure, caller_of_account, caller_of_token, programs::is_access_token, with_pin},
    },
    error::AppError,
    platform::{
        Ctx,
        http::{
            RequestInfo,
            request::names_caller,
            uploads::{ListOf, is_long_list},
        },
    },
    values::{AccountId, NotNow, Outcome},
};
use axum::{
    body::{Body, to_bytes},
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{net::IpAddr, sync::Arc};

/// The secret that a request carries: `Authorization: Bearer` first, then `X-API-Key`. Never in the query.
pub fn presented(headers: &HeaderMap) -> Option<&str> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(|v| {
        let (scheme, secret) = v.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
    });
    bearer.or_else(|| headers.get("x-api-key").and_then(|v| v.to_str().ok()).map(str::trim)).filter(|s| !s.is_empty())
}

/// The layer over the REST routes: a presented key becomes the caller, or the call ends here. Where what was sent is not enough, the
/// challenge says why.
pub async fn authenticate(State(ctx): State<Ctx>, request: Request, next: Next) -> Response {
    let was_sent = presented(request.headers()).is_some();
    let mut response = enter(ctx, request, next).await;
    if was_sent {
        challenge(&mut response);
    }
    response
}

/// RFC 6750 §3.1, of a refusal of what was sent; where nothing was, there is no error to name.
pub(super) fn challenge(response: &mut Response) {
    let said = match response.extensions().get::<AppError>() {
        Some(AppError::Unauthenticated | AppError::NotThisKey { .. } | AppError::Http { status: 401, .. }) => {
            "Bearer realm=\"tollgate\", error=\"invalid_token\"".to_owned()
        }
        Some(AppError::Forbidden { permission }) => format!("Bearer realm=\"tollgate\", error=\"insufficient_scope\", scope=\"{permission}\""),
        _ => return,
    };
    if let Ok(said) = HeaderValue::from_str(&said) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, said);
    }
}

async fn enter(ctx: Ctx, mut request: Request, next: Next) -> Response {
    let Some(gate) = ctx.part::<Gate>() else { return AppError::not_now(NotNow::Starting, 1).into_response() };
    let api = gate.api("tollgate").map(|api| api.id);
    // Our own pages are no other site.
    let origin = origins::told(request.headers()).filter(|origin| *origin != ctx.config.origin()).map(str::to_owned);
    if let (Some(origin), Some(api)) = (&origin, api)
        && origins::is_preflight(request.method().as_str(), request.headers())
        && gate.names_origin(api, origin)
    {
        return origins::preflight(request.headers(), origin);
    }
    let Some(secret) = presented(request.headers()).map(str::to_owned) else { return next.run(request).await };
    if is_access_token(&secret) {
        return as_program(&ctx, &secret, request, next).await;
    }
    if let Err(stopped) = gate.contact().check().await {
        return stopped.into_response();
    }
    let path = request.extensions().get::<MatchedPath>().map_or_else(|| request.uri().path().to_owned(), |p| p.as_str().to_owned());
    let info = request.extensions().get::<RequestInfo>().cloned();
    let route = format!("{} {path}", request.method());
    // Counted under the pattern, but the routes of a key may name one key: what was called counts for them.
    let called = format!("{} {}", request.method(), request.uri().path());
    let has_body = may_have_body(request.method().as_str(), request.headers());
    let mut question = Question {
        secret: &secret,
        api,
        route: &route,
        called: Some(&called),
        address: info.as_ref().map(|i| i.address),
        origin: origin.as_deref(),
        request_id: info.as_ref().map_or("", |i| &i.id),
        ..Question::default()
    };
    // Who must stop a key now does not wait until a limit renews.
    if stops_a_key(request.method(), &path) && gate.owner_of(question).is_some_and(|owner| is_free(&ctx, owner)) {
        question.cost = Some(0);
    }
    (request, question.proof) = match proof(&ctx, &gate, &question, request).await {
        Ok(proved) => proved,
        Err(error) => return error.into_response(),
    };
    let answer = match gate.ask(question).await {
        Ok(answer) => answer,
        Err(unleased) => return unleased.into_response(),
    };
    // Our own API sees when a call has ended.
    let place = answer.hold.as_deref().map(|hold| Place { gate: Arc::clone(&gate), hold: *hold });
    let turn = match &info {
        Some(info) if is_nobody(&answer) => Turn::of_address(&ctx, info.address),
        _ => Turn::default(),
    };
    let who = match (turn.over(), caller(&ctx, &answer).await) {
        (Some(over), _) => Err(over),
        (None, Ok(caller)) => beside(&ctx, caller, request.headers(), info.as_ref()).await,
        (None, refused) => refused,
    };
    let mut response = pass_on(who, request, next).await;
    drop(place);
    turn.tell(response.headers_mut());
    super::ratelimit::tell(response.headers_mut(), &answer.limits);
    super::ratelimit::tell_over(response.headers_mut(), answer.over());
    // What to sign, of a key whose calls are signed (RFC 9421 §5.1).
    if answer.outcome == Outcome::Forbidden
        && let Some(facts) = answer.facts()
        && let Some(signer) = facts.signer()
        && let Ok(wanted) = HeaderValue::from_str(&hint(facts.key, signer, has_body))
    {
        response.headers_mut().insert("accept-signature", wanted);
    }
    let is_named = |origin: &&String| answer.facts().is_some_and(|facts| !facts.rights.origins.is_empty() && origins::allows(&facts.rights.origins, origin));
    if let Some(origin) = origin.as_ref().filter(is_named) {
        origins::let_read(&mut response, origin);
    }
    response
}

/// Revoking, disabling and rotating a key, and dropping a secret.
fn stops_a_key(method: &Method, pattern: &str) -> bool {
    let Some(act) = pattern.strip_prefix("/api/v1/keys/{id}") else { return false };
    match *method {
        Method::POST => matches!(act, "/disable" | "/revoke" | "/rotate"),
        Method::DELETE => matches!(act, "" | "/secrets/{secret_id}"),
        _ => false,
    }
}

/// The layer before bodies are read: whose a long list is. Nothing is allowed by that; who sends it is asked when all of it is here. Where
/// nobody can say it now, that is the answer: the list would be left unread, and then be missed.
pub async fn whose_list(State(ctx): State<Ctx>, mut request: Request, next: Next) -> Response {
    if is_long_list(&request) {
        let headers = request.headers().clone();
        let called = format!("{} {}", request.method(), request.uri().path());
        let address = request.extensions().get::<RequestInfo>().map(|info| info.address);
        match sender(&ctx, &headers, called, address).await {
            Ok(Some(account)) => {
                request.extensions_mut().insert(ListOf(account));
            }
            Ok(None) => {}
            Err(error) => return error.into_response(),
        }
    }
    next.run(request).await
}

/// Whose request this is, as far as its head says; none: nobody's.
async fn sender(ctx: &Ctx, headers: &HeaderMap, called: String, address: Option<IpAddr>) -> Result<Option<AccountId>, AppError> {
    match presented(headers) {
        Some(token) if is_access_token(token) => match caller_of_token(ctx, token, address).await {
            Ok(caller) => Ok(Some(caller.account)),
            Err(error) if error.status() >= 500 => Err(error),
            Err(_) => Ok(None),
        },
        Some(secret) => {
            let Some(gate) = ctx.part::<Gate>() else { return Err(AppError::not_now(NotNow::Starting, 1)) };
            gate.contact().check().await?;
            let api = gate.api("tollgate").map(|api| api.id);
            let origin = origins::told(headers).filter(|origin| *origin != ctx.config.origin());
            Ok(gate.owner_of(Question { secret, api, route: &called, called: Some(&called), address, origin, ..Question::default() }))
        }
        None => {
            let Some(address) = address else { return Ok(None) };
            let known = asker_for_sure(ctx, headers, address).await?;
            Ok(known.caller.map(|caller| caller.operator.unwrap_or(caller.account)))
        }
    }
}

/// A place of a limit of calls at the same time, given back when this goes: also when the client hangs up.
struct Place {
    gate: Arc<Gate>,
    hold: Hold,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.gate.release(&self.hold);
    }
}

/// A program that signed in: no key, so no limits and no signature of one; its account's pace. Who guesses tokens goes at the pace of an
/// address.
async fn as_program(ctx: &Ctx, token: &str, request: Request, next: Next) -> Response {
    let info = request.extensions().get::<RequestInfo>().cloned();
    let found = caller_of_token(ctx, token, info.as_ref().map(|info| info.address)).await;
    let turn = match (&found, &info) {
        (Ok(caller), _) => Turn::of_account(ctx, caller.account),
        (Err(_), Some(info)) => Turn::of_address(ctx, info.address),
        (Err(_), None) => Turn::default(),
    };
    let who = match (turn.over(), found) {
        (Some(over), _) => Err(over),
        (None, Ok(caller)) => beside(ctx, caller, request.headers(), info.as_ref()).await,
        (None, refused) => refused,
    };
    let mut response = pass_on(who, request, next).await;
    turn.tell(response.headers_mut());
    response
}

/// To the route, which finds its caller; or back with what keeps it out.
async fn pass_on(who: Result<Caller, AppError>, mut request: Request, next: Next) -> Response {
    match who {
        Ok(caller) => {
            names_caller(request.extensions(), caller.account);
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(error) => error.into_response(),
    }
}

/// The largest body that a signature is checked with; the router reads no larger one.
const BODY_BYTES: usize = 256 * 1024;

/// What is known of the request's signature, and the request with its body, which had to be read for it.
async fn proof(ctx: &Ctx, gate: &Gate, question: &Question<'_>, request: Request) -> Result<(Request, Proof), AppError> {
    if !request.headers().contains_key("signature-input") {
        return Ok((request, Proof::Absent));
    }
    let (head, body) = request.into_parts();
    let body = to_bytes(body, BODY_BYTES).await.map_err(|_| AppError::invalid("", "The body did not arrive whole, or is too long."))?;
    let field = |name: &str| field_of(&head.headers, name);
    let proof = prove(ctx, gate, question, &own_message(&ctx.config.server.public_url, &head, &body, &field)).await?;
    Ok((Request::from_parts(head, Body::from(body)), proof))
}

/// True of a key that lets nobody in, and is told no limits of its own: who tries such keys goes at the pace of an address, as who sends none.
fn is_nobody(answer: &Answer) -> bool {
    answer.outcome.status().0 == 401 && answer.limits.is_empty()
}

async fn caller(ctx: &Ctx, answer: &Answer) -> Result<Caller, AppError> {
    let facts = match (answer.outcome, answer.facts()) {
        (Outcome::Valid, Some(facts)) => facts,
        (Outcome::RateLimited | Outcome::QuotaExceeded, _) => {
            let quotas = answer.violated().map(|limit| limit.name.to_string()).collect();
            return Err(match (coming_back::retry_after(answer), answer.why.as_deref()) {
                (None, Some(why)) => AppError::TooCostly { quotas, message: why.into() },
                (retry_after, _) => AppError::QuotaExceeded { quotas, retry_after },
            });
        }
        (outcome @ Outcome::IpDenied, _) => {
            return Err(answer.blocked().unwrap_or_else(|| AppError::refused(answer.why.as_deref().unwrap_or(outcome.sentence()))));
        }
        (outcome @ Outcome::Banned, _) => return Err(answer.blocked().unwrap_or(AppError::NotThisKey { outcome })),
        // Of an origin, the key's routes or a signature: our own routes have no other reason here.
        (outcome @ Outcome::Forbidden, _) => return Err(AppError::refused(answer.why.as_deref().unwrap_or(outcome.sentence()))),
        (Outcome::Valid, None) => return Err(AppError::Unauthenticated),
        (outcome, _) => return Err(AppError::NotThisKey { outcome }),
    };
    let owner = caller_of_account(ctx, facts.home.owner, Via::Key(facts.key)).await?;
    let mut caller = owner.ok_or(AppError::Unauthenticated)?;
    caller.permissions.retain(|p| facts.rights.permissions.contains(p));
    Ok(caller)
}

/// The caller, with the admin PIN if one is sent beside the key.
async fn beside(ctx: &Ctx, caller: Caller, headers: &HeaderMap, info: Option<&RequestInfo>) -> Result<Caller, AppError> {
    match (headers.get("admin-pin").and_then(|pin| pin.to_str().ok()), info) {
        (Some(pin), Some(info)) => with_pin(ctx, caller, &Visitor::of(info), &pin.into()).await,
        _ => Ok(caller),
    }
}
