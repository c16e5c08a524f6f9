//! An account is taken back from somebody else who was in it: what they added must not let them in again. Passkeys, the authenticator app,
//! recovery codes, sign-ins elsewhere and keys for Tollgate itself go that came since a moment; what was there before stays. Sessions and
//! passwords are ended by whoever calls this: not all of them end the same ones.
//!
//! Keys end by a job of its own, a moment later: whoever changes a key holds the key and then needs the account, so that whoever holds the
//! account must not wait for keys.
//!
//! The moment is when that somebody came in (`came_in_at`). What they took away does not come back: nobody has it any more.

use super::{
    devices,
    factors::{PENDING_LASTS, SendFactorChanged, Told},
    store::{
        devices as known, email_changes,
        factors::{has_second, passkeys, pending, recovery, resets, totp},
        linked,
        recoveries::{self, EndedKey},
        sessions, tokens as mailed,
    },
    tokens::{self, Purpose},
};
use crate::{
    accounts::model::{Caller, Via},
    activity::server::{Change, record},
    error::AppError,
    platform::{
        Ctx,
        jobs::{self, Job, JobError},
    },
    values::{AccountId, EventId},
};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use time::OffsetDateTime;

/// Ends the keys for Tollgate itself that an account made, or let do more, since then.
#[derive(Debug, Serialize, Deserialize)]
pub struct EndKeysAdded {
    pub account: AccountId,
    /// None: since ever.
    #[serde(with = "time::serde::rfc3339::option")]
    pub since: Option<OffsetDateTime>,
    /// What the owner does after that is theirs, however late this runs.
    #[serde(with = "time::serde::rfc3339")]
    pub until: OffsetDateTime,
    /// The event that a mail tells of, if there was a key and nothing else that one told of already.
    pub cause: Option<EventId>,
}

impl Job for EndKeysAdded {
    const KIND: &'static str = "accounts.end_keys_added";
    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        let mut tx = ctx.db.begin().await?;
        let ended = recoveries::insert_recovery(&mut tx, self.account, (self.since, self.until), ctx.clock.now()).await?;
        for key in &ended {
            note_ended(ctx, &mut tx, key).await?;
        }
        if let Some(cause) = self.cause.filter(|_| !ended.is_empty()) {
            jobs::enqueue(ctx, &mut tx, &SendFactorChanged { account: self.account, cause, told: Told::TakenBack }).await?;
        }
        Ok(tx.commit().await?)
    }
}

/// What the history of the key says, as an event: as of every other change of a key.
async fn note_ended(ctx: &Ctx, conn: &mut PgConnection, key: &EndedKey) -> sqlx::Result<()> {
    let change = Change {
        kind: &format!("key.{}", key.state),
        workspace: Some(key.workspace),
        actor: None,
        actor_name: "system",
        subject: Some(key.key.uuid()),
        reason: "added or changed while somebody else was in the account",
        data: serde_json::json!({ "name": key.name, "from": key.was }),
    };
    record(ctx, conn, change).await?;
    Ok(())
}

/// Ends what was added since then, and mails that, if it was anything; for who holds the account's lock. `cause`: the event of it.
///
/// A sign-in elsewhere goes, too, by which somebody came in since then, or was about to while the second factor was asked for.
pub async fn take_back_since(ctx: &Ctx, conn: &mut PgConnection, account: AccountId, since: OffsetDateTime, cause: EventId) -> sqlx::Result<()> {
    let had_passkeys = passkeys::delete_passkeys_since(conn, account, since).await?;
    let had_app = totp::delete_totp_since(conn, account, since).await?;
    let had_codes = recovery::delete_codes_since(conn, account, since).await?;
    let had_links = linked::delete_links_since(conn, account, since, since - PENDING_LASTS).await?;
    end_what_stood_in(conn, account).await?;
    let is_told = had_passkeys || had_app || had_codes || had_links;
    if is_told {
        jobs::enqueue(ctx, conn, &SendFactorChanged { account, cause, told: Told::TakenBack }).await?;
    }
    jobs::enqueue(ctx, conn, &EndKeysAdded { account, since: Some(since), until: ctx.clock.now(), cause: (!is_told).then_some(cause) }).await?;
    Ok(())
}

/// Ends everything that an account has besides its address: for who proves an address that somebody else signed up with (R57). There is
/// nobody to mail: what was there was never theirs.
pub async fn take_back_all(ctx: &Ctx, conn: &mut PgConnection, account: AccountId) -> sqlx::Result<()> {
    let now = ctx.clock.now();
    passkeys::delete_passkeys(conn, account).await?;
    totp::delete_totp(conn, account).await?;
    recovery::delete_codes(conn, account).await?;
    linked::delete_links_of(conn, account).await?;
    jobs::enqueue(ctx, conn, &EndKeysAdded { account, since: None, until: now, cause: None }).await?;
    end_what_stood_in(conn, account).await?;
    email_changes::delete_change(conn, account).await?;
    // The used proof stays: whoever presses its button again is told that it is done.
    let others: Vec<&str> = tokens::KINDS.into_iter().filter(|kind| *kind != Purpose::VerifyEmail.as_str()).collect();
    mailed::delete_tokens(conn, account, &others).await?;
    pending::delete_pending_of(conn, account).await?;
    known::update_devices_void(conn, account, now).await?;
    sessions::delete_sessions(&mut *conn, account, None).await?;
    Ok(())
}

/// Codes that stand in for a factor go with the last one, and so does an operator's removal of it that waits.
async fn end_what_stood_in(conn: &mut PgConnection, account: AccountId) -> sqlx::Result<()> {
    if has_second(&mut *conn, account).await? {
        return Ok(());
    }
    recovery::delete_codes(conn, account).await?;
    resets::delete_reset_of(conn, account).await
}

/// When whoever asks came in: with their session, or with the first browser that was new to the account in the last days, be it this one or
/// another. So somebody who signs in twice, from one browser or from two, does not save what they added the first time. By a key: with that
/// browser, or now.
pub async fn came_in_at(ctx: &Ctx, caller: &Caller) -> Result<OffsetDateTime, AppError> {
    let now = ctx.clock.now();
    let session = match caller.via {
        Via::Session(id) | Via::Token(id) => sessions::find_begun(&ctx.db, caller.account, id).await?,
        Via::Key(_) | Via::Cli | Via::Acting(_) => None,
    };
    let device = known::find_newcomer(&ctx.db, caller.account, now - devices::ALARM_LIVES).await?;
    Ok([session, device].into_iter().flatten().fold(now, std::cmp::min))
}
