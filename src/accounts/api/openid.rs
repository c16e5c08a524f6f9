//! Sign-in with others: to a provider and back, linked and unlinked.

use crate::{
    accounts::model::{Onward, PendingLink},
    error::AppError,
};
use leptos::prelude::*;

/// Sends this browser to a provider, to sign in or up.
#[server]
pub async fn continue_with(provider: String, next: Option<String>, time_zone: Option<String>) -> Result<(), AppError> {
    use crate::accounts::server::{self, Visitor, openid};
    let ctx = server::context()?;
    let flow = openid::begin(&ctx, &Visitor::here(), &provider, next, time_zone).await?;
    openid::leave(&ctx, &flow)
}

/// The same, to link another sign-in to the account.
#[server]
pub async fn link_with(#[server(default)] provider: String) -> Result<(), AppError> {
    use crate::accounts::server::{self, Visitor, openid};
    let (ctx, caller) = server::caller().await?;
    let flow = openid::begin_link(&ctx, &caller, &Visitor::here(), &provider).await?;
    openid::leave(&ctx, &flow)
}

/// The same, to prove again who sits here; `form` is what waits for it.
#[server]
pub async fn prove_with(provider: String, form: Option<String>) -> Result<(), AppError> {
    use crate::accounts::server::{self, Visitor, openid};
    let (ctx, caller) = server::caller_who_may_owe().await?;
    let flow = openid::begin_proof(&ctx, &caller, &Visitor::here(), &provider, form).await?;
    openid::leave(&ctx, &flow)
}

/// Where this browser goes now, if it is on its way to that provider.
#[server]
pub async fn my_way_onward(provider: String) -> Result<Option<Onward>, AppError> {
    use crate::accounts::server::{self, links, openid};
    use crate::platform::http::reply;
    let ctx = server::context()?;
    openid::onward(&ctx, &provider, reply::sealed(&ctx, links::FLOW).as_deref()).await
}

/// The provider sent this browser back: its query, as a form (`boot::forms`). Fields that are not ours are nobody's business.
#[server]
pub async fn finish_with(provider: String, code: Option<String>, state: Option<String>, iss: Option<String>, error: Option<String>) -> Result<(), AppError> {
    use crate::accounts::server::{
        self, Visitor, links,
        openid::{self, Answer, Back},
    };
    use crate::platform::http::{reply, request};
    let (ctx, caller) = server::maybe_caller().await?;
    let (session, from) = (server::session()?, Visitor::here());
    let (flow, invite) = (reply::sealed(&ctx, links::FLOW), reply::sealed(&ctx, links::INVITE));
    reply::unseal_and_drop(&ctx, links::FLOW);
    let language = request::language_here();
    let back = Back { caller: caller.as_ref(), session: &session, from: &from, flow: flow.as_deref(), invite: invite.as_deref(), language };
    let finished = openid::finish(&ctx, back, &provider, Answer { code, state, iss, error }).await?;
    openid::arrive(&ctx, &session, &from, finished).await
}

/// What waits in this browser to be linked.
#[server]
pub async fn my_pending_link() -> Result<Option<PendingLink>, AppError> {
    use crate::accounts::server::{self, links, openid};
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller().await?;
    openid::pending_link(&ctx, &caller, reply::sealed(&ctx, links::OFFER).as_deref()).await
}

/// Links it.
#[server]
pub async fn confirm_link() -> Result<(), AppError> {
    use crate::accounts::server::{self, Visitor, links, openid};
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller().await?;
    let name = openid::confirm_link(&ctx, &caller, &Visitor::here(), reply::sealed(&ctx, links::OFFER).as_deref()).await?;
    reply::unseal_and_drop(&ctx, links::OFFER);
    reply::toast(&ctx, &format!("You can now sign in with {name}, too."));
    reply::redirect("/settings/security");
    Ok(())
}

/// Takes a linked sign-in away.
#[server]
pub async fn unlink(id: String) -> Result<(), AppError> {
    use crate::accounts::server::{self, Visitor, openid};
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller().await?;
    openid::unlink(&ctx, &caller, &Visitor::here(), &id).await?;
    reply::toast(&ctx, "Unlinked. It can no longer be used to sign in here.");
    Ok(())
}
