//! A list of accounts as another system exports it: CSV with a head, or JSON objects. One field for each thing, under the names that are
//! usual for it.

use crate::{
    accounts::server::sign_up,
    error::AppError,
    platform::{
        csv,
        loose::{moment, says_something, take, truth},
        salted_hash,
    },
    values::Email,
};
use serde_json::{Map, Value};
use time::OffsetDateTime;

/// An account of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub email: Email,
    pub name: String,
    /// None: nobody signs in with a password until a link sets one.
    pub password_hash: Option<String>,
    pub is_verified: bool,
    pub created_at: Option<OffsetDateTime>,
    /// Fields that say something which is not imported.
    pub left_out: Vec<String>,
}

/// What is wrong with a line, and in which of its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    pub field: &'static str,
    pub message: String,
}

/// A line of a list: its number, the address as it stands there, and the account or what is wrong with it.
pub struct Line {
    pub number: usize,
    pub email: String,
    pub account: Result<Listed, Wrong>,
}

const EMAIL: [&str; 2] = ["email", "email_address"];
const NAME: [&str; 3] = ["name", "display_name", "displayName"];
const HASH: [&str; 6] = ["password_hash", "passwordHash", "hash", "password_digest", "encrypted_password", "password"];
const VERIFIED: [&str; 4] = ["verified", "email_verified", "emailVerified", "is_verified"];
const CREATED: [&str; 2] = ["created_at", "createdAt"];
/// What says nothing about an account, or says it of another system.
const SILENT: [&str; 5] = ["id", "_id", "uuid", "updated_at", "updatedAt"];

/// A file: JSON if it begins so, else CSV.
pub fn text(text: &str) -> Result<Vec<Line>, AppError> {
    if text.trim_start().starts_with(['[', '{']) {
        let document: Value = serde_json::from_str(text).map_err(|error| AppError::invalid("list", format!("This is not JSON: {error}.")))?;
        return objects(document);
    }
    let mut lines = csv::read(text).into_iter();
    let (_, head) = lines.next().ok_or_else(|| AppError::invalid("list", "The list is empty."))?;
    let head: Vec<String> = head.iter().map(|cell| cell.trim().to_owned()).collect();
    if !head.iter().any(|name| EMAIL.contains(&name.as_str())) {
        return Err(AppError::invalid("list", "The first line names the columns, and one of them is email."));
    }
    let object = |(number, cells): (usize, Vec<String>)| {
        if cells.len() > head.len() {
            let message = format!("It has {} cells, the first line {}. Put a cell with a comma in quotes.", cells.len(), head.len());
            return Line { number, email: String::new(), account: Err(Wrong { field: "line", message }) };
        }
        let fields = head.iter().cloned().zip(cells.into_iter().map(Value::String)).filter(|(_, v)| v.as_str().is_some_and(|t| !t.trim().is_empty()));
        line(number, fields.collect())
    };
    Ok(lines.map(object).collect())
}

/// A list of objects, or an object that has it as `accounts`, `users` or `data`.
pub fn objects(mut document: Value) -> Result<Vec<Line>, AppError> {
    let inner = ["accounts", "users", "data"].into_iter().find_map(|name| document.get_mut(name).map(Value::take));
    let Value::Array(list) = inner.unwrap_or(document) else {
        return Err(AppError::invalid("list", "The list is a JSON array of objects, or an object with accounts, users or data."));
    };
    let object = |(i, value)| match value {
        Value::Object(fields) => line(i + 1, fields),
        _ => Line { number: i + 1, email: String::new(), account: Err(Wrong { field: "line", message: "This is not an object.".to_owned() }) },
    };
    Ok(list.into_iter().enumerate().map(object).collect())
}

fn line(number: usize, mut fields: Map<String, Value>) -> Line {
    let email = take(&mut fields, &EMAIL).and_then(|value| value.as_str().map(|text| text.trim().to_owned())).unwrap_or_default();
    Line { number, account: listed(&email, fields), email }
}

fn listed(typed: &str, mut fields: Map<String, Value>) -> Result<Listed, Wrong> {
    let wrong = |field: &'static str, message: String| Wrong { field, message };
    let email = Email::anew(typed).map_err(|words| wrong("email", words.to_owned()))?;
    let name = word(take(&mut fields, &NAME), "name")?;
    let name = sign_up::name(name.as_deref().unwrap_or_else(|| sign_up::before_at(typed))).map_err(|words| wrong("name", words))?;
    let password_hash = word(take(&mut fields, &HASH), "password_hash")?.map(|text| hash(&text)).transpose()?;
    let is_verified = match take(&mut fields, &VERIFIED) {
        None => false,
        // Some systems write when it was proven.
        Some(value) => truth(&value)
            .or_else(|| moment(&value).map(|_| true))
            .ok_or_else(|| wrong("verified", format!("This is true or false, or the moment when it was proven, not {value}.")))?,
    };
    let at = |value: Value| moment(&value).ok_or_else(|| wrong("created_at", format!("{value} is no moment: write 2027-01-31T00:00:00Z.")));
    let created_at = take(&mut fields, &CREATED).map(at).transpose()?;
    SILENT.iter().for_each(|name| _ = fields.remove(*name));
    let left_out = fields.into_iter().filter(|(_, value)| says_something(value)).map(|(name, _)| name).collect();
    Ok(Listed { email, name, password_hash, is_verified, created_at, left_out })
}

/// A text that says something.
fn word(value: Option<Value>, field: &'static str) -> Result<Option<String>, Wrong> {
    match value {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
        Some(_) => Err(Wrong { field, message: "This is a text.".to_owned() }),
    }
}

/// Never says what stands there: it may be a password.
fn hash(text: &str) -> Result<String, Wrong> {
    salted_hash::read(text).map_err(|unreadable| Wrong {
        field: "password_hash",
        message: match unreadable {
            _ if !salted_hash::is_meant(text) => {
                "This is no hash of bcrypt or Argon2. Passwords themselves are never imported; leave it empty, and its owner sets a password by email."
            }
            salted_hash::Unreadable::Bcrypt => {
                "This is no bcrypt hash of the kinds 2a, 2b and 2y at a cost of 4 to 13. Leave it empty, and its owner sets a password by email."
            }
            salted_hash::Unreadable::Argon2 => {
                "This is no Argon2 hash without a key, of at most 128 MiB and 512 MiB in all passes. Leave it empty, and its owner sets a password by email."
            }
        }
        .to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BCRYPT: &str = "$2y$10$.....................................................";

    fn wrong(line: &Line) -> (usize, &'static str) {
        (line.number, line.account.as_ref().expect_err("a wrong line").field)
    }

    #[test]
    fn a_table_and_objects_say_the_same() {
        let table = format!("email,name,password_hash,verified,created_at,plan\r\nMara@Example.com,Mara,{BCRYPT},true,2020-01-31T00:00:00Z,gold\r\n");
        let json = format!(
            r#"{{"users":[{{"id":7,"email":"Mara@Example.com","name":"Mara","passwordHash":"{BCRYPT}","emailVerified":"2021-01-01T00:00:00Z","createdAt":1580428800000,"plan":"gold"}}]}}"#
        );
        let one = |list: &str| text(list).expect("a list").pop().expect("a line").account.expect("an account");
        let listed = one(&table);
        assert_eq!(listed, one(&json));
        assert_eq!((listed.email.as_str(), listed.name.as_str(), listed.password_hash.as_deref()), ("Mara@Example.com", "Mara", Some(BCRYPT)));
        assert_eq!(
            (listed.is_verified, listed.created_at.map(OffsetDateTime::unix_timestamp), listed.left_out),
            (true, Some(1_580_428_800), vec!["plan".to_owned()])
        );
        let bare = one("email\nvera@example.com");
        assert_eq!((bare.name.as_str(), bare.password_hash, bare.is_verified, bare.created_at), ("vera", None, false, None));
    }

    #[test]
    fn a_wrong_line_names_its_field_and_no_password() {
        let list = "email,name,password,verified,created_at\n\
            nobody,A,,,\nb@example.com,B,correct horse battery,,\nc@example.com,C,,perhaps,\nd@example.com,D,,,yesterday\ne@example.com,E,$2y$14$abc,,\nf@example.com,F,,,,,\n";
        let lines = text(list).expect("a list");
        let found: Vec<_> = lines.iter().map(wrong).collect();
        assert_eq!(found, [(2, "email"), (3, "password_hash"), (4, "verified"), (5, "created_at"), (6, "password_hash"), (7, "line")]);
        assert!(lines.iter().all(|line| line.account.as_ref().is_err_and(|wrong| !wrong.message.contains("horse"))));
        for list in ["", "name,password_hash\nA,B\n", "[1", "{\"users\":7}"] {
            assert!(text(list).is_err(), "{list}");
        }
    }
}
