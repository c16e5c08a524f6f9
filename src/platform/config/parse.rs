//! How the text of a setting becomes a value. None: the text is not allowed.

use ipnet::IpNet;
use secrecy::SecretString;
use std::{net::IpAddr, ops::RangeInclusive, str::FromStr, time::Duration};
use url::Url;

pub(super) const DAY: u64 = 86_400;

pub(super) fn filled(value: &str) -> Option<&str> {
    (!value.trim().is_empty()).then_some(value)
}

pub(super) fn number<T: FromStr + PartialOrd>(value: &str, allowed: RangeInclusive<T>) -> Option<T> {
    value.parse().ok().filter(|n| allowed.contains(n))
}

/// Seconds, or a number with its unit: s, m, h, d.
pub fn span(value: &str, allowed: RangeInclusive<u64>) -> Option<Duration> {
    let digits = value.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &value[digits.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => DAY,
        _ => return None,
    };
    let seconds = digits.parse::<u64>().ok()?.checked_mul(unit)?;
    allowed.contains(&seconds).then(|| Duration::from_secs(seconds))
}

/// The shortest exact writing of a duration: "14d", "90s".
pub fn span_text(span: Duration) -> String {
    let seconds = span.as_secs();
    let (size, unit) = [(DAY, "d"), (3600, "h"), (60, "m")].into_iter().find(|(size, _)| seconds > 0 && seconds.is_multiple_of(*size)).unwrap_or((1, "s"));
    format!("{}{unit}", seconds / size)
}

pub(super) fn public_url(value: &str) -> Option<Url> {
    let url = Url::parse(value).ok()?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    (matches!(url.scheme(), "http" | "https") && url.has_host() && bare).then_some(url)
}

pub(super) fn network(value: &str) -> Option<IpNet> {
    value.parse().ok().or_else(|| value.parse::<IpAddr>().ok().map(IpNet::from))
}

pub(super) fn database_url(value: &str) -> Option<SecretString> {
    let scheme = value.starts_with("postgres://") || value.starts_with("postgresql://");
    (scheme && sqlx::postgres::PgConnectOptions::from_str(value).is_ok()).then(|| value.to_owned().into())
}

pub(super) fn smtp_url(value: &str) -> Option<SecretString> {
    let url = Url::parse(value).ok()?;
    (matches!(url.scheme(), "smtp" | "smtps") && url.has_host()).then(|| value.to_owned().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_seconds_or_carry_a_unit() {
        assert_eq!(span("90", 0..=100), Some(Duration::from_secs(90)));
        assert_eq!(span("2h", 0..=7200), Some(Duration::from_secs(7200)));
        for bad in ["", "h", "-1", "1.5h", "2 h", "7201", "2w", "99999999999999999999d"] {
            assert_eq!(span(bad, 0..=7200), None, "{bad}");
        }
        assert_eq!(span_text(Duration::from_secs(14 * DAY)), "14d");
        assert_eq!(span_text(Duration::from_secs(90)), "90s");
        assert_eq!(span_text(Duration::ZERO), "0s");
    }

    #[test]
    fn a_public_url_is_an_origin() {
        assert!(public_url("https://gate.example.com/").is_some());
        assert!(public_url("http://[::1]:3000").is_some());
        for bad in ["gate.example.com", "ftp://a", "https://a/b", "https://a?x=1", "https://a#x", "https://me@a", "https://"] {
            assert!(public_url(bad).is_none(), "{bad}");
        }
    }
}
