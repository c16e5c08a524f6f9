//! A request as a message that can be checked, from the headers that reached us.

use super::{base::Message, signer::Signer};
use crate::{platform::crypto::sha256, values::KeyId};
use axum::http::{HeaderMap, header, request::Parts};
use url::{Position, Url};

/// The value of a field; of one that stands in several lines all of them, in order, with commas between (RFC 9421 §2.1).
pub fn field_of(headers: &HeaderMap, name: &str) -> Option<String> {
    let values = headers.get_all(name).iter().map(|value| value.to_str().map(str::trim));
    let values = values.collect::<Result<Vec<_>, _>>().ok()?;
    if values.is_empty() { None } else { Some(values.join(", ")) }
}

/// Whether a call may carry a body, as far as its head tells: proxies take the length away.
pub fn may_have_body(method: &str, headers: &HeaderMap) -> bool {
    let has_length = headers.get(header::CONTENT_LENGTH).is_some_and(|length| length != "0" && !length.is_empty());
    is_writing(method) || has_length || headers.contains_key(header::TRANSFER_ENCODING)
}

/// Methods that usually have a body.
pub fn is_writing(method: &str) -> bool {
    ["POST", "PUT", "PATCH"].iter().any(|writing| method.eq_ignore_ascii_case(writing))
}

/// A request to Tollgate itself, whose body is known. Where it lives says the public address, not the request.
pub fn own_message<'a>(public: &'a Url, head: &'a Parts, body: &[u8], field: &'a (dyn Fn(&str) -> Option<String> + Sync)) -> Message<'a> {
    Message {
        method: head.method.as_str(),
        scheme: public.scheme(),
        authority: &public[Position::BeforeHost..Position::AfterPort],
        target: head.uri.path_and_query().map_or("/", |target| target.as_str()),
        field,
        has_body: !body.is_empty() || is_writing(head.method.as_str()),
        body_sha256: Some(sha256(body)),
    }
}

/// What a refused call is told to sign (RFC 9421 §5.1): the value of `Accept-Signature`.
pub fn hint(key: KeyId, signer: &Signer, has_body: bool) -> String {
    let digest = if has_body { " \"content-digest\"" } else { "" };
    format!("sig1=(\"@method\" \"@path\" \"@query\"{digest});created;keyid=\"{key}\";alg=\"{}\"", signer.algorithm().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn several_lines_of_a_field_are_one_value() {
        let mut headers = HeaderMap::new();
        headers.append("x-a", HeaderValue::from_static(" 1 "));
        headers.append("x-a", HeaderValue::from_static("2"));
        headers.append("x-b", HeaderValue::from_bytes(b"\xff").expect("a value"));
        assert_eq!(field_of(&headers, "x-a").as_deref(), Some("1, 2"));
        assert_eq!((field_of(&headers, "x-b"), field_of(&headers, "x-c")), (None, None));
    }

    #[test]
    fn a_body_is_told_by_method_or_length() {
        let mut headers = HeaderMap::new();
        assert!(may_have_body("post", &headers) && !may_have_body("GET", &headers));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        assert!(!may_have_body("DELETE", &headers));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("2"));
        assert!(may_have_body("DELETE", &headers));
    }
}
