//! Passwords forgotten, set and changed; the wait after wrong ones.

use crate::error::AppError;
use leptos::prelude::*;

/// Sends a link to set a new password.
#[server]
pub async fn forgot_password(email: String) -> Result<(), AppError> {
    use crate::accounts::server::{self, Visitor};
    use crate::platform::http::reply;
    let ctx = server::context()?;
    server::forgot_password(&ctx, &Visitor::here(), &email).await?;
    reply::redirect("/forgot-password?sent=1");
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
    reply::unseal_and_drop(&ctx, links::RESET);
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
    reply::toast(&ctx, "You need not wait any more. Sign in.");
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
    reply::toast(&ctx, "Every device is signed out. Open the mail we sent you now, and set a new password.");
    reply::redirect("/sign-in");
    Ok(())
}
