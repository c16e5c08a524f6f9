//! Where the forms of one limit go: of a key of anybody, of a workspace, of an API; and that of a workspace's grants.

use crate::{
    error::AppError,
    keys::model::TypedLimit,
    values::{AccountId, KeyId},
};
use leptos::prelude::*;

/// Sets one limit of a key, or takes it away.
#[server]
pub async fn set_limit(id: KeyId, #[server(flatten)] typed: TypedLimit) -> Result<(), AppError> {
    use crate::{admin::server, platform::http::reply};
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let (words, changed) = server::set_limit(&ctx, &caller, id, &typed).await?;
    reply::toast(&ctx, &format!("{words} {}", changed.spread.words("In force")));
    reply::redirect(&format!("/admin/keys?key={id}"));
    Ok(())
}

/// Sets one limit of an account's workspace, for all its keys together, or takes it away.
#[server]
pub async fn set_account_limit(id: AccountId, #[server(flatten)] typed: TypedLimit) -> Result<(), AppError> {
    use crate::{admin::server, platform::http::reply};
    let (ctx, caller) = crate::accounts::server::caller().await?;
    reply::toast(&ctx, server::set_account_limit(&ctx, &caller, id, &typed).await?);
    reply::redirect(&format!("/admin/accounts/{id}"));
    Ok(())
}

/// What is granted to an account's workspace itself becomes this: `api/resource:action` each.
#[server]
pub async fn set_account_grants(id: AccountId, #[server(default)] grants: Vec<String>) -> Result<(), AppError> {
    use crate::{admin::server, platform::http::reply};
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::set_account_grants(&ctx, &caller, id, &grants).await?;
    reply::toast(&ctx, "The grants are saved and in force.");
    reply::redirect(&format!("/admin/accounts/{id}"));
    Ok(())
}

/// Sets one limit of each key of an API, or takes it away.
#[server]
pub async fn set_api_limit(slug: String, #[server(flatten)] typed: TypedLimit) -> Result<(), AppError> {
    use crate::{admin::server, platform::http::reply};
    let (ctx, caller) = crate::accounts::server::caller().await?;
    reply::toast(&ctx, server::set_api_limit(&ctx, &caller, &slug, &typed).await?);
    reply::redirect(&format!("/admin/apis/{slug}"));
    Ok(())
}
