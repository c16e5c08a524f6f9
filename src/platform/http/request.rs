//! Who asks, from where: the request id, the client's address (behind trusted proxies only) and the device, known to every handler
//! as `RequestInfo`, and one log line per request.

use crate::{
    error::AppError,
    platform::{Ctx, crypto::Rng, telemetry},
    values::Language,
};
use axum::{
    extract::{ConnectInfo, Request, State},
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
};
use ipnet::IpNet;
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tracing::Instrument;

pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What is known of a request before anything looks into it.
#[derive(Clone, Debug)]
pub struct RequestInfo {
    pub id: Arc<str>,
    /// The client's address; a proxy's word counts only if the proxy is trusted (R22).
    pub address: IpAddr,
    /// The User-Agent, at most 200 characters, control characters removed.
    pub device: String,
}

/// The outermost layer: gives the request its id, address and span, and logs how it ended, refusals by default (R82).
pub async fn request(State(ctx): State<Ctx>, mut request: Request, next: Next) -> Response {
    let id: Arc<str> = given_id(request.headers()).map_or_else(|| ctx.rng.base62(20).into(), Into::into);
    // Nobody's address is no proxy's: its word about the client would count, and all who have none share their limits (S39).
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |c| c.0.ip());
    let info = RequestInfo {
        id: Arc::clone(&id),
        address: client_address(request.headers(), peer, &ctx.config.server.trusted_proxies),
        device: device(request.headers()),
    };
    let span = tracing::info_span!("request", request_id = %id, method = %request.method(), path = %request.uri().path(), caller = tracing::field::Empty);
    let address = info.address;
    request.extensions_mut().insert(info);
    request.extensions_mut().insert(RequestSpan(span.clone()));
    let start = ctx.clock.now_micros();
    let answer = telemetry::in_request(Arc::clone(&id), async move {
        let mut response = next.run(request).await;
        let micros = ctx.clock.now_micros() - start;
        tracing::debug!(status = response.status().as_u16(), micros, "answered");
        if matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            tracing::info!(status = response.status().as_u16(), %address, "denied");
        }
        if let Ok(value) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(X_REQUEST_ID, value);
        }
        response
    });
    answer.instrument(span).await
}

/// The span of the whole request: below it others are current.
#[derive(Clone)]
struct RequestSpan(tracing::Span);

/// Every line that the log gets of this request from here on says who asks (R82).
pub fn names_caller(request: &Extensions, who: impl std::fmt::Display) {
    if let Some(RequestSpan(span)) = request.get() {
        span.record("caller", tracing::field::display(who));
    }
}

/// The id that the client gave its request, if it is one.
pub fn given_id(headers: &HeaderMap) -> Option<&str> {
    headers.get(&X_REQUEST_ID).and_then(|v| v.to_str().ok()).filter(|v| is_request_id(v))
}

/// Ids for requests by the ten thousand: twelve random characters of this process, then a number. Unique, not secret.
pub struct Ids {
    process: String,
    next: AtomicU64,
}

impl Ids {
    pub fn new(rng: &Rng) -> Self {
        Self { process: rng.base62(12), next: AtomicU64::new(0) }
    }

    pub fn next(&self) -> Arc<str> {
        let mut id = [b'0'; 20];
        id[..12].copy_from_slice(self.process.as_bytes());
        let mut number = self.next.fetch_add(1, Ordering::Relaxed);
        for digit in id[12..].iter_mut().rev() {
            *digit = b"0123456789abcdefghijklmnopqrstuvwxyz"[usize::try_from(number % 36).unwrap_or(0)];
            number /= 36;
        }
        std::str::from_utf8(&id).unwrap_or_default().into()
    }
}

/// A panic ends its request, not the process (R81).
pub fn panicked(cause: Box<dyn std::any::Any + Send>) -> Response {
    let words = cause.downcast_ref::<String>().cloned().or_else(|| cause.downcast_ref::<&str>().map(ToString::to_string));
    AppError::internal(format!("panic: {}", words.unwrap_or_default())).into_response()
}

/// The language of ours that the browser likes best, if it names one.
pub fn language(headers: &HeaderMap) -> Option<Language> {
    headers.get(axum::http::header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).and_then(Language::preferred)
}

/// The same of the running request, inside a server function.
pub fn language_here() -> Option<Language> {
    leptos::prelude::use_context::<axum::http::request::Parts>().and_then(|parts| language(&parts.headers))
}

fn is_request_id(text: &str) -> bool {
    (8..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn device(headers: &HeaderMap) -> String {
    let agent = headers.get(axum::http::header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    agent.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// The rightmost address of `X-Forwarded-For` that is not a trusted proxy, if the peer itself is one; else the peer.
pub fn client_address(headers: &HeaderMap, peer: IpAddr, trusted: &[IpNet]) -> IpAddr {
    let peer = peer.to_canonical();
    let is_trusted = |ip: &IpAddr| trusted.iter().any(|net| net.contains(ip));
    if !is_trusted(&peer) {
        return peer;
    }
    // By bytes: a client that begins the line with what is no text does not hide what the proxy wrote behind it.
    let hops = headers.get_all("x-forwarded-for").iter().flat_map(|v| v.as_bytes().split(|byte| *byte == b','));
    let mut client = peer;
    for hop in hops.collect::<Vec<_>>().into_iter().rev() {
        match std::str::from_utf8(hop).ok().and_then(address_of) {
            Some(ip) => client = ip.to_canonical(),
            None => break,
        }
        if !is_trusted(&client) {
            break;
        }
    }
    client
}

/// The address that a proxy names: alone, in brackets, or with the client's port behind it, as some load balancers write it.
fn address_of(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let bare = hop.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(hop);
    bare.parse().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, forwarded: Option<&str>, trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        if let Some(value) = forwarded {
            headers.insert("x-forwarded-for", value.parse().expect("a header value"));
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|t| t.parse().expect("a network")).collect();
        client_address(&headers, peer.parse().expect("an address"), &trusted).to_string()
    }

    #[test]
    fn ids_of_one_process_differ_and_are_ids() {
        let ids = Ids::new(&Rng::seeded(1));
        let many: std::collections::HashSet<_> = (0..100_000).map(|_| ids.next()).collect();
        assert!(many.len() == 100_000 && many.iter().all(|id| is_request_id(id) && id.len() == 20));
    }

    #[test]
    fn r22_a_forged_forwarded_for_is_ignored() {
        assert_eq!(seen("198.51.100.1", Some("203.0.113.9"), &[]), "198.51.100.1");
        assert_eq!(seen("198.51.100.1", Some("203.0.113.9"), &["127.0.0.0/8"]), "198.51.100.1");
    }

    #[test]
    fn s39_without_an_address_nobody_is_believed_and_all_share_one() {
        assert_eq!(seen("0.0.0.0", Some("203.0.113.9"), &["127.0.0.0/8", "10.0.0.0/8"]), "0.0.0.0");
        assert_eq!(seen("127.0.0.1", None, &["127.0.0.0/8"]), "127.0.0.1", "a proxy that names no client is the client");
    }

    #[test]
    fn behind_a_trusted_proxy_the_last_untrusted_hop_counts() {
        assert_eq!(seen("127.0.0.1", Some("6.6.6.6, 203.0.113.9"), &["127.0.0.0/8"]), "203.0.113.9");
        assert_eq!(seen("127.0.0.1", Some("203.0.113.9, 10.0.0.2"), &["127.0.0.0/8", "10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(seen("127.0.0.1", Some("nonsense"), &["127.0.0.0/8"]), "127.0.0.1");
        assert_eq!(seen("::ffff:127.0.0.1", Some("2001:db8::1"), &["127.0.0.0/8"]), "2001:db8::1");
    }

    #[test]
    fn r22_what_is_no_text_hides_nothing_that_the_proxy_wrote() {
        let trusted: Vec<IpNet> = vec!["127.0.0.0/8".parse().expect("a network")];
        let peer: IpAddr = "127.0.0.1".parse().expect("an address");
        for sent in [&b"\xff, 203.0.113.9"[..], b"6.6.6.6\xe4, 203.0.113.9", b"\xff,203.0.113.9"] {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", HeaderValue::from_bytes(sent).expect("a header value"));
            assert_eq!(client_address(&headers, peer, &trusted).to_string(), "203.0.113.9", "{sent:?}");
        }
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_bytes(b"203.0.113.9\xff").expect("a header value"));
        assert_eq!(client_address(&headers, peer, &trusted), peer);
    }

    #[test]
    fn r22_a_client_that_is_named_with_its_port_is_that_client() {
        for (hop, client) in [
            ("203.0.113.9:4711", "203.0.113.9"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[::ffff:203.0.113.9]:1", "203.0.113.9"),
            ("6.6.6.6, 203.0.113.9:4711, 10.0.0.2:80", "203.0.113.9"),
        ] {
            assert_eq!(seen("127.0.0.1", Some(hop), &["127.0.0.0/8", "10.0.0.0/8"]), client, "{hop}");
        }
        for nobody in ["203.0.113.9:", "203.0.113.9:70000", ":4711", "[2001:db8::1", "unknown", ""] {
            assert_eq!(seen("127.0.0.1", Some(nobody), &["127.0.0.0/8"]), "127.0.0.1", "{nobody}");
        }
    }
}
