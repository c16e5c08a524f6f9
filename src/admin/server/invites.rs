//! Invitations, for operators: a view over the operations of the accounts feature.

use super::words::{local, moment};
use crate::{
    accounts::{
        Caller,
        server::{self as accounts, InviteFacts, InviteState},
    },
    admin::model::{InviteList, InviteRow},
    error::AppError,
    keys::server::forms::page_token,
    platform::{Ctx, LocalTime, config::SignUpMode, http::reply},
    values::InviteId,
};
use time::Duration;

/// The sealed cookie with a link that was just made.
pub const NEW_LINK: &str = "new_invite";

/// What `/admin/invites` shows.
pub async fn list_invites(ctx: &Ctx, caller: &Caller, over: bool) -> Result<InviteList, AppError> {
    let invites = accounts::list_invites(ctx, caller, over).await?;
    let local = local(ctx, caller);
    Ok(InviteList {
        rows: invites.into_iter().map(|invite| row(invite, &local)).collect(),
        over,
        new_link: reply::sealed(ctx, NEW_LINK),
        is_needed: ctx.config.auth.sign_up == SignUpMode::Invite,
        once: ctx.rng.base62(30),
    })
}

/// Invites an address by mail; or, without one, makes a link that lets in so many. Answers the link, if it is to be handed on: of a form
/// that is sent twice (`once` is its name) the same.
pub async fn create_invite(ctx: &Ctx, caller: &Caller, email: &str, uses: &str, days: &str, once: Option<String>) -> Result<Option<String>, AppError> {
    let once = page_token(once)?;
    let days = days.trim().parse::<u16>().map_err(|_| AppError::invalid("days", "Choose how long the invitation is valid."))?;
    let lives = Duration::days(days.into());
    if !email.trim().is_empty() {
        accounts::invite_address(ctx, caller, email, lives).await?;
        return Ok(None);
    }
    let uses = match uses.trim() {
        "" => 1,
        uses => uses.parse().map_err(|_| AppError::invalid("uses", "Enter how many people the link lets in, as a number."))?,
    };
    match once {
        Some(form) => accounts::create_invite_by_form(ctx, caller, uses, lives, &form).await.map(Some),
        None => accounts::create_invite(ctx, caller, uses, lives).await.map(Some),
    }
}

/// Mails an invitation again; says what became of it.
pub async fn resend_invite(ctx: &Ctx, caller: &Caller, id: InviteId) -> Result<String, AppError> {
    Ok(accounts::resend_invite(ctx, caller, id).await?.words())
}

/// Takes an invitation back; says whose it was.
pub async fn cancel_invite(ctx: &Ctx, caller: &Caller, id: InviteId) -> Result<String, AppError> {
    Ok(accounts::cancel_invite(ctx, caller, id).await?.whom().to_owned())
}

fn row(invite: InviteFacts, local: &LocalTime) -> InviteRow {
    let state = invite.state(local.now());
    let is_kept = matches!(state, InviteState::Open | InviteState::Expired);
    InviteRow {
        id: invite.id,
        whom: invite.whom().to_owned(),
        is_mailed: invite.email.is_some(),
        uses: invite.uses.unsigned_abs().into(),
        used: (invite.uses - invite.uses_left).unsigned_abs().into(),
        by: invite.by.clone().unwrap_or_else(|| "cli".to_owned()),
        at: moment(local, invite.created_at),
        until: moment(local, invite.expires_at),
        over: (state != InviteState::Open).then(|| state.as_str().to_owned()),
        can_resend: is_kept && invite.email.is_some(),
        can_cancel: is_kept,
    }
}
