//! The headers of every answer (SECURITY.md "Exact values"), and the CSP of a page.

use crate::platform::Ctx;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};

/// The policy of a page whose scripts carry this nonce. A page that `frames` may show what lets itself be framed, which of ours is the
/// preview of a mail. `reloader` is what tells the page of a developer that it was built anew. What it stops, the browser reports
/// (`csp_reports`).
pub fn page_policy(nonce: &str, reloader: Option<&str>, frames: bool) -> String {
    let frames = if frames { " frame-src 'self';" } else { "" };
    let reloader = reloader.map(|at| format!(" {at}")).unwrap_or_default();
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self' 'nonce-{nonce}'; \
         img-src 'self' data:; font-src 'self'; connect-src 'self'{reloader}; manifest-src 'self';{frames} form-action 'self'; base-uri 'none'; \
         object-src 'none'; frame-ancestors 'none'; report-to csp"
    )
}

/// The policy of everything that is not a page: nothing may run, nothing may frame it.
const BARE_POLICY: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// Where somebody came from is no other site's business.
const REFERRER: &str = "same-origin";
/// Two years; this host and those below it are asked by https only.
const HTTPS_ONLY: &str = "max-age=63072000; includeSubDomains";

/// Adds what is missing; an answer that set its own (a page's CSP, a caching rule) keeps it.
pub async fn headers(State(ctx): State<Ctx>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut add = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    add(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    add(header::REFERRER_POLICY, REFERRER);
    add(header::X_FRAME_OPTIONS, "DENY");
    add(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    add(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    add(
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=(), publickey-credentials-get=(self), publickey-credentials-create=(self)",
    );
    add(header::CONTENT_SECURITY_POLICY, BARE_POLICY);
    add(header::CACHE_CONTROL, "no-store");
    if ctx.config.secure_cookies() {
        add(header::STRICT_TRANSPORT_SECURITY, HTTPS_ONLY);
    }
    name_the_charset(headers);
    response
}

/// For answers that no browser shows as a page: what the gate says to services and proxies. All values are made when the program is built: a
/// call pays for their places alone. `https_only`: our own host answers, by https. What a proxy hands on to its client under the name of
/// another site must not speak for that site.
pub fn for_programs(headers: &mut HeaderMap, https_only: bool) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, const { HeaderValue::from_static("nosniff") });
    headers.insert(header::REFERRER_POLICY, const { HeaderValue::from_static(REFERRER) });
    headers.entry(header::CACHE_CONTROL).or_insert(const { HeaderValue::from_static("no-store") });
    if https_only {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, const { HeaderValue::from_static(HTTPS_ONLY) });
    }
}

/// Leptos and axum say `text/html` without a charset in places; browsers should not guess.
fn name_the_charset(headers: &mut HeaderMap) {
    if headers.get(header::CONTENT_TYPE).is_some_and(|v| v == "text/html") {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    }
}
