//! Passkeys: asked for, added, renamed, removed; signing in and up with one. The `ask_` functions are called by the script of a page
//! (`public/passkeys.js`) and answer the options of `navigator.credentials` as JSON; all others are forms like any form.

use crate::{
    accounts::model::{NewPasskey, PasskeyUse, WorkDone},
    error::AppError,
};
use leptos::prelude::*;
use std::collections::BTreeMap;

/// Asks this browser for a proof by a passkey.
#[server]
pub async fn ask_passkey(purpose: PasskeyUse) -> Result<String, AppError> {
    use crate::accounts::server::{self, Visitor};
    let (ctx, caller) = server::maybe_caller().await?;
    server::ask_passkey(&ctx, caller.as_ref(), &Visitor::here(), purpose).await
}

/// Asks this browser for the passkey of a new account.
#[server]
pub async fn ask_passkey_of_sign_up(email: String, name: String) -> Result<String, AppError> {
    use crate::accounts::server::{self, Visitor};
    let ctx = server::context()?;
    server::ask_passkey_of_sign_up(&ctx, &Visitor::here(), &email, &name).await
}

/// Signs this browser in. A passkey that this site does not know is answered 404: the page then lets the authenticator forget it.
#[server]
pub async fn sign_in_with_passkey(#[server(default)] credential: String, next: Option<String>, time_zone: Option<String>) -> Result<(), AppError> {
    use crate::accounts::server::{self, Visitor};
    let ctx = server::context()?;
    let from = Visitor::here();
    let outcome = server::sign_in_with_passkey(&ctx, &from, &server::browser_of(&ctx), &credential).await?;
    server::fill_time_zone(&ctx, &from, &outcome, time_zone.as_deref()).await?;
    server::arrive(&ctx, &server::session()?, &from, outcome, next.as_deref()).await
}

/// Signs up without a password; the next page says where mail went.
#[server]
pub async fn sign_up_with_passkey(
    email: String,
    name: String,
    #[server(default)] credential: String,
    time_zone: Option<String>,
    #[server(default)] fields: BTreeMap<String, String>,
    #[server(default)] homepage: String,
    #[server(default)] work: WorkDone,
) -> Result<(), AppError> {
    use crate::accounts::server::{self, NewSignUp, SignUpWith, links};
    use crate::platform::http::{reply, request};
    let (ctx, caller) = server::maybe_caller().await?;
    let (language, invite, held) = (request::language_here(), reply::sealed(&ctx, links::INVITE), reply::as_held(&ctx, links::INVITE));
    server::must_be_nobody(&ctx, caller.as_ref(), invite.as_deref())?;
    let with = SignUpWith::Passkey { browser: server::browser_of(&ctx), answer: credential };
    server::sign_up_here(&ctx, NewSignUp { email, name, with, time_zone, language, invite, held, fields, work, is_bot: !homepage.is_empty() }).await
}

/// Begins to add a passkey.
#[server]
pub async fn start_passkey() -> Result<(), AppError> {
    use crate::accounts::server;
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller_who_may_owe().await?;
    server::start_passkey(&ctx, &caller).await?;
    reply::redirect("/settings/security/passkey");
    Ok(())
}

/// The passkey that the caller is adding, if one is.
#[server]
pub async fn my_new_passkey() -> Result<NewPasskey, AppError> {
    use crate::accounts::server;
    let (ctx, caller) = server::caller_who_may_owe().await?;
    Ok(NewPasskey { options: server::new_passkey(&ctx, &caller).await?, is_owed: server::is_factor_owed(&ctx, &caller).await? })
}

/// Keeps the passkey that the browser made.
#[server]
pub async fn add_passkey(#[server(default)] credential: String, #[server(default)] name: String, #[server(default)] end_others: bool) -> Result<(), AppError> {
    use crate::accounts::server::{self, Visitor, new_codes};
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller_who_may_owe().await?;
    match server::add_passkey(&ctx, &caller, &Visitor::here(), &credential, &name, end_others).await? {
        Some(codes) => new_codes::show(&ctx, &caller, &codes),
        None => {
            reply::toast(&ctx, "Your passkey is added. You can now sign in with it.");
            reply::redirect("/settings/security");
        }
    }
    Ok(())
}

/// Gives a passkey another name.
#[server]
pub async fn rename_passkey(id: String, #[server(default)] name: String) -> Result<(), AppError> {
    use crate::accounts::server::{self, Visitor};
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller().await?;
    server::rename_passkey(&ctx, &caller, &Visitor::here(), &id, &name).await?;
    reply::toast(&ctx, "Saved.");
    reply::redirect("/settings/security");
    Ok(())
}

/// Takes a passkey away.
#[server]
pub async fn remove_passkey(id: String) -> Result<(), AppError> {
    use crate::accounts::server::{self, Visitor};
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller().await?;
    server::remove_passkey(&ctx, &caller, &Visitor::here(), &id).await?;
    reply::toast(&ctx, "The passkey is removed. Devices that signed in with it stay signed in. See Sessions.");
    Ok(())
}
