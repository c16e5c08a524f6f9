//! Values as other systems export them, in JSON or as cells of a table.

use serde_json::{Map, Value};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// The first of these fields that says something.
pub fn take(fields: &mut Map<String, Value>, names: &[&str]) -> Option<Value> {
    names.iter().filter_map(|name| fields.remove(*name)).find(|value| !value.is_null())
}

pub fn says_something(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Bool(true) | Value::Number(_) => true,
    }
}

/// RFC 3339, or milliseconds or seconds since 1970.
pub fn moment(value: &Value) -> Option<OffsetDateTime> {
    let number = value.as_i64().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()));
    match number {
        // The year 5138 in seconds, 1973 in milliseconds.
        Some(n) => OffsetDateTime::from_unix_timestamp(if n >= 100_000_000_000 { n / 1000 } else { n }).ok(),
        None => value.as_str().and_then(|text| OffsetDateTime::parse(text.trim(), &Rfc3339).ok()),
    }
}

pub fn truth(value: &Value) -> Option<bool> {
    match (value, value.as_str()) {
        (Value::Bool(is), _) => Some(*is),
        (_, Some("true" | "TRUE" | "1" | "yes")) => Some(true),
        (_, Some("false" | "FALSE" | "0" | "no")) => Some(false),
        _ => None,
    }
}
