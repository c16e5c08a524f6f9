//! Passwords forgotten, set and changed; the wait after wrong ones.

use crate::error::AppError;
use leptos::prelude::*;

/// Sends a link and a code to set a new password; the code is for this browser alone.
#[server]
pub async fn forgot_password(email: String) -> Result<(), AppError> {
    use crate::accounts::server::{self, Visitor, links};
    use crate::platform::http::reply;
    let ctx = server::context()?;
    let asked = server::forgot_password(&ctx, &Visitor::here(), &email).await?;
    reply::seal(&ctx, links::RESET_ASKED, &asked.to_text(), 3600);
    reply::redirect("/forgot-password?sent=1");
    Ok(())
}

/// Opens the page for a new password by the code of the mail that this browser asked for: the same as opening its link here.
#[server]
pub async fn open_reset(code: String) -> Result<(), AppError> {
    use crate::accounts::server::{self, Asked, Visitor, links};
    use crate::platform::http::reply;
    let ctx = server::context()?;
    if code.trim().is_empty() {
        return Err(AppError::invalid("code", server::NO_CODE));
    }
    let asked = Asked::from_text(&reply::sealed(&ctx, links::RESET_ASKED).unwrap_or_default())?;
    let token = server::token_of_reset_code(&ctx, &Visitor::here(), &asked, &code).await?;
    reply::seal(&ctx, links::RESET, &token, 3600);
    reply::redirect("/reset-password");
    Ok(())
}

/// Sets the password that the link of this browser stands for.
#[server]
pub async fn reset_password(new_password: String, email: Option<String>, time_zone: Option<String>) -> Result<(), AppError> {
    use crate::accounts::server::{self, Visitor, links};
    use crate::platform::http::reply;
    let ctx = server::context()?;
    let token = reply::sealed(&ctx, links::RESET).unwrap_or_default();
    let from = Visitor::here();
    let email = server::reset_password(&ctx, &from, &token, email.as_deref(), &new_password.into()).await?;
    server::fill_time_zone_of(&ctx, &from, &email, time_zone.as_deref()).await?;
    for cookie in [links::RESET, links::RESET_ASKED] {
        reply::unseal_and_drop(&ctx, cookie);
    }
    reply::toast(&ctx, "Your new password is set. All other devices were signed out.");
    reply::redirect("/sign-in");
    Ok(())
}

/// Sets a new password for who is signed in.
#[server]
pub async fn change_password(current_password: String, new_password: String) -> Result<(), AppError> {
    use crate::accounts::server::{self, Visitor};
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller().await?;
    server::change_password(&ctx, &caller, &Visitor::here(), &current_password.into(), &new_password.into()).await?;
    reply::toast(&ctx, "Your new password is set. All other devices were signed out.");
    Ok(())
}

/// Ends the wait after wrong passwords, by the link that this browser opened.
#[server]
pub async fn unlock() -> Result<(), AppError> {
    use crate::accounts::server::{self, Visitor, links};
    use crate::platform::http::reply;
    let ctx = server::context()?;
    server::unlock(&ctx, &Visitor::here(), &reply::sealed(&ctx, links::UNLOCK).unwrap_or_default()).await?;
    reply::unseal_and_drop(&ctx, links::UNLOCK);
    reply::toast(&ctx, "The wait is over. You can sign in.");
    reply::redirect("/sign-in");
    Ok(())
}

/// "This wasn't me", by the link that this browser opened.
#[server]
pub async fn not_me() -> Result<(), AppError> {
    use crate::accounts::server::{self, Visitor, links};
    use crate::platform::http::reply;
    let ctx = server::context()?;
    server::not_me(&ctx, &Visitor::here(), &reply::sealed(&ctx, links::NOT_ME).unwrap_or_default()).await?;
    reply::unseal_and_drop(&ctx, links::NOT_ME);
    reply::toast(&ctx, "Every device is signed out. Open the email we just sent you to set a new password.");
    reply::redirect("/sign-in");
    Ok(())
}
