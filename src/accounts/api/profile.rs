//! The account of who is signed in, and what of it is public.

use crate::{
    accounts::model::{Profile, PublicProfile},
    error::AppError,
    values::Typed,
};
use leptos::prelude::*;
use std::collections::BTreeMap;

/// Changes name, time zone, language and the fields of operators of who is signed in.
#[server]
pub async fn update_profile(
    name: String,
    time_zone: String,
    #[server(default)] language: Typed,
    #[server(default)] fields: BTreeMap<String, String>,
    version: Option<String>,
) -> Result<(), AppError> {
    use crate::accounts::server::{self, FieldsChange, ProfileChange, Visitor};
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller().await?;
    let fields = FieldsChange { values: Some(fields), public: None, is_whole: true };
    let language = language.into_text();
    let change = ProfileChange { name: Some(name), time_zone: Some(time_zone), language, fields, seen: version, ..ProfileChange::default() };
    server::update_profile(&ctx, &caller, &Visitor::here(), &change).await.map_err(server::beside_inputs)?;
    reply::toast(&ctx, "Saved.");
    Ok(())
}

/// Sets the handle and what everybody may see behind it; what is not ticked is hidden.
#[server]
pub async fn publish_profile(
    handle: String,
    #[server(default)] published: Vec<String>,
    #[server(default)] public_fields: Vec<String>,
    version: Option<String>,
) -> Result<(), AppError> {
    use crate::accounts::server::{self, FieldsChange, ProfileChange, Visitor};
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller().await?;
    let fields = FieldsChange { public: Some(public_fields), ..FieldsChange::default() };
    let change = ProfileChange { handle: Some(handle), published: Some(published), fields, seen: version, ..ProfileChange::default() };
    server::update_profile(&ctx, &caller, &Visitor::here(), &change).await?;
    reply::toast(&ctx, "Saved.");
    Ok(())
}

/// Takes the picture of who is signed in away. One is set by the page's own route: there is a file in it (`boot::uploads`).
#[server]
pub async fn remove_picture() -> Result<(), AppError> {
    use crate::accounts::server::{self, Visitor, avatars};
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller().await?;
    avatars::remove_avatar(&ctx, &caller, &Visitor::here()).await?;
    reply::toast(&ctx, "Your picture is removed.");
    Ok(())
}

/// The account of who is signed in.
#[server]
pub async fn my_account() -> Result<Profile, AppError> {
    use crate::accounts::server;
    let (ctx, caller) = server::caller().await?;
    server::profile(&ctx, &caller).await
}

/// The profile of who is signed in, and the zones to choose from.
#[server]
pub async fn my_profile() -> Result<(Profile, Vec<String>), AppError> {
    use crate::accounts::server;
    let (ctx, caller) = server::caller().await?;
    Ok((server::profile(&ctx, &caller).await?, server::time_zones()))
}

/// What everybody may see behind a handle.
#[server]
pub async fn user(handle: String) -> Result<PublicProfile, AppError> {
    use crate::accounts::server;
    server::public_profile(&server::context()?, &handle).await
}
