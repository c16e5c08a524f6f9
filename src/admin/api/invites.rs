//! Server functions of invitations.

use crate::{admin::model::InviteList, error::AppError, values::InviteId};
use leptos::prelude::*;

/// What `/admin/invites` shows: the invitations that may be used, or those that are over.
#[server]
pub async fn list_invites(#[server(default)] over: bool) -> Result<InviteList, AppError> {
    use crate::admin::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::list_invites(&ctx, &caller, over).await
}

/// Invites an address by mail, or makes a link, which the next page shows.
#[server]
pub async fn create_invite(
    #[server(default)] email: String,
    #[server(default)] uses: String,
    #[server(default)] days: String,
    once: Option<String>,
) -> Result<(), AppError> {
    use crate::admin::server;
    use crate::platform::http::reply;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    match server::create_invite(&ctx, &caller, &email, &uses, &days, once).await? {
        Some(link) => {
            reply::seal(&ctx, server::NEW_LINK, &link, 300);
            reply::toast(&ctx, "The link is ready. It is shown here for five minutes and not again.");
        }
        None => reply::toast(&ctx, "The invitation is on its way."),
    }
    reply::redirect("/admin/invites");
    Ok(())
}

/// Mails an invitation again, unless it was mailed just now; the link that was mailed before is dead.
#[server]
pub async fn resend_invite(id: InviteId) -> Result<(), AppError> {
    use crate::admin::server;
    use crate::platform::http::reply;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    reply::toast(&ctx, &server::resend_invite(&ctx, &caller, id).await?);
    reply::redirect("/admin/invites");
    Ok(())
}

/// Takes an invitation back.
#[server]
pub async fn cancel_invite(id: InviteId) -> Result<(), AppError> {
    use crate::admin::server;
    use crate::platform::http::reply;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let whom = server::cancel_invite(&ctx, &caller, id).await?;
    reply::unseal_and_drop(&ctx, server::NEW_LINK);
    reply::toast(&ctx, &format!("The invitation for {whom} is cancelled."));
    reply::redirect("/admin/invites");
    Ok(())
}
