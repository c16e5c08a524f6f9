//! Cross-site requests are refused before anything is routed (SECURITY.md "CSRF algorithm"; OWASP: Fetch Metadata with an Origin fallback).
//!
//! For every method but GET, HEAD and OPTIONS: `Sec-Fetch-Site` must be `same-origin` or `none`; a browser without it must send our
//! `Origin`; a program without either may come only without cookies, and with a key or to REST, where nobody signs in by a cookie and
//! programs ask for their tokens. Forms come from browsers, which send one of the two. The content type must be one that a handler of ours
//! reads; forms with files in them only where there is such a form.

use super::{csp_reports, uploads};
use crate::{error::AppError, platform::Ctx};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

const CONTENT_TYPES: [&str; 3] = ["application/x-www-form-urlencoded", "application/json", "application/problem+json"];

/// Refuses what another site made the browser send.
pub async fn csrf(State(ctx): State<Ctx>, request: Request, next: Next) -> Response {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    // TRACE would show a page what its browser keeps from it (RFC 9110 §9.3.8), and CONNECT is for proxies.
    if matches!(*request.method(), Method::TRACE | Method::CONNECT) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let is_function = request.uri().path().starts_with("/fn/");
    // What browsers report is sent by no page, and changes nothing.
    let is_report = request.uri().path() == csp_reports::PATH;
    if (is_read && !is_function) || is_report || request.uri().path().starts_with("/forward-auth/") || brings_a_key(&request) {
        return next.run(request).await;
    }
    match check(request.headers(), request.uri().path(), &ctx.config.origin()) {
        Ok(()) => next.run(request).await,
        Err(reason) => {
            tracing::warn!(reason, "cross-site request refused");
            AppError::refused(format!("This did not come from a page of this site: {reason}. Open the page here and send it again.")).into_response()
        }
    }
}

/// A REST call with a key and without cookies is nobody's session. A page of another site can't send one unasked: its browser asks by a
/// preflight first, and that is answered for the origins of keys only.
fn brings_a_key(request: &Request) -> bool {
    let headers = request.headers();
    has_key(headers) && request.uri().path().starts_with("/api/v1/") && !headers.contains_key(header::COOKIE)
}

fn has_key(headers: &HeaderMap) -> bool {
    headers.contains_key(header::AUTHORIZATION) || headers.contains_key("x-api-key")
}

fn check(headers: &HeaderMap, path: &str, origin: &str) -> Result<(), &'static str> {
    let get = |name| headers.get(name).and_then(|v: &header::HeaderValue| v.to_str().ok());
    match get(header::HeaderName::from_static("sec-fetch-site")) {
        Some("same-origin" | "none") => {}
        Some(_) => return Err("another site sent this"),
        None => match get(header::ORIGIN) {
            Some(given) if given == origin => {}
            Some(_) => return Err("the Origin is not ours"),
            None if headers.contains_key(header::COOKIE) => return Err("cookies without an Origin"),
            None if has_key(headers) || path.starts_with("/api/v1/") => {}
            None => return Err("it names no Origin"),
        },
    }
    let has_body = get(header::CONTENT_LENGTH).is_some_and(|l| l != "0") || headers.contains_key(header::TRANSFER_ENCODING);
    match get(header::CONTENT_TYPE) {
        None if !has_body => Ok(()),
        None => Err("a body without a content type"),
        Some(_) if uploads::is_multipart(headers) && uploads::takes_files(path) => Ok(()),
        Some(kind) => {
            let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            if CONTENT_TYPES.contains(&kind.as_str()) { Ok(()) } else { Err("this content type is not read here") }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(pairs: &[(&'static str, &'static str)]) -> bool {
        checked_at("/keys", pairs)
    }

    fn checked_at(path: &str, pairs: &[(&'static str, &'static str)]) -> bool {
        let headers = pairs.iter().map(|(k, v)| (header::HeaderName::from_static(k), header::HeaderValue::from_static(v))).collect();
        check(&headers, path, "https://api.example.com").is_ok()
    }

    #[test]
    fn forms_with_files_come_from_our_pages_to_the_page_that_has_one() {
        let files = ("content-type", "Multipart/Form-Data; boundary=x");
        assert!(checked_at(uploads::PICTURE_PAGE, &[("sec-fetch-site", "same-origin"), files]));
        assert!(!checked_at(uploads::PICTURE_PAGE, &[("sec-fetch-site", "cross-site"), files]), "a browser sends these for any site");
        assert!(!checked_at(uploads::PICTURE_PAGE, &[("origin", "https://evil.example"), files]));
        for elsewhere in ["/keys", "/fn/tollgate/accounts/api/profile/update_profile", "/api/v1/me", "/settings/profile/"] {
            assert!(!checked_at(elsewhere, &[("sec-fetch-site", "same-origin"), files]), "{elsewhere}");
        }
        assert!(!checked_at(uploads::PICTURE_PAGE, &[("sec-fetch-site", "same-origin"), ("content-type", "image/png")]));
    }

    #[test]
    fn s36_only_our_own_pages_and_programs_without_cookies_may_write() {
        assert!(checked(&[("sec-fetch-site", "same-origin"), ("content-type", "application/x-www-form-urlencoded")]));
        assert!(checked(&[("sec-fetch-site", "none")]));
        assert!(!checked(&[("sec-fetch-site", "cross-site")]));
        assert!(!checked(&[("sec-fetch-site", "same-site")]));
        assert!(checked(&[("origin", "https://api.example.com")]));
        assert!(!checked(&[("origin", "null")]));
        assert!(!checked(&[("origin", "https://api.example.com.evil.example")]));
        assert!(checked(&[("authorization", "Bearer x"), ("content-type", "application/json; charset=utf-8")]));
        assert!(!checked(&[("cookie", "sid=1")]));
        let json = ("content-type", "application/json");
        assert!(!checked(&[json]) && !checked(&[]), "a form that no browser says it sent");
        assert!(checked_at("/api/v1/auth/token", &[json]), "a program without a token yet");
        assert!(!checked_at("/api/v1/auth/token", &[json, ("cookie", "sid=1")]));
        assert!(!checked(&[("content-type", "text/plain")]));
    }
}
