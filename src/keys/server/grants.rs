//! The ceiling of keys: permissions that need a grant, and what is withheld where nobody grants them. Said here when a key is made or changed;
//! a grant that goes later takes the permission from keys that have it at the gate (`gate::levels`), by the same rule.

use super::store::{apis, grants as store};
use crate::{
    error::AppError,
    keys::model::{Api, Grant, GrantChoice, Withheld},
    platform::Ctx,
    values::{ApiId, Permission, Slug, WorkspaceId},
};
use sqlx::PgConnection;
use std::collections::HashMap;

/// What keys of a workspace may not have of an API; `key_plan` is the slug of the key's own plan. Of Tollgate's own API roles say it (`rules`).
pub(super) async fn withheld(conn: &mut PgConnection, api: &Api, workspace: WorkspaceId, key_plan: Option<&str>) -> Result<Vec<Withheld>, AppError> {
    Ok(withheld_of(conn, std::slice::from_ref(api), workspace, key_plan).await?.into_iter().map(|(_, withheld)| withheld).collect())
}

/// The same of many APIs, each beside the id of its API: one question, and none where no API has a ceiling.
pub(super) async fn withheld_of(
    conn: &mut PgConnection,
    apis: &[Api],
    workspace: WorkspaceId,
    key_plan: Option<&str>,
) -> Result<Vec<(ApiId, Withheld)>, AppError> {
    let asked: Vec<ApiId> = apis.iter().filter(|api| has_ceiling(api)).map(|api| api.id).collect();
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    Ok(store::list_withheld(conn, &asked, &[workspace], key_plan).await?.into_iter().map(|(api, _, withheld)| (api, withheld)).collect())
}

/// What new keys of each of these workspaces may not have of an API; a workspace from which nothing is withheld is left out.
pub(super) async fn withheld_by_workspace(
    conn: &mut PgConnection,
    api: &Api,
    workspaces: &[WorkspaceId],
) -> Result<HashMap<WorkspaceId, Vec<Withheld>>, AppError> {
    let mut by_workspace: HashMap<WorkspaceId, Vec<Withheld>> = HashMap::new();
    if !has_ceiling(api) {
        return Ok(by_workspace);
    }
    for (_, workspace, withheld) in store::list_withheld(conn, &[api.id], workspaces, None).await? {
        by_workspace.entry(workspace).or_default().push(withheld);
    }
    Ok(by_workspace)
}

/// The same for a new key, where no connection is at hand: nearly no API has a ceiling, and then none is taken.
pub(super) async fn withheld_from_new(ctx: &Ctx, api: &Api, workspace: WorkspaceId, key_plan: Option<&str>) -> Result<Vec<Withheld>, AppError> {
    if has_ceiling(api) { withheld(&mut *ctx.db.acquire().await?, api, workspace, key_plan).await } else { Ok(Vec::new()) }
}

fn has_ceiling(api: &Api) -> bool {
    !api.is_own() && api.permissions.iter().any(|p| p.needs_grant)
}

pub(super) fn is_withheld(withheld: &[Withheld], permission: &Permission) -> bool {
    withheld.iter().any(|w| w.permission == *permission)
}

/// None of these is withheld; else why, and the next step.
pub(super) fn must_be_granted<'a>(withheld: &[Withheld], mut wanted: impl Iterator<Item = &'a Permission>) -> Result<(), String> {
    match wanted.find_map(|permission| withheld.iter().find(|w| w.permission == *permission)) {
        Some(withheld) => Err(withheld.words()),
        None => Ok(()),
    }
}

/// None of these bundles gives what is withheld.
pub(super) fn bundles_must_be_granted(api: &Api, withheld: &[Withheld], bundles: &[Slug]) -> Result<(), String> {
    for bundle in bundles.iter().filter_map(|name| api.bundle(name.as_str())) {
        must_be_granted(withheld, bundle.gives.iter()).map_err(|words| format!("The bundle {} can't be given: {words}", bundle.name))?;
    }
    Ok(())
}

/// Every permission that needs a grant, by API and name: for whoever grants.
pub async fn list_needing_grant(ctx: &Ctx) -> Result<Vec<GrantChoice>, AppError> {
    let choices = apis::list_apis(&ctx.db).await?.into_iter().filter(|api| !api.is_own()).flat_map(|api| {
        let Api { slug, name, permissions, .. } = api;
        permissions.into_iter().filter(|p| p.needs_grant).map(move |p| GrantChoice {
            grant: Grant { api: slug.clone(), permission: p.permission },
            api_name: name.clone(),
            description: p.description,
        })
    });
    Ok(choices.collect())
}

/// Grants as people write them, `orders/reports:export`: sorted, each once, of what APIs know.
pub async fn read_grants(ctx: &Ctx, texts: &[String]) -> Result<Vec<Grant>, AppError> {
    let texts: Vec<&str> = texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).collect();
    if texts.is_empty() {
        return Ok(Vec::new());
    }
    let apis = apis::list_apis(&ctx.db).await?;
    let read = texts.into_iter().map(|text| grant(&apis, text)).collect::<Result<Vec<_>, _>>();
    let mut grants = read.map_err(|words| AppError::invalid("grants", words))?;
    grants.sort_by_key(ToString::to_string);
    grants.dedup();
    if grants.len() > Grant::MAX_COUNT {
        return Err(AppError::invalid("grants", format!("There are at most {} grants in one place.", Grant::MAX_COUNT)));
    }
    Ok(grants)
}

fn grant(apis: &[Api], text: &str) -> Result<Grant, String> {
    let wanted = text.parse::<Grant>().map_err(|rule| format!("“{}”: {rule}", text.chars().take(120).collect::<String>()))?;
    let api = apis.iter().find(|api| api.slug == wanted.api).ok_or_else(|| format!("There is no API {}.", wanted.api))?;
    if api.is_own() {
        return Err("What keys for Tollgate itself may is said by roles. Give the account another one.".to_owned());
    }
    if !api.permissions.iter().any(|p| p.permission == wanted.permission) {
        return Err(format!("The API {} knows no permission {}.", wanted.api, wanted.permission));
    }
    Ok(wanted)
}
