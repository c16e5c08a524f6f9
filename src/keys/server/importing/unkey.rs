//! Rows of Unkey's table `keys`, in the names of its columns or of its program, as the fields of the keys that its API exports; and which
//! rows, of whatever system, are of keys that were deleted there.

use crate::platform::loose::{self, take};
use serde_json::{Map, Value, json};

/// Columns that nobody but Unkey has.
const OF_UNKEY: [&str; 6] = ["key_auth_id", "keyAuthId", "remaining_requests", "remainingRequests", "refill_day", "refillDay"];
/// When a key was deleted or revoked, or that it was.
const DELETED: [&str; 9] = ["deleted_at_m", "deletedAtM", "deleted_at", "deletedAt", "deleted", "revoked_at", "revokedAt", "revoked", "is_deleted"];

/// What says nothing that a key needs here: of Unkey's own rows, and how it counts.
pub const SILENT: [&str; 18] = [
    "pk",
    "key_auth_id",
    "keyAuthId",
    "workspace_id",
    "created_at_m",
    "createdAtM",
    "updated_at",
    "updated_at_m",
    "updatedAtM",
    "last_used_at",
    "lastUsedAt",
    "last_refill_at",
    "lastRefillAt",
    "ratelimit_async",
    "ratelimitAsync",
    "pending_migration_id",
    "pendingMigrationId",
    "total_uses",
];

/// True if a table with these columns is Unkey's.
pub fn is_table(head: &[String]) -> bool {
    head.iter().any(|name| OF_UNKEY.contains(&name.as_str()))
}

/// Why a key is none any more, where it comes from.
pub fn deleted(fields: &mut Map<String, Value>) -> Option<String> {
    let said: Vec<Value> = DELETED.iter().filter_map(|name| fields.remove(*name)).filter(is_said).collect();
    let first = said.first()?;
    // `true` has no date; 1 is no date, either.
    let day = loose::moment(first).filter(|at| at.unix_timestamp() > 1).map(|at| format!(" on {}", at.date()));
    Some(format!("It was deleted where it comes from{}.", day.unwrap_or_default()))
}

/// Not `false` and not 0, as programs write them. What can't be read may say that it was.
fn is_said(value: &Value) -> bool {
    let says_nothing = value.as_str().is_some_and(|text| matches!(text.trim(), "" | "NULL" | "null" | "\\N"));
    !value.is_null() && !says_nothing && loose::truth(value) != Some(false)
}

/// Gives the columns of a row the names that an exported key has. What was exported stays as it is.
pub fn rename(fields: &mut Map<String, Value>) {
    let is_row = OF_UNKEY.iter().any(|name| fields.contains_key(*name));
    if let Some(remaining) = take(fields, &["remaining_requests", "remainingRequests"]) {
        fields.entry("remaining").or_insert(remaining);
    }
    // Better Auth has a field `refillAmount`, too. Without `remaining` there is no end, and nothing to refill.
    if is_row && fields.get("remaining").is_some_and(|left| !left.is_null()) && !fields.contains_key("refill") {
        let day = take(fields, &["refill_day", "refillDay"]);
        if let Some(amount) = take(fields, &["refill_amount", "refillAmount"]) {
            let interval = if day.is_some() { "monthly" } else { "daily" };
            fields.insert("refill".to_owned(), json!({ "interval": interval, "amount": amount, "refillDay": day }));
        }
    }
    let limit = take(fields, &["ratelimit_limit", "ratelimitLimit"]);
    let duration = take(fields, &["ratelimit_duration", "ratelimitDuration"]);
    if limit.is_some() || duration.is_some() {
        fields.entry("ratelimit").or_insert(json!({ "limit": limit, "duration": duration }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().cloned().expect("an object")
    }

    fn renamed(row: Value) -> Value {
        let mut fields = object(row);
        rename(&mut fields);
        Value::Object(fields)
    }

    #[test]
    fn columns_become_fields_of_an_exported_key() {
        let daily = json!({ "remaining_requests": 40, "refill_day": null, "refill_amount": 100, "ratelimit_limit": 5, "ratelimit_duration": 60_000 });
        let wanted =
            json!({ "remaining": 40, "refill": { "interval": "daily", "amount": 100, "refillDay": null }, "ratelimit": { "limit": 5, "duration": 60_000 } });
        assert_eq!(renamed(daily), wanted);
        let monthly = json!({ "remaining": "40", "refillDay": "15", "refillAmount": "100" });
        assert_eq!(renamed(monthly), json!({ "remaining": "40", "refill": { "interval": "monthly", "amount": "100", "refillDay": "15" } }));
        let endless = json!({ "key_auth_id": "ks_1", "remaining_requests": null, "refill_amount": 7 });
        assert_eq!(renamed(endless), json!({ "key_auth_id": "ks_1", "refill_amount": 7 }), "without an end there is nothing to refill");
        let of_better_auth = json!({ "remaining": 3, "refillAmount": 5, "refillInterval": null });
        assert_eq!(renamed(of_better_auth.clone()), of_better_auth);
        let exported = json!({ "remaining": 3, "ratelimit": { "limit": 1 }, "ratelimits": [] });
        assert_eq!(renamed(exported.clone()), exported);
    }

    #[test]
    fn a_key_that_was_deleted_says_so() {
        let of = |row: Value| deleted(&mut object(row));
        let on_its_day = Some("It was deleted where it comes from on 2023-11-26.".to_owned());
        assert_eq!(of(json!({ "deleted_at_m": 1_701_000_000_000_u64 })), on_its_day);
        assert_eq!(of(json!({ "deletedAt": "2023-11-26T10:00:00Z", "deleted": true })), on_its_day);
        assert_eq!(of(json!({ "deleted_at": "2023-11-26 12:00:00.000" })), on_its_day);
        for said in [json!(true), json!("t"), json!("1"), json!(1), json!("some day")] {
            assert_eq!(of(json!({ "deleted": said })).as_deref(), Some("It was deleted where it comes from."), "{said}");
        }
        for nothing in [json!(null), json!(false), json!(0), json!("0"), json!(""), json!("false"), json!("NULL")] {
            assert_eq!(of(json!({ "deleted_at_m": nothing })), None, "{nothing}");
        }
    }
}
