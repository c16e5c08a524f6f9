//! What services are told of a key beside what Tollgate knows of it: metadata, a small JSON object, and the id that whoever uses it has
//! with the key's workspace. Both are words of who may change the key, and nothing here is decided by them.

use crate::keys::model::Meta;
use serde_json::Value;

/// Bytes of metadata, as JSON without spaces.
const MOST_BYTES: usize = 1_024;
/// Bytes of metadata as it is typed, with all its spaces.
const MOST_TYPED: usize = 16_384;
/// Characters of an external id.
const MOST_CHARS: usize = 200;

/// As it is kept and answered: JSON without spaces. None where there is nothing of it.
pub fn stored(meta: &Meta) -> Option<String> {
    (!meta.is_empty()).then(|| Value::Object(meta.clone()).to_string())
}

/// Metadata of at most 1 KiB.
pub fn meta(meta: Meta) -> Result<Meta, String> {
    match stored(&meta).map_or(0, |text| text.len()) {
        0..=MOST_BYTES => Ok(meta),
        bytes => Err(format!("Metadata has at most 1,024 bytes as JSON without spaces. This has {bytes}.")),
    }
}

/// Metadata as it was typed; an empty text: nothing.
pub fn typed(text: &str) -> Result<Meta, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Meta::new());
    }
    if text.len() > MOST_TYPED {
        return Err("Metadata has at most 1,024 bytes as JSON without spaces.".to_owned());
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => meta(object),
        Ok(Value::Null) => Ok(Meta::new()),
        Ok(_) => Err("Metadata is an object. Write it as {\"team\": \"checkout\"}.".to_owned()),
        Err(error) => Err(format!("This is not JSON: {error}. Write it as {{\"team\": \"checkout\"}}.")),
    }
}

/// An id of whoever uses the key: at most 200 characters on one line. None: there is none.
pub fn external_id(text: &str) -> Result<Option<String>, &'static str> {
    let text = text.trim();
    match text.chars().count() {
        0 => Ok(None),
        1..=MOST_CHARS if text.chars().any(char::is_control) => Err("An external id stands on one line, without control characters."),
        1..=MOST_CHARS => Ok(Some(text.to_owned())),
        _ => Err("An external id has at most 200 characters."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_a_small_object() {
        let meta = typed(" { \"team\" : \"checkout\", \"n\": [1, 2] } ").expect("an object");
        assert_eq!(stored(&meta).as_deref(), Some(r#"{"n":[1,2],"team":"checkout"}"#));
        for nothing in ["", " \r\n", "{}", "null"] {
            assert_eq!(typed(nothing).map(|meta| stored(&meta)), Ok(None), "{nothing:?}");
        }
        for wrong in ["[]", "7", "\"x\"", "{", "{\"a\": }", "team: checkout"] {
            assert!(typed(wrong).is_err(), "{wrong}");
        }
        // {"a":"…"} is eight bytes and the text.
        assert!(typed(&format!("{{\"a\": \"{}\"}}", "x".repeat(1_016))).is_ok());
        assert!(typed(&format!("{{\"a\": \"{}\"}}", "x".repeat(1_017))).is_err_and(|words| words.contains("1025")));
        assert!(typed(&" ".repeat(MOST_TYPED + 1)).is_ok_and(|meta| meta.is_empty()));
    }

    #[test]
    fn an_external_id_is_one_line() {
        assert_eq!(external_id("  user_42 "), Ok(Some("user_42".to_owned())));
        assert_eq!(external_id(" "), Ok(None));
        assert_eq!(external_id(&"ü".repeat(200)).map(|id| id.is_some()), Ok(true));
        for wrong in ["a\nb", "a\0b", &"x".repeat(201)] {
            assert!(external_id(wrong).is_err(), "{wrong:?}");
        }
    }
}
