//! APIs: what they are, what their routes need, which bundles they have. The rules are those of the keys feature; here stands who may.

use crate::{
    accounts::Caller,
    admin::model::{ApiList, ApiPage, ApiRow, BundleForm, TypedApi},
    error::AppError,
    keys::{
        model::{Api, ApiEdit, NewApi, NewBundle, NewRoute, Spread, Unmatched},
        server::{self as keys},
    },
    plans::server as plans,
    platform::Ctx,
    values::permission_names as may,
};

/// What `/admin/apis` shows.
pub async fn list_apis(ctx: &Ctx, caller: &Caller) -> Result<ApiList, AppError> {
    caller.require(&may::APIS_MANAGE)?;
    let (apis, counts) = tokio::try_join!(keys::list_apis(ctx, caller), keys::count_keys_by_api(ctx, caller))?;
    Ok(ApiList { rows: apis.into_iter().map(|api| ApiRow { keys: counts.get(&api.id).copied().unwrap_or(0), api }).collect() })
}

/// What `/admin/apis/{slug}` shows; `chosen` is the label of the route that is being changed or removed, `bundle` the name of the bundle;
/// empty: a new one.
pub async fn read_api(ctx: &Ctx, caller: &Caller, slug: &str, chosen: Option<&str>, bundle: Option<&str>) -> Result<ApiPage, AppError> {
    caller.require(&may::APIS_MANAGE)?;
    let api = keys::api_by_slug(ctx, caller, slug).await?;
    let (routes, counts) = tokio::try_join!(keys::list_routes(ctx, caller, slug), keys::count_keys_by_api(ctx, caller))?;
    let chosen = match chosen {
        Some(label) => Some(routes.iter().find(|r| r.label() == label).cloned().ok_or(AppError::NotFound)?),
        None => None,
    };
    let removal = chosen.as_ref().map(|route| keys::plan_removal(&api, &routes, route));
    let without = removal.map(|removal| (removal.then, removal.version.to_string()));
    let bundle_form = match bundle {
        Some("") => Some(BundleForm::New),
        Some(name) => Some(BundleForm::Change(api.bundle(name).cloned().ok_or(AppError::NotFound)?)),
        None => None,
    };
    let holders = keys::count_bundle_holders(ctx, caller, &api).await?;
    let bundle_keys = api.bundles.iter().map(|bundle| holders.get(bundle.name.as_str()).copied().unwrap_or(0)).collect();
    let limits = match caller.may(&may::PLANS_MANAGE) {
        true => Some(plans::api_limits(ctx, caller, slug).await?),
        false => None,
    };
    Ok(ApiPage { keys: counts.get(&api.id).copied().unwrap_or(0), api, routes, chosen, without, bundle_keys, bundle_form, limits })
}

/// Describes an API; `permissions` are lines `resource:action description`.
pub async fn create_api(ctx: &Ctx, caller: &Caller, name: String, slug: String, key_prefix: Option<String>, permissions: &str) -> Result<Api, AppError> {
    caller.require(&may::APIS_MANAGE)?;
    keys::create_api(ctx, caller, NewApi { slug, name, key_prefix, permissions: lines(permissions), ..NewApi::default() }).await
}

/// Changes an API, unless it is in another state by now than the form showed. With its permissions come those of the preset Basic and those
/// that need a grant.
pub async fn save_api(
    ctx: &Ctx,
    caller: &Caller,
    slug: &str,
    typed: TypedApi,
    basic: Vec<String>,
    needs_grant: Vec<String>,
) -> Result<keys::ChangedApi, AppError> {
    caller.require(&may::APIS_MANAGE)?;
    let unmatched = match typed.unmatched.as_deref() {
        Some(text) => Some(Unmatched::parse(text).ok_or_else(|| AppError::invalid("unmatched", "Choose what happens to such a call."))?),
        None => None,
    };
    let answers_preflights = match typed.preflights.as_deref() {
        Some("answer") => Some(true),
        Some("key") => Some(false),
        Some(_) => return Err(AppError::invalid("preflights", "Choose what happens to a preflight.")),
        None => None,
    };
    let sample_one_in = match typed.sample_one_in.as_deref().map(str::trim) {
        Some("") => Some(0),
        Some(text) => {
            Some(text.replace([',', ' '], "").parse::<u32>().map_err(|_| AppError::invalid("sample_one_in", "Enter a whole number, for example 100."))?)
        }
        None => None,
    };
    let permissions = typed.permissions.as_deref();
    // What is not ticked needs none any more; what stands in the form for the first time has no box yet.
    let needs_grant = match permissions {
        Some(_) => {
            let known = keys::api_by_slug(ctx, caller, slug).await?.permissions.into_iter().map(|p| p.permission.to_string());
            let mark = |name: String| {
                let is_ticked = needs_grant.contains(&name);
                (name, is_ticked)
            };
            known.map(mark).collect()
        }
        None => Vec::new(),
    };
    let (basic, permissions) = (permissions.map(|_| basic), permissions.map(lines));
    let (name, seen) = (Some(typed.name), Some(typed.version));
    let edit = ApiEdit { name, permissions, basic, needs_grant, unmatched, answers_preflights, sample_one_in, seen };
    keys::edit_api(ctx, caller, slug, edit).await
}

/// Adds a route, or changes the one with the label `replaces`, which was `seen` so. `cost` as it was typed; empty: 1.
pub async fn save_route(
    ctx: &Ctx,
    caller: &Caller,
    slug: &str,
    mut route: NewRoute,
    cost: &str,
    replaces: Option<&str>,
    seen: Option<&str>,
) -> Result<Spread, AppError> {
    caller.require(&may::APIS_MANAGE)?;
    let digits: String = cost.chars().filter(|c| !matches!(c, ',' | ' ' | '_')).collect();
    if !digits.is_empty() {
        route.cost = Some(digits.parse().map_err(|_| AppError::invalid("cost", "Enter a whole number of units, for example 5."))?);
    }
    let replaced = replaces.and_then(|label| label.split_once(' ')).map(|(method, pattern)| keys::Replaced { method, pattern, seen });
    Ok(keys::put_route(ctx, caller, slug, route, replaced).await?.spread)
}

/// Removes a route that was `seen` so.
pub async fn remove_route(ctx: &Ctx, caller: &Caller, slug: &str, method: &str, path: &str, seen: Option<&str>) -> Result<Spread, AppError> {
    caller.require(&may::APIS_MANAGE)?;
    Ok(keys::remove_route(ctx, caller, slug, method, path, seen).await?.spread)
}

/// Describes a bundle, or changes the one named `replaces`, whose name stays.
pub async fn save_bundle(ctx: &Ctx, caller: &Caller, slug: &str, mut new: NewBundle, replaces: Option<String>) -> Result<keys::ChangedBundle, AppError> {
    caller.require(&may::APIS_MANAGE)?;
    let may_replace = replaces.is_some();
    new.name = replaces.unwrap_or(new.name);
    keys::put_bundle(ctx, caller, slug, new, may_replace).await
}

pub async fn delete_bundle(ctx: &Ctx, caller: &Caller, slug: &str, name: &str) -> Result<(), AppError> {
    caller.require(&may::APIS_MANAGE)?;
    keys::delete_bundle(ctx, caller, slug, name).await
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(ToOwned::to_owned).collect()
}
