//! The secret that was just made, kept sealed in the browser of who made it: a stray click or a reload does not lose it, and the
//! server stores nothing. It ends with "Done" or after ten minutes. Each key has a cookie of its own, so that what another tab makes takes
//! nothing away; only so many wait at once, because they travel with every request.

use super::creating::{Created, SHOWN_FOR};
use crate::{
    error::AppError,
    platform::{Ctx, http::reply},
    values::KeyId,
};

/// What the names of all these cookies begin with.
const COOKIES: &str = "reveal-";
/// 20 are 3 kB; proxies take 8 kB.
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

/// Sends the browser to the page of the key, where the secret is shown.
pub fn show(ctx: &Ctx, created: &Created) {
    if let Some(secret) = &created.secret {
        reply::seal(ctx, &cookie(created.key.id), secret, SHOWN_FOR.whole_seconds());
    }
    reply::redirect(&format!("/keys/{}", created.key.id));
}

/// The secret that this browser may still see of this key.
pub fn shown(ctx: &Ctx, id: KeyId) -> Option<String> {
    reply::sealed(ctx, &cookie(id))
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
pub fn show_signing(ctx: &Ctx, id: KeyId, secret: &str) {
    reply::seal(ctx, &signing_cookie(id), secret, SHOWN_FOR.whole_seconds());
}

/// The signing secret that this browser may still see of this key.
pub fn shown_signing(ctx: &Ctx, id: KeyId) -> Option<String> {
    reply::sealed(ctx, &signing_cookie(id))
}

pub fn hide_signing(ctx: &Ctx, id: KeyId) {
    reply::unseal_and_drop(ctx, &signing_cookie(id));
}
