//! All one's data, deactivate, delete, come back; the links mailed for it.

use crate::{
    accounts::model::{ExportState, MailedLinks, Profile},
    error::AppError,
};
use leptos::prelude::*;

/// Leaves for a while.
#[server]
pub async fn deactivate() -> Result<(), AppError> {
    use crate::accounts::server::{self, Visitor, leaving};
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller().await?;
    let refused = leaving::deactivate(&ctx, &caller, &Visitor::here(), None).await?;
    server::sign_out(&ctx, &server::session()?, None, &Visitor::here()).await?;
    reply::clear_site_data();
    reply::toast(&ctx, &leaving::said("Your account is deactivated. Sign in to restore it.", refused));
    reply::redirect("/sign-in");
    Ok(())
}

/// Asks to be deleted; `email` is what was typed to confirm, the address or the handle.
#[server]
pub async fn ask_deletion(#[server(default)] email: String) -> Result<(), AppError> {
    use crate::accounts::server::{self, Visitor, leaving};
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller().await?;
    let sent_to = leaving::ask_deletion(&ctx, &caller, &Visitor::here(), &email, None).await?;
    reply::toast(&ctx, &format!("Nothing is deleted yet. Open the link we sent to {sent_to}."));
    Ok(())
}

/// Deletes the account that the link of this browser speaks of.
#[server]
pub async fn confirm_deletion() -> Result<(), AppError> {
    use crate::accounts::server::{self, Visitor, leaving, links};
    use crate::platform::http::reply;
    let ctx = server::context()?;
    let token = reply::sealed(&ctx, links::DELETE).unwrap_or_default();
    let refused = leaving::confirm_deletion(&ctx, &Visitor::here(), &token).await?;
    reply::unseal_and_drop(&ctx, links::DELETE);
    reply::toast(&ctx, &leaving::said("Your account is deleted. Sign in within 30 days to restore it.", refused));
    reply::redirect("/sign-in");
    Ok(())
}

/// Brings back the account whose password or link this browser has.
#[server]
pub async fn come_back() -> Result<(), AppError> {
    use crate::accounts::server::{self, Visitor, leaving, links};
    use crate::platform::http::reply;
    let ctx = server::context()?;
    let by = leaving::Return::of(reply::sealed(&ctx, links::RETURN).as_deref(), reply::sealed(&ctx, links::KEEP));
    leaving::come_back(&ctx, &Visitor::here(), &by).await?;
    for cookie in [links::RETURN, links::KEEP] {
        reply::unseal_and_drop(&ctx, cookie);
    }
    reply::toast(&ctx, "Your account is back. Sign in.");
    reply::redirect("/sign-in");
    Ok(())
}

/// Asks for all data of who is signed in.
#[server]
pub async fn ask_export() -> Result<(), AppError> {
    use crate::accounts::server::{self, Visitor, export};
    use crate::platform::http::reply;
    let (ctx, caller) = server::caller().await?;
    export::ask_export(&ctx, &caller, &Visitor::here(), None).await?;
    reply::toast(&ctx, "We're preparing your export. We'll email you when it's ready.");
    reply::redirect("/settings/danger");
    Ok(())
}

/// The account of who is signed in, and whether all its data can be fetched.
#[server]
pub async fn my_danger() -> Result<(Profile, ExportState), AppError> {
    use crate::accounts::server::{self, export};
    let (ctx, caller) = server::caller().await?;
    Ok((server::profile(&ctx, &caller).await?, export::export_state(&ctx, &caller).await?))
}

/// What the links do that this browser opened, as far as they work.
#[server]
pub async fn opened_links() -> Result<MailedLinks, AppError> {
    use crate::accounts::server::{self, email_change, leaving, links};
    use crate::platform::http::reply;
    let ctx = server::context()?;
    let held = |name: &str| reply::sealed(&ctx, name).unwrap_or_default();
    let by = leaving::Return::of(reply::sealed(&ctx, links::RETURN).as_deref(), reply::sealed(&ctx, links::KEEP));
    Ok(MailedLinks {
        confirms: email_change::change_link(&ctx, &held(links::CHANGE)).await?,
        restores: email_change::undo_link(&ctx, &held(links::UNDO)).await?,
        deletes: leaving::deletion_link(&ctx, &held(links::DELETE)).await?,
        returns: leaving::returning(&ctx, &by).await?,
    })
}
