//! What a form said of one field. The decoder of forms reads an empty text as none where an `Option` is asked for, so that an `Option<String>`
//! can't tell a field that somebody cleared from a form without that field. A server function that reads "none" as "leave it as it is"
//! takes a `#[server(default)] Typed` instead.

use serde::{Deserialize, Deserializer, Serialize};

/// A text, which may be empty; or nothing, where the form has no such field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Typed(Option<String>);

impl Typed {
    /// The text; empty, if the field was cleared; none, if there was no field.
    pub fn as_deref(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// As `as_deref`.
    pub fn into_text(self) -> Option<String> {
        self.0
    }
}

impl<'de> Deserialize<'de> for Typed {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(|text| Self(Some(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Form {
        #[serde(default)]
        tags: Typed,
        #[serde(default)]
        origins: Typed,
    }

    #[test]
    fn what_was_cleared_is_not_what_was_not_asked() {
        let form: Form = serde_json::from_str(r#"{"tags": ""}"#).expect("both may be missing");
        assert_eq!((form.tags.as_deref(), form.origins.into_text()), (Some(""), None));
    }
}
