//! Where a browser goes on its way to a provider, and when it comes back from there.

use super::{
    Finished, Offer,
    flow::{Flow, LASTS},
    linking::OFFER_LASTS,
};
use crate::{
    accounts::server::{self, Visitor, links},
    error::AppError,
    platform::{Ctx, http::reply},
};
use tower_sessions::Session;

/// Gives the browser its flow and sends it on, inside a server function.
///
/// It goes by a page of ours: `form-action 'self'` (CSP) holds for every redirect of a form, so that no form leads to another site.
pub fn leave(ctx: &Ctx, flow: &Flow) -> Result<(), AppError> {
    reply::seal(ctx, links::FLOW, &flow.text()?, LASTS.whole_seconds());
    reply::redirect(&flow.path());
    Ok(())
}

/// Sends a browser that is back to where its flow led.
pub async fn arrive(ctx: &Ctx, session: &Session, from: &Visitor, finished: Finished) -> Result<(), AppError> {
    match finished {
        Finished::SignedIn { outcome, next } => return server::arrive(ctx, session, from, outcome, next.as_deref()).await,
        Finished::Mailed { email, offer } => {
            keep(ctx, &offer)?;
            reply::seal(ctx, links::PENDING, email.as_str(), 24 * 3600);
            reply::redirect("/verify-email");
        }
        Finished::Offered { offer, name } => {
            keep(ctx, &offer)?;
            reply::toast(ctx, &format!("{name} is not linked to an account here yet. Sign in as usual, then confirm the link."));
            reply::redirect("/sign-in?next=%2Fsettings%2Fsecurity%2Flink");
        }
        Finished::Linked { name } => {
            reply::toast(ctx, &format!("You can now sign in with {name}, too."));
            reply::redirect("/settings/security");
        }
        Finished::Proven { waiting, form } => server::go_back(ctx, waiting, form),
    }
    Ok(())
}

fn keep(ctx: &Ctx, offer: &Offer) -> Result<(), AppError> {
    reply::seal(ctx, links::OFFER, &offer.text()?, OFFER_LASTS.whole_seconds());
    Ok(())
}
