//! Where one is signed in.

use crate::{
    accounts::model::{Security, SessionList},
    error::AppError,
    values::SessionId,
};
use leptos::prelude::*;

/// Ends one session of who is signed in.
#[server]
pub async fn end_session(id: SessionId) -> Result<(), AppError> {
    use crate::accounts::server::{self, Visitor};
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller().await?;
    if server::end_session(&ctx, &caller, &Visitor::here(), id).await? {
        reply::redirect("/sign-in");
    } else {
        reply::toast(&ctx, "That device is signed out.");
    }
    Ok(())
}

/// Ends all other sessions, or all with this one.
#[server]
pub async fn end_sessions(#[server(default)] this_one_too: bool) -> Result<(), AppError> {
    use crate::accounts::server::{self, Visitor};
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller().await?;
    server::end_sessions(&ctx, &caller, &Visitor::here(), this_one_too).await?;
    if this_one_too {
        server::sign_out(&ctx, &server::session()?, None, &Visitor::here()).await?;
        reply::clear_site_data();
        reply::redirect("/sign-in");
        reply::toast(&ctx, "You are signed out everywhere.");
    } else {
        reply::toast(&ctx, "All other devices are signed out.");
    }
    Ok(())
}

/// Password and devices of who is signed in.
#[server]
pub async fn my_security() -> Result<Security, AppError> {
    use crate::accounts::server;
    let (ctx, caller) = server::caller().await?;
    server::security(&ctx, &caller).await
}

/// Where the caller is signed in.
#[server]
pub async fn my_sessions() -> Result<SessionList, AppError> {
    use crate::accounts::server;
    let (ctx, caller) = server::caller().await?;
    server::list_sessions(&ctx, &caller).await
}
