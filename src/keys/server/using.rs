//! Used against granted: where each permission of a key comes from, and which its calls needed, by their route or because the asking service
//! named it.
//!
//! Permissions are counted as such (`meter::permissions`). Beside it the routes that usage counted are read, which survive more (the
//! spool), and which were counted before. "Never used" is said only of what would have been seen: of a permission that a route names or that
//! services ask for, counted for all of the time, and never of keys for Tollgate itself, whose own API asks nobody.

use super::{change::Changed, detail::find_key, editing::edit_key, grants::is_withheld, store, words::said};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::model::{Api, ApiRoute, Key, KeyEdit, PermissionUse, Withheld},
    platform::{Ctx, LocalTime},
    values::KeyId,
};
use time::Duration;

/// How far back is looked.
pub const DAYS: i64 = 30;

/// Each permission that the key has in effect, with where it comes from and the calls of the last 30 days that needed it; of them these are
/// withheld.
pub(super) async fn permission_uses(
    ctx: &Ctx,
    key: &Key,
    api: &Api,
    withheld: &[Withheld],
    routes: &[ApiRoute],
    local: &LocalTime,
) -> Result<Vec<PermissionUse>, AppError> {
    if key.effective.is_empty() {
        return Ok(Vec::new());
    }
    let since = local.now() - Duration::days(DAYS);
    let names: Vec<String> = key.effective.iter().map(ToString::to_string).collect();
    let counted = store::calls::list_routes_called(&ctx.db, key.id, since).await?;
    let needed = store::calls::list_permissions_needed(&ctx.db, key.id, api.id, &names, since).await?;
    let begun = store::calls::find_counted_since(&ctx.db).await?;
    // For all of the time that is told of: counted, and not forgotten since.
    let start = since.max(key.created_at);
    let is_counted_long = begun.is_none_or(|begun| begun <= start) && local.now() - start <= ctx.config.retention.addresses;
    let uses = key.effective.iter().map(|permission| {
        let needs_it = |label: &str| route_of(routes, label).is_some_and(|r| r.permission.as_ref() == Some(permission));
        let (mut calls, mut last) = (0_u64, None);
        for route in counted.iter().filter(|route| needs_it(&route.label)) {
            calls += route.calls;
            last = last.max(Some(route.last));
        }
        let told = needed.iter().find(|n| n.permission == permission.as_str());
        if let Some(told) = told {
            // The same calls, as a rule: the larger number is the one that missed less.
            calls = calls.max(u64::try_from(told.calls).unwrap_or(0));
            last = last.max(told.last);
        }
        let is_seen = routes.iter().any(|r| r.permission.as_ref() == Some(permission)) || told.is_some_and(|told| told.is_asked);
        PermissionUse {
            permission: permission.clone(),
            is_single: key.permissions.contains(permission),
            bundles: api.bundles_giving(key, permission),
            is_granted: !is_withheld(withheld, permission),
            calls,
            last: last.map(|at| said(at, local.ago(at))),
            is_known: calls > 0 || is_seen && is_counted_long && !api.is_own(),
            is_counted_long,
        }
    });
    Ok(uses.collect())
}

/// The route under whose label a call was counted, as the gate chooses among the rules of one path.
fn route_of<'a>(routes: &'a [ApiRoute], label: &str) -> Option<&'a ApiRoute> {
    let (method, pattern) = label.split_once(' ')?;
    let of = |wanted: &str| routes.iter().find(|r| r.pattern == pattern && r.method == wanted);
    of(method).or_else(|| if method == "HEAD" { of("GET") } else { None }).or_else(|| of(ApiRoute::ANY))
}

/// Leaves a key only those of its single permissions that are named; its bundles stay. It never gets more by it.
pub async fn narrow_key(ctx: &Ctx, caller: &Caller, id: KeyId, keep: &[String]) -> Result<Changed, AppError> {
    let key = find_key(ctx, caller, id).await?;
    let kept = key.permissions.iter().map(ToString::to_string).filter(|p| keep.contains(p)).collect();
    edit_key(ctx, caller, id, KeyEdit { permissions: Some(kept), ..KeyEdit::default() }).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_leads_back_to_its_route() {
        let route = |method: &str, pattern: &str| ApiRoute {
            method: method.into(),
            pattern: pattern.into(),
            permission: None,
            cost: 1,
            is_counted: true,
            description: String::new(),
        };
        let routes = [route("*", "/a"), route("GET", "/a"), route("POST", "/b/{id}")];
        let found = |label: &str| route_of(&routes, label).map(ApiRoute::label).unwrap_or_default();
        assert_eq!([found("GET /a"), found("HEAD /a"), found("PUT /a"), found("* /a")], ["GET /a", "GET /a", "* /a", "* /a"]);
        assert_eq!([found("POST /b/{id}"), found("GET /b/{id}"), found("-")], ["POST /b/{id}", "", ""]);
    }
}
