//! What people write into the fields: checked by the kind of the field wherever it comes from, and kept as one text in one form, so that
//! the same value is the same text.

use super::store;
use crate::{
    accounts::model::{FieldKind, FieldValue, ProfileField},
    error::{AppError, Fields},
    values::AccountId,
};
use jiff::civil::Date;
use sqlx::PgConnection;
use std::collections::BTreeMap;
use url::Url;

/// Values by the slugs of their fields, as they were sent; an empty one takes a value away.
pub type Sent = BTreeMap<String, String>;

/// The longest text, in characters, and the longest address.
const TEXT_CHARS: usize = 200;
const URL_CHARS: usize = 500;
/// The longest number, in characters: so many digits are kept exactly.
const NUMBER_CHARS: usize = 15;

/// What a person changes of their values; what is not sent stays.
#[derive(Debug, Clone, Default)]
pub struct FieldsChange {
    pub values: Option<Sent>,
    /// The slugs of what everybody may see; all others are hidden.
    pub public: Option<Vec<String>>,
    /// A form with every field on it: a box that is not ticked is not sent, and a required field that is missing is wrong.
    pub is_whole: bool,
}

/// What the fields hold after the change; what is wrong is noted in `fields`.
pub fn changed(old: &[FieldValue], change: &FieldsChange, fields: &mut Fields) -> Vec<FieldValue> {
    let nothing = Sent::new();
    let sent = change.values.as_ref().unwrap_or(&nothing);
    for slug in sent.keys().filter(|slug| !old.iter().any(|it| it.field.slug == **slug)) {
        fields.add(&named(slug), "There is no such field.");
    }
    if let Some(public) = &change.public {
        for slug in public.iter().filter(|slug| !old.iter().any(|it| it.field.slug == **slug && it.field.may_be_public)) {
            fields.add("public_fields", format!("{slug} can't be shown to everybody."));
        }
    }
    old.iter()
        .map(|it| {
            let is_asked = change.is_whole && change.values.is_some();
            let value = match sent.get(&it.field.slug) {
                Some(text) => fields.check(&named(&it.field.slug), checked(&it.field, text)).unwrap_or_default(),
                None if is_asked && it.field.kind == FieldKind::Checkbox => fields.check(&named(&it.field.slug), checked(&it.field, "")).unwrap_or_default(),
                None if is_asked && it.field.is_required && it.value.is_empty() => {
                    fields.check(&named(&it.field.slug), checked(&it.field, "")).unwrap_or_default()
                }
                None => it.value.clone(),
            };
            let is_public = change.public.as_ref().map_or(it.is_public, |public| public.contains(&it.field.slug) && it.field.may_be_public);
            // Of nothing, nothing is shown.
            FieldValue { field: it.field.clone(), is_public: is_public && !value.is_empty(), value }
        })
        .collect()
}

/// What somebody wrote on signing up: only into the fields that are asked there, and into all of those that are required.
pub fn of_sign_up(all: &[ProfileField], sent: &Sent, fields: &mut Fields) -> Vec<FieldValue> {
    let asked = all.iter().filter(|field| field.at_sign_up);
    let empty: Vec<FieldValue> = asked.map(|field| FieldValue { field: field.clone(), value: String::new(), is_public: false }).collect();
    changed(&empty, &FieldsChange { values: Some(sent.clone()), public: None, is_whole: true }, fields)
}

/// Writes what differs.
pub async fn write(conn: &mut PgConnection, account: AccountId, old: &[FieldValue], new: &[FieldValue]) -> sqlx::Result<()> {
    for it in new.iter().filter(|it| !old.contains(it)) {
        match it.value.as_str() {
            "" => store::delete_value(&mut *conn, account, &it.field.slug).await?,
            value => store::upsert_value(&mut *conn, account, &it.field.slug, value, it.is_public).await?,
        }
    }
    Ok(())
}

/// The same errors with the fields as forms name them: `fields[team]` for `fields.team`, `work[answer]` for `work.answer`.
pub fn beside_inputs(error: AppError) -> AppError {
    match error {
        AppError::Invalid { mut fields } => {
            for field in &mut fields {
                if let Some((of @ ("fields" | "work"), name)) = field.field.split_once('.') {
                    field.field = format!("{of}[{name}]");
                }
            }
            AppError::Invalid { fields }
        }
        other => other,
    }
}

fn named(slug: &str) -> String {
    format!("fields.{slug}")
}

/// The value as it is kept; empty: there is none.
fn checked(field: &ProfileField, text: &str) -> Result<String, String> {
    let text = text.trim();
    let is_unticked = field.kind == FieldKind::Checkbox && text == "false";
    if text.is_empty() || is_unticked {
        return match (field.is_required, field.kind) {
            (false, _) => Ok(String::new()),
            (true, FieldKind::Checkbox) => Err("Check this box.".to_owned()),
            (true, _) => Err("Fill this in.".to_owned()),
        };
    }
    match field.kind {
        FieldKind::Text if text.chars().count() > TEXT_CHARS => Err(format!("This is longer than {TEXT_CHARS} characters.")),
        FieldKind::Text if text.chars().any(char::is_control) => Err("This has control characters, or more than one line.".to_owned()),
        FieldKind::Text => Ok(text.to_owned()),
        FieldKind::Number => number(text).ok_or_else(|| "Write a number such as 12 or 12.5, of at most 15 digits.".to_owned()),
        FieldKind::Date => match text.parse::<Date>() {
            Ok(date) if text.len() == 10 => Ok(date.to_string()),
            _ => Err("Write a day as 2026-11-20.".to_owned()),
        },
        FieldKind::Choice if field.choices.iter().any(|choice| choice == text) => Ok(text.to_owned()),
        FieldKind::Choice => Err("Choose one from the list.".to_owned()),
        FieldKind::Checkbox if text == "true" => Ok(text.to_owned()),
        FieldKind::Checkbox => Err("Send true or false.".to_owned()),
        FieldKind::Url => address(text).ok_or_else(|| format!("Write a web address such as https://example.com, of at most {URL_CHARS} characters.")),
    }
}

/// Digits with at most one point, and a minus at most; kept without needless zeros.
fn number(text: &str) -> Option<String> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') && digits.bytes().any(|b| b.is_ascii_digit());
    let number = text.parse::<f64>().ok().filter(|_| is_plain && text.len() <= NUMBER_CHARS)?;
    Some(if number == 0.0 { "0".to_owned() } else { number.to_string() })
}

/// A web address with a host and without a password in it.
fn address(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let is_plain = matches!(url.scheme(), "http" | "https") && url.has_host() && url.username().is_empty() && url.password().is_none();
    let url = url.to_string();
    (is_plain && url.chars().count() <= URL_CHARS).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(kind: FieldKind, is_required: bool) -> ProfileField {
        let choices = vec!["Blue".to_owned(), "Red".to_owned()];
        ProfileField { slug: "it".to_owned(), label: "It".to_owned(), kind, choices, is_required, at_sign_up: false, may_be_public: false, position: 0 }
    }

    #[test]
    fn values_are_kept_in_one_form() {
        for (kind, text, kept) in [
            (FieldKind::Text, "  Gate keeper ", "Gate keeper"),
            (FieldKind::Number, "012.50", "12.5"),
            (FieldKind::Number, "-0", "0"),
            (FieldKind::Number, "-3", "-3"),
            (FieldKind::Date, "2026-11-20", "2026-11-20"),
            (FieldKind::Choice, "Blue", "Blue"),
            (FieldKind::Checkbox, "true", "true"),
            (FieldKind::Checkbox, "false", ""),
            (FieldKind::Url, "HTTPS://Example.com", "https://example.com/"),
        ] {
            assert_eq!(checked(&field(kind, false), text).as_deref(), Ok(kept), "{text}");
        }
    }

    #[test]
    fn what_is_not_of_its_kind_is_refused() {
        for (kind, text) in [
            (FieldKind::Text, "two\nlines"),
            (FieldKind::Number, "1e9"),
            (FieldKind::Number, "."),
            (FieldKind::Number, "inf"),
            (FieldKind::Number, "1234567890123456"),
            (FieldKind::Date, "2026-02-30"),
            (FieldKind::Date, "20.11.2026"),
            (FieldKind::Choice, "blue"),
            (FieldKind::Checkbox, "on"),
            (FieldKind::Url, "javascript:alert(1)"),
            (FieldKind::Url, "https://mara:secret@example.com"),
            (FieldKind::Url, "example.com"),
        ] {
            assert!(checked(&field(kind, false), text).is_err(), "{text}");
        }
        assert!(checked(&field(FieldKind::Text, false), &"x".repeat(201)).is_err());
        for kind in FieldKind::ALL.map(|(kind, ..)| kind) {
            assert!(checked(&field(kind, true), " ").is_err() && checked(&field(kind, false), " ") == Ok(String::new()), "{kind:?}");
        }
    }
}
