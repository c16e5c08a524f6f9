//! When the mail of a leaked key is sent; what it says stands in `letter`.

use super::letter::KeyLeaked;
use crate::{
    keys::server::store::leaks as store,
    platform::{
        Ctx,
        jobs::JobError,
        mail::{self, Reader},
    },
    values::KeyId,
};
use time::OffsetDateTime;

/// Places that a mail names.
const MOST: i64 = 10;

/// To the owner of the key's workspace. Nothing if the secret was rotated away, the key revoked or the mark cleared meanwhile.
pub async fn send_leak(ctx: &Ctx, key: KeyId, at: OffsetDateTime) -> Result<(), JobError> {
    let Some(owner) = store::find_owner(&ctx.db, key).await? else { return Ok(()) };
    let places = store::list_open(&ctx.db, key, ctx.clock.now(), MOST).await?;
    let Some(first) = places.first() else { return Ok(()) };
    let to = Reader::new(&owner.email, &owner.name, &owner.language, &owner.time_zone)?;
    let letter = KeyLeaked {
        key: owner.key_name,
        start: first.start.clone(),
        reported_by: first.reported_by.clone(),
        places: places.into_iter().map(|place| place.url).collect(),
        at,
        is_disabled: owner.is_disabled,
        page: ctx.config.link(&format!("/keys/{key}")),
        choice: ctx.config.link("/settings/notifications"),
    };
    mail::send(ctx, &to.write(&letter)).await
}
