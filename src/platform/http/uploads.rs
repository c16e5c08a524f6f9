//! How long bodies may be, that they are here before anybody is known, and which routes take files: they alone read multipart bodies,
//! and they alone read more than a form has.

use crate::error::AppError;
use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderMap, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http_body_util::{BodyExt, Limited};

/// The largest body that any other route reads, in bytes.
pub const BODY_BYTES: usize = 256 * 1024;

/// How much of a form that is too long is read and dropped before it is answered, in bytes.
const DROPPED_BYTES: usize = 64 * 1024 * 1024;

/// The page with a form that sends a picture.
pub const PICTURE_PAGE: &str = "/settings/profile";

/// The pages that take files, and the longest body of each in bytes. It is some times what a file may have: up to here the page itself
/// can say that a file is too large, which it reads without keeping it.
const UPLOADS: [(&str, usize); 1] = [(PICTURE_PAGE, 32 * 1024 * 1024)];

/// Whether the body is a form with files in it.
pub fn is_multipart(headers: &HeaderMap) -> bool {
    is_of_kind(headers, "multipart/form-data")
}

fn is_of_kind(headers: &HeaderMap, wanted: &str) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(wanted)
}

/// Whether this path reads forms with files in them.
pub fn takes_files(path: &str) -> bool {
    UPLOADS.iter().any(|(page, _)| *page == path)
}

/// The layer: 413 for a body that says it is too long, and the end of reading for one that turns out to be.
pub async fn limit_bodies(request: Request, next: Next) -> Response {
    let upload = UPLOADS.iter().find(|(page, _)| *page == request.uri().path() && is_multipart(request.headers()));
    let most = upload.map_or(BODY_BYTES, |(_, most)| *most);
    let said = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<usize>().ok());
    if let Some(bytes) = said.filter(|bytes| *bytes > most) {
        let is_form = is_multipart(request.headers()) || is_of_kind(request.headers(), "application/x-www-form-urlencoded");
        if is_form && bytes <= DROPPED_BYTES {
            drop_body(request.into_body()).await;
        }
        return too_long(most).into_response();
    }
    next.run(request.map(|body| Body::new(Limited::new(body, most)))).await
}

/// The layer: nobody asks who sends a request before all of it is here. Else somebody could begin one, keep its end back while the account
/// takes its password from them, and go on as who they were. Forms with files are read piece by piece; what they change lets nobody in.
pub async fn whole_bodies(request: Request, next: Next) -> Response {
    if is_multipart(request.headers()) && takes_files(request.uri().path()) {
        return next.run(request).await;
    }
    let (head, body) = request.into_parts();
    match to_bytes(body, BODY_BYTES).await {
        Ok(bytes) => next.run(Request::from_parts(head, Body::from(bytes))).await,
        Err(_) => too_long(BODY_BYTES).into_response(),
    }
}

/// 413: what was sent has more bytes than are read here.
pub fn too_long(most: usize) -> AppError {
    AppError::http(413, format!("This is too long: {} kB is the most. Nothing was stored. Go back, make it shorter, and send it again.", most / 1024))
}

/// A browser that is still sending does not see its answer.
async fn drop_body(body: Body) {
    let mut body = Limited::new(body, DROPPED_BYTES);
    while let Some(Ok(_)) = body.frame().await {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{Router, http::StatusCode, middleware::from_fn, routing::post};
    use tower::ServiceExt;

    async fn status(path: &str, kind: &str, bytes: usize, is_said: bool) -> u16 {
        let read = |request: Request| async move { to_bytes(request.into_body(), usize::MAX).await.map_or(StatusCode::BAD_REQUEST, |_| StatusCode::OK) };
        let app: Router = Router::new().route(PICTURE_PAGE, post(read)).route("/keys", post(read)).layer(from_fn(limit_bodies));
        let mut request = Request::post(path).header(header::CONTENT_TYPE, kind);
        if is_said {
            request = request.header(header::CONTENT_LENGTH, bytes);
        }
        app.oneshot(request.body(Body::from(vec![0; bytes])).unwrap()).await.unwrap().status().as_u16()
    }

    #[tokio::test]
    async fn only_a_file_on_its_page_may_be_long() {
        let (files, form, long) = ("multipart/form-data; boundary=x", "application/x-www-form-urlencoded", BODY_BYTES + 1);
        assert_eq!(status("/keys", form, BODY_BYTES, true).await, 200);
        for is_said in [true, false] {
            let refused = if is_said { 413 } else { 400 };
            assert_eq!(status("/keys", form, long, is_said).await, refused);
            assert_eq!(status("/keys", files, long, is_said).await, refused);
            assert_eq!(status(PICTURE_PAGE, form, long, is_said).await, refused);
            assert_eq!(status(PICTURE_PAGE, files, long, is_said).await, 200);
            assert_eq!(status(PICTURE_PAGE, files, UPLOADS[0].1 + 1, is_said).await, refused);
        }
    }
}
