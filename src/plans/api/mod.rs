//! Server functions of plans: what `/admin/plans` reads, and where its forms go. Those of groups stand in a file of their own.

mod grants;
mod groups;
mod limits;

pub use grants::*;
pub use groups::*;
pub use limits::*;

use super::model::{PlanForm, PlanPage, Trial};
use crate::error::AppError;
use leptos::prelude::*;

/// What `/admin/plans` shows: `chosen` is the slug of the plan beside the list, `trial` with what it is held against last month's usage.
#[server]
pub async fn read_plans(chosen: Option<String>, trial: Option<Trial>) -> Result<PlanPage, AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::plan_page(&ctx, &caller, chosen.as_deref(), trial.as_ref()).await
}

/// Describes a plan, and goes to it.
#[server]
pub async fn create_plan(plan: PlanForm) -> Result<(), AppError> {
    use super::server;
    use crate::{platform::http::reply, values::link};
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let plan = server::forms::create(&ctx, &caller, plan).await?;
    reply::toast(&ctx, &format!("{} is created. You can assign it now.", plan.name));
    reply::redirect(&link("/admin/plans", [("edit", plan.slug.as_str())]));
    Ok(())
}

/// Changes a plan, unless it is in another state by now than in this `version`.
#[server]
pub async fn save_plan(plan: PlanForm, version: Option<String>) -> Result<(), AppError> {
    use super::server;
    use crate::platform::http::reply;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::forms::save(&ctx, &caller, plan, version).await?;
    reply::toast(&ctx, "Saved. It applies from now on.");
    Ok(())
}

/// Deletes a plan that nobody has.
#[server]
pub async fn delete_plan(slug: String) -> Result<(), AppError> {
    use super::server;
    use crate::platform::http::reply;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::delete_plan(&ctx, &caller, &slug).await?;
    reply::toast(&ctx, "The plan is deleted.");
    reply::redirect("/admin/plans");
    Ok(())
}

/// Gives a plan to whom the operator names: an account's email, a group's slug, a workspace's or a key's id.
#[server]
pub async fn assign_plan(slug: String, #[server(default)] to: String) -> Result<(), AppError> {
    use super::server;
    use crate::platform::http::reply;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let given = server::forms::assign(&ctx, &caller, &slug, &to).await?;
    reply::toast(&ctx, &given.words());
    Ok(())
}

/// Takes the plan of a group, a workspace or a key away; `from` is its id.
#[server]
pub async fn take_plan(from: String) -> Result<(), AppError> {
    use super::server;
    use crate::platform::http::reply;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let name = server::forms::take(&ctx, &caller, &from).await?;
    reply::toast(&ctx, &format!("{name} no longer has a plan of its own."));
    Ok(())
}
