//! What an act on a key asks of whoever does it, besides the permission to write keys.
//!
//! A key for Tollgate itself is a way in that stays. To let it do more than it does now (more permissions, from more places, for longer, on
//! again) takes what making it takes: a recent proof in a browser, and a caller who may all that the key then may. So a key with few
//! permissions widens no other one; and one that may call certain routes only makes or widens none, which would be a way around its list. To
//! take something from a key of somebody else asks the admin PIN, if there is one.

use super::{gate::Gate, key_routes, origins};
use crate::{
    accounts::{
        Caller, Via,
        server::{require_pin, require_recent_proof},
    },
    error::AppError,
    keys::model::{Api, Key},
    platform::Ctx,
    values::Permission,
};
use ipnet::IpNet;
use time::OffsetDateTime;

/// Before a key can do more than now; `permissions` are those that it has then.
pub async fn to_widen(ctx: &Ctx, caller: &Caller, key: &Key, permissions: &[Permission]) -> Result<(), AppError> {
    if !is_own(key) {
        return Ok(());
    }
    must_hold(caller, permissions)?;
    must_call_all(ctx, caller)?;
    require_recent_proof(ctx, caller).await
}

/// The same for many keys that keep their permissions; asked once.
pub async fn to_widen_many(ctx: &Ctx, caller: &Caller, keys: &[&Key]) -> Result<(), AppError> {
    keys.iter().filter(|key| is_own(key)).try_for_each(|key| must_hold(caller, &key.effective))?;
    if !keys.iter().any(|key| is_own(key)) {
        return Ok(());
    }
    must_call_all(ctx, caller)?;
    require_recent_proof(ctx, caller).await
}

/// Before something is taken from a key: of somebody else's it asks the PIN, if there is one.
pub async fn to_take_from(ctx: &Ctx, caller: &Caller, key: &Key) -> Result<(), AppError> {
    if key.workspace == caller.workspace { Ok(()) } else { require_pin(ctx, caller).await }
}

/// A key that may call certain routes only would get around its list by another key for Tollgate itself.
pub fn must_call_all(ctx: &Ctx, caller: &Caller) -> Result<(), AppError> {
    match caller.via {
        Via::Key(key) if ctx.part::<Gate>().is_some_and(|gate| gate.is_listed(key)) => {
            Err(AppError::refused("A key that may call certain routes only makes no key for Tollgate itself, and lets none do more."))
        }
        _ => Ok(()),
    }
}

/// Whoever gives it must have it all.
fn must_hold(caller: &Caller, permissions: &[Permission]) -> Result<(), AppError> {
    match permissions.iter().find(|permission| !caller.may(permission)) {
        Some(beyond) => Err(AppError::forbidden(beyond)),
        None => Ok(()),
    }
}

fn is_own(key: &Key) -> bool {
    key.api.as_str() == Api::OWN
}

/// True if the later end lies beyond the earlier one; none is never.
pub fn lasts_longer(before: Option<OffsetDateTime>, after: Option<OffsetDateTime>) -> bool {
    before.is_some_and(|before| after.is_none_or(|after| after > before))
}

/// True if addresses may use the key afterwards that might not before. An empty list is everywhere.
pub fn opens_addresses(before: &[String], after: &[String]) -> bool {
    let network = |text: &str| text.parse::<IpNet>().ok();
    let holds = |wide: &str, narrow: &str| network(wide).zip(network(narrow)).is_some_and(|(wide, narrow)| wide.contains(&narrow));
    opens(before, after, holds)
}

/// The same of web pages.
pub fn opens_origins(before: &[String], after: &[String]) -> bool {
    opens(before, after, |wide, narrow| wide == narrow || origins::pattern_of(narrow).is_some_and(|pattern| pattern == wide))
}

/// The same of routes.
pub fn opens_routes(before: &[String], after: &[String]) -> bool {
    opens(before, after, key_routes::holds)
}

fn opens(before: &[String], after: &[String], holds: impl Fn(&str, &str) -> bool) -> bool {
    let is_held = |narrow: &String| before.iter().any(|wide| holds(wide, narrow));
    !before.is_empty() && (after.is_empty() || !after.iter().all(is_held))
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn list(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn a_list_opens_when_something_is_in_it_that_was_not() {
        for (before, after, opens) in [
            (&[][..], &["10.0.0.0/8"][..], false),
            (&["10.0.0.0/8"], &[], true),
            (&["10.0.0.0/8"], &["10.1.0.0/16", "10.2.0.1/32"], false),
            (&["10.1.0.0/16"], &["10.0.0.0/8"], true),
            (&["10.0.0.0/8"], &["10.0.0.0/8", "2001:db8::/32"], true),
            (&["10.0.0.0/8", "192.0.2.0/24"], &["192.0.2.0/24"], false),
        ] {
            assert_eq!(opens_addresses(&list(before), &list(after)), opens, "{before:?} to {after:?}");
        }
        for (before, after, opens) in [
            (&[][..], &["https://a.example.com"][..], false),
            (&["https://*.example.com"], &["https://a.example.com"], false),
            (&["https://a.example.com"], &["https://*.example.com"], true),
            (&["https://a.example.com"], &[], true),
        ] {
            assert_eq!(opens_origins(&list(before), &list(after)), opens, "{before:?} to {after:?}");
        }
        for (before, after, opens) in [
            (&[][..], &["GET /orders"][..], false),
            (&["* /orders"], &["GET /orders"], false),
            (&["GET /orders"], &["* /orders"], true),
            (&["GET /orders", "POST /orders"], &["POST /orders"], false),
            (&["GET /orders"], &[], true),
        ] {
            assert_eq!(opens_routes(&list(before), &list(after)), opens, "{before:?} to {after:?}");
        }
    }

    #[test]
    fn never_is_the_latest_end() {
        let (early, late) = (Some(datetime!(2027-01-01 00:00 UTC)), Some(datetime!(2028-01-01 00:00 UTC)));
        for (before, after, longer) in [(early, late, true), (late, early, false), (early, None, true), (None, late, false), (early, early, false)] {
            assert_eq!(lasts_longer(before, after), longer, "{before:?} to {after:?}");
        }
    }
}
