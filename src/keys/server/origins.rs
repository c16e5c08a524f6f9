//! The web pages that may use a key: origins (RFC 6454), and what browsers are told of them (CORS, fetch.spec.whatwg.org §3.2).
//!
//! An origin is a scheme, a host and a port, as a browser sends it: `https://app.example.com`. `https://*.example.com` stands for one more
//! label. `null`, which sandboxed pages and files send, is nobody's origin and never allowed.

use super::rules;
use axum::{
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use url::{Host, Url};

/// From how many origins a key may be used at most.
const MOST: usize = 20;
/// Longer than the longest host name with scheme and port (RFC 1035 §2.3.4).
const LONGEST: usize = 280;
/// Seconds for which a browser may remember the answer to a preflight; short, so that a change is soon known everywhere.
const MAX_AGE: &str = "300";

/// Origins as browsers write them, sorted, each once.
pub fn origins<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Vec<String>, String> {
    let mut origins = Vec::new();
    for text in texts.into_iter().map(str::trim) {
        rules::must_say(text)?;
        let shown: String = text.chars().take(80).collect();
        origins.push(origin(text).ok_or_else(|| format!("{shown} is not an origin. Write https://app.example.com or https://*.example.com, without a path."))?);
    }
    origins.sort();
    origins.dedup();
    if origins.len() > MOST { Err(format!("A key has at most {MOST} origins.")) } else { Ok(origins) }
}

fn origin(text: &str) -> Option<String> {
    // Any label does, to read what stands around it.
    const ANY: &str = "any-label-";
    let is_pattern = text.contains("://*.");
    let url = Url::parse(&text.replacen("://*.", &format!("://{ANY}."), 1)).ok()?;
    let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    let Some(Host::Domain(host)) = url.host() else { return (is_bare && !is_pattern && is_web(&url)).then(|| url.origin().ascii_serialization()) };
    // A star right below a top level, or within a name, would be everybody's.
    let is_narrow = !is_pattern || host.matches('.').count() >= 2;
    let fits = is_bare && is_narrow && is_web(&url) && !host.contains('*') && text.len() <= LONGEST;
    let written = url.origin().ascii_serialization();
    fits.then(|| if is_pattern { written.replacen(&format!("://{ANY}."), "://*.", 1) } else { written })
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

/// The pattern that an origin would be allowed by: `https://*.example.com` for `https://app.example.com`.
pub fn pattern_of(origin: &str) -> Option<String> {
    let (scheme, rest) = origin.split_once("://")?;
    let (label, rest) = rest.split_once('.')?;
    let is_label = !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    is_label.then(|| format!("{scheme}://*.{rest}"))
}

/// Whether a page of this origin may use a key with this list. An empty list allows every page.
pub fn allows(list: &[Box<str>], origin: &str) -> bool {
    let is_among = |wanted: &str| list.iter().any(|allowed| **allowed == *wanted);
    // A star stands in the list only.
    list.is_empty() || (origin.len() <= LONGEST && !origin.contains('*') && (is_among(origin) || pattern_of(origin).is_some_and(|pattern| is_among(&pattern))))
}

/// The origin of the page that sent a request, as its browser told it.
pub fn told(headers: &HeaderMap) -> Option<&str> {
    // What is not ASCII is no origin, but a browser's word all the same.
    headers.get(header::ORIGIN).map(|value| value.to_str().unwrap_or("null"))
}

/// A browser's question before the call itself: without a key, with the method that it will use.
pub fn is_preflight(method: &str, headers: &HeaderMap) -> bool {
    method == Method::OPTIONS && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD) && headers.contains_key(header::ORIGIN)
}

/// What a page may read of the head of an answer, beyond the few fields that the standard lets every page read: what is left of limits, when
/// to try again, the id to report. Proxies hand it on with what an API answers, whose own `Location` and `ETag` belong to it, too.
const EXPOSED: &str = "RateLimit, RateLimit-Policy, Retry-After, X-Request-Id, ETag, Link, Location, Allow, Content-Disposition, WWW-Authenticate, \
                       Accept-Signature, Idempotency-Replayed, X-Auth-Code, X-Over-Limit";

/// Lets a page of this origin read the answer.
pub fn let_read(response: &mut Response, origin: &str) {
    name_origin(response, origin);
    response.headers_mut().insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
}

fn name_origin(response: &mut Response, origin: &str) {
    let headers = response.headers_mut();
    if let Ok(origin) = HeaderValue::from_str(origin) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
}

/// Yes to a preflight: the asked method and headers, for this origin. 200, the one answer that every proxy lets pass.
pub fn preflight(asked: &HeaderMap, origin: &str) -> Response {
    let mut response = StatusCode::OK.into_response();
    name_origin(&mut response, origin);
    let headers = response.headers_mut();
    for (from, to) in [
        (header::ACCESS_CONTROL_REQUEST_METHOD, header::ACCESS_CONTROL_ALLOW_METHODS),
        (header::ACCESS_CONTROL_REQUEST_HEADERS, header::ACCESS_CONTROL_ALLOW_HEADERS),
    ] {
        if let Some(value) = asked.get(from) {
            headers.insert(to, value.clone());
        }
    }
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
    headers.append(header::VARY, HeaderValue::from_static("Access-Control-Request-Method, Access-Control-Request-Headers"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn origins_are_kept_as_browsers_write_them() {
        for (text, kept) in [
            ("https://app.example.com", "https://app.example.com"),
            ("HTTPS://App.Example.com:443/", "https://app.example.com"),
            ("https://app.example.com:8443", "https://app.example.com:8443"),
            ("http://localhost:5173", "http://localhost:5173"),
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
            ("https://*.example.com", "https://*.example.com"),
            ("https://any-label-.example.com", "https://any-label-.example.com"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
        ] {
            assert_eq!(origin(text).as_deref(), Some(kept), "{text}");
        }
        let sorted = origins(["https://b.example", "https://a.example", "https://b.example:443"]);
        assert_eq!(sorted, Ok(["https://a.example", "https://b.example"].map(str::to_owned).to_vec()));
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for text in [
            "",
            " ",
            "null",
            "*",
            "app.example.com",
            "https://",
            "https://*",
            "https://*.com",
            "https://a.*.example.com",
            "https://*a.example.com",
            "https://*.*.example.com",
            "https://app.example.com/path",
            "https://app.example.com?x",
            "https://app.example.com#x",
            "https://me@app.example.com",
            "ftp://app.example.com",
            "https://*.0.0.1",
            "file:///x",
            "data:,x",
            "https://a b.example",
        ] {
            assert!(origins([text]).is_err(), "{text}");
        }
        let many: Vec<String> = (0..21).map(|n| format!("https://a{n}.example")).collect();
        assert!(origins(many.iter().map(String::as_str)).is_err());
    }

    #[test]
    fn a_page_is_allowed_by_its_whole_origin() {
        let list: Vec<Box<str>> = ["https://app.example.com", "https://*.example.org:8443"].map(Into::into).to_vec();
        for origin in ["https://app.example.com", "https://a.example.org:8443"] {
            assert!(allows(&list, origin), "{origin}");
        }
        for origin in [
            "null",
            "",
            "http://app.example.com",
            "https://app.example.com:444",
            "https://app.example.com.evil.example",
            "https://evil.app.example.com",
            "https://example.org:8443",
            "https://a.b.example.org:8443",
            "https://.example.org:8443",
            "https://evil@.example.org:8443",
            "https://x/.example.org:8443",
            "https://*.example.org:8443",
        ] {
            assert!(!allows(&list, origin), "{origin}");
        }
        assert!(allows(&[], "null"), "without a list, from every page");
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "\\PC*") {
            let _ = origin(&text);
            let _ = allows(&["https://*.example.com".into()], &text);
        }
    }
}
