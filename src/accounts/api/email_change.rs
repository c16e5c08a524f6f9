//! Another address.

use crate::{error::AppError, values::Typed};
use leptos::prelude::*;

/// Mails a link and a code to a new address of who is signed in.
#[server]
pub async fn ask_email_change(#[server(default)] email: String) -> Result<(), AppError> {
    use crate::accounts::server::{self, Visitor, email_change};
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller().await?;
    let sent_to = email_change::ask_email_change(&ctx, &caller, &Visitor::here(), &email, None).await?;
    reply::toast(&ctx, &format!("We sent an email to {sent_to}."));
    Ok(())
}

/// The present address stays.
#[server]
pub async fn cancel_email_change() -> Result<(), AppError> {
    use crate::accounts::server::{self, Visitor, email_change};
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller().await?;
    email_change::cancel_email_change(&ctx, &caller, &Visitor::here()).await?;
    reply::toast(&ctx, "Your email was not changed.");
    Ok(())
}

/// Proves the new address: by the typed code, or by the link that this browser opened.
#[server]
pub async fn confirm_new_email(#[server(default)] code: Typed) -> Result<(), AppError> {
    use crate::accounts::server::{
        self, Visitor,
        email_change::{self, NewAddress},
        links,
    };
    use crate::platform::http::reply;
    let (ctx, caller) = server::maybe_caller().await?;
    let is_signed_in = caller.is_some();
    let proof = match (code.into_text(), caller) {
        (Some(code), Some(_)) if code.trim().is_empty() => return Err(AppError::invalid("code", server::NO_CODE)),
        (Some(code), Some(caller)) => NewAddress::Code { caller: Box::new(caller), code },
        (Some(_), None) => return Err(AppError::Unauthenticated),
        (None, _) => NewAddress::Link(reply::sealed(&ctx, links::CHANGE).unwrap_or_default()),
    };
    let email = email_change::confirm_email_change(&ctx, &Visitor::here(), proof).await?;
    reply::unseal_and_drop(&ctx, links::CHANGE);
    reply::toast(&ctx, &format!("Your email is now {email}. Use it to sign in."));
    reply::redirect(if is_signed_in { "/settings/email" } else { "/sign-in" });
    Ok(())
}

/// Brings the old address back, by the link that this browser opened.
#[server]
pub async fn undo_email_change() -> Result<(), AppError> {
    use crate::accounts::server::{self, Visitor, email_change, links};
    use crate::platform::http::reply;
    let ctx = server::context()?;
    let token = reply::sealed(&ctx, links::UNDO).unwrap_or_default();
    let email = email_change::undo_email_change(&ctx, &Visitor::here(), &token).await?;
    reply::unseal_and_drop(&ctx, links::UNDO);
    reply::toast(&ctx, &format!("{email} is back. We sent a link there to set a new password."));
    reply::redirect("/sign-in");
    Ok(())
}
