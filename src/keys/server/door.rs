//! The gate's own door. What services and proxies ask for every call of a protected API, and tell of its end, goes straight to the gate, past the router and
//! the layers that pages need: no session, no cookies, no span, no database, nothing awaited but the body of a question, the nonce of a
//! signature (`signing`), after a pause of the process the first word of the database (`gate::Contact`), and between several nodes a
//! lease (`gate::leases`).
//!
//! What every answer has, these have too: a request id, problem documents, a panic that ends its request and not the process, and of the
//! headers those that make sense where no page is shown (`headers::for_programs`).

use super::{forward_auth, gate::Gate, release_http, verify_http};
use crate::platform::{
    Ctx,
    http::{
        answer::AnswerBody,
        headers::for_programs,
        request::{Ids, RequestInfo, X_REQUEST_ID, client_address, given_id, panicked},
    },
    telemetry,
};
use axum::{
    body::Bytes,
    http::{HeaderValue, Method, Request, Response, StatusCode, header, request::Parts},
    response::IntoResponse,
};
use futures_util::FutureExt;
use http_body_util::{BodyExt, Collected, Limited};
use hyper::body::Incoming;
use std::{net::IpAddr, panic::AssertUnwindSafe, pin::pin, sync::Arc, time::Duration};
use tokio::time::timeout;
use tracing::Level;

/// The largest question.
const BODY_BYTES: usize = 16 * 1024;

/// Answers what is asked of the gate.
pub struct Door {
    ctx: Ctx,
    gate: Arc<Gate>,
    ids: Ids,
    /// This site is reached by https.
    is_https: bool,
}

impl Door {
    pub fn new(ctx: Ctx, gate: Arc<Gate>) -> Self {
        let (ids, is_https) = (Ids::new(&ctx.rng), ctx.config.secure_cookies());
        Self { ctx, gate, ids, is_https }
    }

    /// True for the paths that this door answers.
    pub fn is_for(path: &str) -> bool {
        matches!(path, verify_http::PATH | release_http::PATH) || path.starts_with(forward_auth::PATH)
    }

    pub async fn answer(&self, peer: IpAddr, request: Request<Incoming>) -> Response<AnswerBody> {
        let (head, body) = request.into_parts();
        let id: Arc<str> = given_id(&head.headers).map_or_else(|| self.ids.next(), Into::into);
        let address = client_address(&head.headers, peer, &self.ctx.config.server.trusted_proxies);
        let info = RequestInfo { id: Arc::clone(&id), address, device: String::new() };
        // Pinned where it is made: what is wrapped around it moves a pointer, not the whole work.
        let work = pin!(self.decide(&head, &info, body));
        let work = AssertUnwindSafe(work).catch_unwind();
        let mut response = telemetry::in_request(Arc::clone(&id), async { work.await.unwrap_or_else(|cause| panicked(cause).map(Into::into)) }).await;
        for_programs(response.headers_mut(), self.is_https && !head.uri.path().starts_with(forward_auth::PATH));
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(X_REQUEST_ID, id);
        }
        response
    }

    async fn decide(&self, head: &Parts, info: &RequestInfo, body: Incoming) -> Response<AnswerBody> {
        let start = tracing::enabled!(Level::DEBUG).then(|| self.ctx.clock.now_micros());
        let path = head.uri.path();
        let response = if path.starts_with(forward_auth::PATH) {
            match self.gate.contact().check().await {
                Ok(()) => forward_auth::answer(&self.ctx, &self.gate, info, head).await.map(Into::into),
                Err(stopped) => forward_auth::stopped(head, stopped).map(Into::into),
            }
        } else if head.method != Method::POST {
            only_post().map(Into::into)
        } else {
            match arrived(body, self.ctx.config.server.request_timeout).await {
                Ok(question) => self.answer_question(head, info, &question).await,
                Err(StatusCode::REQUEST_TIMEOUT) => too_late().map(Into::into),
                Err(_) => problem(StatusCode::PAYLOAD_TOO_LARGE, "A question to the gate has at most 16 KiB.").map(Into::into),
            }
        };
        if let Some(start) = start {
            tracing::debug!(method = %head.method, path, status = response.status().as_u16(), micros = self.ctx.clock.now_micros() - start, "answered");
        }
        response
    }

    async fn answer_question(&self, head: &Parts, info: &RequestInfo, question: &[u8]) -> Response<AnswerBody> {
        // Asked after the body has come, however long that took: what is decided now is decided on what is known now.
        if let Err(stopped) = self.gate.contact().check().await {
            return stopped.into_response().map(Into::into);
        }
        let answered = if head.uri.path() == release_http::PATH {
            Box::pin(release_http::release_holds(&self.ctx, &self.gate, info, head, question)).await.map(|response| response.map(Into::into))
        } else {
            verify_http::verify_key(&self.ctx, &self.gate, info, head, question).await
        };
        answered.unwrap_or_else(|error| error.into_response().map(Into::into))
    }
}

/// The whole question, or the status that says why there is none. Most come with their head: only for one that is waited for a timer is made.
async fn arrived(body: Incoming, patience: Duration) -> Result<Bytes, StatusCode> {
    let mut arriving = pin!(Limited::new(body, BODY_BYTES).collect());
    let question = match arriving.as_mut().now_or_never() {
        Some(question) => question,
        None => Box::pin(timeout(patience, arriving)).await.map_err(|_| StatusCode::REQUEST_TIMEOUT)?,
    };
    question.map(Collected::to_bytes).map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)
}

/// The connection ends with it (RFC 9110 §15.5.9).
fn too_late() -> axum::response::Response {
    let mut response = problem(StatusCode::REQUEST_TIMEOUT, "The question took too long to arrive. Send it again.");
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

fn only_post() -> axum::response::Response {
    let mut response = problem(StatusCode::METHOD_NOT_ALLOWED, "Ask by POST.");
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    response
}

/// A status that no operation has (RFC 9457).
fn problem(status: StatusCode, detail: &str) -> axum::response::Response {
    let title = status.canonical_reason().unwrap_or_default();
    let body = serde_json::json!({ "type": "about:blank", "title": title, "status": status.as_u16(), "detail": detail, "request_id": telemetry::request_id() });
    (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// It is moved to its place for every question: whatever rarely waits has a place of its own there.
    #[test]
    fn the_work_of_a_question_is_small() {
        fn size<'a, F: Future>(_: impl Fn(&'a Door, IpAddr, Request<Incoming>) -> F) -> usize {
            size_of::<F>()
        }
        let bytes = size(Door::answer);
        assert!(bytes <= 2_048, "{bytes} bytes");
    }
}
