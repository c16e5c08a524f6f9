//! A whole secret leaves the address of a page at once (R69): the page comes back without the parameter that held it, and says where to look
//! instead. So it stands in no history, bookmark or referrer of a page that was shown. REST is for programs, which ask by hash.

use crate::{
    platform::{Ctx, http::reply},
    values::holds_secret,
};
use axum::{
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use url::form_urlencoded::{Serializer, parse};

const SAID: &str = "A whole key does not belong into an address, so nothing was looked for. Use “Find by secret” on Keys.";

/// The shortest query with a secret in it.
const SHORTEST: usize = "a2_live_".len() + 36;

/// The layer before anything reads the address.
pub async fn clean_address(State(ctx): State<Ctx>, request: Request, next: Next) -> Response {
    let is_read = [Method::GET, Method::HEAD].contains(request.method());
    let query = request.uri().query().filter(|query| is_read && query.len() >= SHORTEST);
    let Some(location) = query.and_then(|query| cleaned(request.uri().path(), query)) else { return next.run(request).await };
    let location = HeaderValue::from_str(&location).unwrap_or(HeaderValue::from_static("/"));
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response();
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if let Some(toast) = reply::sealed_cookie(&ctx, reply::TOAST, SAID.to_owned(), 60) {
        response.headers_mut().append(header::SET_COOKIE, toast);
    }
    response
}

/// The address without what holds a secret, if anything does. Of two slashes at its beginning a browser would make another host.
fn cleaned(path: &str, query: &str) -> Option<String> {
    let (held, kept): (Vec<_>, Vec<_>) = parse(query.as_bytes()).partition(|(name, value)| holds_secret(name) || holds_secret(value));
    if held.is_empty() {
        return None;
    }
    let path = if path.starts_with("//") { "/" } else { path };
    let kept = Serializer::new(String::new()).extend_pairs(kept).finish();
    Some(if kept.is_empty() { path.to_owned() } else { format!("{path}?{kept}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_holds_a_secret_is_left_out() {
        let secret = format!("demo_live_{}", "0aA".repeat(12));
        let asked = format!("status=active&q=Bearer+{secret}&tag=a%20b");
        assert_eq!(cleaned("/keys", &asked).as_deref(), Some("/keys?status=active&tag=a+b"));
        assert_eq!(cleaned("/keys", &format!("q={}", secret.replace('_', "%5F"))).as_deref(), Some("/keys"));
        assert_eq!(cleaned("/keys", &secret).as_deref(), Some("/keys"), "also as a name");
        assert_eq!(cleaned("/sign-in", &format!("next=%2Fkeys%3Fq%3D{secret}")).as_deref(), Some("/sign-in"));
        assert_eq!(cleaned("//evil.example", &format!("q={secret}")).as_deref(), Some("/"));
        assert_eq!(cleaned("/keys", &format!("hash={}", "0".repeat(64))), None);
    }
}
