//! What a REST route reads: a JSON body or a query, refused with a problem that names the wrong field (RFC 9457 `errors[].pointer`); and
//! how it answers where something is now.

use super::uploads::Unread;
use crate::error::AppError;
use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// A JSON body. No body at all is read as `{}`, so that a route whose fields are all optional can be called without one.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = AppError;

    async fn from_request(request: Request, _: &S) -> Result<Self, AppError> {
        read(&body(request).await?).map(Self)
    }
}

/// For every type the same, so that it is compiled once.
async fn body(request: Request) -> Result<Bytes, AppError> {
    if request.extensions().get::<Unread>().is_some() {
        return Err(AppError::Unavailable { retry_after: 1 });
    }
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let bytes = Bytes::from_request(request, &()).await.map_err(|_| AppError::invalid("", "The body did not arrive whole, or is too long."))?;
    if bytes.is_empty() {
        return Ok(Bytes::from_static(b"{}"));
    }
    let is_json = kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json");
    is_json.then_some(bytes).ok_or_else(|| AppError::invalid("", "Send JSON, with Content-Type: application/json."))
}

/// The query of a list.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AppError> {
        read_form(parts.uri.query().unwrap_or_default().as_bytes()).map(Self)
    }
}

/// Reads a query, or a body in the encoding of forms; the error names the field.
pub fn read_form<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, AppError> {
    let fields = url::form_urlencoded::parse(bytes);
    let read = serde_path_to_error::deserialize(serde_html_form::Deserializer::new(fields));
    read.map_err(|error| wrong(&error.path().to_string(), &error.inner().to_string()))
}

/// Reads a JSON document; the error names the field.
pub fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, AppError> {
    // serde reads a struct from an array too, field by field.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(AppError::invalid("", "Send a JSON object."));
    }
    let mut document = serde_json::Deserializer::from_slice(bytes);
    let read = serde_path_to_error::deserialize(&mut document).map_err(wrong_json)?;
    document.end().map_err(|_| AppError::invalid("", "There is something after the JSON document."))?;
    Ok(read)
}

/// Why a document is no `T`: for what was read in haste, without an eye on where in it a mistake would be.
pub fn why_not<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> AppError {
    match read::<T>(bytes) {
        Err(error) => error,
        Ok(_) => AppError::invalid("", "The document can't be read."),
    }
}

/// The answer that something was made, or was there already: what it is, and its path as `Location` (RFC 9110 §10.2.2).
pub fn located<T: Serialize>(status: StatusCode, path: &str, body: T) -> Response {
    with_location(path, (status, Json(body)).into_response())
}

/// An answer with a `Location`.
pub fn with_location(path: &str, mut answer: Response) -> Response {
    if let Ok(location) = HeaderValue::from_str(path) {
        answer.headers_mut().insert(header::LOCATION, location);
    }
    answer
}

/// How many rows of `what` a page has, where so many were asked for: 1 to 100, 20 unless said otherwise.
pub fn page_size(asked: Option<usize>, what: &str) -> Result<usize, AppError> {
    let rows = asked.unwrap_or(20);
    (1..=100).contains(&rows).then_some(rows).ok_or_else(|| AppError::invalid("limit", format!("Ask for 1 to 100 {what}.")))
}

fn wrong_json(error: serde_path_to_error::Error<serde_json::Error>) -> AppError {
    let (path, words) = (error.path().to_string(), error.into_inner().to_string());
    wrong(&path, words.split(" at line ").next().unwrap_or(&words))
}

/// `limits[0].window` becomes `limits.0.window`, which the problem shows as `#/limits/0/window`. A missing or unknown field is named
/// by serde in words only.
fn wrong(path: &str, words: &str) -> AppError {
    let mut field = path.replace('[', ".").replace(']', "");
    if matches!(field.as_str(), "." | "?") {
        field.clear();
    }
    if let Some(named) = words.split('`').nth(1).filter(|_| words.starts_with("missing field") || words.starts_with("unknown field"))
        && field.rsplit('.').next() != Some(named)
    {
        field = if field.is_empty() { named.to_owned() } else { format!("{field}.{named}") };
    }
    let mut said = words.to_owned();
    if let Some(first) = said.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    AppError::invalid(&field, format!("{said}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only reading is tested")]
    struct Outer {
        name: String,
        #[serde(default)]
        limits: Vec<Inner>,
    }
    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only reading is tested")]
    struct Inner {
        window: u32,
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "only reading is tested")]
    struct Borrowed<'a> {
        name: &'a str,
    }

    #[test]
    fn what_was_read_in_haste_is_explained() {
        let told = |json: &str| why_not::<Borrowed<'_>>(json.as_bytes()).problem()["errors"][0]["pointer"].clone();
        assert_eq!((told(r#"{"name": 7}"#), told("[]")), ("#/name".into(), "#".into()));
    }

    fn pointer(json: &str) -> String {
        let error = read::<Outer>(json.as_bytes()).expect_err("it is wrong");
        error.problem()["errors"][0]["pointer"].as_str().unwrap_or_default().to_owned()
    }

    #[test]
    fn what_was_made_has_its_place() {
        let answer = located(StatusCode::CREATED, "/api/v1/plans/basic", "x");
        assert_eq!((answer.status(), &answer.headers()[header::LOCATION]), (StatusCode::CREATED, &HeaderValue::from_static("/api/v1/plans/basic")));
        assert!(!located(StatusCode::CREATED, "/\n", "x").headers().contains_key(header::LOCATION));
    }

    #[test]
    fn a_page_has_1_to_100_rows() {
        assert_eq!([page_size(None, "keys").ok(), page_size(Some(100), "keys").ok()], [Some(20), Some(100)]);
        for rows in [0, 101] {
            assert_eq!(page_size(Some(rows), "keys").expect_err("too few or too many").problem()["errors"][0]["pointer"], "#/limit");
        }
    }

    #[test]
    fn the_wrong_field_is_named() {
        assert_eq!(pointer(r#"{"nam": "x"}"#), "#/nam");
        assert_eq!(pointer(r#"{"name": 7}"#), "#/name");
        assert_eq!(pointer("{}"), "#/name");
        assert_eq!(pointer(r#"{"name": "x", "limits": [{"window": 1}, {"window": -1}]}"#), "#/limits/1/window");
        assert_eq!(pointer(r#"{"name": "x", "limits": [{"windows": 1}]}"#), "#/limits/0/windows");
        assert_eq!(pointer("[]"), "#");
        assert_eq!(pointer(r#"{"name": "x"} x"#), "#");
        assert_eq!(pointer("{"), "#");
    }
}
