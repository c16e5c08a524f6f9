//! Where the forms of an API's parts go: its routes and its bundles of permissions.

use crate::error::AppError;
use leptos::prelude::*;

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
    version: Option<String>,
) -> Result<(), AppError> {
    use crate::admin::server;
    use crate::{keys::model::NewRoute, platform::http::reply};
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let route = NewRoute { method, pattern: path, permission, cost: None, is_free, description };
    let spread = server::save_route(&ctx, &caller, &slug, route, &cost, replaces.as_deref(), version.as_deref()).await?;
    reply::toast(&ctx, &format!("The route is saved. {}", spread.words("In force")));
    reply::redirect(&format!("/admin/apis/{slug}"));
    Ok(())
}

/// Removes a route of an API, unless it is in another state by now than the page showed.
#[server]
pub async fn remove_route(slug: String, method: String, path: String, version: Option<String>) -> Result<(), AppError> {
    use crate::admin::server;
    use crate::platform::http::reply;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let spread = server::remove_route(&ctx, &caller, &slug, &method, &path, version.as_deref()).await?;
    reply::toast(&ctx, &format!("{slug} no longer has the route {method} {path}. {}", spread.words("In force")));
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
    version: Option<String>,
) -> Result<(), AppError> {
    use crate::admin::server;
    use crate::{keys::model::NewBundle, platform::http::reply};
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let new = NewBundle { name, description, permissions, includes, seen: version };
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
