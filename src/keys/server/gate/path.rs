//! Reading what was called: `GET /orders/17?page=2` as method and path.
//!
//! A path that servers read in different ways is not matched but refused: `/orders/../admin` is `/admin` to one server and an order to
//! another, and a route's rule must not be dodged by spelling. Decoding (RFC 3986 §2.1) happens once, segment by segment, after the
//! path was cut at its slashes; one slash at the end means nothing.

use std::borrow::Cow;

/// Those that a route may name; everything else is `Other`, which only a route for any method matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
    Other,
}

impl Method {
    pub const ALL: [Self; 8] = [Self::Get, Self::Head, Self::Post, Self::Put, Self::Patch, Self::Delete, Self::Options, Self::Other];

    /// Methods are case-sensitive (RFC 9110 §9.1), but servers differ, so any case counts.
    pub fn read(text: &str) -> Self {
        Self::ALL.into_iter().find(|m| *m != Self::Other && m.as_str().eq_ignore_ascii_case(text)).unwrap_or(Self::Other)
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
            Self::Other => "*",
        }
    }
}

/// Why a path is not matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Untold,
    Dots,
    Empty,
    Slash,
    Encoding,
    Parameters,
    Control,
    /// It differs from a route in case only.
    Case,
}

impl Fault {
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Untold => "The proxy did not tell which path was called.",
            Self::Dots => "Its path has a segment of dots (. or ..), which servers read in different ways.",
            Self::Empty => "Its path has an empty segment (//), which servers read in different ways.",
            Self::Slash => "Its path has an encoded slash or a backslash, which servers read in different ways.",
            Self::Encoding => "Its path is percent-encoded twice or not correctly.",
            Self::Parameters => "Its path has a parameter behind a semicolon or a fragment, which servers read in different ways.",
            Self::Control => "Its path has a control character.",
            Self::Case => "Its path differs from that of a route in upper and lower case only.",
        }
    }
}

/// A method and the path behind its first slash, without query: `orders/17`; empty is the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Called<'a> {
    pub method: Method,
    pub path: &'a str,
}

/// Reads `METHOD /path?query`. Fails with none where that is not its shape (`-`, `orders.list`), and with the fault of a path that
/// is not to be matched.
pub fn read(route: &str) -> Result<Called<'_>, Option<Fault>> {
    let (method, target) = route.split_once(' ').filter(|(method, _)| is_token(method)).ok_or(None)?;
    let path = target.split('?').next().unwrap_or_default().strip_prefix('/').ok_or(None)?;
    if !path.is_empty() {
        path.strip_suffix('/').unwrap_or(path).split('/').try_for_each(check).map_err(Some)?;
    }
    let path = path.strip_suffix('/').unwrap_or(path);
    Ok(Called { method: Method::read(method), path })
}

/// Whether a service meant a call and did not write it as `METHOD /path`. What has a slash or begins with a method is no name of its own: taken
/// for one, it would pass over what its route needs.
pub fn is_malformed(route: &str) -> bool {
    if route.split_once(' ').is_some_and(|(method, target)| is_token(method) && target.starts_with('/')) {
        // A whole request line, and a space at the end, would be another path.
        return route.ends_with(char::is_whitespace) || route.rsplit(' ').next().is_some_and(|last| last.starts_with("HTTP/"));
    }
    let head = route.split_whitespace().next().unwrap_or_default();
    // The one call that has no path (RFC 9110 §9.3.7).
    route != "OPTIONS *" && (route.contains('/') || Method::read(head) != Method::Other)
}

/// What a method is made of (RFC 9110 §5.6.2).
fn is_token(method: &str) -> bool {
    !method.is_empty() && method.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

fn check(segment: &str) -> Result<(), Fault> {
    if segment.is_empty() {
        return Err(Fault::Empty);
    }
    if segment.bytes().any(|b| matches!(b, b';' | b'#')) {
        return Err(Fault::Parameters);
    }
    let decoded = decoded(segment).ok_or(Fault::Encoding)?;
    if is_dots(&decoded) {
        return Err(Fault::Dots);
    }
    let mut rest = decoded.as_bytes();
    while let [first, behind @ ..] = rest {
        match first {
            b'/' | b'\\' => return Err(Fault::Slash),
            0..0x20 | 0x7f => return Err(Fault::Control),
            b'%' if matches!(behind, [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit()) => return Err(Fault::Encoding),
            _ => rest = behind,
        }
    }
    Ok(())
}

/// `.`, `..` and, with what some servers cut off, `.. `.
fn is_dots(segment: &str) -> bool {
    matches!(segment.trim_end(), "." | "..")
}

/// The segment with its percent-encoding undone; none if that gives no UTF-8 or the encoding is broken.
pub fn decoded(segment: &str) -> Option<Cow<'_, str>> {
    if !segment.contains('%') {
        return Some(Cow::Borrowed(segment));
    }
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let [first, behind @ ..] = rest {
        if *first == b'%' {
            let [high, low, behind @ ..] = behind else { return None };
            let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
            bytes.push(digit(*high)? << 4 | digit(*low)?);
            rest = behind;
        } else {
            bytes.push(*first);
            rest = behind;
        }
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_read_as_method_and_path() {
        for (route, method, path) in [
            ("GET /orders/17?page=2", Method::Get, "orders/17"),
            ("get /orders/", Method::Get, "orders"),
            ("POST /", Method::Post, ""),
            ("PROPFIND /a/b%20c", Method::Other, "a/b%20c"),
            ("GET /a?to=/../b", Method::Get, "a"),
            ("GET /100%25", Method::Get, "100%25"),
        ] {
            assert_eq!(read(route), Ok(Called { method, path }), "{route}");
        }
        for label in ["-", "", "orders.list", "/plain", "GET", "OPTIONS *", "GET http://a/b", " /orders", "POST: /orders"] {
            assert_eq!(read(label), Err(None), "{label}");
        }
    }

    #[test]
    fn a_call_that_is_not_written_as_one_is_told_from_a_name() {
        for wrong in [
            "/orders",
            "POST  /orders",
            " POST /orders",
            "POST\t/orders",
            "POST orders",
            "post orders",
            "POST",
            "POST https://x.example/orders",
            "P OST /orders",
            "POST: /orders",
            "\u{feff}POST /orders",
            " /orders",
            "POST /orders ",
            "POST /orders HTTP/1.1",
            "jobs/export",
        ] {
            assert!(is_malformed(wrong), "{wrong:?}");
        }
        for right in ["POST /orders", "post /orders", "PROPFIND /a b", "GET /a?q=HTTP/2", "-", "", "export-job", "orders.list", "Export of orders", "OPTIONS *"]
        {
            assert!(!is_malformed(right), "{right:?}");
        }
    }

    #[test]
    fn what_servers_read_differently_is_not_matched() {
        for (path, fault) in [
            ("/orders/../admin", Fault::Dots),
            ("/orders/..", Fault::Dots),
            ("/./admin", Fault::Dots),
            ("/orders/%2e%2E/admin", Fault::Dots),
            ("/orders/.%2e/admin", Fault::Dots),
            ("/orders/..%20/admin", Fault::Dots),
            ("//admin", Fault::Empty),
            ("/orders//17", Fault::Empty),
            ("/orders//", Fault::Empty),
            ("//", Fault::Empty),
            ("/orders/..;/admin", Fault::Parameters),
            ("/admin;x=1", Fault::Parameters),
            ("/admin#x", Fault::Parameters),
            ("/orders%2f..%2fadmin", Fault::Slash),
            ("/orders/a%5Cb", Fault::Slash),
            ("/orders\\admin", Fault::Slash),
            ("/orders/%252e%252e/admin", Fault::Encoding),
            ("/orders/%zz", Fault::Encoding),
            ("/orders/%4", Fault::Encoding),
            ("/orders/%ff%fe", Fault::Encoding),
            ("/orders/%c0%ae", Fault::Encoding),
            ("/orders/%00", Fault::Control),
            ("/orders/a%0ab", Fault::Control),
        ] {
            assert_eq!(read(&format!("GET {path}")), Err(Some(fault)), "{path}");
        }
    }
}
