//! Where the forms of grants go: of a plan, of a group. Each is `api/resource:action`; none ticked: it grants nothing.

use crate::error::AppError;
use leptos::prelude::*;

/// What a plan grants becomes this.
#[server]
pub async fn set_plan_grants(slug: String, #[server(default)] grants: Vec<String>) -> Result<(), AppError> {
    use crate::{plans::server, platform::http::reply, values::link};
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::forms::set_grants(&ctx, &caller, &slug, grants).await?;
    reply::toast(&ctx, "The grants are saved. They apply from now on.");
    reply::redirect(&link("/admin/plans", [("edit", slug.as_str())]));
    Ok(())
}

/// What a group grants becomes this.
#[server]
pub async fn set_group_grants(slug: String, #[server(default)] grants: Vec<String>) -> Result<(), AppError> {
    use crate::{plans::server, platform::http::reply, values::link};
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::groups::forms::set_grants(&ctx, &caller, &slug, grants).await?;
    reply::toast(&ctx, "The grants are saved. They apply from now on.");
    reply::redirect(&link("/admin/groups", [("edit", slug.as_str())]));
    Ok(())
}
