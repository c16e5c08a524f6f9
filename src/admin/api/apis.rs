//! What `/admin/apis` and the page of an API read, and where their forms go: its name and permissions, its routes, its bundles.

use crate::{
    admin::model::{ApiList, ApiPage},
    error::AppError,
};
use leptos::prelude::*;

/// What `/admin/apis` shows.
#[server]
pub async fn list_apis() -> Result<ApiList, AppError> {
    use crate::admin::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::list_apis(&ctx, &caller).await
}

/// What `/admin/apis/{slug}` shows; `route` is the label of the route that is being changed, `bundle` the name of the bundle, empty for a
/// new one.
#[server]
pub async fn read_api(slug: String, route: Option<String>, bundle: Option<String>) -> Result<ApiPage, AppError> {
    use crate::admin::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::read_api(&ctx, &caller, &slug, route.as_deref(), bundle.as_deref()).await
}

/// Describes an API.
#[server]
pub async fn create_api(name: String, slug: String, key_prefix: Option<String>, #[server(default)] permissions: String) -> Result<(), AppError> {
    use crate::admin::server;
    use crate::platform::http::reply;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let api = server::create_api(&ctx, &caller, name, slug, key_prefix, &permissions).await?;
    reply::toast(&ctx, &format!("{} is described. Keys can be made for it.", api.name));
    Ok(())
}

/// Changes an API: its name, and what else the form has: permissions, the preset Basic, calls that no route matches.
#[server]
pub async fn save_api(
    slug: String,
    name: String,
    permissions: Option<String>,
    #[server(default)] basic: Vec<String>,
    unmatched: Option<String>,
    preflights: Option<String>,
) -> Result<(), AppError> {
    use crate::admin::server;
    use crate::platform::http::reply;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::save_api(&ctx, &caller, &slug, name, permissions.as_deref(), basic, unmatched.as_deref(), preflights.as_deref()).await?;
    reply::toast(&ctx, "Saved.");
    reply::redirect(&format!("/admin/apis/{slug}"));
    Ok(())
}

/// Adds a route to an API, or puts it in the place of the one with the label `replaces`.
#[server]
pub async fn save_route(
    slug: String,
    #[server(default)] method: String,
    #[server(default)] path: String,
    permission: Option<String>,
    #[server(default)] cost: String,
    #[server(default)] is_free: bool,
    #[server(default)] description: String,
    replaces: Option<String>,
) -> Result<(), AppError> {
    use crate::admin::server;
    use crate::{keys::model::NewRoute, platform::http::reply};
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let route = NewRoute { method, pattern: path, permission, cost: None, is_free, description };
    server::save_route(&ctx, &caller, &slug, route, &cost, replaces.as_deref()).await?;
    reply::toast(&ctx, "The route is in force.");
    reply::redirect(&format!("/admin/apis/{slug}"));
    Ok(())
}

/// Removes a route of an API.
#[server]
pub async fn remove_route(slug: String, method: String, path: String) -> Result<(), AppError> {
    use crate::admin::server;
    use crate::platform::http::reply;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::remove_route(&ctx, &caller, &slug, &method, &path).await?;
    reply::toast(&ctx, &format!("{method} {path} is removed. Its calls are those that no route matches."));
    reply::redirect(&format!("/admin/apis/{slug}"));
    Ok(())
}

/// Describes a bundle of an API's permissions; `replaces` is the name of the one that is being changed.
#[server]
pub async fn save_bundle(
    slug: String,
    #[server(default)] name: String,
    #[server(default)] description: String,
    #[server(default)] permissions: Vec<String>,
    #[server(default)] includes: Vec<String>,
    replaces: Option<String>,
) -> Result<(), AppError> {
    use crate::admin::server;
    use crate::{keys::model::NewBundle, platform::http::reply};
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let new = NewBundle { name, description, permissions, includes };
    let saved = server::save_bundle(&ctx, &caller, &slug, new, replaces).await?;
    reply::toast(&ctx, &format!("The bundle {} is saved. {}", saved.bundle.name, saved.spread.words("In force")));
    reply::redirect(&format!("/admin/apis/{slug}"));
    Ok(())
}

/// Deletes a bundle that no key holds and no other bundle includes.
#[server]
pub async fn delete_bundle(slug: String, name: String) -> Result<(), AppError> {
    use crate::admin::server;
    use crate::platform::http::reply;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::delete_bundle(&ctx, &caller, &slug, &name).await?;
    reply::toast(&ctx, &format!("The bundle {name} is deleted."));
    reply::redirect(&format!("/admin/apis/{slug}"));
    Ok(())
}
