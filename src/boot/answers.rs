//! The last look at an answer: a refusal is told as whoever asked reads it, with the id of the request, whoever refused.
//!
//! Much of what refuses knows a status and no more: the router for a method, an extractor for a path, the time-out. That becomes the
//! problem document here; and where a browser went to a page, a page, as does a problem document. The page is that of whoever is signed in, if
//! the request got so far that this was known; if not, it is looked up, but not for a failure, which the database may be the cause of. The
//! status stays, and so do the headers (`Allow`, `Retry-After`, cookies).

use super::{forms, state::AppState, theme};
use crate::{
    accounts::server::{Asker, Known, asker},
    error::AppError,
    platform::{http::RequestInfo, telemetry::request_id},
    ui::WayBack,
};
use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use leptos::server_fn::error::SERVER_FN_ERROR_HEADER;

/// What is asked below these is asked by programs, and answered as one reads it, also in the window of a browser (CONTRACT.md).
const FOR_PROGRAMS: [&str; 5] = ["/api/", "/fn/", "/forward-auth/", "/healthz", "/readyz"];

/// The layer.
pub async fn tell_refusals(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let going = goes_to_a_page(request.uri().path(), request.headers()).then(|| Going::of(&request));
    if let Some(going) = &going {
        request.extensions_mut().insert(going.asker.clone());
    }
    let answer = next.run(request).await;
    let status = answer.status();
    // A server function's own error is read by our script; to HEAD there is nothing to say.
    let is_ours = answer.headers().contains_key(SERVER_FN_ERROR_HEADER);
    if !(status.is_client_error() || status.is_server_error()) || is_ours || method == Method::HEAD {
        return answer;
    }
    let kind = answer.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let is_bare = kind.is_empty() || kind.starts_with("text/plain");
    let is_problem = kind.starts_with("application/problem+json");
    if !(is_bare || is_problem && going.is_some()) {
        return answer;
    }
    let said = answer.extensions().get::<AppError>().cloned();
    let error = said.unwrap_or_else(|| said_by(status, retry_after(answer.headers())));
    let told = match going {
        Some(going) => going.page(&state, error).await,
        None => error.into_response(),
    };
    with_head_of(answer, told)
}

/// What the browser was on its way to, as far as a page that refuses needs it.
struct Going {
    headers: HeaderMap,
    info: Option<RequestInfo>,
    back: Option<WayBack>,
    asker: Asker,
}

impl Going {
    fn of(request: &Request) -> Self {
        let back = (request.method() != Method::GET).then(|| WayBack(theme::back(request.headers())));
        let info = request.extensions().get::<RequestInfo>().cloned();
        Self { headers: request.headers().clone(), info, back, asker: Asker::default() }
    }

    /// The page that says no. The address that was asked for is left out: it may be what can't be read.
    async fn page(self, state: &AppState, error: AppError) -> Response {
        let known = match (self.asker.known(), &self.info) {
            (Some(known), _) => known,
            (None, Some(info)) if may_ask(error.status()) => asker(&state.ctx, &self.headers, info.address).await,
            (None, _) => Known::default(),
        };
        let mut request = Request::new(Body::empty());
        *request.headers_mut() = self.headers;
        for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::TRANSFER_ENCODING] {
            request.headers_mut().remove(name);
        }
        let extensions = request.extensions_mut();
        extensions.insert(error);
        known.enter(extensions);
        if let Some(info) = self.info {
            extensions.insert(info);
        }
        if let Some(back) = self.back {
            extensions.insert(back);
        }
        forms::render(state, request, None).await
    }
}

/// Whether there is time to look up who asks: not while something fails, nor for who asks too often.
fn may_ask(status: u16) -> bool {
    (400..500).contains(&status) && status != 429
}

/// A browser that shows what it gets in its window: it takes HTML, no JSON, and says that it goes there, or says nothing of why it asks.
fn goes_to_a_page(path: &str, headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|v| v.to_str().ok());
    let accepts = text(header::ACCEPT).unwrap_or_default();
    let is_window = text(HeaderName::from_static("sec-fetch-mode")).is_none_or(|mode| mode == "navigate");
    is_window && accepts.contains("text/html") && !accepts.contains("json") && !FOR_PROGRAMS.iter().any(|below| path.starts_with(below))
}

/// What a status alone means here, and the next step.
fn said_by(status: StatusCode, retry_after: Option<u64>) -> AppError {
    let words = match status {
        StatusCode::UNAUTHORIZED => return AppError::Unauthenticated,
        StatusCode::NOT_FOUND => return AppError::NotFound,
        StatusCode::TOO_MANY_REQUESTS => return AppError::RateLimited { retry_after: retry_after.unwrap_or(60) },
        StatusCode::SERVICE_UNAVAILABLE => return AppError::Unavailable { retry_after: retry_after.unwrap_or(5) },
        StatusCode::INTERNAL_SERVER_ERROR => return AppError::Internal { request_id: request_id() },
        StatusCode::METHOD_NOT_ALLOWED => "This address does not take this method. The header Allow names those that it takes.",
        StatusCode::PAYLOAD_TOO_LARGE => "This is too long. Make it shorter and send it again.",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "What was sent is of a kind that is not read here. Change its Content-Type and send it again.",
        StatusCode::REQUEST_TIMEOUT => "The request took too long to arrive. Send it again.",
        StatusCode::GATEWAY_TIMEOUT => "This took too long and was stopped. Look whether it was done before you send it again.",
        status if status.is_server_error() => "This can't be answered. Try again, and if it stays, report the request id.",
        _ => "This can't be read: the address, or what was sent with it, is not well formed. Check it and send it again.",
    };
    AppError::http(status.as_u16(), words)
}

fn retry_after(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::RETRY_AFTER).and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok())
}

/// The new body under the old status and headers, less those that speak of the old body.
fn with_head_of(answer: Response, told: Response) -> Response {
    let (mut head, _) = answer.into_parts();
    for name in [
        header::CONTENT_TYPE,
        header::CONTENT_LENGTH,
        header::CONTENT_ENCODING,
        header::CONTENT_DISPOSITION,
        header::TRANSFER_ENCODING,
        header::ETAG,
        header::LAST_MODIFIED,
        header::CACHE_CONTROL,
        header::CONTENT_SECURITY_POLICY,
    ] {
        head.headers.remove(name);
    }
    let (told, body) = told.into_parts();
    for (name, value) in &told.headers {
        // A page may drop the toast that it shows.
        if *name == header::SET_COOKIE {
            head.headers.append(name.clone(), value.clone());
        } else {
            head.headers.insert(name.clone(), value.clone());
        }
    }
    Response::from_parts(head, body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn is_page(path: &str, pairs: &[(&'static str, &'static str)]) -> bool {
        let headers = pairs.iter().map(|(k, v)| (HeaderName::from_static(k), HeaderValue::from_static(v))).collect();
        goes_to_a_page(path, &headers)
    }

    #[test]
    fn a_page_is_for_the_window_of_a_browser() {
        let html = ("accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8");
        assert!(is_page("/keys", &[html]));
        assert!(is_page("/keys", &[html, ("sec-fetch-mode", "navigate")]));
        assert!(!is_page("/keys", &[html, ("sec-fetch-mode", "cors")]), "a script");
        assert!(!is_page("/keys", &[("accept", "*/*")]), "a program");
        assert!(!is_page("/keys", &[("accept", "application/json, text/html")]));
        for path in ["/api/v1/me", "/fn/x", "/readyz", "/forward-auth/demo"] {
            assert!(!is_page(path, &[html]), "{path}");
        }
    }

    #[test]
    fn every_status_is_kept_by_the_words_for_it() {
        for code in 400..600 {
            let status = StatusCode::from_u16(code).expect("a status");
            let error = said_by(status, None);
            assert_eq!(error.status(), code, "{error}");
            assert!(error.to_string().len() > 20, "{code}");
        }
    }
}
