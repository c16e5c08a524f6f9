//! Used against granted: where each permission of a key comes from, and which its calls needed, found by the routes that usage counted.

use super::{change::Changed, detail::find_key, editing::edit_key, store, words::said};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::model::{Api, ApiRoute, Key, KeyEdit, PermissionUse},
    platform::{Ctx, LocalTime},
    values::KeyId,
};
use time::Duration;

/// How far back is looked.
pub const DAYS: i64 = 30;

/// Each permission that the key has in effect, with where it comes from and the calls of the last 30 days that needed it.
pub(super) async fn permission_uses(ctx: &Ctx, key: &Key, api: &Api, routes: &[ApiRoute], local: &LocalTime) -> Result<Vec<PermissionUse>, AppError> {
    if key.effective.is_empty() {
        return Ok(Vec::new());
    }
    let counted = store::calls::list_routes_called(&ctx.db, key.id, local.now() - Duration::days(DAYS)).await?;
    let uses = key.effective.iter().map(|permission| {
        let needs_it = |label: &str| route_of(routes, label).is_some_and(|r| r.permission.as_ref() == Some(permission));
        let (mut calls, mut last) = (0, None);
        for route in counted.iter().filter(|route| needs_it(&route.label)) {
            calls += route.calls;
            last = last.max(Some(route.last));
        }
        PermissionUse {
            permission: permission.clone(),
            is_single: key.permissions.contains(permission),
            bundles: api.bundles_giving(key, permission),
            calls,
            last: last.map(|at| said(at, local.ago(at))),
            is_known: routes.iter().any(|r| r.permission.as_ref() == Some(permission)),
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
