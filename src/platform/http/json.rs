//! What a REST route reads: a JSON body or a query, refused with a problem that names the wrong field (RFC 9457 `errors[].pointer`); and
//! how it answers where something is now.

use super::{misread, strict::Strict, uploads::Unread};
use crate::error::{AppError, FieldError};
use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use serde_json::error::Category;

/// A JSON body. No body at all is read as `{}`, so that a route whose fields are all optional can be called without one.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = AppError;

    async fn from_request(request: Request, _: &S) -> Result<Self, AppError> {
        read_all(&body(request).await?).map(Self)
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
    // In words of its own; what is within is left to `Strict`.
    if !is_object(bytes) {
        return Err(AppError::invalid("", "Send a JSON object."));
    }
    let mut document = serde_json::Deserializer::from_slice(bytes);
    let read = serde_path_to_error::deserialize(Strict(&mut document)).map_err(wrong_json)?;
    document.end().map_err(|_| AppError::invalid("", "There is something after the JSON document."))?;
    Ok(read)
}

/// The same; of a document that can't be read every wrong field of the top is named, not only the first.
fn read_all<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, AppError> {
    read(bytes).map_err(|first| every_wrong(bytes, first, &|rest| read::<T>(rest).err()))
}

/// Takes each wrong field out of the document, and reads the rest again.
fn every_wrong(bytes: &[u8], first: AppError, read_again: &dyn Fn(&[u8]) -> Option<AppError>) -> AppError {
    let mut wrong = match first {
        AppError::Invalid { fields } => fields,
        other => return other,
    };
    let Ok(serde_json::Value::Object(mut document)) = serde_json::from_slice(bytes) else { return AppError::Invalid { fields: wrong } };
    let top = |error: &FieldError| error.field.split('.').next().unwrap_or_default().to_owned();
    while wrong.len() < MOST_WRONG {
        // One that is missing can't be taken out, nor what is wrong with the document as a whole.
        if wrong.last().is_none_or(|last| document.remove(&top(last)).is_none()) {
            break;
        }
        let rest = serde_json::to_vec(&document).unwrap_or_default();
        let Some(AppError::Invalid { fields: more }) = read_again(&rest) else { break };
        // What was taken out may be missing now.
        if more.iter().any(|error| error.field.is_empty() || wrong.iter().any(|known| top(known) == top(error))) {
            break;
        }
        wrong.extend(more);
    }
    AppError::Invalid { fields: wrong }
}

/// Wrong fields that one answer names of a document that can't be read.
const MOST_WRONG: usize = 20;

/// The same without an eye on where in the document a mistake would be: if there is one, it is read once more. A struct within it has to be
/// read by `object`.
#[inline]
pub fn read_in_haste<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, AppError> {
    try_to_read(bytes).ok_or_else(|| why_not::<T>(bytes))
}

/// The same, where nobody asks yet what is wrong with it.
#[inline]
pub fn try_to_read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Option<T> {
    serde_json::from_slice(bytes).ok().filter(|_| is_object(bytes))
}

/// A struct within a struct that is read in haste: from an object only, as all are in `read`.
pub fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    T::deserialize(Strict(from))
}

/// serde reads a struct from an array too, field by field.
fn is_object(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().first() == Some(&b'{')
}

/// Why a document is no `T`.
fn why_not<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> AppError {
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
    let (path, error) = (error.path().to_string(), error.into_inner());
    let words = error.to_string();
    let words = words.split(" at line ").next().unwrap_or(&words);
    if matches!(error.classify(), Category::Syntax | Category::Eof) {
        let said = format!("This is not JSON (line {}, column {}): {words}.", error.line(), error.column());
        return AppError::invalid(&field(&path, words), said);
    }
    wrong(&path, words)
}

fn wrong(path: &str, words: &str) -> AppError {
    let field = field(path, words);
    // `detail` is all that most people read: it names what was said twice, by a query or by JSON.
    let is_twice = words == "unsupported value" || words.starts_with("duplicate field");
    let said = if is_twice && !field.is_empty() { format!("{field} is said twice. Say it once.") } else { misread::in_words(words) };
    AppError::invalid(&field, said)
}

/// `limits[0].window` becomes `limits.0.window`, which the problem shows as `#/limits/0/window`. A field that is missing, unknown or there
/// twice is named by serde in words only.
fn field(path: &str, words: &str) -> String {
    let mut field = path.replace('[', ".").replace(']', "");
    if matches!(field.as_str(), "." | "?") {
        field.clear();
    }
    let is_named = ["missing field", "unknown field", "duplicate field"].iter().any(|begin| words.starts_with(begin));
    if let Some(named) = words.split('`').nth(1).filter(|_| is_named)
        && field.rsplit('.').next() != Some(named)
    {
        field = if field.is_empty() { named.to_owned() } else { format!("{field}.{named}") };
    }
    field
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
        let told = |json: &str| {
            assert!(try_to_read::<Borrowed<'_>>(json.as_bytes()).is_none());
            read_in_haste::<Borrowed<'_>>(json.as_bytes()).expect_err("it is wrong").problem()["errors"][0]["pointer"].clone()
        };
        assert_eq!((told(r#"{"name": 7}"#), told("[]"), told(r#"["x"]"#)), ("#/name".into(), "#".into(), "#".into()));
        assert_eq!(read_in_haste::<Borrowed<'_>>(br#" {"name": "x"} "#).map(|read| read.name), Ok("x"));
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "only reading is tested")]
    enum Choice {
        Nothing,
        Limits(Vec<Inner>),
        Limit { window: u32 },
    }
    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "only reading is tested")]
    struct Deep {
        #[serde(default)]
        choice: Option<Choice>,
        #[serde(default)]
        by_name: std::collections::BTreeMap<String, Inner>,
        #[serde(default)]
        pair: (u32, Option<Inner>),
        #[serde(default)]
        meta: serde_json::Map<String, serde_json::Value>,
    }

    #[test]
    fn nothing_is_read_by_its_place_in_an_array() {
        assert_eq!(pointer(r#"["x"]"#), "#");
        assert_eq!(pointer(r#"["x", []]"#), "#");
        assert_eq!(pointer(r#"{"name": "x", "limits": [[7]]}"#), "#/limits/0");
        assert_eq!(pointer(r#"{"name": "x", "limits": [{"window": 1}, [7]]}"#), "#/limits/1");
        for right in [
            r#"{"choice": "Nothing"}"#,
            r#"{"choice": null, "by_name": {"x": {"window": 7}}}"#,
            r#"{"choice": {"Limits": [{"window": 7}]}, "pair": [7, {"window": 7}]}"#,
            r#"{"choice": {"Limit": {"window": 7}}, "meta": {"any": [[1, 2.5, -3], {"x": null}]}}"#,
        ] {
            assert!(read::<Deep>(right.as_bytes()).is_ok(), "{right}: {:?}", read::<Deep>(right.as_bytes()));
        }
        for wrong in [r#"{"choice": {"Limits": [[7]]}}"#, r#"{"choice": {"Limit": [7]}}"#, r#"{"by_name": {"x": [7]}}"#, r#"{"pair": [7, [7]]}"#] {
            assert!(serde_json::from_str::<Deep>(wrong).is_ok() && read::<Deep>(wrong.as_bytes()).is_err(), "{wrong}");
        }
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
        assert_eq!(pointer(r#"{"name": "x", "name": "y"}"#), "#/name");
    }

    #[test]
    fn every_wrong_field_is_named() {
        let pointers = |json: &str| {
            let problem = read_all::<Outer>(json.as_bytes()).expect_err("it is wrong").problem();
            problem["errors"].as_array().into_iter().flatten().map(|error| error["pointer"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(pointers(r#"{"name": 7, "nmae": "x", "limits": [{"window": 1}, {"window": -1}]}"#), ["#/name", "#/limits/1/window", "#/nmae"]);
        assert_eq!(pointers(r#"{"name": 7, "limits": []}"#), ["#/name"], "it is not missing as well");
        assert_eq!(pointers(r#"{"limits": 7}"#), ["#/limits", "#/name"]);
        for whole in ["[]", "{", r#"{"name": "x"} x"#] {
            assert_eq!(pointers(whole), ["#"], "{whole}");
        }
        let many: String = (0..50).map(|n| format!(r#""x{n}": 1,"#)).collect();
        assert_eq!(pointers(&format!(r#"{{{many} "name": "x"}}"#)).len(), MOST_WRONG);
        assert_eq!(read_all::<Outer>(br#"{"name": "x"}"#).map(|read| read.name), Ok("x".to_owned()));
    }

    #[test]
    fn what_is_no_json_says_where() {
        let told = |json: &str| read::<Outer>(json.as_bytes()).expect_err("it is wrong").to_string();
        assert!(told("{\n  \"name\": \"x\",\n}").starts_with("This is not JSON (line 3, column "), "{}", told("{\n  \"name\": \"x\",\n}"));
        assert_eq!(told(r#"{"name": 7}"#), "Send text, not 7.");
        assert_eq!(told(r#"{"name": "x", "name": "x"}"#), "name is said twice. Say it once.");
    }

    #[test]
    fn a_query_says_in_words_what_it_takes() {
        #[derive(Debug, Deserialize)]
        #[allow(dead_code, reason = "only reading is tested")]
        struct Page {
            limit: Option<usize>,
            everywhere: Option<bool>,
        }
        let told = |query: &str| read_form::<Page>(query.as_bytes()).expect_err("it is wrong").problem()["errors"][0].clone();
        for (query, pointer, detail) in [
            ("limit=x", "#/limit", "Write a whole number, such as 20."),
            ("limit=-1", "#/limit", "Write a whole number, such as 20."),
            ("limit=99999999999999999999", "#/limit", "This number is out of range. Write a smaller one."),
            ("limit=1&limit=2", "#/limit", "limit is said twice. Say it once."),
            ("limit=1&limit=1", "#/limit", "limit is said twice. Say it once."),
            ("everywhere=1", "#/everywhere", "Write true or false."),
        ] {
            assert_eq!(told(query), serde_json::json!({ "pointer": pointer, "detail": detail }), "{query}");
        }
    }
}
