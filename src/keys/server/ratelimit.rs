//! The RateLimit fields (draft-ietf-httpapi-ratelimit-headers-11, Structured Fields of RFC 9651): what is allowed and what remains,
//! one list member per limit. `t` is the time in which no more than `r` may be used (-11), which ends when more becomes available (-10).
//! `Retry-After` (RFC 9110 §10.2.3) is set by whoever answers 429, and is not less than `t` of the limits that refused.

use super::gate::LimitState;
use crate::keys::model::LimitUnit;
use axum::http::{HeaderMap, HeaderName, HeaderValue};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");
const OVER: HeaderName = HeaderName::from_static("x-over-limit");

/// Writes `RateLimit-Policy` and `RateLimit`; nothing when there is no limit.
pub fn tell(headers: &mut HeaderMap, limits: &[LimitState]) {
    if limits.is_empty() {
        return;
    }
    let (mut policy, mut state) = (String::with_capacity(48 * limits.len()), String::with_capacity(48 * limits.len()));
    for limit in limits {
        let resets = limit.resets();
        // Calls at the same time have no window; where places are free, no time matters.
        let is_concurrent = limit.window.is_concurrent();
        let resets = if is_concurrent && limit.remaining > 0 { 0 } else { resets };
        member(&mut policy, &limit.name, (";q=", limit.limit), (";w=", if is_concurrent { 0 } else { u64::from(limit.length) }));
        match (is_concurrent, limit.unit) {
            (true, _) => policy.push_str(";qu=\"concurrent-requests\""),
            (false, LimitUnit::Calls) => policy.push_str(";qu=\"requests\""),
            (false, LimitUnit::Units) => {}
        }
        member(&mut state, &limit.name, (";r=", limit.remaining), (";t=", resets));
    }
    for (name, value) in [(POLICY, policy), (STATE, state)] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
}

/// One member of a list: a string with how much, and the time for it; left out where there is none, as of prepaid credits. On the verify
/// path, so without `format_args`.
fn member(list: &mut String, name: &str, how_much: (&str, u64), time: (&str, u64)) {
    if !list.is_empty() {
        list.push(',');
    }
    quoted(list, name);
    for (key, value) in [Some(how_much), Some(time).filter(|(_, seconds)| *seconds > 0)].into_iter().flatten() {
        list.push_str(key);
        list.push_str(itoa::Buffer::new().format(value));
    }
}

/// Writes `X-Over-Limit`: the names of the limits that a call passed beyond, as a list of strings; nothing if there are none.
pub fn tell_over<'a>(headers: &mut HeaderMap, limits: impl Iterator<Item = &'a LimitState>) {
    let mut names = String::new();
    for limit in limits {
        if !names.is_empty() {
            names.push_str(", ");
        }
        quoted(&mut names, &limit.name);
    }
    if !names.is_empty()
        && let Ok(value) = HeaderValue::try_from(names)
    {
        headers.insert(OVER, value);
    }
}

/// A Structured Field string holds visible ASCII; quotes and backslashes are escaped, the rest is left out.
fn quoted(out: &mut String, name: &str) {
    out.push('"');
    if name.bytes().all(|b| matches!(b, b' '..=b'~') && b != b'"' && b != b'\\') {
        out.push_str(name);
    } else {
        for c in name.chars().filter(|c| matches!(c, ' '..='~')) {
            if matches!(c, '"' | '\\') {
                out.push('\\');
            }
            out.push(c);
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::model::{OverAction, Window};

    fn limit(name: &str, limit: u64, remaining: u64, reset_after: u64, length: u32) -> LimitState {
        LimitState {
            name: name.into(),
            limit,
            used: 0,
            remaining,
            reset_after,
            window: Window::Seconds(length),
            unit: LimitUnit::Units,
            length,
            over: OverAction::Refuse,
        }
    }

    #[test]
    fn the_fields_follow_the_draft() {
        let mut headers = HeaderMap::new();
        tell(&mut headers, &[limit("burst", 100, 50, 30, 60), limit("da\"ily", 1000, 912, 40211, 86400)]);
        assert_eq!(headers["ratelimit-policy"], r#""burst";q=100;w=60,"da\"ily";q=1000;w=86400"#);
        assert_eq!(headers["ratelimit"], r#""burst";r=50;t=30,"da\"ily";r=912;t=40211"#);
    }

    #[test]
    fn calls_at_the_same_time_have_a_unit_and_no_window() {
        let of = |remaining, resets| LimitState { window: Window::Concurrent(30), ..limit("open", 5, remaining, resets, 30) };
        let mut headers = HeaderMap::new();
        tell(&mut headers, &[of(2, 7), limit("day", 1000, 912, 40211, 86400)]);
        assert_eq!(headers["ratelimit-policy"], r#""open";q=5;qu="concurrent-requests","day";q=1000;w=86400"#);
        assert_eq!(headers["ratelimit"], r#""open";r=2,"day";r=912;t=40211"#);
        tell(&mut headers, &[of(0, 7)]);
        assert_eq!(headers["ratelimit"], r#""open";r=0;t=7"#);
    }

    #[test]
    fn a_limit_of_calls_says_so() {
        let of_calls = LimitState { unit: LimitUnit::Calls, ..limit("burst", 100, 50, 30, 60) };
        let mut headers = HeaderMap::new();
        tell(&mut headers, &[of_calls, limit("day", 1000, 912, 40211, 86400)]);
        assert_eq!(headers["ratelimit-policy"], r#""burst";q=100;w=60;qu="requests","day";q=1000;w=86400"#);
        assert_eq!(headers["ratelimit"], r#""burst";r=50;t=30,"day";r=912;t=40211"#);
    }

    #[test]
    fn what_never_resets_has_no_time() {
        let mut headers = HeaderMap::new();
        tell(&mut headers, &[limit("prepaid", 100, 0, 0, 0), limit("credits", 100, 120, 30, 6_000)]);
        assert_eq!(headers["ratelimit-policy"], r#""prepaid";q=100,"credits";q=100;w=6000"#);
        assert_eq!(headers["ratelimit"], r#""prepaid";r=0,"credits";r=120;t=30"#);
    }

    #[test]
    fn a_throttle_opens_every_second() {
        let over = OverAction::Throttle { per_second: 5 };
        let mut headers = HeaderMap::new();
        tell(&mut headers, &[LimitState { over, ..limit("day", 1000, 0, 40211, 86400) }]);
        assert_eq!(headers["ratelimit"], r#""day";r=0;t=1"#);
    }

    #[test]
    fn what_was_passed_beyond_is_named() {
        let mut headers = HeaderMap::new();
        tell_over(&mut headers, std::iter::empty());
        assert!(headers.is_empty());
        tell_over(&mut headers, [limit("day", 1, 0, 1, 1), limit("hour", 1, 0, 1, 1)].iter());
        assert_eq!(headers["x-over-limit"], r#""day", "hour""#);
    }
}
