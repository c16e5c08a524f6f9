//! How long sessions and keys last, for operators.

use crate::{
    accounts::model::{PolicyForm, PolicyPage},
    error::AppError,
};
use leptos::prelude::*;

/// What `/admin/sessions` shows.
#[server]
pub async fn read_policies() -> Result<PolicyPage, AppError> {
    use crate::accounts::server;
    let (ctx, caller) = server::caller().await?;
    server::policies::policy_page(&ctx, &caller).await
}

/// Sets what a role or a plan says, unless it says something else by now than in this `version`.
#[server]
pub async fn save_policy(#[server(default)] policy: PolicyForm, version: Option<String>) -> Result<(), AppError> {
    use crate::accounts::server::{self, Visitor};
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller().await?;
    let saved = server::policies::save_policy(&ctx, &caller, &Visitor::here(), &policy, version.as_deref()).await?;
    reply::toast(&ctx, &format!("Saved. It applies to running sessions of the {} {} from their next click.", saved.holder.kind(), saved.name));
    reply::redirect("/admin/sessions");
    Ok(())
}
