//! Refreshing: a refresh token works once and brings the next pair. One that comes back later was copied, or its owner's answer was lost
//! long ago; nobody can tell which, so the whole family ends and the owner is told (R71; RFC 9700 §4.14.2).
//!
//! A client whose network breaks sends the same token twice at once, and so do two processes that share one. For half a minute after
//! its use a token is therefore answered with the same next pair again: there is never a second branch of a family, so whoever copied a
//! token and uses it in this half minute holds the same tokens as the owner, and the next use by either of them is found out.

use super::{
    ACCESS_LIVES, Issued, SendProgram, TokenError, Told, about_program, keep, must_be_let_in, opened, sealed,
    store::{self, Refresh},
    text,
};
use crate::{
    accounts::server::{
        Visitor,
        store::{accounts, departures::lock_account},
    },
    activity::server::record,
    platform::{Ctx, crypto::sha256, jobs::enqueue},
};
use secrecy::{ExposeSecret, SecretString};
use time::Duration;

/// How long after its use a refresh token is answered with the same pair again.
pub const GRACE: Duration = Duration::seconds(30);

/// The next pair for a refresh token. `program`: what the client calls itself, if it says so; another name is another client.
pub async fn refresh(ctx: &Ctx, from: &Visitor, token: &SecretString, program: Option<&str>) -> Result<Issued, TokenError> {
    let (hash, now) = (sha256(token.expose_secret()), ctx.clock.now());
    let (family, account) = store::find_family(&ctx.db, &hash).await?.ok_or(TokenError::InvalidGrant)?;
    must_be_let_in(ctx, from, account, family).await?;
    let mut tx = ctx.db.begin().await?;
    let found = store::lock_refresh(&mut tx, &hash, now).await?.ok_or(TokenError::InvalidGrant)?;
    if program.is_some_and(|program| program != found.program) {
        return Err(TokenError::InvalidGrant);
    }
    if found.generation != found.newest {
        let is_repeat = found.generation + 1 == found.newest && now - found.rotated_at <= GRACE;
        // Nothing was written, and ending a family takes the account first.
        tx.rollback().await?;
        return if is_repeat { repeat(ctx, &found) } else { Err(reused(ctx, from, &found).await?) };
    }
    let (access, refresh) = (text::mint(&ctx.rng, text::ACCESS), text::mint(&ctx.rng, text::REFRESH));
    let generation = found.generation.saturating_add(1);
    let next = sealed(ctx, found.family, &access, &refresh)?;
    store::update_rotated(&mut tx, found.family, generation, &next, now, now + ctx.config.auth.token_idle).await?;
    keep(&mut tx, found.family, generation, (&access, &refresh), now, found.absolute_expires_at).await?;
    tx.commit().await?;
    let expires_in = ACCESS_LIVES.min(found.absolute_expires_at - now).whole_seconds();
    Ok(Issued { access: access.into(), refresh: refresh.into(), expires_in })
}

/// The pair that this token brought a moment ago.
fn repeat(ctx: &Ctx, found: &Refresh) -> Result<Issued, TokenError> {
    let (access, refresh) = opened(ctx, found.family, &found.repeat).ok_or(TokenError::InvalidGrant)?;
    let ends = found.absolute_expires_at.min(found.rotated_at + ACCESS_LIVES);
    Ok(Issued { access: access.into(), refresh: refresh.into(), expires_in: (ends - ctx.clock.now()).whole_seconds() })
}

/// Ends the family; of several uses at once, one tells the owner.
async fn reused(ctx: &Ctx, from: &Visitor, found: &Refresh) -> Result<TokenError, TokenError> {
    let mut tx = ctx.db.begin().await?;
    lock_account(&mut tx, found.account).await?;
    if store::delete_family(&mut tx, found.account, found.family).await?
        && let Some(holder) = accounts::find_account(&mut *tx, found.account).await?
    {
        tracing::warn!(address = %from.address, "a refresh token was used again: its family ends");
        let cause = record(ctx, &mut tx, about_program("program.token_reused", found.account, &holder, from, &found.program)).await?;
        enqueue(ctx, &mut tx, &SendProgram { account: found.account, cause, told: Told::Reused }).await?;
    }
    tx.commit().await?;
    Ok(TokenError::InvalidGrant)
}
