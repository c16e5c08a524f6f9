//! What happens after the response about bans, locks and devices. A payload names things by their ids; a lock is noted by a job too, so
//! that a wrong password takes as long for a known address as for an unknown one (R16).

use crate::{
    accounts::server::{Visitor, bans, locks},
    platform::{
        Ctx,
        jobs::{Job, JobError, Registry},
    },
    values::{AccountId, BanId, EventId},
};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// An account was banned: its owner is told.
#[derive(Debug, Serialize, Deserialize)]
pub struct SendBanned {
    pub ban: BanId,
}

/// A ban was lifted, or its end has come.
#[derive(Debug, Serialize, Deserialize)]
pub struct SendUnbanned {
    pub ban: BanId,
}

/// So many wrong passwords came that the next one has to wait long.
#[derive(Debug, Serialize, Deserialize)]
pub struct NoteLock {
    pub account: AccountId,
    pub address: IpAddr,
    pub device: String,
}

/// The owner of a locked address is told.
#[derive(Debug, Serialize, Deserialize)]
pub struct SendLocked {
    pub account: AccountId,
    pub cause: EventId,
}

/// The owner of a password that is tried no more is told.
#[derive(Debug, Serialize, Deserialize)]
pub struct SendStopped {
    pub account: AccountId,
    pub cause: EventId,
}

/// Somebody came in by a new browser.
#[derive(Debug, Serialize, Deserialize)]
pub struct SendNewDevice {
    pub account: AccountId,
    pub cause: EventId,
}

/// Every minute: notes the bans whose end has come.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct EndBans {}

impl Job for SendBanned {
    const KIND: &'static str = "accounts.send_banned";
    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        super::send_banned(ctx, self.ban).await
    }
}

impl Job for SendUnbanned {
    const KIND: &'static str = "accounts.send_unbanned";
    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        super::send_unbanned(ctx, self.ban).await
    }
}

impl Job for NoteLock {
    const KIND: &'static str = "accounts.note_lock";
    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        Ok(locks::note_lock(ctx, &Visitor { address: self.address, device: self.device }, self.account).await?)
    }
}

impl Job for SendLocked {
    const KIND: &'static str = "accounts.send_locked";
    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        super::send_locked(ctx, self.account, self.cause).await
    }
}

impl Job for SendStopped {
    const KIND: &'static str = "accounts.send_stopped";
    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        super::send_stopped(ctx, self.account, self.cause).await
    }
}

impl Job for SendNewDevice {
    const KIND: &'static str = "accounts.send_new_device";
    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        super::send_new_device(ctx, self.account, self.cause).await
    }
}

impl Job for EndBans {
    const KIND: &'static str = "accounts.end_bans";
    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        Ok(bans::end_bans(ctx).await?)
    }
}

/// These jobs, for the registry of the process.
#[must_use]
pub fn register(registry: Registry) -> Registry {
    registry
        .register::<SendBanned>()
        .register::<SendUnbanned>()
        .register::<NoteLock>()
        .register::<SendLocked>()
        .register::<SendStopped>()
        .register::<SendNewDevice>()
        .register::<EndBans>()
}
