//! Signing in, in one step or two, proving it again, and signing out.

use crate::{
    accounts::model::{StepUpView, WaitingSignIn},
    error::AppError,
};
use leptos::prelude::*;

/// Signs this browser in.
#[server]
pub async fn sign_in(email: String, password: String, next: Option<String>, time_zone: Option<String>) -> Result<(), AppError> {
    use crate::accounts::server::{self, Visitor};
    let ctx = server::context()?;
    let from = Visitor::here();
    let outcome = server::sign_in(&ctx, &from, &email, &password.into()).await?;
    server::fill_time_zone(&ctx, &from, &outcome, time_zone.as_deref()).await?;
    server::arrive(&ctx, &server::session()?, &from, outcome, next.as_deref()).await
}

/// Ends a sign-in by its second factor: a code of the app, a recovery code, or a passkey.
#[server]
pub async fn sign_in_code(
    code: Option<String>,
    recovery_code: Option<String>,
    passkey: Option<String>,
    next: Option<String>,
    time_zone: Option<String>,
) -> Result<(), AppError> {
    use crate::accounts::server::{self, Offered, Visitor, links};
    use crate::platform::http::reply;
    let ctx = server::context()?;
    let from = Visitor::here();
    let token = reply::sealed(&ctx, links::SECOND_FACTOR).unwrap_or_default();
    let offered = match (passkey, recovery_code) {
        (Some(answer), _) => Offered::Passkey(answer),
        (None, Some(typed)) => Offered::Recovery(typed),
        (None, None) => Offered::Code(code.unwrap_or_default()),
    };
    match server::finish_sign_in(&ctx, &from, &token, &offered).await {
        Ok(outcome) => {
            server::fill_time_zone(&ctx, &from, &outcome, time_zone.as_deref()).await?;
            server::arrive(&ctx, &server::session()?, &from, outcome, next.as_deref()).await?;
        }
        Err(AppError::Unauthenticated) => {
            reply::toast(&ctx, "Your sign-in expired after ten minutes, or is already complete. Sign in again.");
            reply::redirect("/sign-in");
        }
        Err(refused) => return Err(refused),
    }
    reply::unseal_and_drop(&ctx, links::SECOND_FACTOR);
    Ok(())
}

/// Whose sign-in waits in this browser for its second factor, and what that may be; none if none does.
#[server]
pub async fn pending_sign_in() -> Result<Option<WaitingSignIn>, AppError> {
    use crate::accounts::server::{self, links};
    use crate::platform::http::reply;
    let ctx = server::context()?;
    match reply::sealed(&ctx, links::SECOND_FACTOR) {
        Some(token) => server::pending_sign_in(&ctx, &token).await,
        None => Ok(None),
    }
}

/// Proves again who sits here, by one of the proofs; the form that waited comes back, or what else it needs is asked.
#[server]
pub async fn step_up(
    password: Option<String>,
    code: Option<String>,
    recovery_code: Option<String>,
    passkey: Option<String>,
    pin: Option<String>,
    form: Option<String>,
) -> Result<(), AppError> {
    use crate::accounts::server::{self, Offered, StepUpProof, Visitor};
    use crate::platform::http::reply;
    use crate::values::link;
    let (ctx, caller) = server::caller_who_may_owe().await?;
    let (session, here) = (server::session()?, Visitor::here());
    let proof = match (password, code, recovery_code, passkey, &pin) {
        (Some(password), None, None, None, None) => Some(StepUpProof::Password(password.into())),
        (None, Some(code), None, None, None) => Some(StepUpProof::Factor(Offered::Code(code))),
        (None, None, Some(code), None, None) => Some(StepUpProof::Factor(Offered::Recovery(code))),
        (None, None, None, Some(answer), None) => Some(StepUpProof::Factor(Offered::Passkey(answer))),
        _ => None,
    };
    let waiting = match (proof, pin) {
        (Some(proof), _) => server::step_up(&ctx, &caller, &here, &session, &proof, form.as_deref()).await?,
        (None, Some(pin)) => server::prove_pin(&ctx, &caller, &here, &pin.into(), form.as_deref()).await?,
        (None, None) => return Err(AppError::invalid("", server::NO_PROOF)),
    };
    if server::is_pin_next(&ctx, &caller, waiting.as_ref()).await? {
        reply::redirect(&link("/step-up", form.as_deref().map(|form| ("form", form))));
        return Ok(());
    }
    server::go_back(&ctx, waiting, form);
    Ok(())
}

/// What `/step-up` asks for, and on behalf of what.
#[server]
pub async fn my_step_up(form: Option<String>) -> Result<StepUpView, AppError> {
    use crate::accounts::server;
    let (ctx, caller) = server::caller_who_may_owe().await?;
    server::step_up_view(&ctx, &caller, form.as_deref()).await
}

/// Signs this browser out.
#[server]
pub async fn sign_out() -> Result<(), AppError> {
    use crate::accounts::server::{self, Visitor};
    use crate::platform::http::reply;
    let (ctx, caller) = server::maybe_caller().await?;
    if let Some(acts) = server::acts_here() {
        server::leave_acting(&ctx, &acts, &Visitor::here()).await?;
    }
    // The session is the operator's own, never that of the account.
    let caller = caller.filter(|caller| !caller.is_acted());
    server::sign_out(&ctx, &server::session()?, caller.as_ref(), &Visitor::here()).await?;
    reply::clear_site_data();
    reply::redirect("/sign-in");
    Ok(())
}
