//! What happens when the 30 days are over: the account goes, with its workspace, its keys, its sessions and settings.
//!
//! What belongs to others stays, so that it is whole: events, without addresses and devices, histories of keys, bans, blocks, reports of
//! leaks, invitations. Their person has a pseudonym there from the same transaction on. Counts of usage stay until their retention ends; they
//! name keys that nobody can trace to a person any more.

use super::store;
use crate::{
    accounts::server::{
        handles::HANDLE_HELD,
        store::{accounts, bans, expired, factors::resets, invites, profiles},
    },
    activity::server::{Change, pseudonymise, record},
    error::AppError,
    platform::{Ctx, jobs},
    values::{AccountId, FORMER, WorkspaceId},
};
use sqlx::PgConnection;

/// Erases every account whose time is over, each in a transaction of its own; says how many. Run again, or twice at once, it finds
/// what is left.
pub async fn erase_departed(ctx: &Ctx) -> Result<u64, AppError> {
    let mut erased = 0;
    loop {
        let mut tx = ctx.db.begin().await?;
        let now = ctx.clock.now();
        let Some((account, workspace)) = store::lock_due(&mut tx, now).await? else { return Ok(erased) };
        take_out(ctx, &mut tx, account, workspace).await?;
        invites::delete_invites_of(&mut tx, account).await?;
        record(ctx, &mut tx, Change { kind: "account.erased", actor_name: "system", subject: Some(account.uuid()), ..Change::default() }).await?;
        profiles::hold_handle_of_erased(&mut tx, account, now + HANDLE_HELD).await?;
        store::delete_account(&mut tx, account).await?;
        tx.commit().await?;
        erased += 1;
    }
}

/// A sign-up that nobody proved goes, with all that hangs on it; what happened to it stays without the person, like that of any account.
pub async fn erase_unproven(ctx: &Ctx, conn: &mut PgConnection, account: AccountId, workspace: Option<WorkspaceId>) -> sqlx::Result<()> {
    take_out(ctx, conn, account, workspace).await?;
    store::delete_account(conn, account).await
}

/// Every sign-up that nobody proved in time, each in a transaction of its own; says how many.
pub async fn erase_all_unproven(ctx: &Ctx) -> Result<u64, AppError> {
    let mut erased = 0;
    loop {
        let mut tx = ctx.db.begin().await?;
        let Some((account, workspace)) = expired::lock_unproven(&mut tx, ctx.clock.now()).await? else { return Ok(erased) };
        erase_unproven(ctx, &mut tx, account, workspace).await?;
        tx.commit().await?;
        erased += 1;
    }
}

/// Takes the person out of everything that stays.
async fn take_out(ctx: &Ctx, conn: &mut PgConnection, account: AccountId, workspace: Option<WorkspaceId>) -> sqlx::Result<()> {
    let pseudonym = pseudonym(ctx, account);
    pseudonymise(ctx, conn, account, workspace, &pseudonym).await?;
    bans::update_names(conn, account, &pseudonym).await?;
    resets::update_names(conn, account, &pseudonym).await?;
    store::replace_actor_name(conn, account, &pseudonym).await?;
    if let Some(person) = accounts::find_account(&mut *conn, account).await? {
        jobs::forget_address(conn, &person.email, &pseudonym).await?;
    }
    Ok(())
}

/// The same for the same account, so that a history can still be followed; without the master key nobody can tell whose it is.
fn pseudonym(ctx: &Ctx, account: AccountId) -> String {
    let hash = ctx.vault.keyed_hash("pseudonym", account.uuid().as_bytes());
    let (begins, digits) = FORMER;
    hash[..digits / 2].iter().fold(begins.to_owned(), |name, byte| name + &format!("{byte:02x}"))
}
