//! Second factors: the app, recovery codes, the reset that can be stopped.

use crate::{
    accounts::model::{Factors, TotpSetup},
    error::AppError,
};
use leptos::prelude::*;

/// Begins to set up an authenticator app.
#[server]
pub async fn start_totp() -> Result<(), AppError> {
    use crate::accounts::server;
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller_who_may_owe().await?;
    server::start_totp(&ctx, &caller).await?;
    reply::redirect("/settings/security/authenticator");
    Ok(())
}

/// Confirms the app by a code of it.
#[server]
pub async fn confirm_totp(#[server(default)] code: String, #[server(default)] end_others: bool) -> Result<(), AppError> {
    use crate::accounts::server::{self, Visitor, new_codes};
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller_who_may_owe().await?;
    match server::confirm_totp(&ctx, &caller, &Visitor::here(), &code, end_others).await? {
        Some(codes) => new_codes::show(&ctx, &caller, &codes),
        None => {
            reply::toast(&ctx, "Your new app is set up. Codes from the old one no longer work.");
            reply::redirect("/settings/security");
        }
    }
    Ok(())
}

/// The app that the caller is setting up, if one is, and what there is.
#[server]
pub async fn my_totp_setup() -> Result<(Option<TotpSetup>, Factors), AppError> {
    use crate::accounts::server;
    let (ctx, caller) = server::caller_who_may_owe().await?;
    Ok((server::totp_setup(&ctx, &caller).await?, server::factors(&ctx, &caller).await?))
}

/// Takes the authenticator app away, and the recovery codes with it.
#[server]
pub async fn remove_totp() -> Result<(), AppError> {
    use crate::accounts::server::{self, Visitor};
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller().await?;
    server::remove_totp(&ctx, &caller, &Visitor::here()).await?;
    reply::toast(&ctx, "Two-factor sign-in is off. You now sign in with your password only.");
    Ok(())
}

/// Makes new recovery codes; the old ones are dead.
#[server]
pub async fn make_recovery_codes() -> Result<(), AppError> {
    use crate::accounts::server::{self, Visitor, new_codes};
    let (ctx, caller) = server::caller().await?;
    let codes = server::make_recovery_codes(&ctx, &caller, &Visitor::here()).await?;
    new_codes::show(&ctx, &caller, &codes);
    Ok(())
}

/// The person has saved the codes: they are shown no more.
#[server]
pub async fn finish_recovery_codes(#[server(default)] saved: bool) -> Result<(), AppError> {
    use crate::accounts::server::{self, new_codes};
    use crate::platform::http::reply;
    let (ctx, _) = server::caller_who_may_owe().await?;
    if !saved {
        return Err(AppError::invalid("saved", "Save the codes, then check this box. They are not shown again."));
    }
    new_codes::hide(&ctx);
    reply::toast(&ctx, "Your recovery codes are set.");
    reply::redirect("/settings/security");
    Ok(())
}

/// The recovery codes that this browser may still see.
#[server]
pub async fn my_new_codes() -> Result<Vec<String>, AppError> {
    use crate::accounts::server::{self, new_codes};
    let (ctx, caller) = server::caller_who_may_owe().await?;
    Ok(new_codes::shown(&ctx, &caller))
}

/// Stops an operator's removal of second factors, by the mailed link that this browser opened.
#[server]
pub async fn keep_factors() -> Result<(), AppError> {
    use crate::accounts::server::{self, Visitor, links};
    use crate::platform::http::reply;
    let ctx = server::context()?;
    let token = reply::sealed(&ctx, links::KEEP_FACTORS).unwrap_or_default();
    server::stop_reset(&ctx, &Visitor::here(), &token).await?;
    reply::unseal_and_drop(&ctx, links::KEEP_FACTORS);
    reply::toast(&ctx, "Your second factors were not changed.");
    reply::redirect("/sign-in");
    Ok(())
}

/// When the reset happens that the link of this browser stops, in words; none if it stops none.
#[server]
pub async fn stoppable_reset() -> Result<Option<String>, AppError> {
    use crate::accounts::server::{self, links};
    use crate::platform::http::reply;
    let ctx = server::context()?;
    match reply::sealed(&ctx, links::KEEP_FACTORS) {
        Some(token) => server::waiting_reset(&ctx, &token).await,
        None => Ok(None),
    }
}
