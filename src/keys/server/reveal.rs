//! The secret that was just made, kept sealed in the browser of who made it: a stray click or a reload does not lose it, and the
//! server stores nothing. It ends with "Done" or after ten minutes.

use super::creating::{Created, SHOWN_FOR};
use crate::{
    error::AppError,
    platform::{Ctx, http::reply},
    values::KeyId,
};

const COOKIE: &str = "reveal";

/// Sends the browser to the page of the key, where the secret is shown.
pub fn show(ctx: &Ctx, created: &Created) {
    if let Some(secret) = &created.secret {
        reply::seal(ctx, COOKIE, &format!("{} {secret}", created.key.id), SHOWN_FOR.whole_seconds());
    }
    reply::redirect(&format!("/keys/{}", created.key.id));
}

/// The secret that this browser may still see of this key.
pub fn shown(ctx: &Ctx, id: KeyId) -> Option<String> {
    let sealed = reply::sealed(ctx, COOKIE)?;
    let (key, secret) = sealed.split_once(' ')?;
    (key.parse() == Ok(id)).then(|| secret.to_owned())
}

/// The person has it; without their word it stays, because a stray click on the button says nothing.
pub fn hide(ctx: &Ctx, stored: bool) -> Result<(), AppError> {
    is_stored(stored)?;
    reply::unseal_and_drop(ctx, COOKIE);
    Ok(())
}

/// The box beside the button is ticked, by hand or by copying.
pub fn is_stored(stored: bool) -> Result<(), AppError> {
    if stored { Ok(()) } else { Err(AppError::invalid("stored", "Store it first, then tick this: it is not shown again.")) }
}

const SIGNING_COOKIE: &str = "reveal-signing";

/// The same for the secret that calls are signed with.
pub fn show_signing(ctx: &Ctx, id: KeyId, secret: &str) {
    reply::seal(ctx, SIGNING_COOKIE, &format!("{id} {secret}"), SHOWN_FOR.whole_seconds());
}

/// The signing secret that this browser may still see of this key.
pub fn shown_signing(ctx: &Ctx, id: KeyId) -> Option<String> {
    let sealed = reply::sealed(ctx, SIGNING_COOKIE)?;
    let (key, secret) = sealed.split_once(' ')?;
    (key.parse() == Ok(id)).then(|| secret.to_owned())
}

pub fn hide_signing(ctx: &Ctx) {
    reply::unseal_and_drop(ctx, SIGNING_COOKIE);
}
