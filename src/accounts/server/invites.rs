//! Invitations: links by which somebody may sign up where sign-up is not open to everybody.

use super::store::invites as store;
use crate::{
    accounts::model::Caller,
    activity::server::{Change, record},
    error::AppError,
    platform::{Ctx, crypto::sha256},
    values::{InviteId, permission_names as may},
};
use time::Duration;

const MOST_USES: u32 = 1000;
const LONGEST: Duration = Duration::days(90);

/// Makes a link that lets in so many people for so long. Only its hash is kept.
pub async fn create_invite(ctx: &Ctx, actor: &Caller, uses: u32, lives: Duration) -> Result<String, AppError> {
    actor.require(&may::ACCOUNTS_MANAGE)?;
    if !(1..=MOST_USES).contains(&uses) {
        return Err(AppError::invalid("uses", format!("An invitation lets in 1 to {MOST_USES} people.")));
    }
    if !(Duration::MINUTE..=LONGEST).contains(&lives) {
        return Err(AppError::invalid("expires", "An invitation lives a minute at least and 90 days at most."));
    }
    let token = ctx.rng.base62(43);
    let id: InviteId = ctx.new_id();
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await?;
    let new = store::NewInvite { id, token_hash: &sha256(&token), by: actor.actor(), uses: i32::try_from(uses).unwrap_or(1), now, expires_at: now + lives };
    store::insert_invite(&mut tx, new).await?;
    let change = Change {
        kind: "invite.created",
        actor: actor.actor(),
        actor_name: &actor.name,
        subject: Some(id.uuid()),
        data: serde_json::json!({ "uses": uses }),
        ..Change::default()
    };
    record(ctx, &mut tx, change).await?;
    tx.commit().await?;
    Ok(ctx.config.link(&format!("/sign-up?token={token}")))
}
