//! Signing up and proving the address.

use crate::{
    accounts::model::{LinkView, WorkDone},
    error::AppError,
    values::Typed,
};
use leptos::prelude::*;
use std::collections::BTreeMap;

/// Signs up; the next page says where mail went. `homepage` is the field that no person sees.
#[server]
pub async fn sign_up(
    email: String,
    name: String,
    password: String,
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
    let with = SignUpWith::Password(password.into());
    server::sign_up_here(&ctx, NewSignUp { email, name, with, time_zone, language, invite, held, fields, work, is_bot: !homepage.is_empty() }).await
}

/// Proves an address: by the typed code, or by the link that this browser opened. In another browser than the one that signed up the next
/// page asks for a password.
#[server]
pub async fn verify_email(#[server(default)] code: Typed) -> Result<(), AppError> {
    use crate::accounts::server::{self, Beginner, Proof, Visitor, links};
    use crate::platform::http::reply;
    let ctx = server::context()?;
    let proof = match (code.into_text(), reply::sealed(&ctx, links::VERIFY), reply::sealed(&ctx, links::PENDING)) {
        (Some(code), ..) if code.trim().is_empty() => return Err(AppError::invalid("code", server::NO_CODE)),
        (None, Some(token), _) => Proof::Link(token),
        (Some(code), _, Some(email)) => Proof::Code { email, code },
        _ => return Err(AppError::invalid("", "No sign-up was started in this browser. Open the link in the email, or sign up again.")),
    };
    let verified = server::verify_email(&ctx, &Visitor::here(), proof, &Beginner::here(&ctx)).await?;
    for cookie in [links::VERIFY, links::PENDING, links::SIGNED_UP] {
        reply::unseal_and_drop(&ctx, cookie);
    }
    if let Some(token) = verified.reset {
        reply::seal(&ctx, links::RESET, &token, 3600);
        reply::toast(&ctx, "Your email is confirmed. Choose a password to sign in with.");
        reply::redirect("/reset-password");
        return Ok(());
    }
    reply::toast(&ctx, "Your email is confirmed. Sign in.");
    reply::redirect("/sign-in");
    Ok(())
}

/// Sends the proof again, to the address given or to the one that signed up in this browser.
#[server]
pub async fn resend_verification(email: Option<String>) -> Result<(), AppError> {
    use crate::accounts::server::{self, Visitor, links};
    use crate::platform::http::reply;
    let ctx = server::context()?;
    let email = email.or_else(|| reply::sealed(&ctx, links::PENDING)).unwrap_or_default();
    let sent_to = server::resend_verification(&ctx, &Visitor::here(), &email).await?;
    reply::unseal_and_drop(&ctx, links::VERIFY);
    reply::seal(&ctx, links::PENDING, sent_to.as_str(), 24 * 3600);
    reply::toast(&ctx, "If the address still needs to be confirmed, we sent a new email.");
    reply::redirect("/verify-email");
    Ok(())
}

/// What this browser holds of a link or a sign-up.
#[server]
pub async fn before_sign_in() -> Result<LinkView, AppError> {
    use crate::accounts::server::{self, Beginner, links};
    use crate::{accounts::model::Door, platform::http::reply, values::Email};
    let ctx = server::context()?;
    let verify = match reply::sealed(&ctx, links::VERIFY) {
        Some(token) => Some(server::verify_link(&ctx, &token, &Beginner::here(&ctx)).await?),
        None => None,
    };
    let reset = match reply::sealed(&ctx, links::RESET) {
        Some(token) => server::reset_link(&ctx, &token).await?,
        None => None,
    };
    let invite = reply::sealed(&ctx, links::INVITE);
    let open = match &invite {
        Some(token) => server::open_invite(&ctx, token).await?,
        None => None,
    };
    let door = match server::door(&ctx, open.is_some()) {
        Door::InviteNeeded if invite.is_some() => Door::InviteOver,
        door => door,
    };
    Ok(LinkView {
        verify,
        pending: reply::sealed(&ctx, links::PENDING).and_then(|email| email.parse::<Email>().ok()).map(|email| email.masked()),
        reset,
        password_advice: server::password_advice(ctx.config.auth.password_min),
        password_min: ctx.config.auth.password_min,
        fields: server::sign_up_fields(&ctx).await?,
        invited: open.flatten().filter(|_| door == Door::Invited),
        door,
        work: server::sign_up_work::work_asked(&ctx, &server::Visitor::here()).await?,
        mail_from: ctx.config.mail.from.clone(),
        providers: server::openid::offered(&ctx, false),
        sign_up_providers: server::openid::offered(&ctx, true),
        takes_passkeys: server::are_passkeys_possible(&ctx),
    })
}

/// The same with the time zones to choose from, for browsers without JavaScript.
#[server]
pub async fn before_sign_up() -> Result<(LinkView, Vec<String>), AppError> {
    use crate::accounts::server;
    Ok((before_sign_in().await?, server::time_zones()))
}
