//! The mails of leaving, and the erasure when its time has come.

use super::{erase_departed, mail};
use crate::{
    platform::{
        Ctx,
        jobs::{Job, JobError, Registry, say},
    },
    values::{AccountId, EventId},
};
use serde::{Deserialize, Serialize};

/// The link that deletes the account.
#[derive(Debug, Serialize, Deserialize)]
pub struct SendDeletionLink {
    pub account: AccountId,
    pub cause: EventId,
}

/// The account is left: how it comes back, and until when.
#[derive(Debug, Serialize, Deserialize)]
pub struct SendDeparted {
    pub account: AccountId,
    pub cause: EventId,
}

/// The account is back.
#[derive(Debug, Serialize, Deserialize)]
pub struct SendReturned {
    pub account: AccountId,
    pub cause: EventId,
}

/// Hourly: accounts whose 30 days are over are erased.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct EraseDeparted {}

impl Job for SendDeletionLink {
    const KIND: &'static str = "accounts.send_deletion_link";
    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        mail::send_deletion_link(ctx, self.account, self.cause).await
    }
}

impl Job for SendDeparted {
    const KIND: &'static str = "accounts.send_departed";
    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        mail::send_departed(ctx, self.account, self.cause).await
    }
}

impl Job for SendReturned {
    const KIND: &'static str = "accounts.send_returned";
    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        mail::send_returned(ctx, self.account, self.cause).await
    }
}

impl Job for EraseDeparted {
    const KIND: &'static str = "accounts.erase_departed";
    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        let erased = erase_departed(ctx).await?;
        if erased > 0 {
            tracing::info!(erased, "erased accounts that were left 30 days ago");
        }
        say(format!("Accounts erased: {erased}."));
        Ok(())
    }
}

/// The jobs of leaving, for the registry of the process.
#[must_use]
pub fn register(registry: Registry) -> Registry {
    registry.register::<SendDeletionLink>().register::<SendDeparted>().register::<SendReturned>().register::<EraseDeparted>()
}
