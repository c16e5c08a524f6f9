//! What `/admin/fields` reads, and where its forms go.

use crate::{
    accounts::model::{FieldForm, FieldUse},
    error::AppError,
};
use leptos::prelude::*;

/// What `/admin/fields` shows.
#[server]
pub async fn list_fields() -> Result<Vec<FieldUse>, AppError> {
    use crate::admin::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::list_fields(&ctx, &caller).await
}

/// Makes a field of profiles.
#[server]
pub async fn create_field(#[server(default)] field: FieldForm) -> Result<(), AppError> {
    use crate::admin::server;
    use crate::{accounts::server::Visitor, platform::http::reply};
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let field = server::create_field(&ctx, &caller, &Visitor::here(), &field).await?;
    reply::toast(&ctx, &format!("{} is on every profile now.", field.label));
    reply::redirect("/admin/fields");
    Ok(())
}

/// Changes a field of profiles; its name and what it holds stay.
#[server]
pub async fn change_field(#[server(default)] field: FieldForm, version: Option<String>) -> Result<(), AppError> {
    use crate::admin::server;
    use crate::{accounts::server::Visitor, platform::http::reply};
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::change_field(&ctx, &caller, &Visitor::here(), &field, version.as_deref()).await?;
    reply::toast(&ctx, "Saved.");
    reply::redirect("/admin/fields");
    Ok(())
}

/// Deletes a field of profiles with everything written into it; `seen` is how many people the operator was told of.
#[server]
pub async fn delete_field(#[server(default)] slug: String, #[server(default)] seen: u64) -> Result<(), AppError> {
    use crate::admin::server;
    use crate::{accounts::server::Visitor, platform::http::reply};
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::delete_field(&ctx, &caller, &Visitor::here(), &slug, seen).await?;
    reply::toast(&ctx, "The field and what people wrote into it are deleted.");
    reply::redirect("/admin/fields");
    Ok(())
}
