//! What `/admin/groups` reads, and where its forms go.

use crate::{
    error::AppError,
    plans::model::{GroupForm, GroupPage, Trial},
};
use leptos::prelude::*;

/// What `/admin/groups` shows: `chosen` is the slug of the group beside the list, `after` the workspace behind which its members go on,
/// `trial` with what it is held against last month's usage.
#[server]
pub async fn read_groups(chosen: Option<String>, after: Option<String>, trial: Option<Trial>) -> Result<GroupPage, AppError> {
    use crate::plans::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::group_page(&ctx, &caller, chosen.as_deref(), after.as_deref(), trial.as_ref()).await
}

/// Describes a group, and goes to it.
#[server]
pub async fn create_group(group: GroupForm) -> Result<(), AppError> {
    use crate::{plans::server, platform::http::reply, values::link};
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let group = server::groups::forms::create(&ctx, &caller, group).await?;
    reply::toast(&ctx, &format!("{} is created. You can add workspaces now.", group.name));
    reply::redirect(&link("/admin/groups", [("edit", group.slug.as_str())]));
    Ok(())
}

/// Changes a group, unless it is in another state by now than in this `version`.
#[server]
pub async fn save_group(group: GroupForm, version: Option<String>) -> Result<(), AppError> {
    use crate::{plans::server, platform::http::reply};
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::groups::forms::save(&ctx, &caller, group, version).await?;
    reply::toast(&ctx, "Saved. It applies from now on.");
    Ok(())
}

/// Deletes a group that nobody is in.
#[server]
pub async fn delete_group(slug: String) -> Result<(), AppError> {
    use crate::{plans::server, platform::http::reply};
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::delete_group(&ctx, &caller, &slug).await?;
    reply::toast(&ctx, "The group is deleted.");
    reply::redirect("/admin/groups");
    Ok(())
}

/// Puts whom the operator names into a group: an account's email or id, or a workspace's id.
#[server]
pub async fn add_to_group(slug: String, #[server(default)] to: String) -> Result<(), AppError> {
    use crate::{plans::server, platform::http::reply};
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let name = server::groups::forms::add(&ctx, &caller, &slug, &to).await?;
    reply::toast(&ctx, &format!("{name} is now in this group."));
    Ok(())
}

/// Takes a workspace out of a group; `from` is its id, or its account's.
#[server]
pub async fn take_from_group(slug: String, from: String) -> Result<(), AppError> {
    use crate::{plans::server, platform::http::reply};
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let name = server::groups::forms::remove(&ctx, &caller, &slug, &from).await?;
    reply::toast(&ctx, &format!("{name} is no longer in a group."));
    Ok(())
}
