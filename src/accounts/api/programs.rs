//! Programs that ask to be let in by a browser.

use crate::{accounts::model::ProgramView, error::AppError};
use leptos::prelude::*;

/// Goes on to the program under a typed code, if one waits there.
#[server]
pub async fn find_program(#[server(default)] typed: String) -> Result<(), AppError> {
    use crate::accounts::server::{self, Visitor, programs};
    use crate::{platform::http::reply, values::link};
    let (ctx, caller) = server::caller().await?;
    let found = programs::look_at_program(&ctx, &caller, &Visitor::here(), &typed).await?;
    reply::redirect(&link("/device", [("user_code", found.code.as_str())]));
    Ok(())
}

/// The program under this code; none if none waits there (any more).
#[server]
pub async fn waiting_program(typed: String) -> Result<Option<ProgramView>, AppError> {
    use crate::accounts::server::{self, Visitor, programs};
    let (ctx, caller) = server::caller().await?;
    match programs::look_at_program(&ctx, &caller, &Visitor::here(), &typed).await {
        Ok(found) => Ok(Some(found)),
        Err(AppError::Invalid { .. }) => Ok(None),
        Err(other) => Err(other),
    }
}

/// Lets the program under this code sign in as who is signed in here.
#[server]
pub async fn approve_program(#[server(default)] typed: String) -> Result<(), AppError> {
    use crate::accounts::server::{self, Visitor, programs};
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller().await?;
    programs::decide(&ctx, &caller, &Visitor::here(), &typed, true).await?;
    reply::toast(&ctx, "Approved. Go back to your program. It signs in within a few seconds and then appears here.");
    reply::redirect("/settings/sessions");
    Ok(())
}

/// Turns it away.
#[server]
pub async fn deny_program(#[server(default)] typed: String) -> Result<(), AppError> {
    use crate::accounts::server::{self, Visitor, programs};
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller().await?;
    programs::decide(&ctx, &caller, &Visitor::here(), &typed, false).await?;
    reply::toast(&ctx, "Denied. The program gets no access.");
    reply::redirect("/home");
    Ok(())
}
