//! Operators in the account of somebody else: going in, and back.

use crate::{error::AppError, values::AccountId};
use leptos::prelude::*;

/// This browser acts as an account from now on, for so many minutes; its owner is told.
#[server]
pub async fn act_as(id: AccountId, #[server(default)] reason: String, #[server(default)] minutes: String) -> Result<(), AppError> {
    use crate::accounts::server::{self, Visitor};
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller().await?;
    let bar = server::act_as(&ctx, &caller, &Visitor::here(), &server::session()?, id, &reason, &minutes).await?;
    reply::toast(&ctx, &format!("You act as {} until {}. They were told by email.", bar.name, bar.until));
    reply::redirect("/home");
    Ok(())
}

/// This browser is the operator's own again.
#[server]
pub async fn stop_acting() -> Result<(), AppError> {
    use crate::accounts::server::{self, Visitor};
    use crate::platform::http::reply;
    let ctx = server::context()?;
    let Some(acts) = server::acts_here() else {
        // Another tab was first, or nobody ever acted here.
        reply::redirect("/home");
        return Ok(());
    };
    let back = server::stop_acting(&ctx, &acts, &Visitor::here(), &server::session()?).await?;
    reply::toast(&ctx, &format!("You no longer act as {}.", acts.bar.name));
    reply::redirect(&back);
    Ok(())
}
