//! The mail of a leaked key: where its secret was found, what still passes, and the two ways to end it.

use crate::{
    accounts::server::in_full,
    keys::server::store::leaks as store,
    platform::{
        Ctx,
        jobs::JobError,
        mail::{self, Mail},
    },
    values::{Email, KeyId},
};
use time::OffsetDateTime;

/// Places that a mail names.
const MOST: i64 = 10;

/// To the owner of the key's workspace. Nothing if the secret was rotated away, the key revoked or the mark cleared meanwhile.
pub async fn send_leak(ctx: &Ctx, key: KeyId, at: OffsetDateTime) -> Result<(), JobError> {
    let Some(owner) = store::find_owner(&ctx.db, key).await? else { return Ok(()) };
    let places = store::list_open(&ctx.db, key, ctx.clock.now(), MOST).await?;
    let Some(first) = places.first() else { return Ok(()) };
    let email: Email = owner.email.parse().map_err(|e| JobError::Fail(format!("this address can't be written to: {e}")))?;
    let page = ctx.config.link(&format!("/keys/{key}"));
    let stands = if owner.is_disabled {
        "It is disabled: its calls are answered DISABLED. Enable it once its programs have a new secret.".to_owned()
    } else {
        format!("It still passes. To stop it at once, disable it on its page: {page}")
    };
    let facts = [("Key".to_owned(), owner.key_name.clone()), ("Secret".to_owned(), format!("{}…", first.start))];
    let found = places.iter().map(|place| ("Found at".to_owned(), place.url.clone()));
    let told = [("Reported by".to_owned(), first.reported_by.clone()), ("Time".to_owned(), in_full(at, &owner.time_zone))];
    let letter = Mail::new(email, format!("{} has leaked: rotate it", owner.key_name))
        .name(&owner.name)
        .text(format!("The secret of {} was found where others can read it. Whoever has it can call in your name.", owner.key_name))
        .facts(facts.into_iter().chain(found).chain(told))
        .link("Rotate the key", format!("{page}?dialog=rotate"))
        .text(stands)
        .text("Then take the secret out of that place. Removing it there alone is not enough: somebody may have copied it.")
        .text(format!("Whether a leaked key is disabled at once is set at {}.", ctx.config.link("/settings/notifications")))
        .because("a key of your workspace was reported as leaked");
    mail::send(ctx, &letter).await
}
