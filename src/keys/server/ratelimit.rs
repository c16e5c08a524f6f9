//! The RateLimit fields (draft-ietf-httpapi-ratelimit-headers-10, Structured Fields of RFC 9651): what is allowed and what remains,
//! one list member per limit. `Retry-After` (RFC 9110 §10.2.3) is set by whoever answers 429.

use super::gate::LimitState;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use std::fmt::Write;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");

/// Writes `RateLimit-Policy` and `RateLimit`; nothing when there is no limit.
pub fn tell(headers: &mut HeaderMap, limits: &[LimitState]) {
    if limits.is_empty() {
        return;
    }
    let (mut policy, mut state) = (String::with_capacity(32 * limits.len()), String::with_capacity(32 * limits.len()));
    for limit in limits {
        let comma = if policy.is_empty() { "" } else { "," };
        let name = Quoted(&limit.name);
        // Writing to a String does not fail.
        let _ = write!(policy, "{comma}\"{name}\";q={};w={}", limit.limit, limit.length);
        let _ = write!(state, "{comma}\"{name}\";r={};t={}", limit.remaining, limit.reset_after);
    }
    for (name, value) in [(POLICY, policy), (STATE, state)] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
}

/// A Structured Field string holds visible ASCII; quotes and backslashes are escaped, the rest is left out.
struct Quoted<'a>(&'a str);

impl std::fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.bytes().all(|b| matches!(b, b' '..=b'~') && b != b'"' && b != b'\\') {
            return f.write_str(self.0);
        }
        for c in self.0.chars().filter(|c| matches!(c, ' '..='~')) {
            if matches!(c, '"' | '\\') {
                f.write_char('\\')?;
            }
            f.write_char(c)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::model::Window;

    #[test]
    fn the_fields_follow_the_draft() {
        let limit = |name: &str, limit, remaining, reset_after, length| {
            let window = Window::Seconds(length);
            LimitState { name: name.into(), limit, used: 0, remaining, reset_after, window, length }
        };
        let mut headers = HeaderMap::new();
        tell(&mut headers, &[limit("burst", 100, 50, 30, 60), limit("da\"ily", 1000, 912, 40211, 86400)]);
        assert_eq!(headers["ratelimit-policy"], r#""burst";q=100;w=60,"da\"ily";q=1000;w=86400"#);
        assert_eq!(headers["ratelimit"], r#""burst";r=50;t=30,"da\"ily";r=912;t=40211"#);
    }
}
