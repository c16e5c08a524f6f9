//! The way back to the old address, for who still reads its mails and did not want the change.
//!
//! Going it ends every session and the password: whoever changed the address knew it. A new one is set by mail. And what was added to the
//! account since whoever asked for the change came in is gone (`taking_back`).

use super::{put_address, store};
use crate::{
    accounts::server::{
        Visitor,
        attempts::{self, Attempt},
        jobs::SendReset,
        sign_up::about,
        store::{
            accounts::{self, Account},
            departures::lock_account,
            factors::pending,
            sessions,
        },
        taking_back::take_back_since,
    },
    activity::server::{Change, record},
    error::AppError,
    platform::{Ctx, crypto::sha256, jobs as queue},
    values::{Email, EventId},
};
use sqlx::PgConnection;

const DEAD_LINK: &str = "This link was already used, or is older than seven days. If you lost access to your account, ask the operator of this site.";

/// The address that a link leads back to, while it works. Changes nothing (R53).
pub async fn undo_link(ctx: &Ctx, token: &str) -> Result<Option<String>, AppError> {
    Ok(store::find_undo(&ctx.db, &sha256(token), ctx.clock.now()).await?.map(|undo| undo.old_email))
}

/// Brings the old address back, ends every session and the password, and mails a link to set a new one. Works once.
pub async fn undo_email_change(ctx: &Ctx, from: &Visitor, token: &str) -> Result<Email, AppError> {
    let attempt = Attempt::charge(ctx, &attempts::PROOF_FROM, &attempts::network(from.address)).await?;
    let dead = || AppError::invalid("", DEAD_LINK);
    let mut tx = ctx.db.begin().await?;
    let undo = store::find_undo(&mut *tx, &sha256(token), ctx.clock.now()).await?.ok_or_else(dead)?;
    // The account first, as everybody does.
    if !lock_account(&mut tx, undo.account).await? || !store::use_undo(&mut tx, &undo).await? {
        return Err(dead());
    }
    let old: Email = undo.old_email.parse().map_err(AppError::internal)?;
    let account = accounts::find_account(&mut *tx, undo.account).await?.ok_or_else(dead)?;
    store::delete_change(&mut tx, account.id).await?;
    put_address(ctx, &mut tx, account.id, &old).await?;
    accounts::clear_password(&mut tx, account.id, ctx.clock.now()).await?;
    pending::delete_pending_of(&mut tx, account.id).await?;
    sessions::delete_sessions(&mut *tx, account.id, None).await?;
    let change = Change { kind: "account.email_restored", workspace: account.workspace, ..about(account.id, "somebody", from) };
    let cause = record(ctx, &mut tx, change).await?;
    take_back_since(ctx, &mut tx, account.id, undo.since, cause).await?;
    queue::enqueue(ctx, &mut tx, &SendReset { account: account.id, cause, has_code: false }).await?;
    tx.commit().await?;
    attempt.refund(ctx).await?;
    Ok(old)
}

/// Goes back to the address that an account had at an event, if it was changed since then and the way back is open; for who holds the
/// account's lock. An address that somebody else has by now stays theirs.
pub async fn undo_changes_since(ctx: &Ctx, conn: &mut PgConnection, account: &Account, since: EventId, from: &Visitor) -> Result<(), AppError> {
    let Some(undo) = store::find_undo_since(&mut *conn, account.id, since, ctx.clock.now()).await? else { return Ok(()) };
    let old: Email = undo.old_email.parse().map_err(AppError::internal)?;
    match put_address(ctx, conn, account.id, &old).await {
        Ok(()) => {}
        Err(AppError::Conflict { .. }) => return Ok(()),
        Err(other) => return Err(other),
    }
    store::use_undo(conn, &undo).await?;
    record(ctx, conn, Change { kind: "account.email_restored", workspace: account.workspace, ..about(account.id, "somebody", from) }).await?;
    Ok(())
}

/// The token of the link that belongs to a change: made of its event, so that no secret lies in the queue and each try of the mail
/// carries the same.
pub fn token(ctx: &Ctx, change: EventId) -> String {
    let made = ctx.vault.keyed_hash_of(change.uuid(), "undo address", change.uuid().as_bytes());
    made.iter().fold(String::with_capacity(64), |hex, byte| hex + &format!("{byte:02x}"))
}
