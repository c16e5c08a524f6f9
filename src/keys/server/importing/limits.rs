//! What holds a key, as other systems export it: Unkey's `ratelimits`, `remaining` and `refill` (also within `credits`), Better Auth's
//! `rateLimitMax`, `remaining` and `refillAmount`, and our own `limits`. What can't be said here is named.

use crate::{
    error::AppError,
    keys::{
        model::{KeyLimit, Window},
        server::{
            batch::written_limits,
            gate::window_number,
            store::{
                credits::{Shape, add_units},
                limits::replace_limits,
            },
        },
    },
    platform::{Ctx, loose},
    values::KeyId,
};
use serde_json::{Map, Value};
use sqlx::PgConnection;

/// The limits of a key of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Limited {
    pub limits: Vec<KeyLimit>,
    /// What is left of [`CREDITS`], where that is not what they hold.
    pub left: Option<u64>,
    /// What says something that no limit here says.
    pub left_out: Vec<String>,
}

/// The limit that `remaining` becomes.
const CREDITS: &str = "credits";

/// Takes them out of a key's fields; a field that can't be a limit stays there.
pub fn take_limits(fields: &mut Map<String, Value>) -> Result<Limited, String> {
    let mut limited = Limited::default();
    if let Some(value) = fields.remove("limits").map(unpacked).filter(|value| !value.is_null()) {
        limited.limits = match value {
            Value::String(text) => written_limits(&text)?,
            value => serde_json::from_value(value).map_err(|error| format!("limits: {error}"))?,
        };
    }
    take_rates(fields, &mut limited);
    take_rate_of_better_auth(fields, &mut limited);
    take_credits(fields, &mut limited);
    Ok(limited)
}

/// A cell of a table holds a list or an object as text.
fn unpacked(value: Value) -> Value {
    match value.as_str().map(str::trim) {
        Some(text) if text.starts_with(['[', '{']) => serde_json::from_str(text).unwrap_or(value),
        Some("") => Value::Null,
        _ => value,
    }
}

/// A number of units that a limit can hold.
fn units(value: Option<&Value>) -> Option<u64> {
    let value = value?;
    let number = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok());
    number.filter(|n| *n <= KeyLimit::MAX_CALLS)
}

/// Whole seconds of so many milliseconds, up to 31 days.
fn seconds(value: Option<&Value>) -> Option<u32> {
    let value = value?;
    let millis = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())?;
    let seconds = u32::try_from(millis / 1_000).ok()?;
    (millis.is_multiple_of(1_000) && (1..=Window::MAX_SECONDS).contains(&seconds)).then_some(seconds)
}

fn is_true(value: &Value) -> bool {
    loose::truth(value).unwrap_or_default()
}

/// A name as limits have one, which no other of the key has.
fn free_name(wanted: &str, limits: &[KeyLimit]) -> String {
    let clean = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c.to_ascii_lowercase() } else { '-' };
    let name: String = wanted.trim().chars().map(clean).take(36).collect();
    let name = if name.is_empty() { KeyLimit::DEFAULT.to_owned() } else { name };
    let is_free = |name: &str| name != CREDITS && limits.iter().all(|limit| limit.name != name);
    if is_free(&name) {
        return name;
    }
    let free = (2..=limits.len() + 3).map(|n| format!("{name}-{n}")).find(|name| is_free(name));
    free.unwrap_or(name)
}

/// Unkey's: `ratelimits`, a list, or the older `ratelimit`; milliseconds.
fn take_rates(fields: &mut Map<String, Value>, limited: &mut Limited) {
    for field in ["ratelimits", "ratelimit"] {
        let list = match fields.remove(field).map(unpacked) {
            Some(Value::Array(list)) => list,
            Some(Value::Null) | None => continue,
            Some(one) => vec![one],
        };
        for rate in list {
            let name = rate.get("name").and_then(Value::as_str).unwrap_or_default();
            // One of several that a call may ask for: here all hold in every call.
            let is_asked_for = rate.get("autoApply").or_else(|| rate.get("auto_apply")).is_some_and(|value| !is_true(value));
            match (units(rate.get("limit")), seconds(rate.get("duration"))) {
                (Some(limit), Some(seconds)) if !is_asked_for => {
                    let name = free_name(name, &limited.limits);
                    limited.limits.push(KeyLimit::new(name, limit, Window::Seconds(seconds)));
                }
                _ => {
                    let why = if is_asked_for { " (it does not hold in every call)".to_owned() } else { odd(&rate) };
                    limited.left_out.push(format!("{field} {name}").trim_end().to_owned() + &why);
                }
            }
        }
    }
}

/// Why a rate that can be read is no limit here.
fn odd(rate: &Value) -> String {
    match (units(rate.get("limit")), units(rate.get("duration"))) {
        (Some(limit), Some(millis)) => format!(" ({limit} in {millis} ms: a window is whole seconds, at most 31 days)"),
        _ => String::new(),
    }
}

/// Better Auth's `rateLimitMax` calls in `rateLimitTimeWindow` milliseconds, unless `rateLimitEnabled` is false.
fn take_rate_of_better_auth(fields: &mut Map<String, Value>, limited: &mut Limited) {
    const FIELDS: [&str; 3] = ["rateLimitEnabled", "rateLimitMax", "rateLimitTimeWindow"];
    let is_off = fields.get(FIELDS[0]).is_some_and(|value| !value.is_null() && !is_true(value));
    let rate = units(fields.get(FIELDS[1])).zip(seconds(fields.get(FIELDS[2])));
    if let Some((limit, seconds)) = rate.filter(|_| !is_off) {
        let name = free_name(KeyLimit::DEFAULT, &limited.limits);
        limited.limits.push(KeyLimit::new(name, limit, Window::Seconds(seconds)));
    }
    if is_off || rate.is_some() {
        FIELDS.iter().for_each(|name| _ = fields.remove(*name));
    }
}

/// `remaining` calls, of which so many come back: Unkey's every day or month, Better Auth's every so many milliseconds.
fn take_credits(fields: &mut Map<String, Value>, limited: &mut Limited) {
    if let Some(Value::Object(credits)) = fields.get("credits").cloned().map(unpacked) {
        fields.remove("credits");
        credits.into_iter().for_each(|(name, value)| _ = fields.insert(name, value));
    }
    // When it was last: the next refill comes by the clock.
    fields.remove("lastRefillAt");
    let Some(left) = units(fields.get("remaining")) else { return };
    fields.remove("remaining");
    let refill = fields.get("refill").cloned().map(unpacked).unwrap_or_default();
    let every_day_or_month = refill.get("interval").and_then(Value::as_str).zip(units(refill.get("amount")).filter(|n| *n > 0));
    let every = seconds(fields.get("refillInterval")).zip(units(fields.get("refillAmount")).filter(|n| *n > 0));
    let (amount, window) = match (every_day_or_month, every) {
        (Some(("monthly", amount)), _) => {
            fields.remove("refill");
            if left != amount {
                limited.left_out.push("remaining of this month".to_owned());
            }
            if units(refill.get("refillDay")).is_some_and(|day| day != 1) {
                limited.left_out.push("refillDay (a month begins with its first day)".to_owned());
            }
            (amount, Some(Window::Month))
        }
        (Some(("daily", amount)), _) => {
            fields.remove("refill");
            (amount, credits_of(amount, 86_400))
        }
        (_, Some((seconds, amount))) => {
            ["refillInterval", "refillAmount"].iter().for_each(|name| _ = fields.remove(*name));
            (amount, credits_of(amount, seconds))
        }
        _ => (left, Window::credits(0, 0).ok()),
    };
    let Some(window) = window else { return };
    limited.left = (window.is_credits() && left != amount).then_some(left);
    limited.limits.retain(|limit| limit.name != CREDITS);
    limited.limits.push(KeyLimit::new(CREDITS, amount, window));
}

fn credits_of(amount: u64, seconds: u32) -> Option<Window> {
    Window::credits(u32::try_from(amount).ok()?, seconds).ok()
}

/// Gives them to a new key.
pub async fn write_limits(ctx: &Ctx, conn: &mut PgConnection, key: KeyId, limited: &Limited) -> Result<(), AppError> {
    if limited.limits.is_empty() {
        return Ok(());
    }
    replace_limits(conn, key, &limited.limits).await?;
    let credits = limited.limits.iter().find(|limit| limit.name == CREDITS);
    let Some((limit, refill, left)) = credits.and_then(|limit| Some((limit, limit.window.refill()?, limited.left?))) else { return Ok(()) };
    let whole = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let shape = Shape {
        max: whole(limit.limit),
        seconds: limit.window.stored_seconds(),
        refill: i64::from(refill.units),
        number: window_number(limit.window, ctx.clock.now_micros()).into(),
    };
    // A bucket is full at first.
    add_units(conn, key.uuid(), &limit.name, &shape, whole(left) - whole(limit.limit), ctx.clock.now()).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn limited(fields: Value) -> (Limited, Map<String, Value>) {
        let mut fields = fields.as_object().cloned().expect("an object");
        let limited = take_limits(&mut fields).expect("limits");
        (limited, fields)
    }

    fn said(fields: Value) -> (Vec<String>, Option<u64>, Vec<String>) {
        let (limited, rest) = limited(fields);
        let limits = limited.limits.iter().map(|limit| format!("{}: {}", limit.name, limit.words())).collect();
        (limits, limited.left, limited.left_out.into_iter().chain(rest.into_iter().map(|(name, _)| name)).collect())
    }

    fn words<const N: usize>(words: [&str; N]) -> Vec<String> {
        words.map(str::to_owned).to_vec()
    }

    #[test]
    fn unkey_s_rates_are_limits() {
        const ODD: &str = "ratelimits odd (5 in 1500 ms: a window is whole seconds, at most 31 days)";
        let rates = json!({ "ratelimits": [
            { "id": "rl_1", "name": "Heavy.Calls", "limit": 100, "duration": 60_000, "autoApply": true },
            { "name": "heavy-calls", "limit": 5, "duration": 1_000 },
            { "name": "odd", "limit": 5, "duration": 1_500 },
            { "name": "tokens", "limit": 5, "duration": 60_000, "autoApply": false },
        ] });
        let limits = words(["heavy-calls: 100 units a minute", "heavy-calls-2: 5 units a second"]);
        assert_eq!(said(rates), (limits, None, words([ODD, "ratelimits tokens (it does not hold in every call)"])));
        let older = json!({ "ratelimit": "{\"type\":\"fast\",\"limit\":7,\"duration\":3600000}" });
        assert_eq!(said(older), (words(["default: 7 units an hour"]), None, vec![]));
        assert_eq!(said(json!({ "ratelimit": { "limit": 7 }, "ratelimits": [] })), (vec![], None, words(["ratelimit"])));
    }

    #[test]
    fn unkey_s_remaining_is_credits() {
        assert_eq!(said(json!({ "remaining": 100 })), (words(["credits: 100 credits, prepaid"]), None, vec![]));
        let daily = json!({ "credits": { "remaining": 40, "refill": { "interval": "daily", "amount": 100, "lastRefillAt": 1 } } });
        assert_eq!(said(daily), (words(["credits: 100 credits, +100 every day"]), Some(40), vec![]));
        let monthly = json!({ "remaining": 40, "refill": { "interval": "monthly", "amount": 100, "refillDay": 15 } });
        let left_out = words(["remaining of this month", "refillDay (a month begins with its first day)"]);
        assert_eq!(said(monthly), (words(["credits: 100 units a month"]), None, left_out));
        let odd = json!({ "remaining": 40, "refill": { "interval": "yearly", "amount": 100 } });
        assert_eq!(said(odd), (words(["credits: 40 credits, prepaid"]), None, words(["refill"])));
        assert_eq!(said(json!({ "remaining": null })).0, Vec::<String>::new(), "no end");
    }

    #[test]
    fn better_auth_s_fields_are_limits() {
        let all = json!({ "rateLimitEnabled": true, "rateLimitMax": "10", "rateLimitTimeWindow": 86_400_000, "remaining": 3, "refillAmount": 5,
            "refillInterval": 3_600_000, "lastRefillAt": "2026-01-01T00:00:00Z" });
        assert_eq!(said(all), (words(["default: 10 units a day", "credits: 5 credits, +5 every hour"]), Some(3), vec![]));
        let off = json!({ "rateLimitEnabled": false, "rateLimitMax": 10, "rateLimitTimeWindow": 86_400_000 });
        assert_eq!(said(off), (vec![], None, vec![]));
        let odd = json!({ "rateLimitEnabled": true, "rateLimitMax": 10, "rateLimitTimeWindow": 1 });
        assert_eq!(said(odd).2.len(), 3, "each is named");
    }

    #[test]
    fn our_own_limits_are_read_as_rest_sends_them_and_as_lists_have_them() {
        let own = json!({ "limits": [{ "name": "day", "limit": 5, "window": "day" }] });
        assert_eq!(said(own), (words(["day: 5 units a day"]), None, vec![]));
        let cell = words(["hour: 5 units an hour", "day: 9 units a day"]);
        assert_eq!(said(json!({ "limits": "5/hour 9/day", "credits": null })).0, cell);
        let wrong = json!({ "limits": [{ "name": "day", "limit": 5, "window": "fortnight" }] });
        assert!(take_limits(&mut wrong.as_object().cloned().expect("an object")).is_err());
    }
}
