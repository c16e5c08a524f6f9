//! Where a browser goes that tried to sign in or up: on with a session, or to the page of what is still missing.

use super::{
    Visitor, begun,
    factors::{Interrupted, PENDING_LASTS, RESUME},
    fields::values::beside_inputs,
    leaving, links,
    sessions::begin,
    sign_in::SignIn,
    sign_up::{NewSignUp, sign_up},
};
use crate::{
    error::AppError,
    platform::{Ctx, http::reply},
    values::link,
};
use tower_sessions::Session;

/// Signs up, inside a server function; the next page says where mail went.
pub async fn sign_up_here(ctx: &Ctx, new: NewSignUp) -> Result<(), AppError> {
    let sent_to = sign_up(ctx, &Visitor::here(), new).await.map_err(beside_inputs)?;
    // What this browser opened before is of an older mail.
    reply::unseal_and_drop(ctx, links::VERIFY);
    reply::seal(ctx, links::PENDING, sent_to.as_str(), 24 * 3600);
    reply::redirect("/verify-email");
    Ok(())
}

/// Sends the browser there, inside a server function. `next`: where it wanted to go before it was asked to sign in.
pub async fn arrive(ctx: &Ctx, session: &Session, from: &Visitor, outcome: SignIn, next: Option<&str>) -> Result<(), AppError> {
    let next = next.and_then(|next| links::safe_next(ctx, next));
    match outcome {
        SignIn::Done(proven) => {
            begin(ctx, session, proven, from).await?;
            reply::redirect(next.as_deref().unwrap_or("/home"));
        }
        SignIn::Unproven(email) => {
            begun::remember_who_came_in(ctx, &email).await?;
            reply::seal(ctx, links::PENDING, email.as_str(), 24 * 3600);
            reply::toast(ctx, "Confirm your email first, then sign in.");
            reply::redirect("/verify-email");
        }
        SignIn::Departed(account) => {
            reply::seal(ctx, links::RETURN, &leaving::return_ticket(ctx, account).seal(), 600);
            reply::redirect("/come-back");
        }
        SignIn::SecondFactor(token) => {
            reply::seal(ctx, links::SECOND_FACTOR, &token, PENDING_LASTS.whole_seconds());
            reply::redirect(&link("/sign-in/code", next.as_deref().map(|next| ("next", next))));
        }
    }
    Ok(())
}

/// The same after a proof that somebody is who they were: back to the form that waited for it.
pub fn go_back(ctx: &Ctx, waiting: Option<Interrupted>, form: Option<String>) {
    match waiting.zip(form) {
        Some((waiting, form)) => {
            reply::seal(ctx, RESUME, &form, 60);
            reply::toast(ctx, "Thank you. Your form is as you left it. Send it again.");
            reply::redirect(&links::safe_next(ctx, &waiting.page).unwrap_or_else(|| "/home".to_owned()));
        }
        None => {
            reply::toast(ctx, "Thank you. We won't ask again for ten minutes.");
            reply::redirect("/home");
        }
    }
}
