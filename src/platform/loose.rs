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

/// RFC 3339, a time as a dump of a database has it, or milliseconds or seconds since 1970.
pub fn moment(value: &Value) -> Option<OffsetDateTime> {
    let number = value.as_i64().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()));
    match number {
        // The year 5138 in seconds, 1973 in milliseconds.
        Some(n) => OffsetDateTime::from_unix_timestamp(if n >= 100_000_000_000 { n / 1000 } else { n }).ok(),
        None => value.as_str().map(str::trim).and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok().or_else(|| dumped(text))),
    }
}

/// `2027-01-31 12:30:00.5+00`; without an offset of UTC.
fn dumped(text: &str) -> Option<OffsetDateTime> {
    let (date, clock) = text.split_once(' ')?;
    let (clock, offset) = match clock.find(['+', '-']) {
        Some(at) => clock.split_at(at),
        None => (clock, "+00"),
    };
    let minutes = if offset.len() == 3 { ":00" } else { "" };
    OffsetDateTime::parse(&format!("{date}T{clock}{offset}{minutes}"), &Rfc3339).ok()
}

/// Some databases have no truths but 1 and 0.
pub fn truth(value: &Value) -> Option<bool> {
    match (value, value.as_str()) {
        (Value::Bool(is), _) => Some(*is),
        (Value::Number(number), _) => number.as_u64().filter(|n| *n < 2).map(|n| n == 1),
        (_, Some("true" | "TRUE" | "t" | "1" | "yes")) => Some(true),
        (_, Some("false" | "FALSE" | "f" | "0" | "no")) => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use time::macros::datetime;

    #[test]
    fn a_moment_is_read_as_programs_and_dumps_of_databases_write_it() {
        let noon = datetime!(2027-01-31 12:00 UTC);
        for written in
            ["2027-01-31T12:00:00Z", "2027-01-31 12:00:00", "2027-01-31 12:00:00.000", "2027-01-31 17:30:00+05:30", "2027-01-31 09:00:00-03", "1801396800"]
        {
            assert_eq!(moment(&json!(written)), Some(noon), "{written}");
        }
        for wrong in ["", "2027-01-31", "31.1.2027 12:00", "tomorrow at noon"] {
            assert_eq!(moment(&json!(wrong)), None, "{wrong}");
        }
        assert_eq!([truth(&json!("t")), truth(&json!("f")), truth(&json!("x"))], [Some(true), Some(false), None]);
        assert_eq!([truth(&json!(1)), truth(&json!(0)), truth(&json!(2))], [Some(true), Some(false), None]);
    }
}
