//! What takes too long is stopped. Whoever was to blame is told apart: 504 is our own slowness, 408 a request that did not arrive whole
//! (RFC 9110 §15.5.9), and ends its connection: what comes late after all is no next request.

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};
use hyper::body::{Frame, SizeHint};
use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

/// The layer around the time-out.
pub async fn tell_late_bodies(request: Request, next: Next) -> Response {
    let is_awaited = Arc::new(AtomicBool::new(false));
    let request = request.map(|body| Body::new(Arriving { body, is_awaited: Arc::clone(&is_awaited) }));
    let mut answer = next.run(request).await;
    if answer.status() == StatusCode::GATEWAY_TIMEOUT && is_awaited.load(Ordering::Relaxed) {
        *answer.status_mut() = StatusCode::REQUEST_TIMEOUT;
        answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}

/// A body of a request, which knows whether somebody waits for more of it.
struct Arriving {
    body: Body,
    is_awaited: Arc<AtomicBool>,
}

impl hyper::body::Body for Arriving {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        self.is_awaited.store(frame.is_pending(), Ordering::Relaxed);
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
