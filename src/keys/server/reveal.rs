//! The secret that was just made, kept sealed in the browser of who made it: a stray click or a reload does not lose it, and the
//! server stores nothing. It ends with "Done" or after ten minutes. Each key has a cookie of its own, so that what another tab makes takes
//! nothing away; only so many wait at once, because they travel with every request. Whose it is stands in it: who signs in next in this
//! browser is shown nothing.

use super::creating::{Created, SHOWN_FOR};
use crate::{
    accounts::Caller,
    error::AppError,
    platform::{Ctx, http::reply},
    values::KeyId,
};

/// What the names of all these cookies begin with.
const COOKIES: &str = "reveal-";
/// 20 are 4 kB; proxies take 8 kB.
const MOST: usize = 20;

fn cookie(id: KeyId) -> String {
    format!("{COOKIES}{id}")
}

/// Refused while too many wait to be stored: asked before a secret is made, because one of them would be lost.
pub fn must_have_room(ctx: &Ctx) -> Result<(), AppError> {
    if reply::count_sealed(ctx, COOKIES) < MOST {
        return Ok(());
    }
    Err(AppError::conflict(format!(
        "The secrets of {MOST} keys wait to be stored in this browser. Open one of these keys, store it and press Done; then try again."
    )))
}

/// Keeps it for whoever made it.
fn keep(ctx: &Ctx, caller: &Caller, cookie: &str, secret: &str) {
    reply::seal(ctx, cookie, &format!("{} {secret}", caller.account), SHOWN_FOR.whole_seconds());
}

/// What is kept there, if this caller made it.
fn kept(ctx: &Ctx, caller: &Caller, cookie: &str) -> Option<String> {
    let sealed = reply::sealed(ctx, cookie)?;
    let (account, secret) = sealed.split_once(' ')?;
    (account == caller.account.to_string()).then(|| secret.to_owned())
}

/// Sends the browser to the page of the key, where the secret is shown.
pub fn show(ctx: &Ctx, caller: &Caller, created: &Created) {
    if let Some(secret) = &created.secret {
        keep(ctx, caller, &cookie(created.key.id), secret);
    }
    reply::redirect(&format!("/keys/{}", created.key.id));
}

/// The secret that this browser may still see of this key.
pub fn shown(ctx: &Ctx, caller: &Caller, id: KeyId) -> Option<String> {
    kept(ctx, caller, &cookie(id))
}

/// The person has it; without their word it stays, because a stray click on the button says nothing.
pub fn hide(ctx: &Ctx, id: KeyId, stored: bool) -> Result<(), AppError> {
    is_stored(stored)?;
    reply::unseal_and_drop(ctx, &cookie(id));
    Ok(())
}

/// The box beside the button is ticked, by hand or by copying.
pub fn is_stored(stored: bool) -> Result<(), AppError> {
    if stored { Ok(()) } else { Err(AppError::invalid("stored", "Store it first, then tick this: it is not shown again.")) }
}

fn signing_cookie(id: KeyId) -> String {
    format!("{COOKIES}signing-{id}")
}

/// The same for the secret that calls are signed with.
pub fn show_signing(ctx: &Ctx, caller: &Caller, id: KeyId, secret: &str) {
    keep(ctx, caller, &signing_cookie(id), secret);
}

/// The signing secret that this browser may still see of this key.
pub fn shown_signing(ctx: &Ctx, caller: &Caller, id: KeyId) -> Option<String> {
    kept(ctx, caller, &signing_cookie(id))
}

pub fn hide_signing(ctx: &Ctx, id: KeyId) {
    reply::unseal_and_drop(ctx, &signing_cookie(id));
}
