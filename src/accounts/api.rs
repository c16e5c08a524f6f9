//! Server functions of accounts: what forms post to and pages load.

use crate::{
    accounts::model::{LinkView, Profile, Security, SessionList},
    error::AppError,
    values::SessionId,
};
use leptos::prelude::*;

/// Signs up; the next page says where mail went.
#[server]
pub async fn sign_up(email: String, name: String, password: String, time_zone: Option<String>) -> Result<(), AppError> {
    use super::server::{self, NewSignUp, Visitor, links};
    use crate::platform::http::reply;
    let ctx = server::context()?;
    let invite = reply::sealed(&ctx, links::INVITE);
    let sent_to = server::sign_up(&ctx, &Visitor::here(), NewSignUp { email, name, password: password.into(), time_zone, invite }).await?;
    reply::seal(&ctx, links::PENDING, sent_to.as_str(), 24 * 3600);
    reply::redirect("/verify-email");
    Ok(())
}

/// Proves an address: by the typed code, or by the link that this browser opened.
#[server]
pub async fn verify_email(code: Option<String>) -> Result<(), AppError> {
    use super::server::{self, Proof, Visitor, links};
    use crate::platform::http::reply;
    let ctx = server::context()?;
    let proof = match (code, reply::sealed(&ctx, links::VERIFY), reply::sealed(&ctx, links::PENDING)) {
        (None, Some(token), _) => Proof::Link(token),
        (Some(code), _, Some(email)) => Proof::Code { email, code },
        _ => return Err(AppError::invalid("", "This browser knows of no sign-up. Open the link in the mail, or sign up again.")),
    };
    server::verify_email(&ctx, &Visitor::here(), proof).await?;
    for cookie in [links::VERIFY, links::PENDING] {
        reply::unseal_and_drop(&ctx, cookie);
    }
    reply::toast(&ctx, "Your email is confirmed. Sign in.");
    reply::redirect("/sign-in");
    Ok(())
}

/// Sends the proof again, to the address given or to the one that signed up in this browser.
#[server]
pub async fn resend_verification(email: Option<String>) -> Result<(), AppError> {
    use super::server::{self, Visitor, links};
    use crate::platform::http::reply;
    let ctx = server::context()?;
    let email = email.or_else(|| reply::sealed(&ctx, links::PENDING)).unwrap_or_default();
    let sent_to = server::resend_verification(&ctx, &Visitor::here(), &email).await?;
    reply::unseal_and_drop(&ctx, links::VERIFY);
    reply::seal(&ctx, links::PENDING, sent_to.as_str(), 24 * 3600);
    reply::toast(&ctx, "If the address still needs it, a new mail is on its way.");
    reply::redirect("/verify-email");
    Ok(())
}

/// Signs this browser in.
#[server]
pub async fn sign_in(email: String, password: String, next: Option<String>) -> Result<(), AppError> {
    use super::server::{self, SignIn, Visitor, links};
    use crate::platform::http::reply;
    let ctx = server::context()?;
    let from = Visitor::here();
    match server::sign_in(&ctx, &from, &email, &password.into()).await? {
        SignIn::Done(proven) => {
            server::begin(&ctx, &server::session()?, proven, &from).await?;
            reply::redirect(&next.and_then(|next| links::safe_next(&ctx, &next)).unwrap_or_else(|| "/home".to_owned()));
        }
        SignIn::Unproven(email) => {
            reply::seal(&ctx, links::PENDING, email.as_str(), 24 * 3600);
            reply::toast(&ctx, "Confirm your email first, then sign in.");
            reply::redirect("/verify-email");
        }
    }
    Ok(())
}

/// Signs this browser out.
#[server]
pub async fn sign_out() -> Result<(), AppError> {
    use super::server::{self, Visitor};
    use crate::platform::http::reply;
    let (ctx, caller) = server::maybe_caller().await?;
    server::sign_out(&ctx, &server::session()?, caller.as_ref(), &Visitor::here()).await?;
    reply::clear_site_data();
    reply::redirect("/sign-in");
    Ok(())
}

/// Sends a link to set a new password.
#[server]
pub async fn forgot_password(email: String) -> Result<(), AppError> {
    use super::server::{self, Visitor};
    use crate::platform::http::reply;
    let ctx = server::context()?;
    server::forgot_password(&ctx, &Visitor::here(), &email).await?;
    reply::redirect("/forgot-password?sent=1");
    Ok(())
}

/// Sets the password that the link of this browser stands for.
#[server]
pub async fn reset_password(new_password: String, email: Option<String>) -> Result<(), AppError> {
    use super::server::{self, Visitor, links};
    use crate::platform::http::reply;
    let ctx = server::context()?;
    let token = reply::sealed(&ctx, links::RESET).unwrap_or_default();
    server::reset_password(&ctx, &Visitor::here(), &token, email.as_deref(), &new_password.into()).await?;
    reply::unseal_and_drop(&ctx, links::RESET);
    reply::toast(&ctx, "Your new password is set. All other devices were signed out.");
    reply::redirect("/sign-in");
    Ok(())
}

/// Ends the wait after wrong passwords, by the link that this browser opened.
#[server]
pub async fn unlock() -> Result<(), AppError> {
    use super::server::{self, Visitor, links};
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
    use super::server::{self, Visitor, links};
    use crate::platform::http::reply;
    let ctx = server::context()?;
    server::not_me(&ctx, &Visitor::here(), &reply::sealed(&ctx, links::NOT_ME).unwrap_or_default()).await?;
    reply::unseal_and_drop(&ctx, links::NOT_ME);
    reply::toast(&ctx, "Every device is signed out. Open the mail we sent you now, and set a new password.");
    reply::redirect("/sign-in");
    Ok(())
}

/// Sets a new password for who is signed in.
#[server]
pub async fn change_password(current_password: String, new_password: String) -> Result<(), AppError> {
    use super::server::{self, Visitor};
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller().await?;
    server::change_password(&ctx, &caller, &Visitor::here(), &current_password.into(), &new_password.into()).await?;
    reply::toast(&ctx, "Your new password is set. All other devices were signed out.");
    Ok(())
}

/// Changes name and time zone of who is signed in.
#[server]
pub async fn update_profile(name: String, time_zone: String) -> Result<(), AppError> {
    use super::server::{self, Visitor};
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller().await?;
    server::update_profile(&ctx, &caller, &Visitor::here(), Some(&name), Some(&time_zone)).await?;
    reply::toast(&ctx, "Saved.");
    Ok(())
}

/// Ends one session of who is signed in.
#[server]
pub async fn end_session(id: SessionId) -> Result<(), AppError> {
    use super::server::{self, Visitor};
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
    use super::server::{self, Visitor};
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

/// What this browser holds of a link or a sign-up.
#[server]
pub async fn before_sign_in() -> Result<LinkView, AppError> {
    use super::server::{self, links};
    use crate::{platform::http::reply, values::Email};
    let ctx = server::context()?;
    let reset = match reply::sealed(&ctx, links::RESET) {
        Some(token) => server::reset_link(&ctx, &token).await?,
        None => None,
    };
    Ok(LinkView {
        has_verify_link: reply::sealed(&ctx, links::VERIFY).is_some(),
        pending: reply::sealed(&ctx, links::PENDING).and_then(|email| email.parse::<Email>().ok()).map(|email| email.masked()),
        reset,
        password_advice: server::password_advice(ctx.config.auth.password_min),
        door: server::door(&ctx, reply::sealed(&ctx, links::INVITE).is_some()),
        mail_from: ctx.config.mail.from.clone(),
    })
}

/// The profile of who is signed in, and the zones to choose from.
#[server]
pub async fn my_profile() -> Result<(Profile, Vec<String>), AppError> {
    use super::server;
    let (ctx, caller) = server::caller().await?;
    Ok((server::profile(&ctx, &caller).await?, server::time_zones()))
}

/// Password and devices of who is signed in.
#[server]
pub async fn my_security() -> Result<Security, AppError> {
    use super::server;
    let (ctx, caller) = server::caller().await?;
    server::security(&ctx, &caller).await
}

/// Where the caller is signed in.
#[server]
pub async fn my_sessions() -> Result<SessionList, AppError> {
    use super::server;
    let (ctx, caller) = server::caller().await?;
    server::list_sessions(&ctx, &caller).await
}
