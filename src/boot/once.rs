//! Requests of the REST API that name themselves (`Idempotency-Key`) are done once. Which routes take it stands here, and nowhere else: the
//! document says it of the same (`openapi`).
//!
//! An answer that must not be stored (`no-store`: it holds a secret) is not kept, nor one that is large (`once::MOST_OF_ONE`); sent again, such a
//! request is told so (409).

use crate::{
    accounts::{Caller, Via},
    error::AppError,
    platform::{
        Ctx,
        http::{
            json::with_location,
            uploads::{most_at, too_long},
        },
        once::{self, Answer, Asked, Attempt, Begun, Kept},
    },
};
use axum::{
    body::{Body, to_bytes},
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// The routes whose POST creates or adds something or starts a job, for who is known. Those for nobody in particular (sign-up, forgotten
/// passwords) answer everybody alike and have no name to go by; what only sets a state is the same when it is done twice.
pub const ROUTES: [&str; 18] = [
    "/api/v1/admin/accounts/import",
    "/api/v1/alert-rules",
    "/api/v1/apis",
    "/api/v1/bans",
    "/api/v1/blocks",
    "/api/v1/exports",
    "/api/v1/groups",
    "/api/v1/groups/{slug}/members",
    "/api/v1/keys",
    "/api/v1/keys/batch",
    "/api/v1/keys/import",
    "/api/v1/keys/{id}/leaked",
    "/api/v1/keys/{id}/limits/{name}/credits",
    "/api/v1/keys/{id}/rotate",
    "/api/v1/me/email",
    "/api/v1/me/export",
    "/api/v1/plans",
    "/api/v1/usage/latencies",
];

/// Says that this is the answer of an earlier request.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

const ANOTHER: &str = "This Idempotency-Key belongs to another request. Send a new one for a new request.";
const UNANSWERED: &str = "This request was done before, but its answer got lost. Look at what it made; to do it again, send a new Idempotency-Key.";

/// The layer, behind the one that finds out who calls.
pub async fn do_once(State(ctx): State<Ctx>, request: Request, next: Next) -> Response {
    let takes_name = *request.method() == Method::POST && request.extensions().get::<MatchedPath>().is_some_and(|path| ROUTES.contains(&path.as_str()));
    // Who is nobody is refused by the operation.
    let Some(caller) = request.extensions().get::<Caller>().filter(|_| takes_name).cloned() else { return next.run(request).await };
    match once::name(request.headers()) {
        Ok(None) => next.run(request).await,
        Ok(Some(name)) => answer(&ctx, &caller, &name, request, next).await.unwrap_or_else(IntoResponse::into_response),
        Err(error) => error.into_response(),
    }
}

async fn answer(ctx: &Ctx, caller: &Caller, name: &str, request: Request, next: Next) -> Result<Response, AppError> {
    let (head, body) = request.into_parts();
    let most = most_at(head.uri.path());
    let body = to_bytes(body, most).await.map_err(|_| too_long(most))?;
    let said = [head.uri.query().unwrap_or_default().as_bytes(), &b"\n"[..], &body[..]].concat();
    // Of each key its own: what one may be told, another one of the same account may not.
    let by = match caller.via {
        Via::Key(key) => key.uuid(),
        Via::Token(program) => program.uuid(),
        Via::Session(_) | Via::Acting(_) | Via::Cli => caller.account.uuid(),
    };
    let begun = once::begin(ctx, &Asked { by, account: caller.account, path: head.uri.path(), name, said: &said }).await?;
    match begun {
        Begun::New(attempt) => {
            let response = attempt.run(next.run(Request::from_parts(head, Body::from(body)))).await;
            kept(attempt, response).await
        }
        Begun::Done(answer) => Ok(again(answer)),
        Begun::Another => Err(AppError::invalid("", ANOTHER)),
        Begun::Unanswered => Err(AppError::conflict(UNANSWERED)),
        Begun::Running => {
            let mut response = once::is_running().into_response();
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            Ok(response)
        }
    }
}

/// The answer, kept for the next one; what was refused may be tried again under its name.
async fn kept(attempt: Attempt, response: Response) -> Result<Response, AppError> {
    if !response.status().is_success() {
        attempt.free().await;
        return Ok(response);
    }
    let (head, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.map_err(AppError::internal)?;
    let text = |name: HeaderName| head.headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let is_secret = text(header::CACHE_CONTROL).is_some_and(|value| value.contains("no-store"));
    let answer = Answer {
        status: head.status.as_u16(),
        location: text(header::LOCATION),
        kind: text(header::CONTENT_TYPE),
        body: if is_secret { Kept::Secret } else { Kept::of(&body) },
    };
    attempt.keep(&answer).await;
    Ok(Response::from_parts(head, Body::from(body)))
}

/// The answer of the first time, or why there is none.
fn again(answer: Answer) -> Response {
    let Answer { status, location, kind, body } = answer;
    let made = match (status, location.as_deref()) {
        (201, Some(path)) => format!(" and made {path}"),
        (_, Some(path)) => format!(": {path}"),
        (_, None) => String::new(),
    };
    // The address of a list: it made several.
    let (held, are, key) = match location.as_deref() {
        Some(path) if path.contains('?') => ("secrets", "are", "their keys to get new ones"),
        _ => ("a secret", "is", "the key to get a new one"),
    };
    let response = match body {
        Kept::Whole(body) => {
            let mut response = (StatusCode::from_u16(status).unwrap_or(StatusCode::OK), Body::from(body)).into_response();
            let headers = response.headers_mut();
            headers.insert(REPLAYED, HeaderValue::from_static("true"));
            if let Some(kind) = kind.and_then(|kind| HeaderValue::from_str(&kind).ok()) {
                headers.insert(header::CONTENT_TYPE, kind);
            }
            response
        }
        Kept::Secret => {
            let words = format!("This request was done before{made}. Its answer held {held}, which {are} stored nowhere: rotate {key}.");
            AppError::conflict(words).into_response()
        }
        Kept::LetGo => {
            let words = format!("This request was done before{made}. Its answer was too large to be kept, or newer ones took its room: read what it made.");
            AppError::conflict(words).into_response()
        }
    };
    match location {
        Some(path) => with_location(&path, response),
        None => response,
    }
}
