//! The one way in which an event and an entry become bytes: parts with their lengths before them, so that no two contents have the same
//! bytes (`ab` + `c` is not `a` + `bc`), whichever way Postgres keeps or prints them.

use crate::platform::crypto::sha256;
use serde_json::{Number, Value};
use time::OffsetDateTime;
use uuid::Uuid;

/// The facts that erasing a person takes out of an event's data.
const PERSONAL: [&str; 3] = ["address", "device", "name"];

/// An event as its row holds it.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::activity::server) struct Row {
    pub id: Uuid,
    pub at: OffsetDateTime,
    pub kind: String,
    pub workspace: Option<Uuid>,
    pub actor_id: Option<Uuid>,
    pub actor: String,
    pub subject: Option<Uuid>,
    pub reason: String,
    pub data: Value,
    pub salt: Uuid,
}

impl Row {
    /// Of what never changes: which event it is, when, of what kind, about what, why, and its facts but those that name a person.
    pub fn facts(&self) -> [u8; 32] {
        let mut canon = Canon::new("tollgate event facts 1");
        canon.part(self.id.as_bytes());
        canon.part(&micros(self.at));
        canon.part(self.kind.as_bytes());
        canon.optional(self.subject.as_ref().map(|id| &id.as_bytes()[..]));
        canon.part(self.reason.as_bytes());
        match &self.data {
            Value::Object(facts) => canon.object(facts.iter().filter(|(name, _)| !PERSONAL.contains(&name.as_str()))),
            other => canon.json(other),
        }
        sha256(canon.0)
    }

    /// Of what erasing changes: who did it, under which name, in which workspace, from where. The salt keeps it from being guessed.
    pub fn person(&self) -> [u8; 32] {
        let mut canon = Canon::new("tollgate event person 1");
        canon.part(self.salt.as_bytes());
        canon.part(self.id.as_bytes());
        canon.part(self.actor.as_bytes());
        for id in [self.actor_id, self.workspace] {
            canon.optional(id.as_ref().map(|id| &id.as_bytes()[..]));
        }
        for name in PERSONAL {
            canon.json(self.data.get(name).unwrap_or(&Value::Null));
        }
        sha256(canon.0)
    }
}

/// Bytes that are hashed.
pub(super) struct Canon(Vec<u8>);

impl Canon {
    /// `what` is hashed with it, so that bytes of one thing are never those of another.
    pub fn new(what: &str) -> Self {
        let mut canon = Self(Vec::with_capacity(512));
        canon.part(what.as_bytes());
        canon
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn part(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        self.0.extend_from_slice(bytes);
    }

    fn optional(&mut self, bytes: Option<&[u8]>) {
        self.part(&[u8::from(bytes.is_some())]);
        self.part(bytes.unwrap_or_default());
    }

    fn json(&mut self, value: &Value) {
        match value {
            Value::Null => self.part(b"null"),
            Value::Bool(is) => self.part(if *is { b"true" } else { b"false" }),
            Value::Number(number) => {
                self.part(b"number");
                self.part(digits(number).as_bytes());
            }
            Value::String(text) => {
                self.part(b"text");
                self.part(text.as_bytes());
            }
            Value::Array(items) => {
                self.part(b"list");
                self.part(&(items.len() as u64).to_be_bytes());
                items.iter().for_each(|item| self.json(item));
            }
            Value::Object(members) => self.object(members.iter()),
        }
    }

    /// Members in the order of their names: Postgres keeps another one than we send.
    fn object<'a>(&mut self, members: impl Iterator<Item = (&'a String, &'a Value)>) {
        let mut members: Vec<_> = members.collect();
        members.sort_by_key(|(name, _)| *name);
        self.part(b"object");
        self.part(&(members.len() as u64).to_be_bytes());
        for (name, value) in members {
            self.part(name.as_bytes());
            self.json(value);
        }
    }
}

/// Microseconds since 1970: what Postgres holds of an instant.
pub(super) fn micros(at: OffsetDateTime) -> [u8; 16] {
    (at.unix_timestamp_nanos().div_euclid(1000)).to_be_bytes()
}

/// The same for a number as it went into Postgres and as it comes out (`1e3`, `1000.0` and `1000`); fractions to 13 digits.
fn digits(number: &Number) -> String {
    if let Some(whole) = number.as_i64() {
        return whole.to_string();
    }
    if let Some(whole) = number.as_u64() {
        return whole.to_string();
    }
    let float = number.as_f64().unwrap_or_default() + 0.0; // −0 becomes 0
    if float.fract() == 0.0 { float.to_string() } else { format!("{float:.12e}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use time::macros::datetime;

    fn row() -> Row {
        Row {
            id: Uuid::from_u128(1),
            at: datetime!(2026-11-21 12:00 UTC),
            kind: "key.created".to_owned(),
            workspace: Some(Uuid::from_u128(2)),
            actor_id: Some(Uuid::from_u128(3)),
            actor: "Vera".to_owned(),
            subject: Some(Uuid::from_u128(4)),
            reason: String::new(),
            data: json!({ "name": "shop", "address": "203.0.113.9", "calls": 3, "more": { "b": 1, "a": [true, null] } }),
            salt: Uuid::from_u128(5),
        }
    }

    /// What is changed, whether it counts among the facts, and how.
    type Changed = (&'static str, bool, fn(&mut Row));

    #[test]
    fn r83_each_field_counts_in_exactly_one_digest() {
        let (facts, person) = (row().facts(), row().person());
        let changes: [Changed; 12] = [
            ("at", true, |r| r.at += time::Duration::microseconds(1)),
            ("kind", true, |r| r.kind.push('s')),
            ("subject", true, |r| r.subject = None),
            ("reason", true, |r| r.reason.push('x')),
            ("a fact", true, |r| r.data["calls"] = json!(4)),
            ("a fact inside", true, |r| r.data["more"]["a"] = json!([true, false])),
            ("actor", false, |r| r.actor.push('s')),
            ("actor's id", false, |r| r.actor_id = None),
            ("workspace", false, |r| r.workspace = None),
            ("name", false, |r| r.data["name"] = json!("shops")),
            ("address", false, |r| r.data["address"] = Value::Null),
            ("salt", false, |r| r.salt = Uuid::from_u128(6)),
        ];
        for (what, in_facts, change) in changes {
            let mut changed = row();
            change(&mut changed);
            assert_eq!((changed.facts() != facts, changed.person() != person), (in_facts, !in_facts), "{what}");
        }
        let other = Row { id: Uuid::from_u128(9), ..row() };
        assert!(other.facts() != facts && other.person() != person, "nothing is moved to another event");
    }

    #[test]
    fn r83_lengths_keep_neighbours_apart_and_order_of_members_means_nothing() {
        let facts = |kind: &str, reason: &str| Row { kind: kind.to_owned(), reason: reason.to_owned(), subject: None, ..row() }.facts();
        assert_ne!(facts("ab", "c"), facts("a", "bc"));
        let of = |data: Value| Row { data, ..row() }.facts();
        let (ab, ba): (Value, Value) = (serde_json::from_str(r#"{"a":1,"b":2}"#).unwrap(), serde_json::from_str(r#"{"b":2,"a":1}"#).unwrap());
        assert_eq!(of(ab), of(ba));
        assert_ne!(of(json!({ "a": ["b"] })), of(json!({ "a": { "0": "b" } })));
        assert_ne!(of(json!({ "a": "1" })), of(json!({ "a": 1 })));
        assert_ne!(of(json!({ "a": null })), of(json!({})));
    }

    #[test]
    fn r83_a_number_is_the_same_before_and_after_postgres() {
        let of = |text: &str| digits(&serde_json::from_str(text).unwrap());
        for (before, after) in [("1000.0", "1000"), ("1e3", "1000"), ("-0.0", "0"), ("1e17", "100000000000000000"), ("0.1", "0.10"), ("1e-7", "0.0000001")] {
            assert_eq!(of(before), of(after), "{before}");
        }
        assert_ne!(of("0.5"), of("0.6"));
        assert_ne!(of("18446744073709551615"), of("18446744073709551614"));
    }
}
